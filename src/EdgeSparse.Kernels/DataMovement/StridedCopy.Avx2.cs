using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace EdgeSparse.Kernels.DataMovement;

public static unsafe partial class StridedCopy
{
    /// <summary>Eight rows, eight columns at a time: unpack pairs, then quads, then swap the 128-bit halves.</summary>
    private static void Transpose8Avx(float* x, long columnStride, float* y, long rowStride, long columns)
    {
        long column = 0;
        for (; column + 8 <= columns; column += 8, x += 8 * columnStride)
        {
            Vector256<float> c0 = Vector256.Load(x), c1 = Vector256.Load(x + columnStride);
            Vector256<float> c2 = Vector256.Load(x + 2 * columnStride), c3 = Vector256.Load(x + 3 * columnStride);
            Vector256<float> c4 = Vector256.Load(x + 4 * columnStride), c5 = Vector256.Load(x + 5 * columnStride);
            Vector256<float> c6 = Vector256.Load(x + 6 * columnStride), c7 = Vector256.Load(x + 7 * columnStride);
            Vector256<float> p0 = Avx.UnpackLow(c0, c1), p1 = Avx.UnpackHigh(c0, c1), p2 = Avx.UnpackLow(c2, c3), p3 = Avx.UnpackHigh(c2, c3);
            Vector256<float> p4 = Avx.UnpackLow(c4, c5), p5 = Avx.UnpackHigh(c4, c5), p6 = Avx.UnpackLow(c6, c7), p7 = Avx.UnpackHigh(c6, c7);
            c0 = Avx.Shuffle(p0, p2, 0x44);
            c1 = Avx.Shuffle(p0, p2, 0xEE);
            c2 = Avx.Shuffle(p1, p3, 0x44);
            c3 = Avx.Shuffle(p1, p3, 0xEE);
            c4 = Avx.Shuffle(p4, p6, 0x44);
            c5 = Avx.Shuffle(p4, p6, 0xEE);
            c6 = Avx.Shuffle(p5, p7, 0x44);
            c7 = Avx.Shuffle(p5, p7, 0xEE);
            float* to = y + column;
            Avx.Permute2x128(c0, c4, 0x20).Store(to);
            Avx.Permute2x128(c1, c5, 0x20).Store(to + rowStride);
            Avx.Permute2x128(c2, c6, 0x20).Store(to + 2 * rowStride);
            Avx.Permute2x128(c3, c7, 0x20).Store(to + 3 * rowStride);
            Avx.Permute2x128(c0, c4, 0x31).Store(to + 4 * rowStride);
            Avx.Permute2x128(c1, c5, 0x31).Store(to + 5 * rowStride);
            Avx.Permute2x128(c2, c6, 0x31).Store(to + 6 * rowStride);
            Avx.Permute2x128(c3, c7, 0x31).Store(to + 7 * rowStride);
        }
        for (; column < columns; column++, x += columnStride)
            for (int row = 0; row < 8; row++) y[row * rowStride + column] = x[row];
    }
}
