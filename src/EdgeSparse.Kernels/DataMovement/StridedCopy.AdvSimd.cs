using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace EdgeSparse.Kernels.DataMovement;

public static unsafe partial class StridedCopy
{
    /// <summary>Four rows, four columns at a time: transpose pairs, then zip the halves.</summary>
    private static void Transpose4AdvSimd(float* x, long columnStride, float* y, long rowStride, long columns)
    {
        long column = 0;
        for (; column + 4 <= columns; column += 4, x += 4 * columnStride)
        {
            Vector128<float> c0 = Vector128.Load(x), c1 = Vector128.Load(x + columnStride);
            Vector128<float> c2 = Vector128.Load(x + 2 * columnStride), c3 = Vector128.Load(x + 3 * columnStride);
            Vector128<double> even01 = AdvSimd.Arm64.TransposeEven(c0, c1).AsDouble(), odd01 = AdvSimd.Arm64.TransposeOdd(c0, c1).AsDouble();
            Vector128<double> even23 = AdvSimd.Arm64.TransposeEven(c2, c3).AsDouble(), odd23 = AdvSimd.Arm64.TransposeOdd(c2, c3).AsDouble();
            float* to = y + column;
            AdvSimd.Arm64.ZipLow(even01, even23).AsSingle().Store(to);
            AdvSimd.Arm64.ZipLow(odd01, odd23).AsSingle().Store(to + rowStride);
            AdvSimd.Arm64.ZipHigh(even01, even23).AsSingle().Store(to + 2 * rowStride);
            AdvSimd.Arm64.ZipHigh(odd01, odd23).AsSingle().Store(to + 3 * rowStride);
        }
        for (; column < columns; column++, x += columnStride)
            for (int row = 0; row < 4; row++) y[row * rowStride + column] = x[row];
    }
}
