using System.Globalization;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.SparseAttention;

/// <summary>Which scores an attention leaves out.</summary>
public enum SparseAttentionKind
{
    /// <summary>Those beyond a window of patches around each query.</summary>
    Window,
    /// <summary>Blocks of keys whose weights are all negligible.</summary>
    Threshold,
    /// <summary>Those that the model's own mask excludes.</summary>
    Masked,
    /// <summary>Those of regions of keys whose mean fits that of the queries' region least (BiFormer).</summary>
    Region,
    /// <summary>Those of cells of keys that means of neighbouring queries and keys predict to matter least (Sparsifiner).</summary>
    Predicted,
}

/// <summary>
/// Sparse attention as written: <c>KIND:ARGUMENT,…</c>, with <c>layers=N</c> or <c>layers=N-M</c> last, counted from 1; without it all layers. Sizes are <c>7</c> or <c>HEIGHTxWIDTH</c>.
/// </summary>
public sealed class SparseAttentionSpec
{
    private SparseAttentionSpec(string text) => Text = text;

    /// <summary>As written.</summary>
    public string Text { get; }

    public SparseAttentionKind Kind { get; private set; }

    public (int Height, int Width) Window { get; private set; }

    public (int Height, int Width) Stride { get; private set; } = (1, 1);

    public double Threshold { get; private set; }

    /// <summary>Regions along each side of the picture.</summary>
    public (int Height, int Width) Regions { get; private set; }

    /// <summary>Regions that each region sees.</summary>
    public int Top { get; private set; }

    /// <summary>Patches along each side of a region of queries, of which the cells of keys are predicted together.</summary>
    public (int Height, int Width) Region { get; private set; }

    /// <summary>Patches along each side of a cell of keys; divides the region.</summary>
    public (int Height, int Width) Cell { get; private set; }

    /// <summary>Share of the cells that a region sees.</summary>
    public double Keep { get; private set; }

    public int FirstLayer { get; private set; } = 1;

    public int LastLayer { get; private set; } = int.MaxValue;

    public static IReadOnlyList<string> Forms { get; } = ["neighbourhood:window=7", "window:size=7,stride=3", "blocked:size=7", "threshold:0.001", "masked", "region:grid=7,top=4", "predict:keep=0.25,region=4,cell=2"];

    /// <summary>Reads a specification. Throws <see cref="SparseAttentionException"/>, naming what was found and what was expected.</summary>
    public static SparseAttentionSpec Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var spec = new SparseAttentionSpec(text);
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string kind = colon < 0 ? text : text[..colon];
        var arguments = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string argument in colon < 0 ? [] : text[(colon + 1)..].Split(','))
        {
            int equals = argument.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? "" : argument[..equals];
            if (!arguments.TryAdd(name, argument[(equals + 1)..])) throw spec.Fail(name.Length > 0 ? $"'{name}' is given twice" : $"'{argument}' is one value too many");
        }
        switch (kind)
        {
            case "neighbourhood":
                spec.Window = spec.Size(arguments, "window");
                break;
            case "window":
                spec.Window = spec.Size(arguments, "size");
                if (arguments.ContainsKey("stride")) spec.Stride = spec.Size(arguments, "stride");
                break;
            case "blocked":
                spec.Window = spec.Stride = spec.Size(arguments, "size");
                break;
            case "threshold":
                spec.Kind = SparseAttentionKind.Threshold;
                string value = arguments.Remove("", out string? given) ? given : throw spec.Fail("the threshold is missing");
                if (!double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double threshold) || !(threshold is >= 0 and < 1))
                    throw spec.Fail($"threshold '{value}', expected 0 up to, not including, 1");
                spec.Threshold = threshold;
                break;
            case "masked":
                spec.Kind = SparseAttentionKind.Masked;
                break;
            case "region":
                spec.Kind = SparseAttentionKind.Region;
                spec.Regions = spec.Size(arguments, "grid");
                if (!arguments.Remove("top", out string? top)) throw spec.Fail("'top' is missing");
                if (!Whole(top, out int kept)) throw spec.Fail($"top '{top}' is not a number of regions");
                if (kept > (long)spec.Regions.Height * spec.Regions.Width) throw spec.Fail($"top {kept} is more than the {spec.Regions.Height}x{spec.Regions.Width} regions");
                spec.Top = kept;
                break;
            case "predict":
                spec.Kind = SparseAttentionKind.Predicted;
                if (!arguments.Remove("keep", out string? share)) throw spec.Fail("'keep' is missing");
                if (!double.TryParse(share, NumberStyles.Float, CultureInfo.InvariantCulture, out double keep) || !(keep is > 0 and <= 1)) throw spec.Fail($"keep '{share}', expected more than 0 up to 1");
                spec.Keep = keep;
                spec.Region = arguments.ContainsKey("region") ? spec.Size(arguments, "region") : (4, 4);
                spec.Cell = arguments.ContainsKey("cell") ? spec.Size(arguments, "cell") : (2, 2);
                if (spec.Region.Height % spec.Cell.Height != 0 || spec.Region.Width % spec.Cell.Width != 0)
                    throw spec.Fail($"cells of {spec.Cell.Height}x{spec.Cell.Width} do not divide regions of {spec.Region.Height}x{spec.Region.Width}");
                break;
            default:
                throw spec.Fail($"'{kind}' is not known");
        }
        if (spec.Stride.Height > spec.Window.Height || spec.Stride.Width > spec.Window.Width)
            if (spec.Kind == SparseAttentionKind.Window) throw spec.Fail($"stride {spec.Stride.Height}x{spec.Stride.Width} is larger than the window {spec.Window.Height}x{spec.Window.Width}: patches between would be seen by none");
        if (arguments.Remove("layers", out string? layers)) spec.ReadLayers(layers);
        foreach ((string name, string value) in arguments) throw spec.Fail(name.Length > 0 ? $"'{name}' is not an argument of {kind}" : $"'{value}' is not an argument of {kind}");
        return spec;
    }

    public override string ToString() => Text;

    internal SparseAttentionException Fail(string found) => new($"sparse attention '{Text}': {found}; expected {string.Join(", ", Forms)}, each with layers=N or layers=N-M if wanted");

    private (int, int) Size(Dictionary<string, string> arguments, string name)
    {
        if (!arguments.Remove(name, out string? value)) throw Fail($"'{name}' is missing");
        string[] parts = value.Split('x');
        if (parts.Length > 2 || !Whole(parts[0], out int height)) throw Fail($"{name} '{value}' is not a size such as 7 or 7x9");
        int width = height;
        if (parts.Length == 2 && !Whole(parts[1], out width)) throw Fail($"{name} '{value}' is not a size such as 7 or 7x9");
        return (height, width);
    }

    private void ReadLayers(string value)
    {
        string[] parts = value.Split('-');
        if (parts.Length > 2 || !Whole(parts[0], out int first) || !Whole(parts[^1], out int last) || last < first) throw Fail($"layers '{value}' is not a layer such as 3 or layers such as 3-9");
        (FirstLayer, LastLayer) = (first, last);
    }

    private static bool Whole(string text, out int value) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value is >= 1 and <= Limits.Dimension;
}
