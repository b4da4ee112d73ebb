using System.Globalization;
using EdgeSparse.Compiler.SparseAttention;
using EdgeSparse.Compiler.Tokens;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Compiler;

/// <summary>Which engine a package is for.</summary>
public enum CompileBackend
{
    /// <summary>Native where every operator is supported, else in parts for both engines where that pays, else ONNX Runtime.</summary>
    Auto,
    Native,
    OnnxRuntime,
    /// <summary>As <see cref="Auto"/>, but every part that the native engine can run is for it, however small.</summary>
    Mixed,
}

/// <summary>How a model is compiled.</summary>
public sealed class CompileOptions
{
    public CompileBackend Backend { get; set; } = CompileBackend.Auto;

    /// <summary>Shapes of inputs by name, where the model leaves dimensions open or to override them.</summary>
    public Dictionary<string, Shape> InputShapes { get; } = new(StringComparer.Ordinal);

    /// <summary>Run the passes that fold and fuse; without them the graph is the model's own operators.</summary>
    public bool Optimize { get; set; } = true;

    /// <summary>How the tokens of a vision transformer are reduced; null: not at all. It is the native engine's: with <see cref="CompileBackend.Auto"/> there is no other then.</summary>
    public TokenReductionSpec? Tokens { get; set; }

    /// <summary>Which scores of a vision transformer's attentions are left out; null: none. It is the native engine's.</summary>
    public SparseAttentionSpec? Attention { get; set; }

    /// <summary>
    /// Share of zeros from which a weight matrix is stored packed sparse; null: where the cost model predicts a gain (<see cref="SparseSelection"/>). Above 1: never.
    /// </summary>
    public double? SparseThreshold { get; set; }

    /// <summary>True for what ONNX Runtime is to run though the native engine could; null = by <see cref="Costs"/>.</summary>
    internal Func<string, bool>? EngineChoice { get; set; }

    /// <summary>By which a model is divided between engines; null = the built-in costs of this processor's instruction set.</summary>
    public CostTable? Costs { get; set; }

    /// <summary>
    /// The package's manifest; null reads <c>MODEL.json</c>, else <c>model.json</c>, beside <c>MODEL.onnx</c>, and labels from <c>MODEL.labels.txt</c>, else <c>labels.txt</c>,
    /// where the manifest has none.
    /// </summary>
    public Manifest? Manifest { get; set; }

    /// <summary>The same for another engine.</summary>
    internal CompileOptions With(CompileBackend backend, Func<string, bool> choice)
    {
        var copy = (CompileOptions)MemberwiseClone();
        (copy.Backend, copy.EngineChoice) = (backend, choice);
        return copy;
    }

    /// <summary>Adds a shape written as <c>name=1x3x224x224</c>. Throws <see cref="FormatException"/> for anything else.</summary>
    public void AddInputShape(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int equals = text.LastIndexOf('=');
        string[] parts = equals < 1 ? [] : text[(equals + 1)..].Split('x');
        var dimensions = new int[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out dimensions[i]) || dimensions[i] < 1 || dimensions[i] > Limits.Dimension)
                parts = [];
        }
        if (parts.Length is 0 or > Limits.Rank) throw new FormatException($"'{text}' is not an input shape; expected NAME=1x3x224x224");
        InputShapes[text[..equals]] = new Shape(dimensions);
    }
}
