using System.Globalization;

namespace EdgeSparse.Compiler.Synthesis;

/// <summary>
/// Which elements of a weight matrix W [outputs, inputs] become zero together: single ones (<c>unstructured</c>), blocks of R adjacent outputs of one input
/// (<c>Rx1</c>), or all but N of every M adjacent inputs of one output (<c>N:M</c>, which fixes the share of zeros at 1 − N/M).
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

    public static PruningPattern Unstructured { get; } = new("unstructured", 1, 0, 0);

    /// <summary>Reads <c>unstructured</c>, <c>4x1</c>, <c>2:4</c> and the like; null where the text is none of them.</summary>
    public static PruningPattern? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text == "unstructured") return Unstructured;
        string[] block = text.Split('x');
        if (block.Length == 2 && block[1] == "1" && TryNumber(block[0], out int rows) && rows is >= 2 and <= 16) return new(text, rows, 0, 0);
        string[] ratio = text.Split(':');
        if (ratio.Length == 2 && TryNumber(ratio[0], out int keep) && TryNumber(ratio[1], out int group) && keep >= 1 && keep < group && group <= 64) return new(text, 1, keep, group);
        return null;
    }

    /// <summary>
    /// Sets the elements of least magnitude to zero, by blocks or groups as the pattern says, so that <paramref name="sparsity"/> of them (rounded to whole blocks) are zero;
    /// N:M ignores <paramref name="sparsity"/>. Rows or columns that do not fill a block or group form a smaller one.
    /// </summary>
    /// <param name="weights">W [rows, columns], row-major, changed in place.</param>
    public void Apply(Span<float> weights, int rows, int columns, double sparsity)
    {
        if (weights.Length != (long)rows * columns) throw new ArgumentException($"{weights.Length} weights, expected {rows}x{columns}", nameof(weights));
        if (sparsity is < 0 or > 1) throw new ArgumentOutOfRangeException(nameof(sparsity), sparsity, "the share of zeros lies between 0 and 1");
        if (Group > 0) ApplyRatio(weights, rows, columns);
        else ApplyBlocks(weights, rows, columns, sparsity);
    }

    private void ApplyRatio(Span<float> weights, int rows, int columns)
    {
        for (int row = 0; row < rows; row++)
        {
            for (int start = 0; start < columns; start += Group)
            {
                Span<float> group = weights.Slice(row * columns + start, Math.Min(Group, columns - start));
                for (int zeros = group.Length - Keep; zeros > 0; zeros--)
                {
                    int least = -1;
                    for (int i = 0; i < group.Length; i++)
                        if (group[i] != 0 && (least < 0 || Math.Abs(group[i]) < Math.Abs(group[least]))) least = i;
                    if (least >= 0) group[least] = 0;
                }
            }
        }
    }

    private void ApplyBlocks(Span<float> weights, int rows, int columns, double sparsity)
    {
        int blockRows = (rows + BlockRows - 1) / BlockRows;
        var magnitude = new float[blockRows * columns];
        var order = new int[magnitude.Length];
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++)
                magnitude[row / BlockRows * columns + column] += Math.Abs(weights[row * columns + column]);
        for (int i = 0; i < order.Length; i++) order[i] = i;
        Array.Sort(magnitude, order);
        int zeroBlocks = (int)Math.Round(sparsity * order.Length);
        for (int i = 0; i < zeroBlocks; i++)
        {
            int blockRow = order[i] / columns;
            int column = order[i] % columns;
            int end = Math.Min(rows, (blockRow + 1) * BlockRows);
            for (int row = blockRow * BlockRows; row < end; row++) weights[row * columns + column] = 0;
        }
    }

    private static bool TryNumber(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
