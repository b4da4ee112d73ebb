namespace EdgeSparse.Kernels.Elementwise;

/// <summary>
/// NumPy broadcasting of up to three contiguous operands, reduced to the fewest axes: neighbouring axes that every operand walks alike are one. In the innermost axis an operand's
/// stride is 1 or 0 (a repeated scalar).
/// </summary>
public unsafe struct Broadcast
{
    /// <summary>Largest rank of an operand.</summary>
    public const int MaximumRank = 8;

    /// <summary>Axes after reduction, at least 1.</summary>
    public int Rank;

    /// <summary>Elements of the result.</summary>
    public long Count;

    public fixed long Shape[MaximumRank];

    /// <summary>Strides in elements, 0 along repeated axes.</summary>
    public fixed long StrideA[MaximumRank], StrideB[MaximumRank], StrideC[MaximumRank];

    /// <summary>Builds the plan; unused operands have rank 0.</summary>
    /// <exception cref="ArgumentException">The shapes do not broadcast.</exception>
    internal static Broadcast Create(string name, ReadOnlySpan<long> a, ReadOnlySpan<long> b, ReadOnlySpan<long> c)
    {
        int rank = Math.Max(a.Length, Math.Max(b.Length, c.Length));
        if (rank > MaximumRank) throw new ArgumentException($"{name}: rank {rank}, at most {MaximumRank}");
        Span<long> shape = stackalloc long[MaximumRank], strideA = stackalloc long[MaximumRank], strideB = stackalloc long[MaximumRank], strideC = stackalloc long[MaximumRank];
        long nextA = 1, nextB = 1, nextC = 1, count = 1;
        for (int axis = rank - 1; axis >= 0; axis--)
        {
            long sizeA = Size(a, rank, axis), sizeB = Size(b, rank, axis), sizeC = Size(c, rank, axis);
            long size = sizeA != 1 ? sizeA : sizeB != 1 ? sizeB : sizeC;
            if ((sizeA != size && sizeA != 1) || (sizeB != size && sizeB != 1) || (sizeC != size && sizeC != 1))
                throw new ArgumentException($"{name}: shapes [{string.Join(',', a.ToArray())}], [{string.Join(',', b.ToArray())}], [{string.Join(',', c.ToArray())}] do not broadcast");
            if (size < 0) throw new ArgumentException($"{name}: negative dimension {size}");
            shape[axis] = size;
            strideA[axis] = sizeA == 1 ? 0 : nextA;
            strideB[axis] = sizeB == 1 ? 0 : nextB;
            strideC[axis] = sizeC == 1 ? 0 : nextC;
            nextA *= sizeA;
            nextB *= sizeB;
            nextC *= sizeC;
            count *= size;
        }

        var result = new Broadcast { Count = count };
        int used = 0;
        for (int axis = 0; axis < rank; axis++)
        {
            if (shape[axis] == 1) continue;
            bool joins = used > 0 && result.StrideA[used - 1] == strideA[axis] * shape[axis] && result.StrideB[used - 1] == strideB[axis] * shape[axis]
                && result.StrideC[used - 1] == strideC[axis] * shape[axis];
            int target = joins ? used - 1 : used++;
            result.Shape[target] = joins ? result.Shape[target] * shape[axis] : shape[axis];
            result.StrideA[target] = strideA[axis];
            result.StrideB[target] = strideB[axis];
            result.StrideC[target] = strideC[axis];
        }
        if (used == 0)
        {
            result.Shape[0] = 1;
            used = 1;
        }
        result.Rank = used;
        return result;
    }

    private static long Size(ReadOnlySpan<long> shape, int rank, int axis) => axis < rank - shape.Length ? 1 : shape[axis - (rank - shape.Length)];
}

/// <summary>Walks a range of a broadcast result run by run, a run lying within the innermost axis.</summary>
internal unsafe struct BroadcastWalk
{
    private fixed long _position[Broadcast.MaximumRank];
    private long _next, _end;

    /// <summary>The current run: its first element in the result, its length, and the operands' element offsets.</summary>
    public long Start, Length, OffsetA, OffsetB, OffsetC;

    public void Begin(Broadcast* plan, long start, long end)
    {
        _next = start;
        _end = end;
        OffsetA = OffsetB = OffsetC = 0;
        long rest = start;
        for (int axis = plan->Rank - 1; axis >= 0; axis--)
        {
            long size = plan->Shape[axis];
            long at = size == 0 ? 0 : rest % size;
            rest = size == 0 ? 0 : rest / size;
            _position[axis] = at;
            OffsetA += at * plan->StrideA[axis];
            OffsetB += at * plan->StrideB[axis];
            OffsetC += at * plan->StrideC[axis];
        }
        Length = 0;
    }

    /// <summary>Steps to the next run; false at the end.</summary>
    public bool Next(Broadcast* plan)
    {
        int last = plan->Rank - 1;
        if (Length != 0) Advance(plan, last);
        if (_next >= _end) return false;
        Start = _next;
        Length = Math.Min(plan->Shape[last] - _position[last], _end - _next);
        _next += Length;
        return true;
    }

    private void Advance(Broadcast* plan, int axis)
    {
        long step = Length;
        for (; axis >= 0; axis--, step = 1)
        {
            _position[axis] += step;
            OffsetA += step * plan->StrideA[axis];
            OffsetB += step * plan->StrideB[axis];
            OffsetC += step * plan->StrideC[axis];
            if (_position[axis] < plan->Shape[axis]) return;
            OffsetA -= plan->Shape[axis] * plan->StrideA[axis];
            OffsetB -= plan->Shape[axis] * plan->StrideB[axis];
            OffsetC -= plan->Shape[axis] * plan->StrideC[axis];
            _position[axis] = 0;
        }
    }
}
