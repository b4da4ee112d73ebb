using System.Numerics;
using System.Runtime.InteropServices;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>Vectors and symmetric positive definite matrices [n, n], row-major, in double precision.</summary>
internal static class SymmetricMatrix
{
    public static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        ReadOnlySpan<Vector<double>> left = MemoryMarshal.Cast<double, Vector<double>>(a), right = MemoryMarshal.Cast<double, Vector<double>>(b[..a.Length]);
        Vector<double> even = Vector<double>.Zero, odd = Vector<double>.Zero;
        int i = 0;
        for (; i + 1 < left.Length; i += 2)
        {
            even += left[i] * right[i];
            odd += left[i + 1] * right[i + 1];
        }
        if (i < left.Length) even += left[i] * right[i];
        double sum = Vector.Sum(even + odd);
        for (i = left.Length * Vector<double>.Count; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }

    /// <summary>y += factor·x</summary>
    public static void Add(Span<double> y, double factor, ReadOnlySpan<double> x)
    {
        Span<Vector<double>> to = MemoryMarshal.Cast<double, Vector<double>>(y);
        ReadOnlySpan<Vector<double>> from = MemoryMarshal.Cast<double, Vector<double>>(x[..y.Length]);
        var factors = new Vector<double>(factor);
        for (int i = 0; i < to.Length; i++) to[i] += factors * from[i];
        for (int i = to.Length * Vector<double>.Count; i < y.Length; i++) y[i] += factor * x[i];
    }

    /// <summary>Replaces the lower triangle of A by L, A = L·Lᵀ; false where A is not positive definite, and then it is spoilt.</summary>
    public static bool Factor(Span<double> a, int n)
    {
        for (int i = 0; i < n; i++)
        {
            Span<double> row = a.Slice(i * n, n);
            for (int j = 0; j < i; j++) row[j] = (row[j] - Dot(row[..j], a.Slice(j * n, j))) / a[j * n + j];
            double pivot = row[i] - Dot(row[..i], row[..i]);
            if (!(pivot > 0)) return false;
            row[i] = Math.Sqrt(pivot);
        }
        return true;
    }

    /// <summary>Solves L·Lᵀ·x = b in place.</summary>
    public static void Solve(ReadOnlySpan<double> factor, int n, Span<double> b)
    {
        for (int i = 0; i < n; i++) b[i] = (b[i] - Dot(factor.Slice(i * n, i), b[..i])) / factor[i * n + i];
        for (int i = n - 1; i >= 0; i--)
        {
            b[i] /= factor[i * n + i];
            Add(b[..i], -b[i], factor.Slice(i * n, i));
        }
    }

    /// <summary>The inverse of L·Lᵀ.</summary>
    public static double[] Inverse(double[] factor, int n, int threads)
    {
        var inverse = new double[(long)n * n];
        Parallel.For(0, n, new ParallelOptions { MaxDegreeOfParallelism = threads }, i =>
        {
            Span<double> row = inverse.AsSpan(i * n, n);
            row[i] = 1;
            Solve(factor, n, row);
        });
        return inverse;
    }
}
