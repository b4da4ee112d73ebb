namespace EdgeSparse.Kernels.DataMovement;

/// <summary>Parameters of <see cref="OneHot"/>.</summary>
public struct OneHotParameters
{
    /// <summary>Bytes of an element of values and result: 1, 2, 4 or 8.</summary>
    public int ElementBytes;

    /// <summary>Int32, Int64 or Float32.</summary>
    public ScalarType IndexType;

    /// <summary>Elements of the index tensor before and behind the new axis.</summary>
    public long Outer, Inner;

    /// <summary>Size of the new axis.</summary>
    public long Depth;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>y[o, d, i] = values[indices[o, i] = d ? 1 : 0]; negative indices count from the end, others out of range match nowhere. y is [outer, depth, inner].</summary>
public static unsafe class OneHot
{
    /// <summary>Checks and derives <see cref="OneHotParameters.TaskCount"/>.</summary>
    /// <exception cref="ArgumentException">A negative size or an unknown type.</exception>
    public static void Prepare(ref OneHotParameters p)
    {
        if (p.IndexType is not (ScalarType.Int32 or ScalarType.Int64 or ScalarType.Float32)) throw new ArgumentException($"OneHot: indices of type {p.IndexType}, expected Int32, Int64 or Float32");
        if (p.Outer < 0 || p.Inner < 0 || p.Depth < 0 || p.ElementBytes is not (1 or 2 or 4 or 8))
            throw new ArgumentException($"OneHot: [{p.Outer}, {p.Depth}, {p.Inner}] of {p.ElementBytes} bytes");
        p.TaskCount = TaskSplit.Count(p.Outer, p.Depth * p.Inner);
        p.ScratchBytes = 0;
    }

    /// <summary>Runs one task: a share of the outer index.</summary>
    public static void Run(OneHotParameters* p, void* indices, void* values, void* y, byte* scratch, int task)
    {
        long end = TaskSplit.Start(p->Outer, p->TaskCount, task + 1);
        int size = p->ElementBytes;
        for (long outer = TaskSplit.Start(p->Outer, p->TaskCount, task); outer < end; outer++)
        {
            byte* block = (byte*)y + outer * p->Depth * p->Inner * size;
            for (long i = 0; i < p->Depth * p->Inner; i++) Indices.CopySlice((byte*)values, block + i * size, size);
            for (long inner = 0; inner < p->Inner; inner++)
            {
                long at = outer * p->Inner + inner;
                long index = p->IndexType == ScalarType.Float32 ? (long)((float*)indices)[at] : Indices.Read(indices, p->IndexType, at);
                if (index < 0) index += p->Depth;
                if (index >= 0 && index < p->Depth) Indices.CopySlice((byte*)values + size, block + (index * p->Inner + inner) * size, size);
            }
        }
    }
}
