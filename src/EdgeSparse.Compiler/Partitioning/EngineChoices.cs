using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Kernels;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Compiler.Partitioning;

/// <summary>
/// Which engine runs what both could: a part that the native engine can run, or the whole model. What <see cref="EngineTuner"/> measured decides, end to end, so that handing over and
/// copies are in it; where nothing was measured, the native engine.
/// </summary>
internal sealed class EngineChoices
{
    public const string Native = "native";

    /// <summary>ONNX Runtime must take less than this share of the native engine's time: two measurements differ by some per cent.</summary>
    private const double Gain = 0.97;

    private readonly CompileOptions _options;
    private readonly CostTable _costs;
    private readonly byte[] _model;

    public EngineChoices(OnnxModel model, CompileOptions options)
    {
        _options = options;
        _costs = options.Costs ?? CostTable.Default(InstructionSets.Best);
        string shapes = string.Join(',', options.InputShapes.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"));
        _model = SHA256.HashData([.. SHA256.HashData(model.FileBytes.Span), .. Encoding.UTF8.GetBytes(shapes)]);
    }

    /// <summary>By which a part's times are found: the model's file and input shapes, and what the part's nodes make. Without nodes, the whole model's.</summary>
    public string Signature(IEnumerable<OnnxNode> nodes)
    {
        string names = string.Join('\n', nodes.SelectMany(node => node.Outputs));
        return "engine " + Convert.ToHexStringLower(SHA256.HashData([.. _model, .. Encoding.UTF8.GetBytes(names)]), 0, 16);
    }

    /// <summary>True where it is for ONNX Runtime, though the native engine could run it.</summary>
    /// <param name="measured">What was measured, in words; null where nothing was.</param>
    public bool IsForOnnxRuntime(string signature, out string? measured)
    {
        measured = null;
        if (_options.EngineChoice is { } choose) return choose(signature);
        if (!_costs.Layers.TryGetValue(signature, out LayerTiming[]? timings) || timings.Length != 2) return false;
        (LayerTiming native, LayerTiming other) = timings[0].Kernel == Native ? (timings[0], timings[1]) : (timings[1], timings[0]);
        measured = string.Create(CultureInfo.InvariantCulture, $"measured, the whole model: {native.Nanoseconds / 1e6:0.###} ms with it on the native engine, {other.Nanoseconds / 1e6:0.###} ms on {other.Kernel}");
        return _options.Backend == CompileBackend.Auto && other.Nanoseconds < Gain * native.Nanoseconds;
    }
}
