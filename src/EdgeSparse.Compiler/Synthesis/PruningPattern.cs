using System.Globalization;

namespace EdgeSparse.Compiler.Synthesis;

/// <summary>
/// Which elements of a weight matrix W [outputs, inputs] become zero together: single ones (<c>unstructured</c>), blocks of R adjacent outputs of one input
/// (<c>Rx1</c>), all but N of every M adjacent inputs of one output (<c>N:M</c>, which fixes the share of zeros at 1 − N/M), or single ones, as many in every output
/// (<c>fan-in</c>).
/// </summary>
public sealed record PruningPattern
{
    private PruningPattern(string name, int blockRows, int keep, int group)
    {
        Name = name;
        BlockRows = blockRows;
        Keep = keep;
        Group = group;
    }

    public string Name { get; }

    /// <summary>Adjacent outputs that are pruned together; 1 unless the pattern is Rx1.</summary>
    public int BlockRows { get; }

    /// <summary>N of N:M, else 0.</summary>
    public int Keep { get; }

    /// <summary>M of N:M, else 0.</summary>
    public int Group { get; }

    /// <summary>Every output keeps the same number of inputs.</summary>
    public bool IsFanIn => Name == "fan-in";

    public static PruningPattern Unstructured { get; } = new("unstructured", 1, 0, 0);

    public static PruningPattern FanIn { get; } = new("fan-in", 1, 0, 0);

    /// <summary>Reads <c>unstructured</c>, <c>fan-in</c>, <c>4x1</c>, <c>2:4</c> and the like; null where the text is none of them.</summary>
    public static PruningPattern? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text == "unstructured") return Unstructured;
        if (text == "fan-in") return FanIn;
        string[] block = text.Split('x');
        if (block.Length == 2 && block[1] == "1" && TryNumber(block[0], out int rows) && rows is >= 2 and <= 16) return new(text, rows, 0, 0);
        string[] ratio = text.Split(':');
        if (ratio.Length == 2 && TryNumber(ratio[0], out int keep) && TryNumber(ratio[1], out int group) && keep >= 1 && keep < group && group <= 64) return new(text, 1, keep, group);
        return null;
    }

    /// <summary>How many zeros a matrix [rows, columns] gets: <paramref name="sparsity"/> rounded to whole blocks, or to the same number in every row, or what N:M fixes.</summary>
    public long Zeros(int rows, int columns, double sparsity)
    {
        if (Group > 0) return (long)rows * (columns / Group * (Group - Keep) + Math.Max(0, columns % Group - Keep));
        if (IsFanIn) return rows * (long)Math.Round(sparsity * columns);
        long blocks = (long)((rows + BlockRows - 1) / BlockRows) * columns;
        return Math.Min((long)Math.Round(sparsity * blocks) * BlockRows, (long)rows * columns);
    }

    /// <summary>
    /// Sets the elements of least magnitude to zero, by blocks or groups as the pattern says, so that <paramref name="sparsity"/> of them (rounded to whole blocks) are zero;
    /// N:M ignores <paramref name="sparsity"/>. Rows or columns that do not fill a block or group form a smaller one.
    /// </summary>
    /// <param name="weights">W [rows, columns], row-major, changed in place.</param>
    public void Apply(Span<float> weights, int rows, int columns, double sparsity)
    {
        var scores = new float[weights.Length];
        for (int i = 0; i < scores.Length; i++) scores[i] = Math.Abs(weights[i]);
        bool[] removed = Removed(scores, rows, columns, sparsity);
        for (int i = 0; i < removed.Length; i++)
            if (removed[i]) weights[i] = 0;
    }

    /// <summary>Which elements are removed where those of least score are: the choice of <see cref="Apply"/> for any score. A block's score is its sum.</summary>
    /// <param name="scores">[rows, columns], row-major, none negative.</param>
    public bool[] Removed(ReadOnlySpan<float> scores, int rows, int columns, double sparsity)
    {
        if (scores.Length != (long)rows * columns) throw new ArgumentException($"{scores.Length} weights, expected {rows}x{columns}", nameof(scores));
        if (sparsity is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(sparsity), sparsity, "the share of zeros lies between 0 and 1");
        var removed = new bool[scores.Length];
        if (Group == 0 && !IsFanIn)
        {
            RemoveBlocks(scores, rows, columns, sparsity, removed);
            return removed;
        }
        int width = Group > 0 ? Group : columns;
        var values = new float[width];
        var order = new int[width];
        for (int start = 0; start < scores.Length;)
        {
            int length = Math.Min(width, columns - start % columns);
            int zeros = Group > 0 ? length - Keep : (int)Math.Round(sparsity * columns);
            scores.Slice(start, length).CopyTo(values);
            for (int i = 0; i < length; i++) order[i] = i;
            Array.Sort(values, order, 0, length);
            for (int i = 0; i < zeros; i++) removed[start + order[i]] = true;
            start += length;
        }
        return removed;
    }

    private void RemoveBlocks(ReadOnlySpan<float> scores, int rows, int columns, double sparsity, bool[] removed)
    {
        int blockRows = (rows + BlockRows - 1) / BlockRows;
        var sums = new float[blockRows * columns];
        var order = new int[sums.Length];
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++)
                sums[row / BlockRows * columns + column] += scores[row * columns + column];
        for (int i = 0; i < order.Length; i++) order[i] = i;
        Array.Sort(sums, order);
        int zeroBlocks = (int)Math.Round(sparsity * order.Length);
        for (int i = 0; i < zeroBlocks; i++)
        {
            int blockRow = order[i] / columns;
            int column = order[i] % columns;
            int end = Math.Min(rows, (blockRow + 1) * BlockRows);
            for (int row = blockRow * BlockRows; row < end; row++) removed[row * columns + column] = true;
        }
    }

    private static bool TryNumber(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
