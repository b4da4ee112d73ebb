using System.Runtime.CompilerServices;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Elementwise;

internal readonly struct AddOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V a, V b) where V : unmanaged, IFloatVector<V> => a + b;
}

internal readonly struct SubtractOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V a, V b) where V : unmanaged, IFloatVector<V> => a - b;
}

internal readonly struct MultiplyOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V a, V b) where V : unmanaged, IFloatVector<V> => a * b;
}

internal readonly struct DivideOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V a, V b) where V : unmanaged, IFloatVector<V> => a / b;
}

internal readonly struct MaximumOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V a, V b) where V : unmanaged, IFloatVector<V> => V.Max(a, b);
}

internal readonly struct MinimumOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V a, V b) where V : unmanaged, IFloatVector<V> => V.Min(a, b);
}

internal readonly struct PReluOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V a, V b) where V : unmanaged, IFloatVector<V> => V.Select(V.Less(a, V.Zero), a * b, a);
}

internal readonly struct EqualOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V a, V b) where V : unmanaged, IFloatVector<V> => V.Equal(a, b);
}

internal readonly struct LessOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V a, V b) where V : unmanaged, IFloatVector<V> => V.Less(a, b);
}

internal readonly struct LessOrEqualOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V a, V b) where V : unmanaged, IFloatVector<V> => V.LessOrEqual(a, b);
}

internal readonly struct GreaterOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V a, V b) where V : unmanaged, IFloatVector<V> => V.Less(b, a);
}

internal readonly struct GreaterOrEqualOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V a, V b) where V : unmanaged, IFloatVector<V> => V.LessOrEqual(b, a);
}

/// <summary>The larger; a NaN in b shows.</summary>
internal readonly struct NativeMaximumOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V a, V b) where V : unmanaged, IFloatVector<V> => V.MaxNative(a, b);
}

/// <summary>e^(a − b).</summary>
internal readonly struct ExpDifferenceOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V>(V a, V b) where V : unmanaged, IFloatVector<V> => VectorMath.Exp(a - b);
}
