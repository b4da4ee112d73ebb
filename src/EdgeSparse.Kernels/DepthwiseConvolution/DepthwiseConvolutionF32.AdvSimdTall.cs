using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.MatMul;

namespace EdgeSparse.Kernels.DepthwiseConvolution;

/// <summary>Floats from one padded row to the next, known to the compiler, so that the rows of a block lie at constant offsets from one address.</summary>
internal interface IPaddedPitch
{
    static abstract int Floats { get; }
}

internal readonly struct Pitch16 : IPaddedPitch
{
    public static int Floats => 16;
}

internal readonly struct Pitch32 : IPaddedPitch
{
    public static int Floats => 32;
}

internal readonly struct Pitch60 : IPaddedPitch
{
    public static int Floats => 60;
}

internal readonly struct Pitch116 : IPaddedPitch
{
    public static int Floats => 116;
}

/// <summary>
/// 3×3 with stride 1, seven rows of outputs at a time: planes of 7, 14, 28, 56 and 112 rows are whole blocks. The nine input rows lie a constant pitch apart, so three addresses, one for each kernel column,
/// reach all taps, and two neighbouring vectors are one load in the rows that start within 1008 bytes of the first: all but the last of them at a pitch of 32, five at 60, three at 116.
/// </summary>
public static unsafe partial class DepthwiseConvolutionF32
{
    private const int RowsAdvSimdTall = 7;

    /// <summary>Pitch of the padded rows for seven rows of outputs at a time, 0 where four at a time are better: a wide plane, or a height that leaves much of the last block computed twice.</summary>
    private static int TallPitchAdvSimd(in ConvolutionParameters p)
    {
        int height = p.OutputHeight, columns = p.OutputWidth + 2;
        if (p.StrideWidth != 1 || height < RowsAdvSimdTall || columns > Pitch116.Floats) return 0;
        // An output costs a fifth less in a block of seven rows.
        int tall = TileSplit.Count(height, RowsAdvSimdTall) * RowsAdvSimdTall, low = TileSplit.Count(height, RowsAdvSimd) * RowsAdvSimd;
        if (4 * tall > 5 * low) return 0;
        return columns <= Pitch16.Floats ? Pitch16.Floats : columns <= Pitch32.Floats ? Pitch32.Floats : columns <= Pitch60.Floats ? Pitch60.Floats : Pitch116.Floats;
    }

    private static void RunTallAdvSimd(PaddedPlaneBlock* t)
    {
        switch (t->Pitch)
        {
            case 16:
                DepthwiseF32_3x3s1x7_AdvSimd<Pitch16>(t);
                break;
            case 32:
                DepthwiseF32_3x3s1x7_AdvSimd<Pitch32>(t);
                break;
            case 60:
                DepthwiseF32_3x3s1x7_AdvSimd<Pitch60>(t);
                break;
            default:
                DepthwiseF32_3x3s1x7_AdvSimd<Pitch116>(t);
                break;
        }
    }

    /// <summary>Seven rows of outputs, two vectors of each at a time: 54 vectors loaded for 126 FMAs. The last vectors and rows overlap the ones before them. At least seven rows.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DepthwiseF32_3x3s1x7_AdvSimd<TPitch>(PaddedPlaneBlock* t) where TPitch : struct, IPaddedPitch
    {
        nint width = t->Width, rows = t->Rows;
        float* w = t->Weights;
        Vector128<float> w0 = Vector128.Load(w), w1 = Vector128.Load(w + 4), w2 = Vector128.CreateScalarUnsafe(w[8]);
        Vector128<float> bias = Vector128.Create(t->Bias), minimum = Vector128.Create(t->Minimum), maximum = Vector128.Create(t->Maximum);
        float* input = t->Input, output = t->Output;
        while (true)
        {
            // The first of the nine input rows, at each of the kernel's columns.
            float* r0 = input, r1 = r0 + 1, r2 = r0 + 2;
            float* y0 = output, y1 = y0 + width, y2 = y1 + width, y3 = y2 + width, y4 = y3 + width, y5 = y4 + width, y6 = y5 + width;
            // Vectors by themselves: the last of a row, or both of a row of under two.
            nint singles = width > 4 ? 2 : 1;
            if (width >= 8)
            {
                // Columns behind the two vectors. Over half of the next two left: they are the row's last, else one vector is.
                nint left = width - 8;
                do
                {
                    Vector128<float> a0 = bias, a1 = bias, b0 = bias, b1 = bias, c0 = bias, c1 = bias, d0 = bias, d1 = bias, e0 = bias, e1 = bias, f0 = bias, f1 = bias, g0 = bias, g1 = bias;
                    Vector128<float> x0, x1, x2, z0, z1, z2;
                    x0 = Vector128.Load(r0);
                    z0 = Vector128.Load(r0 + 4);
                    x1 = Vector128.Load(r1);
                    z1 = Vector128.Load(r1 + 4);
                    x2 = Vector128.Load(r2);
                    z2 = Vector128.Load(r2 + 4);
                    a0 = TopRow(a0, x0, x1, x2, w0);
                    a1 = TopRow(a1, z0, z1, z2, w0);
                    x0 = Vector128.Load(r0 + 1 * TPitch.Floats);
                    z0 = Vector128.Load(r0 + 1 * TPitch.Floats + 4);
                    x1 = Vector128.Load(r1 + 1 * TPitch.Floats);
                    z1 = Vector128.Load(r1 + 1 * TPitch.Floats + 4);
                    x2 = Vector128.Load(r2 + 1 * TPitch.Floats);
                    z2 = Vector128.Load(r2 + 1 * TPitch.Floats + 4);
                    b0 = TopRow(b0, x0, x1, x2, w0);
                    b1 = TopRow(b1, z0, z1, z2, w0);
                    a0 = MiddleRow(a0, x0, x1, x2, w0, w1);
                    a1 = MiddleRow(a1, z0, z1, z2, w0, w1);
                    x0 = Vector128.Load(r0 + 2 * TPitch.Floats);
                    z0 = Vector128.Load(r0 + 2 * TPitch.Floats + 4);
                    x1 = Vector128.Load(r1 + 2 * TPitch.Floats);
                    z1 = Vector128.Load(r1 + 2 * TPitch.Floats + 4);
                    x2 = Vector128.Load(r2 + 2 * TPitch.Floats);
                    z2 = Vector128.Load(r2 + 2 * TPitch.Floats + 4);
                    c0 = TopRow(c0, x0, x1, x2, w0);
                    c1 = TopRow(c1, z0, z1, z2, w0);
                    b0 = MiddleRow(b0, x0, x1, x2, w0, w1);
                    b1 = MiddleRow(b1, z0, z1, z2, w0, w1);
                    a0 = BottomRow(a0, x0, x1, x2, w1, w2);
                    a1 = BottomRow(a1, z0, z1, z2, w1, w2);
                    x0 = Vector128.Load(r0 + 3 * TPitch.Floats);
                    z0 = Vector128.Load(r0 + 3 * TPitch.Floats + 4);
                    x1 = Vector128.Load(r1 + 3 * TPitch.Floats);
                    z1 = Vector128.Load(r1 + 3 * TPitch.Floats + 4);
                    x2 = Vector128.Load(r2 + 3 * TPitch.Floats);
                    z2 = Vector128.Load(r2 + 3 * TPitch.Floats + 4);
                    d0 = TopRow(d0, x0, x1, x2, w0);
                    d1 = TopRow(d1, z0, z1, z2, w0);
                    c0 = MiddleRow(c0, x0, x1, x2, w0, w1);
                    c1 = MiddleRow(c1, z0, z1, z2, w0, w1);
                    b0 = BottomRow(b0, x0, x1, x2, w1, w2);
                    b1 = BottomRow(b1, z0, z1, z2, w1, w2);
                    x0 = Vector128.Load(r0 + 4 * TPitch.Floats);
                    z0 = Vector128.Load(r0 + 4 * TPitch.Floats + 4);
                    x1 = Vector128.Load(r1 + 4 * TPitch.Floats);
                    z1 = Vector128.Load(r1 + 4 * TPitch.Floats + 4);
                    x2 = Vector128.Load(r2 + 4 * TPitch.Floats);
                    z2 = Vector128.Load(r2 + 4 * TPitch.Floats + 4);
                    e0 = TopRow(e0, x0, x1, x2, w0);
                    e1 = TopRow(e1, z0, z1, z2, w0);
                    d0 = MiddleRow(d0, x0, x1, x2, w0, w1);
                    d1 = MiddleRow(d1, z0, z1, z2, w0, w1);
                    c0 = BottomRow(c0, x0, x1, x2, w1, w2);
                    c1 = BottomRow(c1, z0, z1, z2, w1, w2);
                    x0 = Vector128.Load(r0 + 5 * TPitch.Floats);
                    z0 = Vector128.Load(r0 + 5 * TPitch.Floats + 4);
                    x1 = Vector128.Load(r1 + 5 * TPitch.Floats);
                    z1 = Vector128.Load(r1 + 5 * TPitch.Floats + 4);
                    x2 = Vector128.Load(r2 + 5 * TPitch.Floats);
                    z2 = Vector128.Load(r2 + 5 * TPitch.Floats + 4);
                    f0 = TopRow(f0, x0, x1, x2, w0);
                    f1 = TopRow(f1, z0, z1, z2, w0);
                    e0 = MiddleRow(e0, x0, x1, x2, w0, w1);
                    e1 = MiddleRow(e1, z0, z1, z2, w0, w1);
                    d0 = BottomRow(d0, x0, x1, x2, w1, w2);
                    d1 = BottomRow(d1, z0, z1, z2, w1, w2);
                    x0 = Vector128.Load(r0 + 6 * TPitch.Floats);
                    z0 = Vector128.Load(r0 + 6 * TPitch.Floats + 4);
                    x1 = Vector128.Load(r1 + 6 * TPitch.Floats);
                    z1 = Vector128.Load(r1 + 6 * TPitch.Floats + 4);
                    x2 = Vector128.Load(r2 + 6 * TPitch.Floats);
                    z2 = Vector128.Load(r2 + 6 * TPitch.Floats + 4);
                    g0 = TopRow(g0, x0, x1, x2, w0);
                    g1 = TopRow(g1, z0, z1, z2, w0);
                    f0 = MiddleRow(f0, x0, x1, x2, w0, w1);
                    f1 = MiddleRow(f1, z0, z1, z2, w0, w1);
                    e0 = BottomRow(e0, x0, x1, x2, w1, w2);
                    e1 = BottomRow(e1, z0, z1, z2, w1, w2);
                    x0 = Vector128.Load(r0 + 7 * TPitch.Floats);
                    z0 = Vector128.Load(r0 + 7 * TPitch.Floats + 4);
                    x1 = Vector128.Load(r1 + 7 * TPitch.Floats);
                    z1 = Vector128.Load(r1 + 7 * TPitch.Floats + 4);
                    x2 = Vector128.Load(r2 + 7 * TPitch.Floats);
                    z2 = Vector128.Load(r2 + 7 * TPitch.Floats + 4);
                    g0 = MiddleRow(g0, x0, x1, x2, w0, w1);
                    g1 = MiddleRow(g1, z0, z1, z2, w0, w1);
                    f0 = BottomRow(f0, x0, x1, x2, w1, w2);
                    f1 = BottomRow(f1, z0, z1, z2, w1, w2);
                    x0 = Vector128.Load(r0 + 8 * TPitch.Floats);
                    z0 = Vector128.Load(r0 + 8 * TPitch.Floats + 4);
                    x1 = Vector128.Load(r1 + 8 * TPitch.Floats);
                    z1 = Vector128.Load(r1 + 8 * TPitch.Floats + 4);
                    x2 = Vector128.Load(r2 + 8 * TPitch.Floats);
                    z2 = Vector128.Load(r2 + 8 * TPitch.Floats + 4);
                    g0 = BottomRow(g0, x0, x1, x2, w1, w2);
                    g1 = BottomRow(g1, z0, z1, z2, w1, w2);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, a0)).Store(y0);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, a1)).Store(y0 + 4);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, b0)).Store(y1);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, b1)).Store(y1 + 4);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, c0)).Store(y2);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, c1)).Store(y2 + 4);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, d0)).Store(y3);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, d1)).Store(y3 + 4);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, e0)).Store(y4);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, e1)).Store(y4 + 4);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, f0)).Store(y5);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, f1)).Store(y5 + 4);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, g0)).Store(y6);
                    AdvSimd.Min(maximum, AdvSimd.Max(minimum, g1)).Store(y6 + 4);
                    nint step = Math.Min(left, 8);
                    r0 += step;
                    r1 += step;
                    r2 += step;
                    y0 += step;
                    y1 += step;
                    y2 += step;
                    y3 += step;
                    y4 += step;
                    y5 += step;
                    y6 += step;
                    left -= 8;
                }
                while (left > -4);
                singles = left > -8 ? 1 : 0;
                r0 += 4;
                r1 += 4;
                r2 += 4;
                y0 += 4;
                y1 += 4;
                y2 += 4;
                y3 += 4;
                y4 += 4;
                y5 += 4;
                y6 += 4;
            }
            for (; singles > 0; singles--)
            {
                Vector128<float> a0 = bias, b0 = bias, c0 = bias, d0 = bias, e0 = bias, f0 = bias, g0 = bias;
                Vector128<float> x0, x1, x2;
                x0 = Vector128.Load(r0);
                x1 = Vector128.Load(r1);
                x2 = Vector128.Load(r2);
                a0 = TopRow(a0, x0, x1, x2, w0);
                x0 = Vector128.Load(r0 + 1 * TPitch.Floats);
                x1 = Vector128.Load(r1 + 1 * TPitch.Floats);
                x2 = Vector128.Load(r2 + 1 * TPitch.Floats);
                b0 = TopRow(b0, x0, x1, x2, w0);
                a0 = MiddleRow(a0, x0, x1, x2, w0, w1);
                x0 = Vector128.Load(r0 + 2 * TPitch.Floats);
                x1 = Vector128.Load(r1 + 2 * TPitch.Floats);
                x2 = Vector128.Load(r2 + 2 * TPitch.Floats);
                c0 = TopRow(c0, x0, x1, x2, w0);
                b0 = MiddleRow(b0, x0, x1, x2, w0, w1);
                a0 = BottomRow(a0, x0, x1, x2, w1, w2);
                x0 = Vector128.Load(r0 + 3 * TPitch.Floats);
                x1 = Vector128.Load(r1 + 3 * TPitch.Floats);
                x2 = Vector128.Load(r2 + 3 * TPitch.Floats);
                d0 = TopRow(d0, x0, x1, x2, w0);
                c0 = MiddleRow(c0, x0, x1, x2, w0, w1);
                b0 = BottomRow(b0, x0, x1, x2, w1, w2);
                x0 = Vector128.Load(r0 + 4 * TPitch.Floats);
                x1 = Vector128.Load(r1 + 4 * TPitch.Floats);
                x2 = Vector128.Load(r2 + 4 * TPitch.Floats);
                e0 = TopRow(e0, x0, x1, x2, w0);
                d0 = MiddleRow(d0, x0, x1, x2, w0, w1);
                c0 = BottomRow(c0, x0, x1, x2, w1, w2);
                x0 = Vector128.Load(r0 + 5 * TPitch.Floats);
                x1 = Vector128.Load(r1 + 5 * TPitch.Floats);
                x2 = Vector128.Load(r2 + 5 * TPitch.Floats);
                f0 = TopRow(f0, x0, x1, x2, w0);
                e0 = MiddleRow(e0, x0, x1, x2, w0, w1);
                d0 = BottomRow(d0, x0, x1, x2, w1, w2);
                x0 = Vector128.Load(r0 + 6 * TPitch.Floats);
                x1 = Vector128.Load(r1 + 6 * TPitch.Floats);
                x2 = Vector128.Load(r2 + 6 * TPitch.Floats);
                g0 = TopRow(g0, x0, x1, x2, w0);
                f0 = MiddleRow(f0, x0, x1, x2, w0, w1);
                e0 = BottomRow(e0, x0, x1, x2, w1, w2);
                x0 = Vector128.Load(r0 + 7 * TPitch.Floats);
                x1 = Vector128.Load(r1 + 7 * TPitch.Floats);
                x2 = Vector128.Load(r2 + 7 * TPitch.Floats);
                g0 = MiddleRow(g0, x0, x1, x2, w0, w1);
                f0 = BottomRow(f0, x0, x1, x2, w1, w2);
                x0 = Vector128.Load(r0 + 8 * TPitch.Floats);
                x1 = Vector128.Load(r1 + 8 * TPitch.Floats);
                x2 = Vector128.Load(r2 + 8 * TPitch.Floats);
                g0 = BottomRow(g0, x0, x1, x2, w1, w2);
                AdvSimd.Min(maximum, AdvSimd.Max(minimum, a0)).Store(y0);
                AdvSimd.Min(maximum, AdvSimd.Max(minimum, b0)).Store(y1);
                AdvSimd.Min(maximum, AdvSimd.Max(minimum, c0)).Store(y2);
                AdvSimd.Min(maximum, AdvSimd.Max(minimum, d0)).Store(y3);
                AdvSimd.Min(maximum, AdvSimd.Max(minimum, e0)).Store(y4);
                AdvSimd.Min(maximum, AdvSimd.Max(minimum, f0)).Store(y5);
                AdvSimd.Min(maximum, AdvSimd.Max(minimum, g0)).Store(y6);
                nint back = width - 4;
                r0 += back;
                r1 += back;
                r2 += back;
                y0 += back;
                y1 += back;
                y2 += back;
                y3 += back;
                y4 += back;
                y5 += back;
                y6 += back;
            }
            rows -= RowsAdvSimdTall;
            if (rows <= 0) return;
            nint down = Math.Min(rows, RowsAdvSimdTall);
            if (rows < RowsAdvSimdTall) rows = RowsAdvSimdTall;
            input += down * TPitch.Floats;
            output += down * width;
        }
    }
}
