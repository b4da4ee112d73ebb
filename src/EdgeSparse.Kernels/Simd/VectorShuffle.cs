using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace EdgeSparse.Kernels.Simd;

/// <summary>Rearrangements across two vectors that have no portable name.</summary>
internal static unsafe class VectorShuffle
{
    /// <summary>x[0], x[2], x[4], x[6]; reads eight floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Even(float* x)
    {
        Vector128<float> low = Vector128.Load(x), high = Vector128.Load(x + 4);
        if (Sse.IsSupported) return Sse.Shuffle(low, high, 0x88);
        if (AdvSimd.Arm64.IsSupported) return AdvSimd.Arm64.UnzipEven(low, high);
        return Vector128.Create(x[0], x[2], x[4], x[6]);
    }

    /// <summary>Writes a[0], b[0], a[1], b[1], … : eight floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreInterleaved(Vector128<float> a, Vector128<float> b, float* y)
    {
        if (Sse.IsSupported)
        {
            Sse.UnpackLow(a, b).Store(y);
            Sse.UnpackHigh(a, b).Store(y + 4);
        }
        else if (AdvSimd.Arm64.IsSupported)
        {
            AdvSimd.Arm64.ZipLow(a, b).Store(y);
            AdvSimd.Arm64.ZipHigh(a, b).Store(y + 4);
        }
        else
        {
            for (int i = 0; i < 4; i++)
            {
                y[2 * i] = a.GetElement(i);
                y[2 * i + 1] = b.GetElement(i);
            }
        }
    }
}
