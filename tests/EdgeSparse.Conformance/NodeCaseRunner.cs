using System.Runtime.InteropServices;
using EdgeSparse.Compiler;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Conformance;

internal enum Outcome
{
    Passed,
    NotClaimed,
    Failed,
}

/// <summary>
/// Runs one case through import, passes and the native session. Inputs that shapes depend on are bound as constants from the case's data, since
/// EdgeSparse compiles static shapes. A case that the importer refuses by its table is not claimed; anything else that goes wrong is a failure.
/// </summary>
internal static class NodeCaseRunner
{
    // ONNX's own runner takes 1e-3 and 1e-7; the absolute part here leaves room for sums near zero in another order.
    private const double RelativeTolerance = 1e-3;
    private const double AbsoluteTolerance = 1e-5;

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1031", Justification = "Whatever a case throws is that case's failure, and the other cases still run.")]
    public static (Outcome Outcome, string Reason) Run(NodeCase node, bool optimize)
    {
        try
        {
            OnnxModel model = OnnxModel.Parse(node.Model, node.Name);
            foreach (OnnxNode operation in model.Graph.Nodes)
            {
                int version = (int)(model.OpsetVersion(operation.Domain) ?? 1);
                if (OperatorTable.Refusal(operation, version) is { } refusal) return (Outcome.NotClaimed, $"operator {operation.OpType}: {refusal}");
            }
            if (model.Graph.Inputs.Concat(model.Graph.Outputs).FirstOrDefault(info => info.Kind != "tensor") is { } other) return (Outcome.NotClaimed, $"type {other.Kind}");
            foreach (int set in node.Sets)
            {
                (Outcome outcome, string reason) = RunSet(node, model, set, optimize);
                if (outcome != Outcome.Passed) return (outcome, reason);
            }
            return (Outcome.Passed, "");
        }
        catch (UnsupportedTypeException e)
        {
            return (Outcome.NotClaimed, $"type: {e.Message}");
        }
        catch (Exception e)
        {
            return (Outcome.Failed, $"{e.GetType().Name}: {e.Message} {e.StackTrace?.Split('\n')[0].Trim()}");
        }
    }

    private static (Outcome, string) RunSet(NodeCase node, OnnxModel model, int set, bool optimize)
    {
        var decoder = new TensorDecoder("");
        HashSet<string> bound = ShapeInputs(model.Graph);
        var options = new ImportOptions();
        var inputs = new Dictionary<string, Tensor>();
        int index = 0;
        foreach (OnnxValueInfo input in model.Graph.Inputs)
        {
            if (model.Graph.Initializers.Exists(tensor => tensor.Name == input.Name)) continue;
            OnnxTensor stored = ReadTensor(node.Inputs[(set, index++)], node.Name);
            if (stored.DataType != input.DataType || input.Dims?.Count is { } rank && rank != stored.Dims.Length) return (Outcome.NotClaimed, "the archive's data do not have the type and rank that the model declares");
            Tensor tensor = decoder.Decode(stored);
            if (bound.Contains(input.Name))
            {
                options.BoundInputs[input.Name] = tensor;
            }
            else
            {
                options.InputShapes[input.Name] = tensor.Shape;
                inputs[input.Name] = tensor;
            }
        }
        ImportResult imported = OnnxImporter.Import(model, options);
        if (imported.Graph is not { } graph) return (Outcome.NotClaimed, $"{imported.Unsupported[0].Operator}: {imported.Unsupported[0].Reason}");
        if (optimize) GraphPasses.Run(graph, []);
        if (ModelCompiler.Unsupported(graph) is [var unsupported, ..]) return (Outcome.Failed, $"claimed, but no kernel: {unsupported}");
        GraphValidator.Validate(graph);
        using NativeSession session = NativeSession.Create(graph, new SessionOptions { Threads = 1 });
        for (int i = 0; i < session.Inputs.Count; i++) inputs[session.Inputs[i].Name].Data.Span.CopyTo(session.Input(i));
        session.Run();
        for (int i = 0; i < session.Outputs.Count; i++)
        {
            OnnxTensor stored = ReadTensor(node.Outputs[(set, i)], node.Name);
            if (stored.DataType != model.Graph.Outputs[i].DataType) return (Outcome.NotClaimed, "the archive's data do not have the type and rank that the model declares");
            if (Difference(decoder.Decode(stored), session.Outputs[i], session.Output(i), stored.DataType) is { } difference)
                return (Outcome.Failed, $"output {i} '{session.Outputs[i].Name}': {difference}");
        }
        return (Outcome.Passed, "");
    }

    /// <summary>A TensorProto, read as the only initializer of a model made around it.</summary>
    internal static OnnxTensor ReadTensor(byte[] bytes, string name) => new OnnxReader(bytes, name).ReadTensor();

    /// <summary>Graph inputs that reach an input by which a claimed operator decides shapes, other than through Shape and Size.</summary>
    private static HashSet<string> ShapeInputs(OnnxGraph graph)
    {
        var makers = new Dictionary<string, OnnxNode>();
        foreach (OnnxNode node in graph.Nodes)
            foreach (string output in node.Outputs) makers[output] = node;
        var needed = new HashSet<string>();
        var pending = new Stack<string>();
        foreach (OnnxNode node in graph.Nodes)
            foreach (int i in OperatorTable.Find(node)?.ShapeInputs ?? [])
                if (i < node.Inputs.Count) pending.Push(node.Inputs[i]);
        while (pending.TryPop(out string? name))
        {
            if (name.Length == 0 || !needed.Add(name) || !makers.TryGetValue(name, out OnnxNode? maker) || maker.OpType is "Shape" or "Size") continue;
            foreach (string input in maker.Inputs) pending.Push(input);
        }
        return needed;
    }

    /// <summary>Where and by what outputs differ beyond tolerance; null where they do not.</summary>
    /// <param name="storedType">TensorProto.DataType of what is expected.</param>
    /// <param name="ofLargest">What the difference may be as a part of the largest magnitude that is expected.</param>
    internal static string? Difference(Tensor expected, TensorInfo info, ReadOnlySpan<byte> actual, int storedType, double ofLargest = 0)
    {
        if (expected.Shape != info.Shape) return $"shape {info.Shape}, expected {expected.Shape}";
        if (expected.Type != info.Type) return $"type {info.Type}, expected {expected.Type}";
        // Reduced-precision results are compared at their own precision: float16 rounds at 2^-11, bfloat16 at 2^-8 of the value; what has fewer bits is the same or is not.
        (double relative, double absolute) = storedType switch
        {
            16 => (1.0 / 128, AbsoluteTolerance),
            10 => (2 * RelativeTolerance, 1e-4),
            > 16 => (0.0, 0.0),
            _ => (RelativeTolerance, AbsoluteTolerance),
        };
        switch (info.Type)
        {
            case ElementType.Float32:
                ReadOnlySpan<float> wantedSingles = expected.Span<float>(), singles = MemoryMarshal.Cast<byte, float>(actual);
                if (ofLargest > 0) absolute = Math.Max(absolute, ofLargest * wantedSingles.ToArray().Max(MathF.Abs));
                for (int i = 0; i < singles.Length; i++)
                    if (!Close(wantedSingles[i], singles[i], relative, absolute)) return $"[{i}] is {singles[i]}, expected {wantedSingles[i]}";
                return null;
            case ElementType.Float64:
                ReadOnlySpan<double> wantedDoubles = expected.Span<double>(), doubles = MemoryMarshal.Cast<byte, double>(actual);
                for (int i = 0; i < doubles.Length; i++)
                    if (!Close(wantedDoubles[i], doubles[i], relative, absolute)) return $"[{i}] is {doubles[i]}, expected {wantedDoubles[i]}";
                return null;
            default:
                int difference = expected.Data.Span.CommonPrefixLength(actual);
                return difference == actual.Length ? null : $"{info.Type} differs at byte {difference} of {actual.Length}: {actual[difference]}, expected {expected.Data.Span[difference]}";
        }
    }

    private static bool Close(double expected, double actual, double relative, double absolute) =>
        double.IsNaN(expected) ? double.IsNaN(actual) : expected == actual || Math.Abs(expected - actual) <= absolute + relative * Math.Abs(expected);
}
