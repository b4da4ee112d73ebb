namespace EdgeSparse.Kernels.Tests;

/// <summary>Errors in units of the last place of the exact result.</summary>
internal static class Ulp
{
    /// <summary>|actual − exact| in units of 2⁻²³ of the exact result's binade, at least of 2⁻¹⁴⁹. 0 where both are the same NaN, infinity or overflow.</summary>
    public static double Error(double exact, float actual)
    {
        if (double.IsNaN(exact)) return float.IsNaN(actual) ? 0 : double.PositiveInfinity;
        float rounded = (float)exact;
        if (rounded == actual) return 0;
        if (float.IsNaN(actual) || float.IsInfinity(actual) || float.IsInfinity(rounded))
        {
            // Half a step from the largest number to infinity is rounding, not error.
            bool near = Math.Abs(exact) > 3.4028e38 && Math.Abs((double)actual) > 3.4028e38 && Math.Sign(exact) == Math.Sign(actual);
            return near ? 0 : double.PositiveInfinity;
        }
        int exponent = exact == 0 ? -200 : (int)Math.Floor(Math.Log2(Math.Abs(exact)));
        return Math.Abs(exact - actual) / Math.Pow(2, Math.Max(exponent - 23, -149));
    }
}
