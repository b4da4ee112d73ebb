using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Reduction;

/// <summary>
/// Which elements are the k largest, without their order: the k-th largest is found by bisection over the floats in their order, each step one count of the elements that reach a value, which has no
/// branch that depends on an element.
/// </summary>
internal static unsafe class LargestMask
{
    /// <summary>Bits of +∞, the last float in order.</summary>
    private const int Infinite = 0x7F800000;

    /// <summary>Sets marks[i] to 1 for the k largest of n elements (of equal ones the first), else to 0. NaN counts as +∞, and becomes it in x.</summary>
    /// <param name="k">1 to n.</param>
    public static void Run(InstructionSet isa, float* x, int n, int k, int* marks)
    {
        if (isa == InstructionSet.Avx512 && InstructionSets.IsCompiled(InstructionSet.Avx512)) Run<Float512>(x, n, k, marks);
        else if (isa >= InstructionSet.Avx2 && InstructionSets.IsCompiled(InstructionSet.Avx2)) Run<Float256>(x, n, k, marks);
        else Run<Float128>(x, n, k, marks);
    }

    private static void Run<V>(float* x, int n, int k, int* marks) where V : unmanaged, IFloatVector<V>
    {
        for (int i = 0; i < n; i++)
            if (float.IsNaN(x[i])) x[i] = float.PositiveInfinity;
        // Places in the order of floats from −∞ on; in it bisection needs at most 32 steps, fewer where a value with k elements above it is met before.
        uint low = Place(float.NegativeInfinity), high = Place(float.PositiveInfinity);
        while (low < high)
        {
            uint middle = low + (high - low + 1) / 2;
            int count = CountFrom<V>(x, n, At(middle));
            if (count < k) high = middle - 1;
            else low = middle;
            if (count == k) break;
        }
        float threshold = At(low);
        int equal = k;
        for (int i = 0; i < n; i++)
        {
            int above = x[i] > threshold ? 1 : 0;
            marks[i] = above;
            equal -= above;
        }
        for (int i = 0; i < n && equal > 0; i++)
        {
            if (x[i] != threshold) continue;
            marks[i] = 1;
            equal--;
        }
    }

    /// <summary>How many elements are not less than a value.</summary>
    private static int CountFrom<V>(float* x, int n, float value) where V : unmanaged, IFloatVector<V>
    {
        V all = V.Create(value), one = V.Create(1f), sum = V.Zero;
        int i = 0;
        for (; i + V.Count <= n; i += V.Count) sum += V.LessOrEqual(all, V.Load(x + i)) & one;
        int count = (int)V.Sum(sum);
        for (; i < n; i++) count += value <= x[i] ? 1 : 0;
        return count;
    }

    /// <summary>A float's place in the order of floats; neighbours are one apart.</summary>
    private static uint Place(float value)
    {
        int bits = BitConverter.SingleToInt32Bits(value);
        return (uint)(bits >= 0 ? bits : -(bits & int.MaxValue)) + Infinite;
    }

    private static float At(uint place)
    {
        int bits = (int)(place - Infinite);
        return BitConverter.Int32BitsToSingle(bits >= 0 ? bits : -bits | int.MinValue);
    }
}
