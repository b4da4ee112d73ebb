using System.Runtime.CompilerServices;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Elementwise;

internal readonly struct AbsOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => V.Abs(x);
}

internal readonly struct NegateOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => -x;
}

internal readonly struct SignOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => (V.Less(V.Zero, x) & V.Create(1f)) | (V.Less(x, V.Zero) & V.Create(-1f)) | V.Select(V.Equal(x, x), V.Zero, x);
}

internal readonly struct ReciprocalOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => V.Create(1f) / x;
}

internal readonly struct SqrtOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => V.Sqrt(x);
}

internal readonly struct FloorOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => V.Floor(x);
}

internal readonly struct CeilingOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => V.Ceiling(x);
}

internal readonly struct RoundOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => V.Round(x);
}

internal readonly struct ExpOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => VectorMath.Exp(x);
}

internal readonly struct LogOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => VectorMath.Log(x);
}

internal readonly struct ErfOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => VectorMath.Erf(x);
}

internal readonly struct SinOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => VectorMath.SinCos(x, 0);
}

internal readonly struct CosOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => VectorMath.SinCos(x, 1);
}

internal readonly struct TanOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => VectorMath.Tan(x);
}

internal readonly struct SinhOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => VectorMath.Sinh(x);
}

internal readonly struct CoshOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => VectorMath.Cosh(x);
}

internal readonly struct TanhOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => VectorMath.Tanh(x);
}

internal readonly struct SigmoidOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => VectorMath.Sigmoid(x);
}

/// <summary>x·sigmoid(x).</summary>
internal readonly struct SiluOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V>
    {
        // Below −100 the result is some −1e-36, at −∞ too.
        x = V.MaxNative(V.Create(-100f), x);
        return x * VectorMath.Sigmoid(x);
    }
}

internal readonly struct MishOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => VectorMath.Mish(V.MaxNative(V.Create(-150f), x));
}

internal readonly struct GeluOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => VectorMath.Gelu(x);
}

internal readonly struct GeluTanhOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => VectorMath.GeluTanh(x);
}

internal readonly struct SoftplusOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => VectorMath.Softplus(x);
}

/// <summary>x/(1 + |x|).</summary>
internal readonly struct SoftsignOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => x / (V.Create(1f) + V.Abs(x));
}

/// <summary>min(max(x, alpha), beta).</summary>
internal readonly struct ClipOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => V.MinNative(beta, V.MaxNative(alpha, x));
}

/// <summary>x where x ≥ 0, else alpha·x.</summary>
internal readonly struct LeakyReluOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => V.Select(V.Less(x, V.Zero), x * alpha, x);
}

/// <summary>min(max(alpha·x + beta, 0), 1).</summary>
internal readonly struct HardSigmoidOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => V.MinNative(V.Create(1f), V.MaxNative(V.Zero, V.MultiplyAdd(x, alpha, beta)));
}

/// <summary>x·min(max(x/6 + 1/2, 0), 1).</summary>
internal readonly struct HardSwishOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => x * V.MinNative(V.Create(1f), V.MaxNative(V.Zero, V.MultiplyAdd(x, V.Create(1f / 6), V.Create(0.5f))));
}

/// <summary>x where x ≥ 0, else alpha·(eˣ − 1).</summary>
internal readonly struct EluOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => V.Select(V.Less(x, V.Zero), alpha * VectorMath.ExpMinusOne(x), x);
}

/// <summary>max(0, x) + min(0, alpha·(e^(x/alpha) − 1)).</summary>
internal readonly struct CeluOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => V.Select(V.Less(x, V.Zero), alpha * VectorMath.ExpMinusOne(x / alpha), x);
}

/// <summary>beta·(x where x ≥ 0, else alpha·(eˣ − 1)).</summary>
internal readonly struct SeluOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => beta * V.Select(V.Less(x, V.Zero), alpha * VectorMath.ExpMinusOne(x), x);
}

/// <summary>x + beta below −alpha, x − beta above alpha, else 0.</summary>
internal readonly struct ShrinkOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => (V.Less(x, -alpha) & (x + beta)) | (V.Less(alpha, x) & (x - beta));
}

/// <summary>x where x > alpha, else 0.</summary>
internal readonly struct ThresholdedReluOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => V.Less(alpha, x) & x;
}

internal readonly struct SquareOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => x * x;
}

internal readonly struct CubeOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => x * x * x;
}

/// <summary>x^½ as the power function has it: +0 for −0, +∞ for −∞.</summary>
internal readonly struct SquareRootPowerOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => V.Select(V.Equal(x, V.Create(float.NegativeInfinity)), V.Abs(x), V.Sqrt(x) + V.Zero);
}

/// <summary>|x|^alpha through logarithm and exponential; 0 for 0.</summary>
internal readonly struct AbsolutePowerOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => VectorMath.Exp(alpha * VectorMath.Log(V.Abs(x)));
}

/// <summary>alpha·x + beta.</summary>
internal readonly struct AffineOperation : IUnaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V> => V.MultiplyAdd(x, alpha, beta);
}
