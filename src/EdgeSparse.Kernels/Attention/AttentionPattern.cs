using System.Runtime.InteropServices;

namespace EdgeSparse.Kernels.Attention;

/// <summary>
/// Which keys each query sees, after Hassani et al., "Generalized Neighborhood Attention" (2025): tokens are a few prefix tokens (class, registers) and then the patches of a grid, row by row.
/// Prefix tokens see and are seen by all. Along each axis of n patches, patch i belongs to the group i / stride, whose leader is patch min(⌊i / stride⌋ · stride + stride / 2, n − 1); it sees
/// `window` patches from clamp(leader − window / 2, 0, n − window) on. Stride 1 is neighbourhood attention, stride = window attention in blocks.
/// </summary>
/// <param name="Prefix">Tokens before the patches.</param>
public sealed record AttentionWindow(int Prefix, int GridHeight, int GridWidth, int WindowHeight, int WindowWidth, int StrideHeight, int StrideWidth)
{
    public int Tokens => Prefix + GridHeight * GridWidth;

    /// <exception cref="ArgumentException">A window that is larger than the grid, or a stride that is larger than the window.</exception>
    public void Check()
    {
        if (Prefix < 0 || GridHeight < 1 || GridWidth < 1) throw new ArgumentException($"attention window over a grid of {GridHeight}x{GridWidth} after {Prefix} tokens, expected at least 1x1 after 0");
        if (WindowHeight < 1 || WindowHeight > GridHeight || WindowWidth < 1 || WindowWidth > GridWidth) throw new ArgumentException($"attention window {WindowHeight}x{WindowWidth}, expected 1x1 to the grid's {GridHeight}x{GridWidth}");
        if (StrideHeight < 1 || StrideHeight > WindowHeight || StrideWidth < 1 || StrideWidth > WindowWidth) throw new ArgumentException($"attention window stride {StrideHeight}x{StrideWidth}, expected 1x1 to the window's {WindowHeight}x{WindowWidth}");
    }

    /// <summary>First patch, along one axis, that patch i sees.</summary>
    internal static int First(int i, int count, int window, int stride) => Math.Clamp(Math.Min(i / stride * stride + stride / 2, count - 1) - window / 2, 0, count - window);
}

/// <summary>
/// What attention walks over instead of all pairs: groups of queries, each with the keys it sees, as one array of 32-bit words. It begins with <see cref="GroupInts"/> words for each group:
/// place and number of its queries' indices, place and number of its runs of keys (first, count), and place of its rows, or −1. All places are in words. Rows are floats, for each strip of
/// the group [keys, strip]: 0, or −∞ where a query does not see a key of its group.
/// </summary>
public sealed class AttentionPattern
{
    internal const int GroupInts = 5;

    /// <summary>Keys of a block where negligible blocks are skipped.</summary>
    public const int SkippedKeys = AttentionF32.SkippedKeys;

    /// <summary>Gathering a key and its value takes as long as this many queries' products with them: their rows lie far apart, and every group begins anew. 9 to 15 on Zen 3.</summary>
    internal const double GatherQueries = 16;

    /// <summary>The same for all keys of a head in their order.</summary>
    private const double CopyQueries = 2.5;

    /// <summary>Strips of a group at most.</summary>
    private const int MaximumStrips = 4;

    private readonly int[] _words;

    private AttentionPattern(int[] words, int groups, double work, long scores)
    {
        _words = words;
        Groups = groups;
        Work = work;
        Scores = scores;
    }

    public int Groups { get; }

    /// <summary>Time that one head takes, in products of a query with a key and its value, copies of keys counted in.</summary>
    public double Work { get; }

    /// <summary>Scores that one head computes, lanes that stay empty counted in.</summary>
    public long Scores { get; }

    public ReadOnlySpan<int> Words => _words;

    /// <summary><see cref="Work"/> of attention of all to all.</summary>
    public static double DenseWork(InstructionSet isa, int queries, int keys) => keys * (Lanes(isa, queries) + CopyQueries);

    /// <summary>Lanes that a group of queries fills, in whole vectors.</summary>
    internal static int Lanes(InstructionSet isa, int queries)
    {
        int vector = AttentionF32.StripQueries(isa) / 3;
        return (queries + vector - 1) / vector * vector;
    }

    /// <summary>The pattern of a window: rectangles of patches, in the shape that computes least, with the rectangle of patches that they see.</summary>
    public static AttentionPattern Of(AttentionWindow window, InstructionSet isa)
    {
        ArgumentNullException.ThrowIfNull(window);
        window.Check();
        int strip = AttentionF32.StripQueries(isa);
        (int height, int width, double best) = (1, 1, double.PositiveInfinity);
        for (int h = 1; h <= Math.Min(MaximumStrips * strip, window.GridHeight); h++)
            for (int w = 1; h * w <= MaximumStrips * strip && w <= window.GridWidth; w++)
                if (WorkOf(window, isa, h, w) is var work && work < best) (height, width, best) = (h, w, work);

        var groups = new List<(int[] Queries, List<(int First, int Count)> Runs, float[]? Rows)>();
        if (window.Prefix > 0) groups.Add(([.. Enumerable.Range(0, window.Prefix)], [(0, window.Tokens)], null));
        for (int row = 0; row < window.GridHeight; row += height)
            for (int column = 0; column < window.GridWidth; column += width)
                groups.Add(Rectangle(window, strip, row, Math.Min(row + height, window.GridHeight), column, Math.Min(column + width, window.GridWidth)));
        double prefix = window.Prefix > 0 ? DenseWork(isa, window.Prefix, window.Tokens) : 0;
        long scores = groups.Sum(group => (long)Lanes(isa, group.Queries.Length) * group.Runs.Sum(run => run.Count));
        return new AttentionPattern(Pack(groups), groups.Count, best + prefix, scores);
    }

    private static double WorkOf(AttentionWindow window, InstructionSet isa, int height, int width)
    {
        double work = 0;
        for (int row = 0; row < window.GridHeight; row += height)
        {
            int rowEnd = Math.Min(row + height, window.GridHeight), rows = Seen(row, rowEnd, window.GridHeight, window.WindowHeight, window.StrideHeight).Count;
            for (int column = 0; column < window.GridWidth; column += width)
            {
                int columnEnd = Math.Min(column + width, window.GridWidth), columns = Seen(column, columnEnd, window.GridWidth, window.WindowWidth, window.StrideWidth).Count;
                work += (window.Prefix + rows * columns) * (Lanes(isa, (rowEnd - row) * (columnEnd - column)) + GatherQueries);
            }
        }
        return work;
    }

    /// <summary>What patches [begin, end) of one axis see together: their windows follow each other without a gap, as no stride exceeds the window.</summary>
    private static (int First, int Count) Seen(int begin, int end, int count, int window, int stride)
    {
        int first = AttentionWindow.First(begin, count, window, stride);
        return (first, AttentionWindow.First(end - 1, count, window, stride) + window - first);
    }

    private static (int[] Queries, List<(int First, int Count)> Runs, float[]? Rows) Rectangle(AttentionWindow window, int strip, int row, int rowEnd, int column, int columnEnd)
    {
        (int firstRow, int rows) = Seen(row, rowEnd, window.GridHeight, window.WindowHeight, window.StrideHeight);
        (int firstColumn, int columns) = Seen(column, columnEnd, window.GridWidth, window.WindowWidth, window.StrideWidth);
        var runs = new List<(int First, int Count)>();
        if (window.Prefix > 0) runs.Add((0, window.Prefix));
        for (int i = firstRow; i < firstRow + rows; i++)
        {
            int first = window.Prefix + i * window.GridWidth + firstColumn;
            if (runs.Count > 0 && runs[^1].First + runs[^1].Count == first) runs[^1] = (runs[^1].First, runs[^1].Count + columns);
            else runs.Add((first, columns));
        }
        var queries = new int[(rowEnd - row) * (columnEnd - column)];
        int strips = (queries.Length + strip - 1) / strip, keys = window.Prefix + rows * columns;
        var rowsOfMask = new float[strips * keys * strip];
        bool excludes = false;
        for (int lane = 0; lane < strips * strip; lane++)
        {
            // Lanes beyond the queries are copies of the last.
            int query = Math.Min(lane, queries.Length - 1), i = row + query / (columnEnd - column), j = column + query % (columnEnd - column);
            queries[query] = window.Prefix + i * window.GridWidth + j;
            int seesRow = AttentionWindow.First(i, window.GridHeight, window.WindowHeight, window.StrideHeight), seesColumn = AttentionWindow.First(j, window.GridWidth, window.WindowWidth, window.StrideWidth);
            for (int key = 0; key < rows * columns; key++)
            {
                int keyRow = firstRow + key / columns - seesRow, keyColumn = firstColumn + key % columns - seesColumn;
                if (keyRow >= 0 && keyRow < window.WindowHeight && keyColumn >= 0 && keyColumn < window.WindowWidth) continue;
                rowsOfMask[(lane / strip * keys + window.Prefix + key) * strip + lane % strip] = float.NegativeInfinity;
                excludes = true;
            }
        }
        return (queries, runs, excludes ? rowsOfMask : null);
    }

    private static int[] Pack(List<(int[] Queries, List<(int First, int Count)> Runs, float[]? Rows)> groups)
    {
        var words = new List<int>(new int[groups.Count * GroupInts]);
        for (int i = 0; i < groups.Count; i++)
        {
            (int[] queries, List<(int First, int Count)> runs, float[]? rows) = groups[i];
            int head = i * GroupInts;
            (words[head], words[head + 1]) = (words.Count, queries.Length);
            words.AddRange(queries);
            (words[head + 2], words[head + 3]) = (words.Count, runs.Count);
            foreach ((int first, int count) in runs) words.AddRange([first, count]);
            words[head + 4] = rows is null ? -1 : words.Count;
            if (rows is not null) words.AddRange(MemoryMarshal.Cast<float, int>(rows));
        }
        return [.. words];
    }
}
