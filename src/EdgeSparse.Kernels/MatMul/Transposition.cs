using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.MatMul;

/// <summary>Transposed copies for packing, in blocks of 4×4 in registers.</summary>
internal static unsafe class Transposition
{
    /// <summary>destination[column · destinationPitch + row] = source[row · sourcePitch + column]; pitches in elements.</summary>
    public static void Copy(float* source, nint sourcePitch, nint rows, nint columns, float* destination, nint destinationPitch)
    {
        nint row = 0;
        if (Avx.IsSupported && rows >= 8)
        {
            row = rows & ~7;
            CopyEights(source, sourcePitch, row, columns, destination, destinationPitch);
        }
        for (; row + 4 <= rows; row += 4)
        {
            float* s0 = source + row * sourcePitch;
            float* s1 = s0 + sourcePitch, s2 = s1 + sourcePitch, s3 = s2 + sourcePitch;
            float* d = destination + row;
            nint column = 0;
            for (; column + 4 <= columns; column += 4)
            {
                Vector128<float> a = Vector128.Load(s0 + column), b = Vector128.Load(s1 + column), c = Vector128.Load(s2 + column), e = Vector128.Load(s3 + column);
                Transpose(ref a, ref b, ref c, ref e);
                a.Store(d);
                b.Store(d + destinationPitch);
                c.Store(d + 2 * destinationPitch);
                e.Store(d + 3 * destinationPitch);
                d += 4 * destinationPitch;
            }
            for (; column < columns; column++)
            {
                Vector128.Create(s0[column], s1[column], s2[column], s3[column]).Store(d);
                d += destinationPitch;
            }
        }
        if (row < rows) CopyLastRows(source + row * sourcePitch, sourcePitch, rows - row, columns, destination + row, destinationPitch);
    }

    /// <summary>The same for a multiple of eight rows. Of the two, the matrix whose rows lie farther apart is taken row by row, as its rows may share few sets of the cache.</summary>
    private static void CopyEights(float* source, nint sourcePitch, nint rows, nint columns, float* destination, nint destinationPitch)
    {
        nint quads = columns & ~3;
        if (sourcePitch < destinationPitch)
        {
            for (nint column = 0; column < quads; column += 4)
            {
                float* s = source + column;
                float* d = destination + column * destinationPitch;
                for (nint row = 0; row < rows; row += 8, s += 8 * sourcePitch, d += 8) CopyEight(s, sourcePitch, d, destinationPitch);
            }
        }
        else
        {
            for (nint row = 0; row < rows; row += 8)
            {
                float* s = source + row * sourcePitch;
                float* d = destination + row;
                for (nint column = 0; column < quads; column += 4, s += 4, d += 4 * destinationPitch) CopyEight(s, sourcePitch, d, destinationPitch);
            }
        }
        for (nint column = quads; column < columns; column++)
            for (nint row = 0; row < rows; row++) destination[column * destinationPitch + row] = source[row * sourcePitch + column];
    }

    /// <summary>Eight rows of four elements to four rows of eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyEight(float* s, nint sourcePitch, float* d, nint destinationPitch)
    {
        float* s3 = s + 3 * sourcePitch;
        float* s6 = s3 + 3 * sourcePitch;
        Float256 a = Halves(s, s3 + sourcePitch), b = Halves(s + sourcePitch, s6 - sourcePitch), c = Halves(s + 2 * sourcePitch, s6), e = Halves(s3, s6 + sourcePitch);
        Float256.TransposeQuads(ref a, ref b, ref c, ref e);
        a.Store(d);
        b.Store(d + destinationPitch);
        c.Store(d + 2 * destinationPitch);
        e.Store(d + 3 * destinationPitch);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Float256 Halves(float* lower, float* upper) => new(Vector256.Create(Vector128.Load(lower), Vector128.Load(upper)));

    /// <summary>The same for one to three rows.</summary>
    private static void CopyLastRows(float* source, nint sourcePitch, nint rows, nint columns, float* destination, nint destinationPitch)
    {
        nint second = rows > 1 ? sourcePitch : 0, third = rows > 2 ? 2 * sourcePitch : 0;
        nint column = 0;
        for (; column + 4 <= columns; column += 4)
        {
            Vector128<float> a = Vector128.Load(source + column), b = Vector128.Load(source + second + column), c = Vector128.Load(source + third + column), e = c;
            Transpose(ref a, ref b, ref c, ref e);
            StoreFirst(a, rows, destination);
            StoreFirst(b, rows, destination + destinationPitch);
            StoreFirst(c, rows, destination + 2 * destinationPitch);
            StoreFirst(e, rows, destination + 3 * destinationPitch);
            destination += 4 * destinationPitch;
        }
        for (; column < columns; column++)
        {
            for (nint row = 0; row < rows; row++) destination[row] = source[row * sourcePitch + column];
            destination += destinationPitch;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreFirst(Vector128<float> vector, nint count, float* destination)
    {
        if (count == 1) *destination = vector.ToScalar();
        else
        {
            vector.GetLower().Store(destination);
            if (count == 3) destination[2] = vector.GetElement(2);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose(ref Vector128<float> a, ref Vector128<float> b, ref Vector128<float> c, ref Vector128<float> d)
    {
        if (Sse.IsSupported)
        {
            Vector128<float> ab0 = Sse.UnpackLow(a, b), ab1 = Sse.UnpackHigh(a, b), cd0 = Sse.UnpackLow(c, d), cd1 = Sse.UnpackHigh(c, d);
            a = Sse.MoveLowToHigh(ab0, cd0);
            b = Sse.MoveHighToLow(cd0, ab0);
            c = Sse.MoveLowToHigh(ab1, cd1);
            d = Sse.MoveHighToLow(cd1, ab1);
        }
        else if (AdvSimd.Arm64.IsSupported)
        {
            Vector128<double> ab0 = AdvSimd.Arm64.ZipLow(a, b).AsDouble(), ab1 = AdvSimd.Arm64.ZipHigh(a, b).AsDouble();
            Vector128<double> cd0 = AdvSimd.Arm64.ZipLow(c, d).AsDouble(), cd1 = AdvSimd.Arm64.ZipHigh(c, d).AsDouble();
            a = AdvSimd.Arm64.ZipLow(ab0, cd0).AsSingle();
            b = AdvSimd.Arm64.ZipHigh(ab0, cd0).AsSingle();
            c = AdvSimd.Arm64.ZipLow(ab1, cd1).AsSingle();
            d = AdvSimd.Arm64.ZipHigh(ab1, cd1).AsSingle();
        }
        else
        {
            Vector128<float> p = a, q = b, r = c, s = d;
            a = Vector128.Create(p[0], q[0], r[0], s[0]);
            b = Vector128.Create(p[1], q[1], r[1], s[1]);
            c = Vector128.Create(p[2], q[2], r[2], s[2]);
            d = Vector128.Create(p[3], q[3], r[3], s[3]);
        }
    }
}
