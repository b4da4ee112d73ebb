namespace EdgeSparse.Kernels.DataMovement;

/// <summary>Parameters of <see cref="Gather"/>.</summary>
public struct GatherParameters
{
    /// <summary>Product of the dimensions before the axis.</summary>
    public long Outer;

    /// <summary>Size of the gathered axis.</summary>
    public long AxisSize;

    /// <summary>Bytes of one slice: the product of the dimensions behind the axis times the element size.</summary>
    public long SliceBytes;

    /// <summary>Elements of the index tensor.</summary>
    public long IndexCount;

    /// <summary>Int32 or Int64.</summary>
    public ScalarType IndexType;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>y[o, i, :] = x[o, indices[i], :]; negative indices count from the end, indices out of range are clamped.</summary>
public static unsafe class Gather
{
    /// <summary>Checks and derives <see cref="GatherParameters.TaskCount"/>.</summary>
    /// <exception cref="ArgumentException">A negative size, an empty axis, or another index type.</exception>
    public static void Prepare(ref GatherParameters p)
    {
        Indices.Check("Gather", p.IndexType);
        if (p.Outer < 0 || p.SliceBytes < 0 || p.IndexCount < 0 || (p.AxisSize <= 0 && p.Outer * p.SliceBytes * p.IndexCount > 0))
            throw new ArgumentException($"Gather: {p.IndexCount} indices into an axis of {p.AxisSize}, {p.Outer} times, slices of {p.SliceBytes} bytes");
        p.TaskCount = TaskSplit.Count(p.Outer * p.IndexCount, p.SliceBytes, 64 * 1024);
        p.ScratchBytes = 0;
    }

    /// <summary>Runs one task: a share of the slices.</summary>
    public static void Run(GatherParameters* p, void* x, void* indices, void* y, byte* scratch, int task)
    {
        long items = p->Outer * p->IndexCount, bytes = p->SliceBytes;
        long end = TaskSplit.Start(items, p->TaskCount, task + 1);
        for (long item = TaskSplit.Start(items, p->TaskCount, task); item < end; item++)
        {
            long outer = item / p->IndexCount;
            long index = Indices.Resolve(Indices.Read(indices, p->IndexType, item % p->IndexCount), p->AxisSize);
            Indices.CopySlice((byte*)x + (outer * p->AxisSize + index) * bytes, (byte*)y + item * bytes, bytes);
        }
    }
}

/// <summary>Parameters of <see cref="GatherElements"/>.</summary>
public unsafe struct GatherElementsParameters
{
    /// <summary>Bytes of an element: 1, 2, 4 or 8.</summary>
    public int ElementBytes;

    /// <summary>Int32 or Int64.</summary>
    public ScalarType IndexType;

    public int Rank, Axis;

    /// <summary>Shapes of x and of the indices, which is the result's.</summary>
    public fixed long Shape[8], IndexShape[8];

    /// <summary>Derived: elements of the result.</summary>
    public long Count;

    /// <summary>Derived: strides of x in elements.</summary>
    public fixed long Stride[8];

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>y[i₀, …, iₖ, …] = x[i₀, …, indices[i₀, …, iₖ, …], …] with the index standing at the axis.</summary>
public static unsafe class GatherElements
{
    /// <summary>Checks the shapes and derives strides and <see cref="GatherElementsParameters.TaskCount"/>.</summary>
    /// <exception cref="ArgumentException">The index tensor is larger than x beside the axis, or an impossible rank, axis or type.</exception>
    public static void Prepare(ref GatherElementsParameters p)
    {
        Indices.Check("GatherElements", p.IndexType);
        if (p.Rank is < 1 or > 8 || p.Axis < 0 || p.Axis >= p.Rank || p.ElementBytes is not (1 or 2 or 4 or 8))
            throw new ArgumentException($"GatherElements: axis {p.Axis} of rank {p.Rank}, elements of {p.ElementBytes} bytes");
        p.Count = 1;
        long next = 1;
        for (int axis = p.Rank - 1; axis >= 0; axis--)
        {
            if (p.Shape[axis] < 0 || p.IndexShape[axis] < 0 || (axis != p.Axis && p.IndexShape[axis] > p.Shape[axis]) || (p.IndexShape[axis] > 0 && p.Shape[axis] == 0))
                throw new ArgumentException($"GatherElements: {p.IndexShape[axis]} indices along axis {axis} of {p.Shape[axis]}");
            p.Stride[axis] = next;
            next *= p.Shape[axis];
            p.Count *= p.IndexShape[axis];
        }
        p.TaskCount = TaskSplit.CountFlat(p.Count);
        p.ScratchBytes = 0;
    }

    /// <summary>Runs one task: a share of the elements.</summary>
    public static void Run(GatherElementsParameters* p, void* x, void* indices, void* y, byte* scratch, int task)
    {
        long end = TaskSplit.StartFlat(p->Count, p->TaskCount, task + 1);
        for (long i = TaskSplit.StartFlat(p->Count, p->TaskCount, task); i < end; i++)
        {
            long from = Offset(p, i, Indices.Read(indices, p->IndexType, i));
            Indices.CopySlice((byte*)x + from * p->ElementBytes, (byte*)y + i * p->ElementBytes, p->ElementBytes);
        }
    }

    /// <summary>Element of x that the index tensor's element <paramref name="position"/> with value <paramref name="index"/> stands for.</summary>
    internal static long Offset(GatherElementsParameters* p, long position, long index)
    {
        long offset = 0;
        for (int axis = p->Rank - 1; axis >= 0; axis--)
        {
            long at = position % p->IndexShape[axis];
            position /= p->IndexShape[axis];
            offset += p->Stride[axis] * (axis == p->Axis ? Indices.Resolve(index, p->Shape[axis]) : at);
        }
        return offset;
    }
}

/// <summary>Parameters of <see cref="GatherNd"/>.</summary>
public unsafe struct GatherNdParameters
{
    /// <summary>Bytes of an element.</summary>
    public int ElementBytes;

    /// <summary>Int32 or Int64.</summary>
    public ScalarType IndexType;

    /// <summary>Rank and shape of x.</summary>
    public int Rank;

    public fixed long Shape[8];

    /// <summary>Leading axes that x and the indices share.</summary>
    public int BatchAxes;

    /// <summary>Last dimension of the index tensor: axes of x that one index tuple fixes.</summary>
    public int TupleLength;

    /// <summary>Index tuples: the product of the index tensor's dimensions but the last.</summary>
    public long TupleCount;

    /// <summary>Derived: bytes of the slice behind a tuple.</summary>
    public long SliceBytes;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>y[b…, t…, :] = x[b…, indices[b…, t…], :]: each index tuple fixes the axes behind the batch axes.</summary>
public static unsafe class GatherNd
{
    /// <summary>Checks the shapes and derives slice size and <see cref="GatherNdParameters.TaskCount"/>.</summary>
    /// <exception cref="ArgumentException">The tuple is longer than x has axes, or tuples do not divide among the batches.</exception>
    public static void Prepare(ref GatherNdParameters p)
    {
        Indices.Check("GatherNd", p.IndexType);
        if (p.Rank is < 1 or > 8 || p.BatchAxes < 0 || p.TupleLength < 1 || p.BatchAxes + p.TupleLength > p.Rank || p.TupleCount < 0)
            throw new ArgumentException($"GatherNd: {p.TupleCount} tuples of {p.TupleLength} behind {p.BatchAxes} batch axes for rank {p.Rank}");
        p.SliceBytes = p.ElementBytes;
        long batches = 1;
        for (int axis = 0; axis < p.Rank; axis++)
        {
            if (axis >= p.BatchAxes + p.TupleLength) p.SliceBytes *= p.Shape[axis];
            else if (axis < p.BatchAxes) batches *= p.Shape[axis];
        }
        if (batches == 0 ? p.TupleCount != 0 : p.TupleCount % batches != 0) throw new ArgumentException($"GatherNd: {p.TupleCount} tuples for {batches} batches");
        p.TaskCount = TaskSplit.Count(p.TupleCount, p.SliceBytes, 64 * 1024);
        p.ScratchBytes = 0;
    }

    /// <summary>Runs one task: a share of the tuples.</summary>
    public static void Run(GatherNdParameters* p, void* x, void* indices, void* y, byte* scratch, int task)
    {
        long batches = 1;
        for (int axis = 0; axis < p->BatchAxes; axis++) batches *= p->Shape[axis];
        long end = TaskSplit.Start(p->TupleCount, p->TaskCount, task + 1);
        for (long tuple = TaskSplit.Start(p->TupleCount, p->TaskCount, task); tuple < end; tuple++)
        {
            long slice = tuple / (p->TupleCount / batches);
            for (int i = 0; i < p->TupleLength; i++)
            {
                long size = p->Shape[p->BatchAxes + i];
                slice = slice * size + Indices.Resolve(Indices.Read(indices, p->IndexType, tuple * p->TupleLength + i), size);
            }
            Indices.CopySlice((byte*)x + slice * p->SliceBytes, (byte*)y + tuple * p->SliceBytes, p->SliceBytes);
        }
    }
}
