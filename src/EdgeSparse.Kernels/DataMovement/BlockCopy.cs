namespace EdgeSparse.Kernels.DataMovement;

/// <summary>Parameters of <see cref="BlockCopy"/>.</summary>
public struct BlockCopyParameters
{
    /// <summary>Rows, and bytes of each.</summary>
    public long Rows, RowBytes;

    /// <summary>Bytes from a row's start to the next one's.</summary>
    public long SourceStrideBytes, DestinationStrideBytes;

    /// <summary>Bytes before the first row.</summary>
    public long SourceOffsetBytes, DestinationOffsetBytes;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>Copies rows of bytes from one stride to another: one input of a Concat, one output of a Split, a Reshape that could not share memory.</summary>
public static unsafe class BlockCopy
{
    /// <summary>Bytes handed out at once: whole rows where they are shorter, else pieces.</summary>
    private const long PieceBytes = 64 * 1024;

    /// <summary>Places an input of <paramref name="size"/> along the axis at <paramref name="offset"/> of the result. Concat runs it once for each input.</summary>
    /// <exception cref="ArgumentException">The input does not fit in the result.</exception>
    public static void PrepareConcat(ref BlockCopyParameters p, ReadOnlySpan<long> resultShape, int axis, long offset, long size, int elementBytes)
    {
        Rows(ref p, "Concat", resultShape, axis, offset, size, elementBytes);
        (p.DestinationStrideBytes, p.SourceStrideBytes) = (p.SourceStrideBytes, p.RowBytes);
        (p.DestinationOffsetBytes, p.SourceOffsetBytes) = (p.SourceOffsetBytes, 0);
        Prepare(ref p);
    }

    /// <summary>Takes <paramref name="size"/> elements along the axis from <paramref name="offset"/> of the source. Split runs it once for each output.</summary>
    /// <exception cref="ArgumentException">The part leaves the source.</exception>
    public static void PrepareSplit(ref BlockCopyParameters p, ReadOnlySpan<long> shape, int axis, long offset, long size, int elementBytes)
    {
        Rows(ref p, "Split", shape, axis, offset, size, elementBytes);
        p.DestinationStrideBytes = p.RowBytes;
        p.DestinationOffsetBytes = 0;
        Prepare(ref p);
    }

    /// <summary>Copies everything.</summary>
    public static void PrepareWhole(ref BlockCopyParameters p, long bytes)
    {
        p = new BlockCopyParameters { Rows = 1, RowBytes = bytes, SourceStrideBytes = bytes, DestinationStrideBytes = bytes };
        Prepare(ref p);
    }

    private static void Rows(ref BlockCopyParameters p, string name, ReadOnlySpan<long> shape, int axis, long offset, long size, int elementBytes)
    {
        if (axis < 0 || axis >= shape.Length || offset < 0 || size < 0 || offset + size > shape[axis])
            throw new ArgumentException($"{name}: {size} from {offset} along axis {axis} of [{string.Join(',', shape.ToArray())}]");
        long outer = 1, inner = elementBytes;
        for (int i = 0; i < axis; i++) outer *= shape[i];
        for (int i = axis + 1; i < shape.Length; i++) inner *= shape[i];
        p.Rows = outer;
        p.RowBytes = size * inner;
        p.SourceStrideBytes = shape[axis] * inner;
        p.SourceOffsetBytes = offset * inner;
    }

    /// <summary>Derives <see cref="BlockCopyParameters.TaskCount"/>; the Prepare… methods call it.</summary>
    /// <exception cref="ArgumentException">A negative size.</exception>
    public static void Prepare(ref BlockCopyParameters p)
    {
        if (p.Rows < 0 || p.RowBytes < 0) throw new ArgumentException($"BlockCopy: {p.Rows} rows of {p.RowBytes} bytes");
        if (p.SourceStrideBytes == p.RowBytes && p.DestinationStrideBytes == p.RowBytes)
        {
            p.RowBytes *= p.Rows;
            p.SourceStrideBytes = p.DestinationStrideBytes = p.RowBytes;
            p.Rows = Math.Min(p.Rows, 1);
        }
        p.TaskCount = p.RowBytes == 0 ? 0 : TaskSplit.Count(p.Rows * Pieces(p.RowBytes), Math.Min(p.RowBytes, PieceBytes), PieceBytes);
        p.ScratchBytes = 0;
    }

    private static long Pieces(long rowBytes) => (rowBytes + PieceBytes - 1) / PieceBytes;

    /// <summary>Runs one task: a share of the rows.</summary>
    public static void Run(BlockCopyParameters* p, void* x, void* y, byte* scratch, int task)
    {
        long pieces = Pieces(p->RowBytes);
        long end = TaskSplit.Start(p->Rows * pieces, p->TaskCount, task + 1);
        for (long item = TaskSplit.Start(p->Rows * pieces, p->TaskCount, task); item < end; item++)
        {
            long row = item / pieces, from = item % pieces * PieceBytes;
            long bytes = Math.Min(PieceBytes, p->RowBytes - from);
            Buffer.MemoryCopy((byte*)x + p->SourceOffsetBytes + row * p->SourceStrideBytes + from,
                (byte*)y + p->DestinationOffsetBytes + row * p->DestinationStrideBytes + from, bytes, bytes);
        }
    }
}
