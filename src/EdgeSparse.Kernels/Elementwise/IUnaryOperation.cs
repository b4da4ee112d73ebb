using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Elementwise;

/// <summary>One function of one float argument and two constants; a type without state, so that the loop over it is specialised.</summary>
internal interface IUnaryOperation
{
    static abstract V Apply<V>(V x, V alpha, V beta) where V : unmanaged, IFloatVector<V>;
}
