namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>
/// Where the zeros of a weight matrix stand: blocks of <paramref name="BlockRows"/> adjacent outputs that share their inputs (1 where they do not), exactly
/// <paramref name="Keep"/> non-zeros in every <paramref name="Group"/> adjacent inputs of an output, two such groups at least (0 where not), or <paramref name="FanIn"/> non-zeros in every output (0 where
/// they differ). The first that holds, in this order, is named; the others are left at their neutral value.
/// </summary>
public readonly record struct SparsePattern(int BlockRows, int Keep, int Group, int FanIn)
{
    /// <summary>None of the patterns holds.</summary>
    public static SparsePattern Unstructured => new(1, 0, 0, 0);

    /// <summary>The pattern of a matrix; one of fewer than two rows, or without non-zeros, is unstructured.</summary>
    public static SparsePattern Of(SparseWeights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        if (weights.Rows < 2 || weights.NonZeros == 0) return Unstructured;
        int blockRows = SharedRows(weights);
        if (blockRows > 1) return Unstructured with { BlockRows = blockRows };
        for (int group = 2; group <= 16 && 2 * group <= weights.Columns; group *= 2)
        {
            int keep = Kept(weights, group);
            if (keep > 0) return Unstructured with { Keep = keep, Group = group };
        }
        return Array.TrueForAll(weights.RowCounts, count => count == weights.RowCounts[0]) ? Unstructured with { FanIn = weights.RowCounts[0] } : Unstructured;
    }

    /// <summary><c>4x1</c>, <c>2:4</c>, <c>fan-in 12</c> or <c>unstructured</c>.</summary>
    public override string ToString()
        => BlockRows > 1 ? $"{BlockRows}x1"
        : Group > 0 ? $"{Keep}:{Group}"
        : FanIn > 0 ? $"fan-in {FanIn}"
        : "unstructured";

    /// <summary>4, 2 or 1: the largest number of adjacent rows, counted from a multiple of it, that all have the same columns.</summary>
    private static int SharedRows(SparseWeights weights)
    {
        int shared = 4;
        for (int row = 1, begin = weights.RowCounts[0]; row < weights.Rows && shared > 1; begin += weights.RowCounts[row++])
        {
            while (row % shared != 0 && !SameColumns(weights, row, begin)) shared /= 2;
        }
        return shared;
    }

    /// <summary>True if a row, whose non-zeros begin at `begin`, has the columns of the row before.</summary>
    private static bool SameColumns(SparseWeights weights, int row, int begin)
    {
        int count = weights.RowCounts[row];
        return weights.RowCounts[row - 1] == count && weights.ColumnIndices.AsSpan(begin, count).SequenceEqual(weights.ColumnIndices.AsSpan(begin - count, count));
    }

    /// <summary>Non-zeros in every whole group of columns, or 0 where groups differ or none has a zero; the columns behind the last whole group may have as many at most.</summary>
    private static int Kept(SparseWeights weights, int group)
    {
        int whole = weights.Columns / group, keep = -1, next = 0;
        foreach (int count in weights.RowCounts)
        {
            int end = next + count;
            for (int i = 0; i < whole; i++)
            {
                int begin = next;
                while (next < end && weights.ColumnIndices[next] < (i + 1) * group) next++;
                if (keep < 0) keep = next - begin;
                if (keep == 0 || next - begin != keep) return 0;
            }
            if (end - next > keep) return 0;
            next = end;
        }
        return keep == group ? 0 : keep;
    }
}
