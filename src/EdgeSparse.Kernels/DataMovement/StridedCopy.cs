using System.Runtime.Intrinsics;

namespace EdgeSparse.Kernels.DataMovement;

/// <summary>Parameters of <see cref="StridedCopy"/>; one of its Prepare… methods fills everything but <see cref="ElementBytes"/> and <see cref="Isa"/>.</summary>
public unsafe struct StridedCopyParameters
{
    internal const int MaximumAxes = 16;

    /// <summary>Bytes of an element: 1, 2, 4 or 8.</summary>
    public int ElementBytes;

    public InstructionSet Isa;

    /// <summary>Derived: axes of the result after neighbouring axes that are walked alike became one.</summary>
    public int Rank;

    /// <summary>Derived: elements of the result.</summary>
    public long Count;

    /// <summary>Derived: element of the source that the result begins with.</summary>
    public long SourceOffset;

    /// <summary>Derived: the result's axes, and the source's stride in elements along each (0 repeats, negative walks backwards).</summary>
    public fixed long Shape[MaximumAxes], Stride[MaximumAxes];

    /// <summary>Derived: the axis along which the source is contiguous where that is not the last one and the copy goes by tiles, else −1.</summary>
    public int TileAxis;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>
/// y[i₀, i₁, …] = x[offset + Σ iₖ·strideₖ] with y contiguous: Transpose, Slice, Expand, Tile, DepthToSpace and SpaceToDepth are this one copy with different strides.
/// Rows that are contiguous in both are copied whole; a transposition runs over tiles that are contiguous on one side each.
/// </summary>
public static unsafe partial class StridedCopy
{
    /// <summary>Rows and columns of a transposed tile: 16 floats are a cache line.</summary>
    private const int TileSize = 16;

    /// <summary>y = x with axis k of y being axis permutation[k] of x.</summary>
    /// <exception cref="ArgumentException">Not a permutation, or an impossible shape or element size.</exception>
    public static void PrepareTranspose(ref StridedCopyParameters p, ReadOnlySpan<long> shape, ReadOnlySpan<int> permutation)
    {
        if (permutation.Length != shape.Length) throw new ArgumentException($"Transpose: permutation of {permutation.Length} axes for rank {shape.Length}");
        Span<long> strides = stackalloc long[StridedCopyParameters.MaximumAxes], axes = stackalloc long[StridedCopyParameters.MaximumAxes];
        Span<long> result = stackalloc long[StridedCopyParameters.MaximumAxes];
        Contiguous("Transpose", shape, strides);
        int seen = 0;
        for (int axis = 0; axis < shape.Length; axis++)
        {
            int from = permutation[axis];
            if (from < 0 || from >= shape.Length || (seen >> from & 1) != 0) throw new ArgumentException($"Transpose: [{string.Join(',', permutation.ToArray())}] is no permutation");
            seen |= 1 << from;
            axes[axis] = shape[from];
            result[axis] = strides[from];
        }
        Finish(ref p, "Transpose", axes[..shape.Length], result[..shape.Length], 0);
    }

    /// <summary>y[i] = x[start + i·step] along each axis; sizes are y's shape.</summary>
    /// <exception cref="ArgumentException">A slice leaves its axis.</exception>
    public static void PrepareSlice(ref StridedCopyParameters p, ReadOnlySpan<long> shape, ReadOnlySpan<long> starts, ReadOnlySpan<long> steps, ReadOnlySpan<long> sizes)
    {
        if (starts.Length != shape.Length || steps.Length != shape.Length || sizes.Length != shape.Length)
            throw new ArgumentException($"Slice: {starts.Length} starts, {steps.Length} steps, {sizes.Length} sizes for rank {shape.Length}");
        Span<long> strides = stackalloc long[StridedCopyParameters.MaximumAxes];
        Contiguous("Slice", shape, strides);
        long offset = 0;
        bool empty = false;
        for (int axis = 0; axis < shape.Length; axis++)
        {
            long last = starts[axis] + (sizes[axis] - 1) * steps[axis];
            empty |= sizes[axis] == 0;
            if (sizes[axis] < 0 || (sizes[axis] > 0 && (starts[axis] < 0 || starts[axis] >= shape[axis] || last < 0 || last >= shape[axis])))
                throw new ArgumentException($"Slice: axis {axis} of {shape[axis]} has no {sizes[axis]} elements from {starts[axis]} by {steps[axis]}");
            offset += starts[axis] * strides[axis];
            strides[axis] *= steps[axis];
        }
        Finish(ref p, "Slice", sizes, strides[..shape.Length], empty ? 0 : offset);
    }

    /// <summary>y = x broadcast to a shape.</summary>
    /// <exception cref="ArgumentException">x does not broadcast to the shape.</exception>
    public static void PrepareExpand(ref StridedCopyParameters p, ReadOnlySpan<long> shape, ReadOnlySpan<long> resultShape)
    {
        if (shape.Length > resultShape.Length) throw new ArgumentException($"Expand: rank {shape.Length} to rank {resultShape.Length}");
        Span<long> strides = stackalloc long[StridedCopyParameters.MaximumAxes], result = stackalloc long[StridedCopyParameters.MaximumAxes];
        Contiguous("Expand", shape, strides);
        int missing = resultShape.Length - shape.Length;
        for (int axis = 0; axis < resultShape.Length; axis++)
        {
            bool repeats = axis < missing || (shape[axis - missing] == 1 && resultShape[axis] != 1);
            if (!repeats && shape[axis - missing] != resultShape[axis])
                throw new ArgumentException($"Expand: [{string.Join(',', shape.ToArray())}] does not broadcast to [{string.Join(',', resultShape.ToArray())}]");
            result[axis] = repeats ? 0 : strides[axis - missing];
        }
        Finish(ref p, "Expand", resultShape, result[..resultShape.Length], 0);
    }

    /// <summary>y = x repeated along each axis.</summary>
    /// <exception cref="ArgumentException">A count is missing or negative.</exception>
    public static void PrepareTile(ref StridedCopyParameters p, ReadOnlySpan<long> shape, ReadOnlySpan<long> repeats)
    {
        if (repeats.Length != shape.Length) throw new ArgumentException($"Tile: {repeats.Length} repeats for rank {shape.Length}");
        Span<long> strides = stackalloc long[StridedCopyParameters.MaximumAxes];
        Contiguous("Tile", shape, strides);
        Span<long> axes = stackalloc long[StridedCopyParameters.MaximumAxes], result = stackalloc long[StridedCopyParameters.MaximumAxes];
        for (int axis = 0; axis < shape.Length; axis++)
        {
            axes[2 * axis] = repeats[axis];
            result[2 * axis] = 0;
            axes[2 * axis + 1] = shape[axis];
            result[2 * axis + 1] = strides[axis];
        }
        Finish(ref p, "Tile", axes[..(2 * shape.Length)], result[..(2 * shape.Length)], 0);
    }

    /// <summary>[N, C, H, W] to [N, C/b², H·b, W·b]. <paramref name="columnRowDepth"/> is ONNX's mode CRD (the block's position varies faster than the channel), else DCR.</summary>
    /// <exception cref="ArgumentException">Not rank 4, or channels that b² does not divide.</exception>
    public static void PrepareDepthToSpace(ref StridedCopyParameters p, ReadOnlySpan<long> shape, int blockSize, bool columnRowDepth)
    {
        if (shape.Length != 4 || blockSize < 1 || shape[1] % ((long)blockSize * blockSize) != 0)
            throw new ArgumentException($"DepthToSpace: shape [{string.Join(',', shape.ToArray())}] with block size {blockSize}");
        long b = blockSize, channels = shape[1] / (b * b), height = shape[2], width = shape[3], plane = height * width;
        long blockStride = columnRowDepth ? plane : channels * plane;
        long channelStride = columnRowDepth ? b * b * plane : plane;
        // y as [N, C/b², H, b, W, b].
        Finish(ref p, "DepthToSpace", [shape[0], channels, height, b, width, b], [shape[1] * plane, channelStride, width, b * blockStride, 1, blockStride], 0);
    }

    /// <summary>[N, C, H, W] to [N, C·b², H/b, W/b], the block's position slower than the channel.</summary>
    /// <exception cref="ArgumentException">Not rank 4, or height or width that b does not divide.</exception>
    public static void PrepareSpaceToDepth(ref StridedCopyParameters p, ReadOnlySpan<long> shape, int blockSize)
    {
        if (shape.Length != 4 || blockSize < 1 || shape[2] % blockSize != 0 || shape[3] % blockSize != 0)
            throw new ArgumentException($"SpaceToDepth: shape [{string.Join(',', shape.ToArray())}] with block size {blockSize}");
        long b = blockSize, height = shape[2], width = shape[3], plane = height * width;
        // y as [N, b, b, C, H/b, W/b].
        Finish(ref p, "SpaceToDepth", [shape[0], b, b, shape[1], height / b, width / b], [shape[1] * plane, width, 1, plane, b * width, b], 0);
    }

    private static void Contiguous(string name, ReadOnlySpan<long> shape, Span<long> strides)
    {
        if (shape.Length > 8) throw new ArgumentException($"{name}: rank {shape.Length}, at most 8");
        long next = 1;
        for (int axis = shape.Length - 1; axis >= 0; axis--)
        {
            if (shape[axis] < 0) throw new ArgumentException($"{name}: negative dimension {shape[axis]}");
            strides[axis] = next;
            next *= shape[axis];
        }
    }

    private static void Finish(ref StridedCopyParameters p, string name, ReadOnlySpan<long> shape, ReadOnlySpan<long> strides, long offset)
    {
        if (p.ElementBytes is not (1 or 2 or 4 or 8)) throw new ArgumentException($"{name}: element of {p.ElementBytes} bytes, expected 1, 2, 4 or 8");
        p.SourceOffset = offset;
        p.Count = 1;
        p.TileAxis = -1;
        p.ScratchBytes = 0;
        int rank = 0;
        for (int axis = 0; axis < shape.Length; axis++)
        {
            if (shape[axis] < 0) throw new ArgumentException($"{name}: negative dimension {shape[axis]}");
            p.Count *= shape[axis];
            if (shape[axis] == 1) continue;
            bool joins = rank > 0 && p.Stride[rank - 1] == strides[axis] * shape[axis];
            int target = joins ? rank - 1 : rank++;
            p.Shape[target] = joins ? p.Shape[target] * shape[axis] : shape[axis];
            p.Stride[target] = strides[axis];
        }
        if (rank == 0)
        {
            rank = 1;
            p.Shape[0] = 1;
            p.Stride[0] = 1;
        }
        p.Rank = rank;
        p.TaskCount = TaskSplit.CountFlat(p.Count, TaskSplit.CheapElements * 2);
        if (p.Count == 0 || p.Stride[rank - 1] is 0 or 1) return;
        for (int axis = rank - 2; axis >= 0; axis--)
        {
            if (p.Stride[axis] != 1 || p.Shape[axis] < 2) continue;
            p.TileAxis = axis;
            p.TaskCount = TaskSplit.Count(TileItems(p.Shape[axis], p.Count / (p.Shape[axis] * p.Shape[rank - 1])), TileSize * p.Shape[rank - 1]);
            break;
        }
    }

    private static long TileItems(long tileAxisSize, long others) => (tileAxisSize + TileSize - 1) / TileSize * others;

    /// <summary>Runs one task: a share of the result.</summary>
    public static void Run(StridedCopyParameters* p, void* x, void* y, byte* scratch, int task)
    {
        switch (p->ElementBytes)
        {
            case 1: Run<byte>(p, x, y, task); break;
            case 2: Run<ushort>(p, x, y, task); break;
            case 4: Run<uint>(p, x, y, task); break;
            default: Run<ulong>(p, x, y, task); break;
        }
    }

    private static void Run<T>(StridedCopyParameters* p, void* x, void* y, int task) where T : unmanaged
    {
        if (p->TileAxis >= 0) RunTiles(p, (T*)x + p->SourceOffset, (T*)y, task);
        else RunRows(p, (T*)x + p->SourceOffset, (T*)y, task);
    }

    private static void RunRows<T>(StridedCopyParameters* p, T* x, T* y, int task) where T : unmanaged
    {
        long next = TaskSplit.StartFlat(p->Count, p->TaskCount, task), end = TaskSplit.StartFlat(p->Count, p->TaskCount, task + 1);
        int last = p->Rank - 1;
        long size = p->Shape[last], stride = p->Stride[last];
        Position position = default;
        long offset = Seek(p, &position, next, last);
        long at = position.At[last];
        while (next < end)
        {
            long n = Math.Min(size - at, end - next);
            T* from = x + offset + at * stride;
            T* to = y + next;
            if (stride == 1) Copy(from, to, n);
            else if (stride == 0) new Span<T>(to, (int)Math.Min(n, int.MaxValue)).Fill(*from);
            else for (long i = 0; i < n; i++) to[i] = from[i * stride];
            next += n;
            at = 0;
            for (int axis = last - 1; axis >= 0; axis--)
            {
                offset += p->Stride[axis];
                if (++position.At[axis] < p->Shape[axis]) break;
                offset -= p->Shape[axis] * p->Stride[axis];
                position.At[axis] = 0;
            }
        }
    }

    /// <summary>Short runs without a call.</summary>
    private static void Copy<T>(T* from, T* to, long n) where T : unmanaged
    {
        long bytes = n * sizeof(T);
        if (bytes is >= 16 and <= 64)
        {
            byte* f = (byte*)from;
            byte* t = (byte*)to;
            for (long i = 0; i + 16 < bytes; i += 16) Vector128.Store(Vector128.Load(f + i), t + i);
            Vector128.Store(Vector128.Load(f + bytes - 16), t + bytes - 16);
        }
        else if (bytes < 16)
        {
            for (long i = 0; i < n; i++) to[i] = from[i];
        }
        else Buffer.MemoryCopy(from, to, bytes, bytes);
    }

    private struct Position
    {
        public fixed long At[StridedCopyParameters.MaximumAxes];
    }

    /// <summary>Sets the position of an element; the source offset of its axes before <paramref name="last"/>.</summary>
    private static long Seek(StridedCopyParameters* p, Position* position, long element, int last)
    {
        long offset = 0;
        for (int axis = p->Rank - 1; axis >= 0; axis--)
        {
            position->At[axis] = element % p->Shape[axis];
            element /= p->Shape[axis];
            if (axis < last) offset += position->At[axis] * p->Stride[axis];
        }
        return offset;
    }

    /// <summary>An item is 16 rows of the result along the tile axis, each as long as the last axis.</summary>
    private static void RunTiles<T>(StridedCopyParameters* p, T* x, T* y, int task) where T : unmanaged
    {
        int last = p->Rank - 1, tileAxis = p->TileAxis;
        long rows = p->Shape[tileAxis], columns = p->Shape[last], columnStride = p->Stride[last];
        long blocks = (rows + TileSize - 1) / TileSize;
        long rowStride = 1;
        for (int axis = tileAxis + 1; axis <= last; axis++) rowStride *= p->Shape[axis];
        long items = blocks * (p->Count / (rows * columns));
        long end = TaskSplit.Start(items, p->TaskCount, task + 1);
        for (long item = TaskSplit.Start(items, p->TaskCount, task); item < end; item++)
        {
            long row = item % blocks * TileSize;
            long rest = item / blocks;
            long from = row, to = row * rowStride, step = columns;
            for (int axis = last - 1; axis >= 0; axis--)
            {
                if (axis != tileAxis)
                {
                    long at = rest % p->Shape[axis];
                    rest /= p->Shape[axis];
                    from += at * p->Stride[axis];
                    to += at * step;
                }
                step *= p->Shape[axis];
            }
            TransposeBlock(p->Isa, x + from, columnStride, y + to, rowStride, Math.Min(TileSize, rows - row), columns);
        }
    }

    /// <summary>y[r·rowStride + c] = x[c·columnStride + r].</summary>
    private static void TransposeBlock<T>(InstructionSet isa, T* x, long columnStride, T* y, long rowStride, long rows, long columns) where T : unmanaged
    {
        long row = 0;
        if (sizeof(T) == 4)
        {
            float* from = (float*)x;
            float* to = (float*)y;
            if (isa >= InstructionSet.Avx2 && System.Runtime.Intrinsics.X86.Avx.IsSupported)
            {
                for (; row + 8 <= rows; row += 8) Transpose8Avx(from + row, columnStride, to + row * rowStride, rowStride, columns);
            }
            for (; row + 4 <= rows; row += 4)
            {
                if (System.Runtime.Intrinsics.Arm.AdvSimd.Arm64.IsSupported) Transpose4AdvSimd(from + row, columnStride, to + row * rowStride, rowStride, columns);
                else Transpose4(from + row, columnStride, to + row * rowStride, rowStride, columns);
            }
        }
        else
        {
            // Four rows at a time: a group's elements lie side by side in the source.
            for (; row + 4 <= rows; row += 4)
            {
                T* from = x + row;
                T* to = y + row * rowStride;
                for (long column = 0; column < columns; column++, from += columnStride, to++)
                {
                    *to = from[0];
                    to[rowStride] = from[1];
                    to[2 * rowStride] = from[2];
                    to[3 * rowStride] = from[3];
                }
            }
        }
        for (; row < rows; row++)
        {
            T* from = x + row;
            T* to = y + row * rowStride;
            for (long column = 0; column < columns; column++) to[column] = from[column * columnStride];
        }
    }

    private static void Transpose4(float* x, long columnStride, float* y, long rowStride, long columns)
    {
        long column = 0;
        for (; column + 4 <= columns; column += 4, x += 4 * columnStride)
        {
            for (int row = 0; row < 4; row++)
                Vector128.Create(x[row], x[columnStride + row], x[2 * columnStride + row], x[3 * columnStride + row]).Store(y + row * rowStride + column);
        }
        for (; column < columns; column++, x += columnStride)
            for (int row = 0; row < 4; row++) y[row * rowStride + column] = x[row];
    }
}
