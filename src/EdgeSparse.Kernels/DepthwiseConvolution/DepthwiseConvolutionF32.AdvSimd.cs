using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.Elementwise;

namespace EdgeSparse.Kernels.DepthwiseConvolution;

/// <summary>What a NEON kernel computes in one call: rows of an output plane from a padded copy of the input plane.</summary>
internal unsafe struct PaddedPlaneBlock
{
    /// <summary>Row and column that kernel row 0 and column 0 of the first output meet.</summary>
    public float* Input;
    /// <summary>Floats from one padded row to the next.</summary>
    public nint Pitch;
    /// <summary>Stride 2: floats from the even to the odd columns of a row.</summary>
    public nint Odd;
    /// <summary>[3, 3].</summary>
    public float* Weights;
    public float Bias;
    public float Minimum;
    public float Maximum;
    /// <summary>First output row; the others follow <see cref="Width"/> floats apart.</summary>
    public float* Output;
    /// <summary>Output columns, at least four.</summary>
    public nint Width;
    /// <summary>Output rows, at least those that the kernel computes at a time.</summary>
    public nint Rows;
}

/// <summary>
/// 3×3 on NEON. Each input plane is copied once into zero-padded scratch, with stride 2 its even and odd columns apart, so that every tap is a plain load and no edge case is left: two instructions for eight
/// elements. The nine weights fill three registers and are taken by lane, which leaves room for eight sums, three loads and the clamp. An input row serves every output row it belongs to.
/// Rows beyond a multiple of four, or of seven, are computed twice. A large plane is taken in bands, copied while they are in L1.
/// </summary>
public static unsafe partial class DepthwiseConvolutionF32
{
    /// <summary>Planes are copied into padded scratch for the NEON kernels.</summary>
    private const int VariantAdvSimd = 3;

    private const int RowsAdvSimd = 4;

    /// <summary>Padded rows of a band: half of a small L1.</summary>
    private const int BandBytesAdvSimd = 16 * 1024;

    private static bool IsAdvSimd(in ConvolutionParameters p) => p.Isa == InstructionSet.AdvSimd && p.KernelHeight == 3 && p.KernelWidth == 3 && p.StrideHeight is 1 or 2
        && p.StrideWidth == p.StrideHeight && p.DilationHeight == 1 && p.DilationWidth == 1 && p.OutputWidth >= 4 && p.OutputHeight >= RowsAdvSimd;

    private static void PrepareAdvSimd(ref ConvolutionParameters p)
    {
        p.Variant = VariantAdvSimd;
        // Stride 2 reads one more even column than there are outputs.
        p.Pitch = p.StrideWidth == 1 ? (p.OutputWidth + 2 + 3) / 4 * 4 : 2 * PhaseAdvSimd(in p);
        if (TallPitchAdvSimd(in p) is int tall and not 0) p.Pitch = tall;
        p.ScratchBytes = PaddedElementsAdvSimd(in p) * sizeof(float) + (long)p.OutputPlane * sizeof(float);
    }

    /// <summary>Floats of a padded row's even columns, or of its odd ones.</summary>
    private static int PhaseAdvSimd(in ConvolutionParameters p) => (p.OutputWidth + 1 + 3) / 4 * 4;

    private static long PaddedElementsAdvSimd(in ConvolutionParameters p) => ((p.OutputHeight - 1L) * p.StrideHeight + 3) * p.Pitch;

    private static void RunAdvSimd(ConvolutionParameters* p, float* x, float* weights, float* bias, float* residual, float* y, byte* scratch, int task)
    {
        int stride = p->StrideWidth, inputWidth = p->InputWidth, outputHeight = p->OutputHeight;
        int paddedRows = (outputHeight - 1) * stride + 3, paddedColumns = (p->OutputWidth - 1) * stride + 3;
        // What of the input any output reads.
        int columns = Math.Min(inputWidth, paddedColumns - p->PadLeft), rows = Math.Min(p->InputHeight, paddedRows - p->PadTop);
        nint pitch = p->Pitch;
        var padded = (float*)scratch;
        // A residual may be the output, so it is added to a plane aside.
        float* aside = padded + PaddedElementsAdvSimd(in *p);
        Runs.Zero(padded, paddedRows * pitch);

        PaddedPlaneBlock t;
        t.Pitch = pitch;
        t.Odd = stride == 2 ? pitch / 2 : 0;
        t.Width = p->OutputWidth;
        t.Minimum = residual == null ? p->Activation.Minimum : float.NegativeInfinity;
        t.Maximum = residual == null ? p->Activation.Maximum : float.PositiveInfinity;
        // Columns after the left padding: with stride 2 the first lies in the even or the odd part.
        nint first = p->PadLeft, second = 0;
        if (stride == 2)
        {
            bool startsOdd = (p->PadLeft & 1) != 0;
            first = p->PadLeft / 2 + (startsOdd ? t.Odd : 0);
            second = (p->PadLeft + 1) / 2 + (startsOdd ? 0 : t.Odd);
        }
        bool tall = TallPitchAdvSimd(in *p) != 0;
        int blockRows = tall ? RowsAdvSimdTall : RowsAdvSimd;
        int bandRows = Math.Max(1, BandBytesAdvSimd / (blockRows * stride * (int)pitch * sizeof(float))) * blockRows;
        int multiplier = p->GroupOutputs;
        long planes = (long)p->Batch * p->OutputChannels, end = planes * (task + 1) / p->TaskCount;
        float* plane = null;
        for (long index = planes * task / p->TaskCount; index < end; index++)
        {
            float* from = x + index / multiplier * p->InputPlane;
            bool copied = from == plane;
            plane = from;
            long channel = index % p->OutputChannels;
            t.Weights = weights + channel * 9;
            t.Bias = bias == null ? 0 : bias[channel];
            float* to = residual == null ? y + index * p->OutputPlane : aside;
            int filled = copied ? rows : 0;
            for (int row = 0; row < outputHeight; row += bandRows)
            {
                int count = Math.Min(bandRows, outputHeight - row);
                if (count < blockRows)
                {
                    row = outputHeight - blockRows;
                    count = blockRows;
                }
                int needed = Math.Min(rows, (row + count - 1) * stride + 3 - p->PadTop);
                if (filled < needed)
                {
                    float* source = from + (nint)filled * inputWidth;
                    float* target = padded + (filled + p->PadTop) * pitch;
                    if (stride == 1) CopyRows(source, inputWidth, needed - filled, columns, target + first, pitch);
                    else CopyPhases(source, inputWidth, needed - filled, columns, target + first, target + second, pitch);
                    filled = needed;
                }
                t.Input = padded + row * stride * pitch;
                t.Output = to + (nint)row * p->OutputWidth;
                t.Rows = count;
                if (tall) RunTallAdvSimd(&t);
                else if (stride == 1) DepthwiseF32_3x3s1_AdvSimd(&t);
                else DepthwiseF32_3x3s2_AdvSimd(&t);
            }
            if (residual != null) Runs.AddClamped(aside, Runs.NoBias, residual + index * p->OutputPlane, p->OutputPlane, p->Activation.Minimum, p->Activation.Maximum, y + index * p->OutputPlane);
            if (p->Activation.NeedsPass) ActivationPass.Apply(p->Isa, y + index * p->OutputPlane, 1, p->OutputPlane, p->OutputPlane, in p->Activation);
        }
    }

    /// <summary>Rows of `count` floats, at least one. A row's last vectors overlap the ones before them.</summary>
    private static void CopyRows(float* from, nint fromPitch, nint rows, nint count, float* to, nint toPitch)
    {
        for (; rows > 0; rows--, from += fromPitch, to += toPitch)
        {
            float* source = from, target = to;
            nint left = count;
            for (; left >= 16; left -= 16)
            {
                Vector128<float> a = Vector128.Load(source), b = Vector128.Load(source + 4), c = Vector128.Load(source + 8), d = Vector128.Load(source + 12);
                a.Store(target);
                b.Store(target + 4);
                c.Store(target + 8);
                d.Store(target + 12);
                source += 16;
                target += 16;
            }
            if (left >= 8)
            {
                Vector128<float> a = Vector128.Load(source), b = Vector128.Load(source + 4);
                source += left - 8;
                a.Store(target);
                b.Store(target + 4);
                target += left - 8;
                Vector128<float> c = Vector128.Load(source), d = Vector128.Load(source + 4);
                c.Store(target);
                d.Store(target + 4);
            }
            else if (left >= 4)
            {
                Vector128<float> a = Vector128.Load(source), b = Vector128.Load(source + left - 4);
                a.Store(target);
                b.Store(target + left - 4);
            }
            else for (nint i = 0; i < left; i++) target[i] = source[i];
        }
    }

    /// <summary>Eight floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Split(float* from, float* even, float* odd)
    {
        (Vector128<float> evens, Vector128<float> odds) = AdvSimd.Arm64.Load2xVector128AndUnzip(from);
        evens.Store(even);
        odds.Store(odd);
    }

    /// <summary>Of each row elements 0, 2, 4 … to `even` and 1, 3, 5 … to `odd`.</summary>
    private static void CopyPhases(float* from, nint fromPitch, nint rows, nint count, float* even, float* odd, nint toPitch)
    {
        for (; rows > 0; rows--, from += fromPitch, even += toPitch, odd += toPitch)
        {
            float* source = from, evens = even, odds = odd;
            nint left = count;
            for (; left >= 16; left -= 16)
            {
                (Vector128<float> lowEvens, Vector128<float> lowOdds) = AdvSimd.Arm64.Load2xVector128AndUnzip(source);
                (Vector128<float> highEvens, Vector128<float> highOdds) = AdvSimd.Arm64.Load2xVector128AndUnzip(source + 8);
                lowEvens.Store(evens);
                highEvens.Store(evens + 4);
                lowOdds.Store(odds);
                highOdds.Store(odds + 4);
                source += 16;
                evens += 8;
                odds += 8;
            }
            if (left >= 8)
            {
                Split(source, evens, odds);
                nint more = (left - 8) & ~1;
                Split(source + more, evens + more / 2, odds + more / 2);
                if ((left & 1) != 0) evens[left / 2] = source[left - 1];
            }
            else
            {
                for (; left >= 2; left -= 2, source += 2)
                {
                    *evens++ = source[0];
                    *odds++ = source[1];
                }
                if (left > 0) *evens = *source;
            }
        }
    }

    /// <summary>Four rows of outputs, two vectors of each at a time: 36 loads for 72 FMAs. The last vectors and rows overlap the ones before them.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DepthwiseF32_3x3s1_AdvSimd(PaddedPlaneBlock* t)
    {
        nint pitch = t->Pitch, width = t->Width, rows = t->Rows;
        float* w = t->Weights;
        Vector128<float> w0 = Vector128.Load(w), w1 = Vector128.Load(w + 4), w2 = Vector128.CreateScalarUnsafe(w[8]);
        Vector128<float> bias = Vector128.Create(t->Bias), minimum = Vector128.Create(t->Minimum), maximum = Vector128.Create(t->Maximum);
        float* input = t->Input, output = t->Output;
        while (true)
        {
            float* r0 = input, r1 = r0 + pitch, r2 = r1 + pitch, r3 = r2 + pitch, r4 = r3 + pitch, r5 = r4 + pitch;
            float* y0 = output, y1 = y0 + width, y2 = y1 + width, y3 = y2 + width;
            // Vectors by themselves: the last of a row, or both of a row of under two.
            nint singles = width > 4 ? 2 : 1;
            if (width >= 8)
            {
                // Columns behind the two vectors. Over half of the next two left: they are the row's last, else one vector is.
                nint left = width - 8;
                do
                {
                    Vector128<float> a0 = bias, a1 = bias, b0 = bias, b1 = bias, c0 = bias, c1 = bias, d0 = bias, d1 = bias;
                    Vector128<float> x0, x1, x2;
                    x0 = Vector128.Load(r0);
                    x1 = Vector128.Load(r0 + 1);
                    x2 = Vector128.Load(r0 + 2);
                    a0 = TopRow(a0, x0, x1, x2, w0);
                    x0 = Vector128.Load(r0 + 4);
                    x1 = Vector128.Load(r0 + 5);
                    x2 = Vector128.Load(r0 + 6);
                    a1 = TopRow(a1, x0, x1, x2, w0);
                    x0 = Vector128.Load(r1);
                    x1 = Vector128.Load(r1 + 1);
                    x2 = Vector128.Load(r1 + 2);
                    b0 = TopRow(b0, x0, x1, x2, w0);
                    a0 = MiddleRow(a0, x0, x1, x2, w0, w1);
                    x0 = Vector128.Load(r1 + 4);
                    x1 = Vector128.Load(r1 + 5);
                    x2 = Vector128.Load(r1 + 6);
                    b1 = TopRow(b1, x0, x1, x2, w0);
                    a1 = MiddleRow(a1, x0, x1, x2, w0, w1);
                    x0 = Vector128.Load(r2);
                    x1 = Vector128.Load(r2 + 1);
                    x2 = Vector128.Load(r2 + 2);
                    c0 = TopRow(c0, x0, x1, x2, w0);
                    b0 = MiddleRow(b0, x0, x1, x2, w0, w1);
                    a0 = BottomRow(a0, x0, x1, x2, w1, w2);
                    x0 = Vector128.Load(r2 + 4);
                    x1 = Vector128.Load(r2 + 5);
                    x2 = Vector128.Load(r2 + 6);
                    c1 = TopRow(c1, x0, x1, x2, w0);
                    b1 = MiddleRow(b1, x0, x1, x2, w0, w1);
                    a1 = BottomRow(a1, x0, x1, x2, w1, w2);
                    x0 = Vector128.Load(r3);
                    x1 = Vector128.Load(r3 + 1);
                    x2 = Vector128.Load(r3 + 2);
                    d0 = TopRow(d0, x0, x1, x2, w0);
                    c0 = MiddleRow(c0, x0, x1, x2, w0, w1);
                    b0 = BottomRow(b0, x0, x1, x2, w1, w2);
                    x0 = Vector128.Load(r3 + 4);
                    x1 = Vector128.Load(r3 + 5);
                    x2 = Vector128.Load(r3 + 6);
                    d1 = TopRow(d1, x0, x1, x2, w0);
                    c1 = MiddleRow(c1, x0, x1, x2, w0, w1);
                    b1 = BottomRow(b1, x0, x1, x2, w1, w2);
                    x0 = Vector128.Load(r4);
                    x1 = Vector128.Load(r4 + 1);
                    x2 = Vector128.Load(r4 + 2);
                    d0 = MiddleRow(d0, x0, x1, x2, w0, w1);
                    c0 = BottomRow(c0, x0, x1, x2, w1, w2);
                    x0 = Vector128.Load(r4 + 4);
                    x1 = Vector128.Load(r4 + 5);
                    x2 = Vector128.Load(r4 + 6);
                    d1 = MiddleRow(d1, x0, x1, x2, w0, w1);
                    c1 = BottomRow(c1, x0, x1, x2, w1, w2);
                    x0 = Vector128.Load(r5);
                    x1 = Vector128.Load(r5 + 1);
                    x2 = Vector128.Load(r5 + 2);
                    d0 = BottomRow(d0, x0, x1, x2, w1, w2);
                    x0 = Vector128.Load(r5 + 4);
                    x1 = Vector128.Load(r5 + 5);
                    x2 = Vector128.Load(r5 + 6);
                    d1 = BottomRow(d1, x0, x1, x2, w1, w2);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, a0)).Store(y0);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, a1)).Store(y0 + 4);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, b0)).Store(y1);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, b1)).Store(y1 + 4);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, c0)).Store(y2);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, c1)).Store(y2 + 4);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, d0)).Store(y3);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, d1)).Store(y3 + 4);
                    nint step = Math.Min(left, 8);
                    r0 += step;
                    r1 += step;
                    r2 += step;
                    r3 += step;
                    r4 += step;
                    r5 += step;
                    y0 += step;
                    y1 += step;
                    y2 += step;
                    y3 += step;
                    left -= 8;
                }
                while (left > -4);
                singles = left > -8 ? 1 : 0;
                r0 += 4;
                r1 += 4;
                r2 += 4;
                r3 += 4;
                r4 += 4;
                r5 += 4;
                y0 += 4;
                y1 += 4;
                y2 += 4;
                y3 += 4;
            }
            for (; singles > 0; singles--)
            {
                Vector128<float> a0 = bias, b0 = bias, c0 = bias, d0 = bias;
                Vector128<float> x0, x1, x2;
                x0 = Vector128.Load(r0);
                x1 = Vector128.Load(r0 + 1);
                x2 = Vector128.Load(r0 + 2);
                a0 = TopRow(a0, x0, x1, x2, w0);
                x0 = Vector128.Load(r1);
                x1 = Vector128.Load(r1 + 1);
                x2 = Vector128.Load(r1 + 2);
                b0 = TopRow(b0, x0, x1, x2, w0);
                a0 = MiddleRow(a0, x0, x1, x2, w0, w1);
                x0 = Vector128.Load(r2);
                x1 = Vector128.Load(r2 + 1);
                x2 = Vector128.Load(r2 + 2);
                c0 = TopRow(c0, x0, x1, x2, w0);
                b0 = MiddleRow(b0, x0, x1, x2, w0, w1);
                a0 = BottomRow(a0, x0, x1, x2, w1, w2);
                x0 = Vector128.Load(r3);
                x1 = Vector128.Load(r3 + 1);
                x2 = Vector128.Load(r3 + 2);
                d0 = TopRow(d0, x0, x1, x2, w0);
                c0 = MiddleRow(c0, x0, x1, x2, w0, w1);
                b0 = BottomRow(b0, x0, x1, x2, w1, w2);
                x0 = Vector128.Load(r4);
                x1 = Vector128.Load(r4 + 1);
                x2 = Vector128.Load(r4 + 2);
                d0 = MiddleRow(d0, x0, x1, x2, w0, w1);
                c0 = BottomRow(c0, x0, x1, x2, w1, w2);
                x0 = Vector128.Load(r5);
                x1 = Vector128.Load(r5 + 1);
                x2 = Vector128.Load(r5 + 2);
                d0 = BottomRow(d0, x0, x1, x2, w1, w2);
                AdvSimd.Min(maximum, AdvSimd.Max(minimum, a0)).Store(y0);
                AdvSimd.Min(maximum, AdvSimd.Max(minimum, b0)).Store(y1);
                AdvSimd.Min(maximum, AdvSimd.Max(minimum, c0)).Store(y2);
                AdvSimd.Min(maximum, AdvSimd.Max(minimum, d0)).Store(y3);
                nint back = width - 4;
                r0 += back;
                r1 += back;
                r2 += back;
                r3 += back;
                r4 += back;
                r5 += back;
                y0 += back;
                y1 += back;
                y2 += back;
                y3 += back;
            }
            rows -= RowsAdvSimd;
            if (rows <= 0) return;
            nint down = Math.Min(rows, RowsAdvSimd);
            if (rows < RowsAdvSimd) rows = RowsAdvSimd;
            input += down * 1 * pitch;
            output += down * width;
        }
    }

    /// <summary>Four rows of outputs, two vectors of each at a time: 54 loads for 72 FMAs. The last vectors and rows overlap the ones before them. Each padded row is its even columns and then, `odd` floats on, its odd ones.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DepthwiseF32_3x3s2_AdvSimd(PaddedPlaneBlock* t)
    {
        nint pitch = t->Pitch, width = t->Width, rows = t->Rows, odd = t->Odd;
        float* w = t->Weights;
        Vector128<float> w0 = Vector128.Load(w), w1 = Vector128.Load(w + 4), w2 = Vector128.CreateScalarUnsafe(w[8]);
        Vector128<float> bias = Vector128.Create(t->Bias), minimum = Vector128.Create(t->Minimum), maximum = Vector128.Create(t->Maximum);
        float* input = t->Input, output = t->Output;
        while (true)
        {
            float* r0 = input, r1 = r0 + pitch, r2 = r1 + pitch, r3 = r2 + pitch, r4 = r3 + pitch, r5 = r4 + pitch, r6 = r5 + pitch, r7 = r6 + pitch, r8 = r7 + pitch;
            float* y0 = output, y1 = y0 + width, y2 = y1 + width, y3 = y2 + width;
            // Vectors by themselves: the last of a row, or both of a row of under two.
            nint singles = width > 4 ? 2 : 1;
            if (width >= 8)
            {
                // Columns behind the two vectors. Over half of the next two left: they are the row's last, else one vector is.
                nint left = width - 8;
                do
                {
                    Vector128<float> a0 = bias, a1 = bias, b0 = bias, b1 = bias, c0 = bias, c1 = bias, d0 = bias, d1 = bias;
                    Vector128<float> x0, x1, x2;
                    x0 = Vector128.Load(r0);
                    x1 = Vector128.Load(r0 + odd);
                    x2 = Vector128.Load(r0 + 1);
                    a0 = TopRow(a0, x0, x1, x2, w0);
                    x0 = Vector128.Load(r0 + 4);
                    x1 = Vector128.Load(r0 + odd + 4);
                    x2 = Vector128.Load(r0 + 5);
                    a1 = TopRow(a1, x0, x1, x2, w0);
                    x0 = Vector128.Load(r1);
                    x1 = Vector128.Load(r1 + odd);
                    x2 = Vector128.Load(r1 + 1);
                    a0 = MiddleRow(a0, x0, x1, x2, w0, w1);
                    x0 = Vector128.Load(r1 + 4);
                    x1 = Vector128.Load(r1 + odd + 4);
                    x2 = Vector128.Load(r1 + 5);
                    a1 = MiddleRow(a1, x0, x1, x2, w0, w1);
                    x0 = Vector128.Load(r2);
                    x1 = Vector128.Load(r2 + odd);
                    x2 = Vector128.Load(r2 + 1);
                    b0 = TopRow(b0, x0, x1, x2, w0);
                    a0 = BottomRow(a0, x0, x1, x2, w1, w2);
                    x0 = Vector128.Load(r2 + 4);
                    x1 = Vector128.Load(r2 + odd + 4);
                    x2 = Vector128.Load(r2 + 5);
                    b1 = TopRow(b1, x0, x1, x2, w0);
                    a1 = BottomRow(a1, x0, x1, x2, w1, w2);
                    x0 = Vector128.Load(r3);
                    x1 = Vector128.Load(r3 + odd);
                    x2 = Vector128.Load(r3 + 1);
                    b0 = MiddleRow(b0, x0, x1, x2, w0, w1);
                    x0 = Vector128.Load(r3 + 4);
                    x1 = Vector128.Load(r3 + odd + 4);
                    x2 = Vector128.Load(r3 + 5);
                    b1 = MiddleRow(b1, x0, x1, x2, w0, w1);
                    x0 = Vector128.Load(r4);
                    x1 = Vector128.Load(r4 + odd);
                    x2 = Vector128.Load(r4 + 1);
                    c0 = TopRow(c0, x0, x1, x2, w0);
                    b0 = BottomRow(b0, x0, x1, x2, w1, w2);
                    x0 = Vector128.Load(r4 + 4);
                    x1 = Vector128.Load(r4 + odd + 4);
                    x2 = Vector128.Load(r4 + 5);
                    c1 = TopRow(c1, x0, x1, x2, w0);
                    b1 = BottomRow(b1, x0, x1, x2, w1, w2);
                    x0 = Vector128.Load(r5);
                    x1 = Vector128.Load(r5 + odd);
                    x2 = Vector128.Load(r5 + 1);
                    c0 = MiddleRow(c0, x0, x1, x2, w0, w1);
                    x0 = Vector128.Load(r5 + 4);
                    x1 = Vector128.Load(r5 + odd + 4);
                    x2 = Vector128.Load(r5 + 5);
                    c1 = MiddleRow(c1, x0, x1, x2, w0, w1);
                    x0 = Vector128.Load(r6);
                    x1 = Vector128.Load(r6 + odd);
                    x2 = Vector128.Load(r6 + 1);
                    d0 = TopRow(d0, x0, x1, x2, w0);
                    c0 = BottomRow(c0, x0, x1, x2, w1, w2);
                    x0 = Vector128.Load(r6 + 4);
                    x1 = Vector128.Load(r6 + odd + 4);
                    x2 = Vector128.Load(r6 + 5);
                    d1 = TopRow(d1, x0, x1, x2, w0);
                    c1 = BottomRow(c1, x0, x1, x2, w1, w2);
                    x0 = Vector128.Load(r7);
                    x1 = Vector128.Load(r7 + odd);
                    x2 = Vector128.Load(r7 + 1);
                    d0 = MiddleRow(d0, x0, x1, x2, w0, w1);
                    x0 = Vector128.Load(r7 + 4);
                    x1 = Vector128.Load(r7 + odd + 4);
                    x2 = Vector128.Load(r7 + 5);
                    d1 = MiddleRow(d1, x0, x1, x2, w0, w1);
                    x0 = Vector128.Load(r8);
                    x1 = Vector128.Load(r8 + odd);
                    x2 = Vector128.Load(r8 + 1);
                    d0 = BottomRow(d0, x0, x1, x2, w1, w2);
                    x0 = Vector128.Load(r8 + 4);
                    x1 = Vector128.Load(r8 + odd + 4);
                    x2 = Vector128.Load(r8 + 5);
                    d1 = BottomRow(d1, x0, x1, x2, w1, w2);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, a0)).Store(y0);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, a1)).Store(y0 + 4);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, b0)).Store(y1);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, b1)).Store(y1 + 4);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, c0)).Store(y2);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, c1)).Store(y2 + 4);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, d0)).Store(y3);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, d1)).Store(y3 + 4);
                    nint step = Math.Min(left, 8);
                    r0 += step;
                    r1 += step;
                    r2 += step;
                    r3 += step;
                    r4 += step;
                    r5 += step;
                    r6 += step;
                    r7 += step;
                    r8 += step;
                    y0 += step;
                    y1 += step;
                    y2 += step;
                    y3 += step;
                    left -= 8;
                }
                while (left > -4);
                singles = left > -8 ? 1 : 0;
                r0 += 4;
                r1 += 4;
                r2 += 4;
                r3 += 4;
                r4 += 4;
                r5 += 4;
                r6 += 4;
                r7 += 4;
                r8 += 4;
                y0 += 4;
                y1 += 4;
                y2 += 4;
                y3 += 4;
            }
            for (; singles > 0; singles--)
            {
                Vector128<float> a0 = bias, b0 = bias, c0 = bias, d0 = bias;
                Vector128<float> x0, x1, x2;
                x0 = Vector128.Load(r0);
                x1 = Vector128.Load(r0 + odd);
                x2 = Vector128.Load(r0 + 1);
                a0 = TopRow(a0, x0, x1, x2, w0);
                x0 = Vector128.Load(r1);
                x1 = Vector128.Load(r1 + odd);
                x2 = Vector128.Load(r1 + 1);
                a0 = MiddleRow(a0, x0, x1, x2, w0, w1);
                x0 = Vector128.Load(r2);
                x1 = Vector128.Load(r2 + odd);
                x2 = Vector128.Load(r2 + 1);
                b0 = TopRow(b0, x0, x1, x2, w0);
                a0 = BottomRow(a0, x0, x1, x2, w1, w2);
                x0 = Vector128.Load(r3);
                x1 = Vector128.Load(r3 + odd);
                x2 = Vector128.Load(r3 + 1);
                b0 = MiddleRow(b0, x0, x1, x2, w0, w1);
                x0 = Vector128.Load(r4);
                x1 = Vector128.Load(r4 + odd);
                x2 = Vector128.Load(r4 + 1);
                c0 = TopRow(c0, x0, x1, x2, w0);
                b0 = BottomRow(b0, x0, x1, x2, w1, w2);
                x0 = Vector128.Load(r5);
                x1 = Vector128.Load(r5 + odd);
                x2 = Vector128.Load(r5 + 1);
                c0 = MiddleRow(c0, x0, x1, x2, w0, w1);
                x0 = Vector128.Load(r6);
                x1 = Vector128.Load(r6 + odd);
                x2 = Vector128.Load(r6 + 1);
                d0 = TopRow(d0, x0, x1, x2, w0);
                c0 = BottomRow(c0, x0, x1, x2, w1, w2);
                x0 = Vector128.Load(r7);
                x1 = Vector128.Load(r7 + odd);
                x2 = Vector128.Load(r7 + 1);
                d0 = MiddleRow(d0, x0, x1, x2, w0, w1);
                x0 = Vector128.Load(r8);
                x1 = Vector128.Load(r8 + odd);
                x2 = Vector128.Load(r8 + 1);
                d0 = BottomRow(d0, x0, x1, x2, w1, w2);
                AdvSimd.Min(maximum, AdvSimd.Max(minimum, a0)).Store(y0);
                AdvSimd.Min(maximum, AdvSimd.Max(minimum, b0)).Store(y1);
                AdvSimd.Min(maximum, AdvSimd.Max(minimum, c0)).Store(y2);
                AdvSimd.Min(maximum, AdvSimd.Max(minimum, d0)).Store(y3);
                nint back = width - 4;
                r0 += back;
                r1 += back;
                r2 += back;
                r3 += back;
                r4 += back;
                r5 += back;
                r6 += back;
                r7 += back;
                r8 += back;
                y0 += back;
                y1 += back;
                y2 += back;
                y3 += back;
            }
            rows -= RowsAdvSimd;
            if (rows <= 0) return;
            nint down = Math.Min(rows, RowsAdvSimd);
            if (rows < RowsAdvSimd) rows = RowsAdvSimd;
            input += down * 2 * pitch;
            output += down * width;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> TopRow(Vector128<float> sum, Vector128<float> x0, Vector128<float> x1, Vector128<float> x2, Vector128<float> w0)
    {
        sum = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum, x0, w0, 0);
        sum = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum, x1, w0, 1);
        return AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum, x2, w0, 2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> MiddleRow(Vector128<float> sum, Vector128<float> x0, Vector128<float> x1, Vector128<float> x2, Vector128<float> w0, Vector128<float> w1)
    {
        sum = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum, x0, w0, 3);
        sum = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum, x1, w1, 0);
        return AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum, x2, w1, 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> BottomRow(Vector128<float> sum, Vector128<float> x0, Vector128<float> x1, Vector128<float> x2, Vector128<float> w1, Vector128<float> w2)
    {
        sum = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum, x0, w1, 2);
        sum = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum, x1, w1, 3);
        return AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum, x2, w2, 0);
    }
}
