using EdgeSparse.Compiler.Tokens;
using EdgeSparse.Kernels;
using EdgeSparse.Kernels.Attention;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.SparseAttention;

/// <summary>
/// Marks attentions of a vision transformer as sparse, where a gain is predicted: the work that the pattern leaves, empty lanes and copies of keys counted in, is held against that of all pairs.
/// </summary>
public static class AttentionSparsifier
{
    /// <summary>Below this gain over all pairs an attention stays dense: the copies cost more on some processors than the estimate says.</summary>
    private const double LeastGain = 1.15;

    /// <summary>
    /// Marks the layers that <paramref name="spec"/> names, and notes what was done. Throws <see cref="SparseAttentionException"/>, with the graph as it was, where the model does not have what
    /// it needs.
    /// </summary>
    public static void Apply(Graph graph, SparseAttentionSpec spec, InstructionSet isa, List<string> notes)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(notes);
        List<Node> attentions = [.. graph.Nodes.Where(node => node.Kind == OperatorKind.Attention)];
        if (attentions.Count == 0)
            throw Fail(spec, "the model has no attention; found " + string.Join(", ", graph.Nodes.GroupBy(node => node.Kind).OrderByDescending(group => group.Count()).Take(4).Select(group => $"{group.Count()} {group.Key}")));
        int last = spec.LastLayer == int.MaxValue ? attentions.Count : spec.LastLayer;
        if (last > attentions.Count) throw Fail(spec, $"the model has no layer {last}, it has layers 1 to {attentions.Count}");
        List<Node> chosen = attentions[(spec.FirstLayer - 1)..last];
        switch (spec.Kind)
        {
            case SparseAttentionKind.Window:
                ApplyWindow(graph, chosen, spec, isa, notes);
                break;
            case SparseAttentionKind.Region or SparseAttentionKind.Predicted:
                ApplyRoute(graph, chosen, spec, isa, notes);
                break;
            case SparseAttentionKind.Threshold:
                List<Node> long_ = [.. chosen.Where(node => spec.Threshold > 0 && node.Inputs[1]!.Shape[2] > AttentionPattern.SkippedKeys)];
                foreach (Node node in long_) node.Attributes.Set("skip_threshold", spec.Threshold);
                notes.Add($"attention: negligible blocks are skipped in {long_.Count} of {chosen.Count} layers; the gain depends on the pictures");
                break;
            default:
                List<Node> masked = [.. chosen.Where(node => node.Input(3) is not null)];
                if (masked.Count == 0) throw Fail(spec, $"none of the {chosen.Count} attentions has a mask");
                foreach (Node node in masked) node.Attributes.Set("skip_masked", 1);
                notes.Add($"attention: keys that the mask excludes are left out in {masked.Count} of {chosen.Count} layers; the gain depends on the mask");
                break;
        }
    }

    private static void ApplyWindow(Graph graph, List<Node> chosen, SparseAttentionSpec spec, InstructionSet isa, List<string> notes)
    {
        (int prefix, int rows, int columns) = Grid(graph, chosen, spec);
        var window = new AttentionWindow(prefix, rows, columns, spec.Window.Height, spec.Window.Width, spec.Stride.Height, spec.Stride.Width);
        if (spec.Window.Height > rows || spec.Window.Width > columns) throw Fail(spec, $"the window {spec.Window.Height}x{spec.Window.Width} is larger than the grid of {rows}x{columns} patches");
        if (spec.Stride.Height > 1 && spec.Stride == spec.Window && (rows % spec.Window.Height != 0 || columns % spec.Window.Width != 0))
            throw Fail(spec, $"blocks of {spec.Window.Height}x{spec.Window.Width} do not divide the grid of {rows}x{columns} patches");
        string pattern = $"window {window.WindowHeight}x{window.WindowWidth}, stride {window.StrideHeight}x{window.StrideWidth}, over {rows}x{columns} patches";
        if (!Pays(AttentionPattern.Of(window, isa).Work, window.Tokens, pattern, chosen, isa, notes)) return;
        foreach (Node node in chosen) node.Attributes.Set("window", window.Prefix, rows, columns, window.WindowHeight, window.WindowWidth, window.StrideHeight, window.StrideWidth);
    }

    private static void ApplyRoute(Graph graph, List<Node> chosen, SparseAttentionSpec spec, InstructionSet isa, List<string> notes)
    {
        (int prefix, int rows, int columns) = Grid(graph, chosen, spec);
        bool predicted = spec.Kind == SparseAttentionKind.Predicted;
        (int height, int width) = spec.Region;
        if (!predicted)
        {
            if (rows % spec.Regions.Height != 0 || columns % spec.Regions.Width != 0) throw Fail(spec, $"{spec.Regions.Height}x{spec.Regions.Width} regions do not divide the grid of {rows}x{columns} patches");
            (height, width) = (rows / spec.Regions.Height, columns / spec.Regions.Width);
        }
        if (height > rows || width > columns) throw Fail(spec, $"the region {height}x{width} is larger than the grid of {rows}x{columns} patches");
        (int cellHeight, int cellWidth) = predicted ? spec.Cell : (height, width);
        int cells = (rows + cellHeight - 1) / cellHeight * ((columns + cellWidth - 1) / cellWidth);
        var route = new AttentionRouteParameters
        {
            Isa = isa,
            Tables = 1,
            Prefix = prefix,
            GridHeight = rows,
            GridWidth = columns,
            RegionHeight = height,
            RegionWidth = width,
            ProbeHeight = cellHeight,
            ProbeWidth = cellWidth,
            CellHeight = cellHeight,
            CellWidth = cellWidth,
            Kept = predicted ? Math.Max(1, (int)Math.Round(spec.Keep * cells)) : spec.Top,
            Skip = predicted ? prefix : 0,
        };
        AttentionRoute.Prepare(ref route);
        string pattern = $"regions of {height}x{width} see {route.Kept} of {cells} {(predicted ? $"predicted cells of {cellHeight}x{cellWidth}" : "regions")} over {rows}x{columns} patches";
        if (!Pays(AttentionRoute.Work(in route, isa, predicted), route.Tokens, pattern, chosen, isa, notes)) return;
        foreach (Node node in chosen)
        {
            node.Attributes.Set("route", prefix, rows, columns, height, width, cellHeight, cellWidth, route.Kept);
            if (predicted) node.Attributes.Set("route_predicted", 1);
        }
    }

    /// <summary>Prefix tokens and patches of the chosen attentions, which must all be of all tokens to all.</summary>
    private static (int Prefix, int Rows, int Columns) Grid(Graph graph, List<Node> chosen, SparseAttentionSpec spec)
    {
        TransformerLayers found;
        try
        {
            found = TransformerLayers.Find(graph);
        }
        catch (TokenReductionException other)
        {
            throw new SparseAttentionException($"sparse attention '{spec}': {other.Message}", other);
        }
        (int rows, int columns) = (found.GridRows, found.GridColumns);
        if (found.Protected + rows * columns != found.Tokens || rows < 2) throw Fail(spec, $"the model does not say how its {found.Tokens} tokens, {found.Protected} of them protected, lie in a grid");
        foreach (Node node in chosen)
        {
            if (node.Inputs[0]!.Shape[2] != found.Tokens || node.Inputs[1]!.Shape[2] != found.Tokens)
                throw Fail(spec, $"'{node.Name}' attends from {node.Inputs[0]!.Shape[2]} to {node.Inputs[1]!.Shape[2]} tokens, expected {found.Tokens} each");
            if (node.Input(3) is { } mask && mask.Shape.Rank >= 2 && mask.Shape[-2] != 1) throw Fail(spec, $"'{node.Name}' has a mask {mask.Shape} that differs between queries");
        }
        return (found.Protected, rows, columns);
    }

    /// <summary>Notes what is predicted of a pattern; false where attention is to stay dense.</summary>
    private static bool Pays(double work, int tokens, string pattern, List<Node> chosen, InstructionSet isa, List<string> notes)
    {
        double gain = AttentionPattern.DenseWork(isa, tokens, tokens) / work;
        bool pays = gain >= LeastGain;
        notes.Add(pays ? FormattableString.Invariant($"attention: {pattern} in {chosen.Count} layers, predicted {gain:0.0}x as fast as all pairs")
            : FormattableString.Invariant($"attention: {pattern} would be {gain:0.00}x as fast as all pairs: stays dense"));
        return pays;
    }

    private static SparseAttentionException Fail(SparseAttentionSpec spec, string found) => new($"sparse attention '{spec}': {found}");
}
