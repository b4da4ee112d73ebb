using System.Runtime.Intrinsics;
using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Pooling;

/// <summary>What a window is reduced to.</summary>
public enum PoolingKind : int
{
    Max,
    Average,
    /// <summary>(Σ|x|^p)^(1/p).</summary>
    Lp,
}

/// <summary>Parameters of <see cref="Pool"/>.</summary>
public struct PoolingParameters
{
    public PoolingKind Kind;

    public InstructionSet Isa;

    /// <summary>Images × channels.</summary>
    public long Planes;

    public int Height, Width, OutputHeight, OutputWidth;

    public int KernelHeight, KernelWidth, StrideHeight, StrideWidth, DilationHeight, DilationWidth;

    public int PadTop, PadLeft, PadBottom, PadRight;

    /// <summary>Average: padding counts as zeros in the divisor.</summary>
    public bool CountIncludePad;

    /// <summary>Lp: the exponent p.</summary>
    public int P;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>
/// y[c, oy, ox] = reduction over the window of x[c, oy·stride − pad + ky·dilation, ox·stride − pad + kx·dilation]; x is [planes, height, width]. Positions outside x do not take part.
/// Each output row is reduced vertically into a padded row of scratch, then horizontally at stride 1, then every stride-th element is kept: all on contiguous vectors.
/// </summary>
public static unsafe class Pool
{
    /// <summary>Floats behind each scratch row, so that vectors may run over its end.</summary>
    private const int Slack = 16;

    /// <summary>Output size along one axis; with <paramref name="ceil"/> windows that begin in the padding behind the source are left out.</summary>
    public static int OutputSize(int size, int kernel, int stride, int dilation, int padBefore, int padAfter, bool ceil)
    {
        int span = size + padBefore + padAfter - dilation * (kernel - 1) - 1;
        if (span < 0) return 0;
        int count = (ceil ? (span + stride - 1) / stride : span / stride) + 1;
        return ceil && (count - 1) * stride >= size + padBefore ? count - 1 : count;
    }

    /// <summary>Checks the geometry and derives <see cref="PoolingParameters.TaskCount"/> and <see cref="PoolingParameters.ScratchBytes"/>.</summary>
    /// <exception cref="ArgumentException">A size, stride or dilation below 1, or a negative pad.</exception>
    public static void Prepare(ref PoolingParameters p)
    {
        if (p.Planes < 0 || p.Height < 1 || p.Width < 1 || p.OutputHeight < 1 || p.OutputWidth < 1 || p.KernelHeight < 1 || p.KernelWidth < 1 || p.StrideHeight < 1 || p.StrideWidth < 1
            || p.DilationHeight < 1 || p.DilationWidth < 1 || p.PadTop < 0 || p.PadLeft < 0 || p.PadBottom < 0 || p.PadRight < 0 || (p.Kind == PoolingKind.Lp && p.P < 1))
            throw new ArgumentException($"Pooling {p.Kind}: {p.Planes} planes {p.Height}x{p.Width} to {p.OutputHeight}x{p.OutputWidth}, kernel {p.KernelHeight}x{p.KernelWidth}, strides {p.StrideHeight}x{p.StrideWidth}, dilations {p.DilationHeight}x{p.DilationWidth}, pads {p.PadTop},{p.PadLeft},{p.PadBottom},{p.PadRight}, p {p.P}");
        p.TaskCount = TaskSplit.Count(p.Planes * p.OutputHeight, (long)p.OutputWidth * (p.KernelHeight * p.StrideWidth + p.KernelWidth));
        p.ScratchBytes = sizeof(float) * (PaddedWidth(p) + 2 * Slack + StrideOneWidth(p) + Slack + p.OutputWidth + (long)p.Width + 2 * PaddedWidth(p));
    }

    private static long PaddedWidth(in PoolingParameters p) => (p.OutputWidth - 1L) * p.StrideWidth + (p.KernelWidth - 1L) * p.DilationWidth + 1;

    private static long StrideOneWidth(in PoolingParameters p) => (p.OutputWidth - 1L) * p.StrideWidth + 1;

    /// <summary>Runs one task: a share of the output rows.</summary>
    public static void Run(PoolingParameters* p, float* x, float* y, byte* scratch, int task)
    {
        float* padded = (float*)scratch;
        float* strideOne = padded + PaddedWidth(*p) + 2 * Slack;
        float* counts = strideOne + StrideOneWidth(*p) + Slack;
        float* transformed = counts + p->OutputWidth;
        float* doubled = transformed + p->Width;
        float identity = p->Kind == PoolingKind.Max ? float.NegativeInfinity : 0;
        long paddedWidth = PaddedWidth(*p);
        // Where the source lies in the padded row; the margins stay as they are set here.
        long start = Math.Min(p->PadLeft, paddedWidth), count = Math.Clamp(paddedWidth - start, 0, p->Width);
        for (long i = 0; i < paddedWidth + 2 * Slack; i++) padded[i] = identity;
        if (p->Kind == PoolingKind.Average)
        {
            for (int ox = 0; ox < p->OutputWidth; ox++)
                counts[ox] = CountTaps(ox * p->StrideWidth - p->PadLeft, p->KernelWidth, p->DilationWidth, p->Width, p->CountIncludePad ? p->PadLeft : 0, p->CountIncludePad ? p->PadRight : 0);
        }
        long end = TaskSplit.Start(p->Planes * p->OutputHeight, p->TaskCount, task + 1);
        for (long item = TaskSplit.Start(p->Planes * p->OutputHeight, p->TaskCount, task); item < end; item++)
        {
            float* plane = x + item / p->OutputHeight * ((long)p->Height * p->Width);
            int oy = (int)(item % p->OutputHeight);
            int top = oy * p->StrideHeight - p->PadTop;
            Vertical(p, plane, top, padded + start, count, transformed, identity);
            float* result = y + item * p->OutputWidth;
            if (IsHalvingMaximum(p)) HalvingMaximum(p, padded, result);
            else
            {
                Horizontal(p, padded, p->StrideWidth == 1 ? result : strideOne, doubled);
                if (p->StrideWidth != 1) KeepEvery(strideOne, p->StrideWidth, result, p->OutputWidth);
            }
            if (p->Kind == PoolingKind.Average)
            {
                float rows = CountTaps(top, p->KernelHeight, p->DilationHeight, p->Height, p->CountIncludePad ? p->PadTop : 0, p->CountIncludePad ? p->PadBottom : 0);
                BinaryLoop.Run<DivideOperation>(p->Isa, result, 1, counts, 1, result, p->OutputWidth);
                BinaryLoop.Run<DivideOperation>(p->Isa, result, 1, &rows, 0, result, p->OutputWidth);
            }
            else if (p->Kind == PoolingKind.Lp) LpRoot(p->Isa, result, p->OutputWidth, p->P);
        }
    }

    /// <summary>Positions first + k·dilation, k &lt; kernel, inside [−before, size + after); at least 1.</summary>
    private static int CountTaps(int first, int kernel, int dilation, int size, int before, int after)
    {
        int inside = 0;
        for (int k = 0; k < kernel; k++) inside += first + k * dilation >= -before && first + k * dilation < size + after ? 1 : 0;
        return Math.Max(1, inside);
    }

    private static void Vertical(PoolingParameters* p, float* plane, int top, float* row, long count, float* transformed, float identity)
    {
        if (p->Kind == PoolingKind.Max && count >= 8)
        {
            // Rows first + k·dilation, k < rows, lie inside the plane.
            int first = top >= 0 ? 0 : (-top + p->DilationHeight - 1) / p->DilationHeight;
            int rows = p->Height <= top ? 0 : Math.Min(p->KernelHeight, (p->Height - 1 - top) / p->DilationHeight + 1) - first;
            long pitch = (long)p->DilationHeight * p->Width;
            float* source = plane + (top + (long)first * p->DilationHeight) * p->Width;
            if (rows > 0 && Is256(p->Isa))
            {
                if (rows == 3) MaximumOfThree<Float256>(source, source + pitch, source + 2 * pitch, row, count);
                else MaximumOfRows<Float256>(source, pitch, rows, row, count);
                return;
            }
            if (rows > 0)
            {
                if (rows == 3) MaximumOfThree<Float128>(source, source + pitch, source + 2 * pitch, row, count);
                else MaximumOfRows<Float128>(source, pitch, rows, row, count);
                return;
            }
        }
        bool empty = true;
        for (int ky = 0; ky < p->KernelHeight; ky++)
        {
            int iy = top + ky * p->DilationHeight;
            if (iy < 0 || iy >= p->Height || count == 0) continue;
            float* source = plane + (long)iy * p->Width;
            if (p->Kind == PoolingKind.Lp)
            {
                float* power = empty ? row : transformed;
                if (p->P == 2) UnaryLoop.Run<SquareOperation>(p->Isa, source, power, count, 0, 0);
                else if (p->P == 1) UnaryLoop.Run<AbsOperation>(p->Isa, source, power, count, 0, 0);
                else UnaryLoop.Run<AbsolutePowerOperation>(p->Isa, source, power, count, p->P, 0);
                source = power;
            }
            else if (empty) Buffer.MemoryCopy(source, row, count * sizeof(float), count * sizeof(float));
            if (!empty) Combine(p, row, source, row, count);
            empty = false;
        }
        if (empty) for (long i = 0; i < count; i++) row[i] = identity;
    }

    /// <param name="doubled">Room for two padded rows.</param>
    private static void Horizontal(PoolingParameters* p, float* padded, float* result, float* doubled)
    {
        long count = StrideOneWidth(*p);
        if (p->KernelWidth == 1)
        {
            Buffer.MemoryCopy(padded, result, count * sizeof(float), count * sizeof(float));
            return;
        }
        if (p->Kind == PoolingKind.Max && p->KernelWidth > 3 && p->DilationWidth == 1)
        {
            // Maxima of 2, 4, 8, … columns; two of these that overlap make the rest.
            long length = PaddedWidth(*p);
            int width = 1;
            float* from = padded, to = doubled, other = doubled + length;
            for (; 2 * width <= p->KernelWidth; width *= 2)
            {
                length -= width;
                Combine(p, from, from + width, to, length);
                float* next = from == padded ? other : from;
                from = to;
                to = next;
            }
            Combine(p, from, from + (p->KernelWidth - width), result, count);
            return;
        }
        Combine(p, padded, padded + p->DilationWidth, result, count);
        for (int kx = 2; kx < p->KernelWidth; kx++) Combine(p, result, padded + (long)kx * p->DilationWidth, result, count);
    }

    private static void Combine(PoolingParameters* p, float* a, float* b, float* y, long count)
    {
        if (p->Kind == PoolingKind.Max) BinaryLoop.Run<NativeMaximumOperation>(p->Isa, a, 1, b, 1, y, count);
        else BinaryLoop.Run<AddOperation>(p->Isa, a, 1, b, 1, y, count);
    }

    internal static bool Is256(InstructionSet isa) => (isa is InstructionSet.Avx2 or InstructionSet.Avx512) && InstructionSets.IsCompiled(InstructionSet.Avx2);

    private static void MaximumOfThree<V>(float* a, float* b, float* c, float* y, long count) where V : unmanaged, IFloatVector<V>
    {
        long last = count - V.Count;
        for (long i = 0; ; i = Math.Min(i + V.Count, last))
        {
            V maximum = V.MaxNative(V.MaxNative(V.Load(a + i), V.Load(b + i)), V.Load(c + i));
            maximum.Store(y + i);
            if (i == last) return;
        }
    }

    private static void MaximumOfRows<V>(float* x, long pitch, int rows, float* y, long count) where V : unmanaged, IFloatVector<V>
    {
        long last = count - V.Count;
        for (long i = 0; ; i = Math.Min(i + V.Count, last))
        {
            float* at = x + i;
            V maximum = V.Load(at);
            for (int row = 1; row < rows; row++)
            {
                at += pitch;
                maximum = V.MaxNative(maximum, V.Load(at));
            }
            maximum.Store(y + i);
            if (i == last) return;
        }
    }

    /// <summary>Maxima of two or three columns with stride 2, in rows of at least a vector.</summary>
    private static bool IsHalvingMaximum(PoolingParameters* p)
        => p->Kind == PoolingKind.Max && (p->KernelWidth is 2 or 3) && p->StrideWidth == 2 && p->DilationWidth == 1 && p->OutputWidth >= 4;

    private static void HalvingMaximum(PoolingParameters* p, float* x, float* y)
    {
        if (p->OutputWidth >= 8 && Is256(p->Isa)) HalvingMaximum<Float256>(x, p->KernelWidth == 3, y, p->OutputWidth);
        else HalvingMaximum<Float128>(x, p->KernelWidth == 3, y, p->OutputWidth);
    }

    /// <summary>x has slack behind its end.</summary>
    private static void HalvingMaximum<V>(float* x, bool three, float* y, long count) where V : unmanaged, IFloatVector<V>
    {
        long last = count - V.Count;
        for (long i = 0; ; i = Math.Min(i + V.Count, last))
        {
            float* at = x + 2 * i;
            V low = V.Load(at), high = V.Load(at + V.Count);
            V maximum = V.MaxNative(V.UnzipEven(low, high), V.UnzipOdd(low, high));
            if (three) maximum = V.MaxNative(maximum, V.UnzipEven(V.Load(at + 2), V.Load(at + V.Count + 2)));
            maximum = V.InOrder(maximum);
            maximum.Store(y + i);
            if (i == last) return;
        }
    }

    /// <summary>y[i] = x[i·stride]; x has slack behind its end.</summary>
    private static void KeepEvery(float* x, int stride, float* y, long count)
    {
        long i = 0;
        if (stride == 2)
        {
            for (; i + 4 <= count; i += 4) VectorShuffle.Even(x + 2 * i).Store(y + i);
        }
        for (; i < count; i++) y[i] = x[i * stride];
    }

    internal static void LpRoot(InstructionSet isa, float* y, long count, int p)
    {
        if (p == 2) UnaryLoop.Run<SqrtOperation>(isa, y, y, count, 0, 0);
        else if (p != 1) UnaryLoop.Run<AbsolutePowerOperation>(isa, y, y, count, 1f / p, 0);
    }
}

/// <summary>Parameters of <see cref="GlobalPool"/>.</summary>
public struct GlobalPoolingParameters
{
    public PoolingKind Kind;

    public InstructionSet Isa;

    /// <summary>Images × channels, and elements of each plane.</summary>
    public long Planes, PlaneSize;

    /// <summary>Lp: the exponent p.</summary>
    public int P;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>y[c] = reduction of a whole plane x[c, :].</summary>
public static unsafe class GlobalPool
{
    /// <summary>Checks and derives <see cref="GlobalPoolingParameters.TaskCount"/>.</summary>
    /// <exception cref="ArgumentException">An empty plane or an exponent below 1.</exception>
    public static void Prepare(ref GlobalPoolingParameters p)
    {
        if (p.Planes < 0 || p.PlaneSize < 1 || (p.Kind == PoolingKind.Lp && p.P < 1)) throw new ArgumentException($"GlobalPool {p.Kind}: {p.Planes} planes of {p.PlaneSize}, p {p.P}");
        p.TaskCount = TaskSplit.Count(p.Planes, p.PlaneSize);
        p.ScratchBytes = 0;
    }

    /// <summary>Runs one task: a share of the planes.</summary>
    public static void Run(GlobalPoolingParameters* p, float* x, float* y, byte* scratch, int task)
    {
        long start = TaskSplit.Start(p->Planes, p->TaskCount, task), end = TaskSplit.Start(p->Planes, p->TaskCount, task + 1);
        for (long plane = start; plane < end; plane++)
        {
            float* row = x + plane * p->PlaneSize;
            if (p->Kind == PoolingKind.Average && p->PlaneSize is >= 8 and <= 1024)
            {
                y[plane] = (Pool.Is256(p->Isa) ? Sum<Float256>(row, p->PlaneSize) : Sum<Float128>(row, p->PlaneSize)) / p->PlaneSize;
                continue;
            }
            y[plane] = p->Kind switch
            {
                PoolingKind.Max => ReductionLoop.Row<MaximumReduction>(p->Isa, row, p->PlaneSize),
                PoolingKind.Average => ReductionLoop.Row<SumReduction>(p->Isa, row, p->PlaneSize) / p->PlaneSize,
                _ when p->P == 1 => ReductionLoop.Row<AbsoluteSumReduction>(p->Isa, row, p->PlaneSize),
                _ when p->P == 2 => ReductionLoop.Row<SquaredDifferenceReduction>(p->Isa, row, p->PlaneSize),
                _ => ReductionLoop.Row<PowerSumReduction>(p->Isa, row, p->PlaneSize, p->P),
            };
        }
        if (p->Kind == PoolingKind.Lp) Pool.LpRoot(p->Isa, y + start, end - start, p->P);
    }

    /// <summary>Σx of a small plane: the elements behind the last whole vector one by one.</summary>
    private static float Sum<V>(float* x, long count) where V : unmanaged, IFloatVector<V>
    {
        V a = V.Load(x), b = V.Zero;
        long i = V.Count;
        for (; i + 2 * V.Count <= count; i += 2 * V.Count)
        {
            a += V.Load(x + i);
            b += V.Load(x + i + V.Count);
        }
        if (i + V.Count <= count)
        {
            b += V.Load(x + i);
            i += V.Count;
        }
        float sum = V.Sum(a + b), rest = 0;
        for (; i < count; i++) rest += x[i];
        return sum + rest;
    }
}
