using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>A number of vectors that the compiler knows, so that what a loop does not need of its eight accumulators falls away.</summary>
internal interface IVectors
{
    static abstract int Count { get; }
}

internal struct Vectors1 : IVectors
{
    public static int Count => 1;
}

internal struct Vectors2 : IVectors
{
    public static int Count => 2;
}

internal struct Vectors3 : IVectors
{
    public static int Count => 3;
}

internal struct Vectors4 : IVectors
{
    public static int Count => 4;
}

internal struct Vectors5 : IVectors
{
    public static int Count => 5;
}

internal struct Vectors6 : IVectors
{
    public static int Count => 6;
}

internal struct Vectors7 : IVectors
{
    public static int Count => 7;
}

internal struct Vectors8 : IVectors
{
    public static int Count => 8;
}

/// <summary>
/// What the inner loops need of a vector type. The loops are generic over the vector itself and take its operations from here: in a struct around a vector the compiler would load operands of
/// multiply-adds apart and move their results.
/// </summary>
internal unsafe interface IVectorOperations<V> where V : unmanaged
{
    static abstract int SizeBytes { get; }

    static abstract V Load(float* from);

    static abstract V Create(float value);

    /// <summary>Two neighbouring floats, each in all lanes of a vector.</summary>
    static abstract void CreatePair(float* from, out V first, out V second);

    static abstract void Store(V value, float* to);

    static abstract V Add(V left, V right);

    /// <summary>a·b + c, fused where the processor has it.</summary>
    static abstract V MultiplyAdd(V a, V b, V c);

    static abstract V MaxNative(V left, V right);

    static abstract V MinNative(V left, V right);
}

internal unsafe struct Operations128 : IVectorOperations<Vector128<float>>
{
    public static int SizeBytes => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load(float* from) => Vector128.Load(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Create(float value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CreatePair(float* from, out Vector128<float> first, out Vector128<float> second)
    {
        first = Vector128.Create(from[0]);
        second = Vector128.Create(from[1]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<float> value, float* to) => value.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Add(Vector128<float> left, Vector128<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c) => Vector128.MultiplyAddEstimate(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MaxNative(Vector128<float> left, Vector128<float> right) => Vector128.MaxNative(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MinNative(Vector128<float> left, Vector128<float> right) => Vector128.MinNative(left, right);
}

internal unsafe struct Operations256 : IVectorOperations<Vector256<float>>
{
    public static int SizeBytes => 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* from) => Vector256.Load(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Create(float value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CreatePair(float* from, out Vector256<float> first, out Vector256<float> second)
    {
        // One load instead of two: loads bound the loop.
        Vector256<float> both = Vector256.Create(*(double*)from).AsSingle();
        first = Avx.DuplicateEvenIndexed(both);
        second = Avx.DuplicateOddIndexed(both);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<float> value, float* to) => value.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add(Vector256<float> left, Vector256<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Vector256.MultiplyAddEstimate(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MaxNative(Vector256<float> left, Vector256<float> right) => Vector256.MaxNative(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MinNative(Vector256<float> left, Vector256<float> right) => Vector256.MinNative(left, right);
}

internal unsafe struct Operations512 : IVectorOperations<Vector512<float>>
{
    public static int SizeBytes => 64;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* from) => Vector512.Load(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Create(float value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CreatePair(float* from, out Vector512<float> first, out Vector512<float> second)
    {
        first = Vector512.Create(from[0]);
        second = Vector512.Create(from[1]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, float* to) => value.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> left, Vector512<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Vector512.MultiplyAddEstimate(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MaxNative(Vector512<float> left, Vector512<float> right) => Vector512.MaxNative(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MinNative(Vector512<float> left, Vector512<float> right) => Vector512.MinNative(left, right);
}

/// <summary>
/// The inner loops over any vector. Sums start from bias plus residual, or from Y where a task continues its own sums; every sum is one chain of multiply-adds over ascending columns.
/// They are read before a row's results are written, as the last two vectors may overlap and Y may be the residual.
/// </summary>
internal static unsafe class SpmmLoops
{
    /// <summary>Byte offset of vector `index` of N: the last one lies where the tile says.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint At<V, O, N>(int index, SpmmTile* t) where V : unmanaged where O : struct, IVectorOperations<V> where N : struct, IVectors => index == N.Count - 1 ? t->LastBytes : index * O.SizeBytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<V, O>(ref V sum, byte* residual, nint at) where V : unmanaged where O : struct, IVectorOperations<V> => sum = O.Add(sum, O.Load((float*)(residual + at)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Clamp<V, O>(V sum, V low, V high, byte* y, nint at) where V : unmanaged where O : struct, IVectorOperations<V> => O.Store(O.MinNative(high, O.MaxNative(low, sum)), (float*)(y + at));

    /// <summary>Row by row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Rows1<V, O, N>(SpmmTile* t) where V : unmanaged where O : struct, IVectorOperations<V> where N : struct, IVectors
    {
        byte* x = t->X;
        int* offsets = t->Offsets;
        float* values = t->Values;
        nint a1 = At<V, O, N>(1, t), a2 = At<V, O, N>(2, t), a3 = At<V, O, N>(3, t), a4 = At<V, O, N>(4, t), a5 = At<V, O, N>(5, t), a6 = At<V, O, N>(6, t), a7 = At<V, O, N>(7, t);
        int* starts = t->Starts;
        int* rows = t->Rows;
        byte* y = (byte*)t->Y;
        nint pitch = t->RowBytesY;
        float* bias = t->Bias;
        byte* residual = (byte*)t->Residual;
        bool clamps = t->Clamps, continues = t->Continues;
        V low = O.Create(t->Minimum), high = O.Create(t->Maximum);
        nint end = t->BlockEnd;
        for (nint block = t->BlockBegin; block < end; block++)
        {
            nint row0 = rows[block], at0 = row0 * pitch;
            V c00, c01, c02, c03, c04, c05, c06, c07;
            if (continues)
            {
                byte* sums = y + at0;
                c00 = O.Load((float*)(sums));
                c01 = N.Count <= 1 ? default : O.Load((float*)(sums + a1));
                c02 = N.Count <= 2 ? default : O.Load((float*)(sums + a2));
                c03 = N.Count <= 3 ? default : O.Load((float*)(sums + a3));
                c04 = N.Count <= 4 ? default : O.Load((float*)(sums + a4));
                c05 = N.Count <= 5 ? default : O.Load((float*)(sums + a5));
                c06 = N.Count <= 6 ? default : O.Load((float*)(sums + a6));
                c07 = N.Count <= 7 ? default : O.Load((float*)(sums + a7));
            }
            else
            {
                c00 = bias != null ? O.Create(bias[row0]) : default;
                c07 = c06 = c05 = c04 = c03 = c02 = c01 = c00;
            }
            if (residual != null)
            {
                byte* add0 = residual + at0;
                Add<V, O>(ref c00, add0, 0);
                if (N.Count > 1) Add<V, O>(ref c01, add0, a1);
                if (N.Count > 2) Add<V, O>(ref c02, add0, a2);
                if (N.Count > 3) Add<V, O>(ref c03, add0, a3);
                if (N.Count > 4) Add<V, O>(ref c04, add0, a4);
                if (N.Count > 5) Add<V, O>(ref c05, add0, a5);
                if (N.Count > 6) Add<V, O>(ref c06, add0, a6);
                if (N.Count > 7) Add<V, O>(ref c07, add0, a7);
            }
            nint i = starts[block], n = starts[block + 1];
            for (nint pairs = n - 1; i < pairs; i += 2)
            {
                long pair = *(long*)(offsets + i);
                byte* x0 = x + (int)pair, x1 = x + (nint)(pair >> 32);
                O.CreatePair(values + i, out V s0, out V s1);
                c00 = O.MultiplyAdd(s0, O.Load((float*)(x0)), c00);
                if (N.Count > 1) c01 = O.MultiplyAdd(s0, O.Load((float*)(x0 + a1)), c01);
                if (N.Count > 2) c02 = O.MultiplyAdd(s0, O.Load((float*)(x0 + a2)), c02);
                if (N.Count > 3) c03 = O.MultiplyAdd(s0, O.Load((float*)(x0 + a3)), c03);
                if (N.Count > 4) c04 = O.MultiplyAdd(s0, O.Load((float*)(x0 + a4)), c04);
                if (N.Count > 5) c05 = O.MultiplyAdd(s0, O.Load((float*)(x0 + a5)), c05);
                if (N.Count > 6) c06 = O.MultiplyAdd(s0, O.Load((float*)(x0 + a6)), c06);
                if (N.Count > 7) c07 = O.MultiplyAdd(s0, O.Load((float*)(x0 + a7)), c07);
                c00 = O.MultiplyAdd(s1, O.Load((float*)(x1)), c00);
                if (N.Count > 1) c01 = O.MultiplyAdd(s1, O.Load((float*)(x1 + a1)), c01);
                if (N.Count > 2) c02 = O.MultiplyAdd(s1, O.Load((float*)(x1 + a2)), c02);
                if (N.Count > 3) c03 = O.MultiplyAdd(s1, O.Load((float*)(x1 + a3)), c03);
                if (N.Count > 4) c04 = O.MultiplyAdd(s1, O.Load((float*)(x1 + a4)), c04);
                if (N.Count > 5) c05 = O.MultiplyAdd(s1, O.Load((float*)(x1 + a5)), c05);
                if (N.Count > 6) c06 = O.MultiplyAdd(s1, O.Load((float*)(x1 + a6)), c06);
                if (N.Count > 7) c07 = O.MultiplyAdd(s1, O.Load((float*)(x1 + a7)), c07);
            }
            if (i < n)
            {
                byte* x0 = x + offsets[i];
                V s0 = O.Create(values[i]);
                c00 = O.MultiplyAdd(s0, O.Load((float*)(x0)), c00);
                if (N.Count > 1) c01 = O.MultiplyAdd(s0, O.Load((float*)(x0 + a1)), c01);
                if (N.Count > 2) c02 = O.MultiplyAdd(s0, O.Load((float*)(x0 + a2)), c02);
                if (N.Count > 3) c03 = O.MultiplyAdd(s0, O.Load((float*)(x0 + a3)), c03);
                if (N.Count > 4) c04 = O.MultiplyAdd(s0, O.Load((float*)(x0 + a4)), c04);
                if (N.Count > 5) c05 = O.MultiplyAdd(s0, O.Load((float*)(x0 + a5)), c05);
                if (N.Count > 6) c06 = O.MultiplyAdd(s0, O.Load((float*)(x0 + a6)), c06);
                if (N.Count > 7) c07 = O.MultiplyAdd(s0, O.Load((float*)(x0 + a7)), c07);
            }
            byte* y0 = y + at0;
            if (clamps)
            {
                Clamp<V, O>(c00, low, high, y0, 0);
                if (N.Count > 1) Clamp<V, O>(c01, low, high, y0, a1);
                if (N.Count > 2) Clamp<V, O>(c02, low, high, y0, a2);
                if (N.Count > 3) Clamp<V, O>(c03, low, high, y0, a3);
                if (N.Count > 4) Clamp<V, O>(c04, low, high, y0, a4);
                if (N.Count > 5) Clamp<V, O>(c05, low, high, y0, a5);
                if (N.Count > 6) Clamp<V, O>(c06, low, high, y0, a6);
                if (N.Count > 7) Clamp<V, O>(c07, low, high, y0, a7);
            }
            else
            {
                O.Store(c00, (float*)(y0));
                if (N.Count > 1) O.Store(c01, (float*)(y0 + a1));
                if (N.Count > 2) O.Store(c02, (float*)(y0 + a2));
                if (N.Count > 3) O.Store(c03, (float*)(y0 + a3));
                if (N.Count > 4) O.Store(c04, (float*)(y0 + a4));
                if (N.Count > 5) O.Store(c05, (float*)(y0 + a5));
                if (N.Count > 6) O.Store(c06, (float*)(y0 + a6));
                if (N.Count > 7) O.Store(c07, (float*)(y0 + a7));
            }
        }
    }

    /// <summary>Two rows at a time, each with its own columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Rows2<V, O, N>(SpmmTile* t) where V : unmanaged where O : struct, IVectorOperations<V> where N : struct, IVectors
    {
        byte* x = t->X;
        int* offsets = t->Offsets;
        float* values = t->Values;
        nint a1 = At<V, O, N>(1, t), a2 = At<V, O, N>(2, t), a3 = At<V, O, N>(3, t);
        int* starts = t->Starts;
        int* rows = t->Rows;
        byte* y = (byte*)t->Y;
        nint pitch = t->RowBytesY;
        float* bias = t->Bias;
        byte* residual = (byte*)t->Residual;
        bool clamps = t->Clamps, continues = t->Continues;
        nint block = t->BlockBegin, end = t->BlockEnd;
        for (; block + 2 <= end; block += 2)
        {
            nint row0 = rows[block], at0 = row0 * pitch;
            nint row1 = rows[block + 1], at1 = row1 * pitch;
            V c00, c01, c02, c03;
            V c10, c11, c12, c13;
            if (continues)
            {
                byte* sums = y + at0;
                c00 = O.Load((float*)(sums));
                c01 = N.Count <= 1 ? default : O.Load((float*)(sums + a1));
                c02 = N.Count <= 2 ? default : O.Load((float*)(sums + a2));
                c03 = N.Count <= 3 ? default : O.Load((float*)(sums + a3));
            }
            else
            {
                c00 = bias != null ? O.Create(bias[row0]) : default;
                c03 = c02 = c01 = c00;
            }
            if (residual != null)
            {
                byte* add0 = residual + at0;
                Add<V, O>(ref c00, add0, 0);
                if (N.Count > 1) Add<V, O>(ref c01, add0, a1);
                if (N.Count > 2) Add<V, O>(ref c02, add0, a2);
                if (N.Count > 3) Add<V, O>(ref c03, add0, a3);
            }
            if (continues)
            {
                byte* sums = y + at1;
                c10 = O.Load((float*)(sums));
                c11 = N.Count <= 1 ? default : O.Load((float*)(sums + a1));
                c12 = N.Count <= 2 ? default : O.Load((float*)(sums + a2));
                c13 = N.Count <= 3 ? default : O.Load((float*)(sums + a3));
            }
            else
            {
                c10 = bias != null ? O.Create(bias[row1]) : default;
                c13 = c12 = c11 = c10;
            }
            if (residual != null)
            {
                byte* add1 = residual + at1;
                Add<V, O>(ref c10, add1, 0);
                if (N.Count > 1) Add<V, O>(ref c11, add1, a1);
                if (N.Count > 2) Add<V, O>(ref c12, add1, a2);
                if (N.Count > 3) Add<V, O>(ref c13, add1, a3);
            }
            nint i0 = starts[block + 0], n0 = starts[block + 1];
            nint i1 = starts[block + 1], n1 = starts[block + 2];
            // Rows stand by ascending number of entries.
            for (nint common = n0 - i0; common > 0; common--)
            {
                byte* x0 = x + offsets[i0];
                V s0 = O.Create(values[i0++]);
                c00 = O.MultiplyAdd(s0, O.Load((float*)(x0)), c00);
                if (N.Count > 1) c01 = O.MultiplyAdd(s0, O.Load((float*)(x0 + a1)), c01);
                if (N.Count > 2) c02 = O.MultiplyAdd(s0, O.Load((float*)(x0 + a2)), c02);
                if (N.Count > 3) c03 = O.MultiplyAdd(s0, O.Load((float*)(x0 + a3)), c03);
                byte* x1 = x + offsets[i1];
                V s1 = O.Create(values[i1++]);
                c10 = O.MultiplyAdd(s1, O.Load((float*)(x1)), c10);
                if (N.Count > 1) c11 = O.MultiplyAdd(s1, O.Load((float*)(x1 + a1)), c11);
                if (N.Count > 2) c12 = O.MultiplyAdd(s1, O.Load((float*)(x1 + a2)), c12);
                if (N.Count > 3) c13 = O.MultiplyAdd(s1, O.Load((float*)(x1 + a3)), c13);
            }
            for (; i1 < n1; i1++)
            {
                byte* x1 = x + offsets[i1];
                V s1 = O.Create(values[i1]);
                c10 = O.MultiplyAdd(s1, O.Load((float*)(x1)), c10);
                if (N.Count > 1) c11 = O.MultiplyAdd(s1, O.Load((float*)(x1 + a1)), c11);
                if (N.Count > 2) c12 = O.MultiplyAdd(s1, O.Load((float*)(x1 + a2)), c12);
                if (N.Count > 3) c13 = O.MultiplyAdd(s1, O.Load((float*)(x1 + a3)), c13);
            }
            byte* y0 = y + at0;
            if (clamps)
            {
                V low = O.Create(t->Minimum), high = O.Create(t->Maximum);
                Clamp<V, O>(c00, low, high, y0, 0);
                if (N.Count > 1) Clamp<V, O>(c01, low, high, y0, a1);
                if (N.Count > 2) Clamp<V, O>(c02, low, high, y0, a2);
                if (N.Count > 3) Clamp<V, O>(c03, low, high, y0, a3);
            }
            else
            {
                O.Store(c00, (float*)(y0));
                if (N.Count > 1) O.Store(c01, (float*)(y0 + a1));
                if (N.Count > 2) O.Store(c02, (float*)(y0 + a2));
                if (N.Count > 3) O.Store(c03, (float*)(y0 + a3));
            }
            byte* y1 = y + at1;
            if (clamps)
            {
                V low = O.Create(t->Minimum), high = O.Create(t->Maximum);
                Clamp<V, O>(c10, low, high, y1, 0);
                if (N.Count > 1) Clamp<V, O>(c11, low, high, y1, a1);
                if (N.Count > 2) Clamp<V, O>(c12, low, high, y1, a2);
                if (N.Count > 3) Clamp<V, O>(c13, low, high, y1, a3);
            }
            else
            {
                O.Store(c10, (float*)(y1));
                if (N.Count > 1) O.Store(c11, (float*)(y1 + a1));
                if (N.Count > 2) O.Store(c12, (float*)(y1 + a2));
                if (N.Count > 3) O.Store(c13, (float*)(y1 + a3));
            }
        }
        if (block == end) return;
        SpmmTile rest = *t;
        rest.BlockBegin = (int)block;
        Rows1<V, O, N>(&rest);
    }

    /// <summary>Four rows at a time, each with its own columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Rows4<V, O, N>(SpmmTile* t) where V : unmanaged where O : struct, IVectorOperations<V> where N : struct, IVectors
    {
        byte* x = t->X;
        int* offsets = t->Offsets;
        float* values = t->Values;
        nint a1 = At<V, O, N>(1, t);
        int* starts = t->Starts;
        int* rows = t->Rows;
        byte* y = (byte*)t->Y;
        nint pitch = t->RowBytesY;
        float* bias = t->Bias;
        byte* residual = (byte*)t->Residual;
        bool clamps = t->Clamps, continues = t->Continues;
        nint block = t->BlockBegin, end = t->BlockEnd;
        for (; block + 4 <= end; block += 4)
        {
            nint row0 = rows[block], at0 = row0 * pitch;
            nint row1 = rows[block + 1], at1 = row1 * pitch;
            nint row2 = rows[block + 2], at2 = row2 * pitch;
            nint row3 = rows[block + 3], at3 = row3 * pitch;
            V c00, c01;
            V c10, c11;
            V c20, c21;
            V c30, c31;
            if (continues)
            {
                byte* sums = y + at0;
                c00 = O.Load((float*)(sums));
                c01 = N.Count <= 1 ? default : O.Load((float*)(sums + a1));
            }
            else
            {
                c00 = bias != null ? O.Create(bias[row0]) : default;
                c01 = c00;
            }
            if (residual != null)
            {
                byte* add0 = residual + at0;
                Add<V, O>(ref c00, add0, 0);
                if (N.Count > 1) Add<V, O>(ref c01, add0, a1);
            }
            if (continues)
            {
                byte* sums = y + at1;
                c10 = O.Load((float*)(sums));
                c11 = N.Count <= 1 ? default : O.Load((float*)(sums + a1));
            }
            else
            {
                c10 = bias != null ? O.Create(bias[row1]) : default;
                c11 = c10;
            }
            if (residual != null)
            {
                byte* add1 = residual + at1;
                Add<V, O>(ref c10, add1, 0);
                if (N.Count > 1) Add<V, O>(ref c11, add1, a1);
            }
            if (continues)
            {
                byte* sums = y + at2;
                c20 = O.Load((float*)(sums));
                c21 = N.Count <= 1 ? default : O.Load((float*)(sums + a1));
            }
            else
            {
                c20 = bias != null ? O.Create(bias[row2]) : default;
                c21 = c20;
            }
            if (residual != null)
            {
                byte* add2 = residual + at2;
                Add<V, O>(ref c20, add2, 0);
                if (N.Count > 1) Add<V, O>(ref c21, add2, a1);
            }
            if (continues)
            {
                byte* sums = y + at3;
                c30 = O.Load((float*)(sums));
                c31 = N.Count <= 1 ? default : O.Load((float*)(sums + a1));
            }
            else
            {
                c30 = bias != null ? O.Create(bias[row3]) : default;
                c31 = c30;
            }
            if (residual != null)
            {
                byte* add3 = residual + at3;
                Add<V, O>(ref c30, add3, 0);
                if (N.Count > 1) Add<V, O>(ref c31, add3, a1);
            }
            nint i0 = starts[block + 0], n0 = starts[block + 1];
            nint i1 = starts[block + 1], n1 = starts[block + 2];
            nint i2 = starts[block + 2], n2 = starts[block + 3];
            nint i3 = starts[block + 3], n3 = starts[block + 4];
            // Rows stand by ascending number of entries.
            for (nint common = n0 - i0; common > 0; common--)
            {
                byte* x0 = x + offsets[i0];
                V s0 = O.Create(values[i0++]);
                c00 = O.MultiplyAdd(s0, O.Load((float*)(x0)), c00);
                if (N.Count > 1) c01 = O.MultiplyAdd(s0, O.Load((float*)(x0 + a1)), c01);
                byte* x1 = x + offsets[i1];
                V s1 = O.Create(values[i1++]);
                c10 = O.MultiplyAdd(s1, O.Load((float*)(x1)), c10);
                if (N.Count > 1) c11 = O.MultiplyAdd(s1, O.Load((float*)(x1 + a1)), c11);
                byte* x2 = x + offsets[i2];
                V s2 = O.Create(values[i2++]);
                c20 = O.MultiplyAdd(s2, O.Load((float*)(x2)), c20);
                if (N.Count > 1) c21 = O.MultiplyAdd(s2, O.Load((float*)(x2 + a1)), c21);
                byte* x3 = x + offsets[i3];
                V s3 = O.Create(values[i3++]);
                c30 = O.MultiplyAdd(s3, O.Load((float*)(x3)), c30);
                if (N.Count > 1) c31 = O.MultiplyAdd(s3, O.Load((float*)(x3 + a1)), c31);
            }
            for (; i1 < n1; i1++)
            {
                byte* x1 = x + offsets[i1];
                V s1 = O.Create(values[i1]);
                c10 = O.MultiplyAdd(s1, O.Load((float*)(x1)), c10);
                if (N.Count > 1) c11 = O.MultiplyAdd(s1, O.Load((float*)(x1 + a1)), c11);
            }
            for (; i2 < n2; i2++)
            {
                byte* x2 = x + offsets[i2];
                V s2 = O.Create(values[i2]);
                c20 = O.MultiplyAdd(s2, O.Load((float*)(x2)), c20);
                if (N.Count > 1) c21 = O.MultiplyAdd(s2, O.Load((float*)(x2 + a1)), c21);
            }
            for (; i3 < n3; i3++)
            {
                byte* x3 = x + offsets[i3];
                V s3 = O.Create(values[i3]);
                c30 = O.MultiplyAdd(s3, O.Load((float*)(x3)), c30);
                if (N.Count > 1) c31 = O.MultiplyAdd(s3, O.Load((float*)(x3 + a1)), c31);
            }
            byte* y0 = y + at0;
            if (clamps)
            {
                V low = O.Create(t->Minimum), high = O.Create(t->Maximum);
                Clamp<V, O>(c00, low, high, y0, 0);
                if (N.Count > 1) Clamp<V, O>(c01, low, high, y0, a1);
            }
            else
            {
                O.Store(c00, (float*)(y0));
                if (N.Count > 1) O.Store(c01, (float*)(y0 + a1));
            }
            byte* y1 = y + at1;
            if (clamps)
            {
                V low = O.Create(t->Minimum), high = O.Create(t->Maximum);
                Clamp<V, O>(c10, low, high, y1, 0);
                if (N.Count > 1) Clamp<V, O>(c11, low, high, y1, a1);
            }
            else
            {
                O.Store(c10, (float*)(y1));
                if (N.Count > 1) O.Store(c11, (float*)(y1 + a1));
            }
            byte* y2 = y + at2;
            if (clamps)
            {
                V low = O.Create(t->Minimum), high = O.Create(t->Maximum);
                Clamp<V, O>(c20, low, high, y2, 0);
                if (N.Count > 1) Clamp<V, O>(c21, low, high, y2, a1);
            }
            else
            {
                O.Store(c20, (float*)(y2));
                if (N.Count > 1) O.Store(c21, (float*)(y2 + a1));
            }
            byte* y3 = y + at3;
            if (clamps)
            {
                V low = O.Create(t->Minimum), high = O.Create(t->Maximum);
                Clamp<V, O>(c30, low, high, y3, 0);
                if (N.Count > 1) Clamp<V, O>(c31, low, high, y3, a1);
            }
            else
            {
                O.Store(c30, (float*)(y3));
                if (N.Count > 1) O.Store(c31, (float*)(y3 + a1));
            }
        }
        if (block == end) return;
        SpmmTile rest = *t;
        rest.BlockBegin = (int)block;
        Rows2<V, O, N>(&rest);
    }

    /// <summary>Blocks of 2 rows: each vector of pixels is loaded once and multiplied by 2 weights.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Block2<V, O, N>(SpmmTile* t) where V : unmanaged where O : struct, IVectorOperations<V> where N : struct, IVectors
    {
        byte* x = t->X;
        int* offsets = t->Offsets;
        float* values = t->Values;
        nint a1 = At<V, O, N>(1, t), a2 = At<V, O, N>(2, t), a3 = At<V, O, N>(3, t), a4 = At<V, O, N>(4, t), a5 = At<V, O, N>(5, t), a6 = At<V, O, N>(6, t), a7 = At<V, O, N>(7, t);
        int* starts = t->Starts;
        int* rows = t->Rows;
        byte* y = (byte*)t->Y;
        nint pitch = t->RowBytesY;
        float* bias = t->Bias;
        byte* residual = (byte*)t->Residual;
        bool clamps = t->Clamps, continues = t->Continues;
        nint end = t->BlockEnd;
        for (nint block = t->BlockBegin; block < end; block++)
        {
            nint row0 = rows[block], at0 = row0 * pitch;
            nint at1 = at0 + pitch;
            V c00, c01, c02, c03, c04, c05, c06, c07;
            V c10, c11, c12, c13, c14, c15, c16, c17;
            if (continues)
            {
                byte* sums = y + at0;
                c00 = O.Load((float*)(sums));
                c01 = N.Count <= 1 ? default : O.Load((float*)(sums + a1));
                c02 = N.Count <= 2 ? default : O.Load((float*)(sums + a2));
                c03 = N.Count <= 3 ? default : O.Load((float*)(sums + a3));
                c04 = N.Count <= 4 ? default : O.Load((float*)(sums + a4));
                c05 = N.Count <= 5 ? default : O.Load((float*)(sums + a5));
                c06 = N.Count <= 6 ? default : O.Load((float*)(sums + a6));
                c07 = N.Count <= 7 ? default : O.Load((float*)(sums + a7));
            }
            else
            {
                c00 = bias != null ? O.Create(bias[row0]) : default;
                c07 = c06 = c05 = c04 = c03 = c02 = c01 = c00;
            }
            if (residual != null)
            {
                byte* add0 = residual + at0;
                Add<V, O>(ref c00, add0, 0);
                if (N.Count > 1) Add<V, O>(ref c01, add0, a1);
                if (N.Count > 2) Add<V, O>(ref c02, add0, a2);
                if (N.Count > 3) Add<V, O>(ref c03, add0, a3);
                if (N.Count > 4) Add<V, O>(ref c04, add0, a4);
                if (N.Count > 5) Add<V, O>(ref c05, add0, a5);
                if (N.Count > 6) Add<V, O>(ref c06, add0, a6);
                if (N.Count > 7) Add<V, O>(ref c07, add0, a7);
            }
            if (continues)
            {
                byte* sums = y + at1;
                c10 = O.Load((float*)(sums));
                c11 = N.Count <= 1 ? default : O.Load((float*)(sums + a1));
                c12 = N.Count <= 2 ? default : O.Load((float*)(sums + a2));
                c13 = N.Count <= 3 ? default : O.Load((float*)(sums + a3));
                c14 = N.Count <= 4 ? default : O.Load((float*)(sums + a4));
                c15 = N.Count <= 5 ? default : O.Load((float*)(sums + a5));
                c16 = N.Count <= 6 ? default : O.Load((float*)(sums + a6));
                c17 = N.Count <= 7 ? default : O.Load((float*)(sums + a7));
            }
            else
            {
                c10 = bias != null ? O.Create(bias[row0 + 1]) : default;
                c17 = c16 = c15 = c14 = c13 = c12 = c11 = c10;
            }
            if (residual != null)
            {
                byte* add1 = residual + at1;
                Add<V, O>(ref c10, add1, 0);
                if (N.Count > 1) Add<V, O>(ref c11, add1, a1);
                if (N.Count > 2) Add<V, O>(ref c12, add1, a2);
                if (N.Count > 3) Add<V, O>(ref c13, add1, a3);
                if (N.Count > 4) Add<V, O>(ref c14, add1, a4);
                if (N.Count > 5) Add<V, O>(ref c15, add1, a5);
                if (N.Count > 6) Add<V, O>(ref c16, add1, a6);
                if (N.Count > 7) Add<V, O>(ref c17, add1, a7);
            }
            nint i = starts[block], n = starts[block + 1];
            float* weights = values + 2 * i;
            for (; i < n; i++, weights += 2)
            {
                byte* x0 = x + offsets[i];
                V s0 = O.Create(weights[0]), s1 = O.Create(weights[1]), v = O.Load((float*)x0);
                c00 = O.MultiplyAdd(s0, v, c00);
                c10 = O.MultiplyAdd(s1, v, c10);
                if (N.Count > 1)
                {
                    v = O.Load((float*)(x0 + a1));
                    c01 = O.MultiplyAdd(s0, v, c01);
                    c11 = O.MultiplyAdd(s1, v, c11);
                }
                if (N.Count > 2)
                {
                    v = O.Load((float*)(x0 + a2));
                    c02 = O.MultiplyAdd(s0, v, c02);
                    c12 = O.MultiplyAdd(s1, v, c12);
                }
                if (N.Count > 3)
                {
                    v = O.Load((float*)(x0 + a3));
                    c03 = O.MultiplyAdd(s0, v, c03);
                    c13 = O.MultiplyAdd(s1, v, c13);
                }
                if (N.Count > 4)
                {
                    v = O.Load((float*)(x0 + a4));
                    c04 = O.MultiplyAdd(s0, v, c04);
                    c14 = O.MultiplyAdd(s1, v, c14);
                }
                if (N.Count > 5)
                {
                    v = O.Load((float*)(x0 + a5));
                    c05 = O.MultiplyAdd(s0, v, c05);
                    c15 = O.MultiplyAdd(s1, v, c15);
                }
                if (N.Count > 6)
                {
                    v = O.Load((float*)(x0 + a6));
                    c06 = O.MultiplyAdd(s0, v, c06);
                    c16 = O.MultiplyAdd(s1, v, c16);
                }
                if (N.Count > 7)
                {
                    v = O.Load((float*)(x0 + a7));
                    c07 = O.MultiplyAdd(s0, v, c07);
                    c17 = O.MultiplyAdd(s1, v, c17);
                }
            }
            byte* y0 = y + at0;
            if (clamps)
            {
                V low = O.Create(t->Minimum), high = O.Create(t->Maximum);
                Clamp<V, O>(c00, low, high, y0, 0);
                if (N.Count > 1) Clamp<V, O>(c01, low, high, y0, a1);
                if (N.Count > 2) Clamp<V, O>(c02, low, high, y0, a2);
                if (N.Count > 3) Clamp<V, O>(c03, low, high, y0, a3);
                if (N.Count > 4) Clamp<V, O>(c04, low, high, y0, a4);
                if (N.Count > 5) Clamp<V, O>(c05, low, high, y0, a5);
                if (N.Count > 6) Clamp<V, O>(c06, low, high, y0, a6);
                if (N.Count > 7) Clamp<V, O>(c07, low, high, y0, a7);
            }
            else
            {
                O.Store(c00, (float*)(y0));
                if (N.Count > 1) O.Store(c01, (float*)(y0 + a1));
                if (N.Count > 2) O.Store(c02, (float*)(y0 + a2));
                if (N.Count > 3) O.Store(c03, (float*)(y0 + a3));
                if (N.Count > 4) O.Store(c04, (float*)(y0 + a4));
                if (N.Count > 5) O.Store(c05, (float*)(y0 + a5));
                if (N.Count > 6) O.Store(c06, (float*)(y0 + a6));
                if (N.Count > 7) O.Store(c07, (float*)(y0 + a7));
            }
            byte* y1 = y + at1;
            if (clamps)
            {
                V low = O.Create(t->Minimum), high = O.Create(t->Maximum);
                Clamp<V, O>(c10, low, high, y1, 0);
                if (N.Count > 1) Clamp<V, O>(c11, low, high, y1, a1);
                if (N.Count > 2) Clamp<V, O>(c12, low, high, y1, a2);
                if (N.Count > 3) Clamp<V, O>(c13, low, high, y1, a3);
                if (N.Count > 4) Clamp<V, O>(c14, low, high, y1, a4);
                if (N.Count > 5) Clamp<V, O>(c15, low, high, y1, a5);
                if (N.Count > 6) Clamp<V, O>(c16, low, high, y1, a6);
                if (N.Count > 7) Clamp<V, O>(c17, low, high, y1, a7);
            }
            else
            {
                O.Store(c10, (float*)(y1));
                if (N.Count > 1) O.Store(c11, (float*)(y1 + a1));
                if (N.Count > 2) O.Store(c12, (float*)(y1 + a2));
                if (N.Count > 3) O.Store(c13, (float*)(y1 + a3));
                if (N.Count > 4) O.Store(c14, (float*)(y1 + a4));
                if (N.Count > 5) O.Store(c15, (float*)(y1 + a5));
                if (N.Count > 6) O.Store(c16, (float*)(y1 + a6));
                if (N.Count > 7) O.Store(c17, (float*)(y1 + a7));
            }
        }
    }

    /// <summary>Blocks of 4 rows: each vector of pixels is loaded once and multiplied by 4 weights.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Block4<V, O, N>(SpmmTile* t) where V : unmanaged where O : struct, IVectorOperations<V> where N : struct, IVectors
    {
        byte* x = t->X;
        int* offsets = t->Offsets;
        float* values = t->Values;
        nint a1 = At<V, O, N>(1, t), a2 = At<V, O, N>(2, t), a3 = At<V, O, N>(3, t), a4 = At<V, O, N>(4, t), a5 = At<V, O, N>(5, t);
        int* starts = t->Starts;
        int* rows = t->Rows;
        byte* y = (byte*)t->Y;
        nint pitch = t->RowBytesY;
        float* bias = t->Bias;
        byte* residual = (byte*)t->Residual;
        bool clamps = t->Clamps, continues = t->Continues;
        nint end = t->BlockEnd;
        for (nint block = t->BlockBegin; block < end; block++)
        {
            nint row0 = rows[block], at0 = row0 * pitch;
            nint at1 = at0 + pitch;
            nint at2 = at1 + pitch;
            nint at3 = at2 + pitch;
            V c00, c01, c02, c03, c04, c05;
            V c10, c11, c12, c13, c14, c15;
            V c20, c21, c22, c23, c24, c25;
            V c30, c31, c32, c33, c34, c35;
            if (continues)
            {
                byte* sums = y + at0;
                c00 = O.Load((float*)(sums));
                c01 = N.Count <= 1 ? default : O.Load((float*)(sums + a1));
                c02 = N.Count <= 2 ? default : O.Load((float*)(sums + a2));
                c03 = N.Count <= 3 ? default : O.Load((float*)(sums + a3));
                c04 = N.Count <= 4 ? default : O.Load((float*)(sums + a4));
                c05 = N.Count <= 5 ? default : O.Load((float*)(sums + a5));
            }
            else
            {
                c00 = bias != null ? O.Create(bias[row0]) : default;
                c05 = c04 = c03 = c02 = c01 = c00;
            }
            if (residual != null)
            {
                byte* add0 = residual + at0;
                Add<V, O>(ref c00, add0, 0);
                if (N.Count > 1) Add<V, O>(ref c01, add0, a1);
                if (N.Count > 2) Add<V, O>(ref c02, add0, a2);
                if (N.Count > 3) Add<V, O>(ref c03, add0, a3);
                if (N.Count > 4) Add<V, O>(ref c04, add0, a4);
                if (N.Count > 5) Add<V, O>(ref c05, add0, a5);
            }
            if (continues)
            {
                byte* sums = y + at1;
                c10 = O.Load((float*)(sums));
                c11 = N.Count <= 1 ? default : O.Load((float*)(sums + a1));
                c12 = N.Count <= 2 ? default : O.Load((float*)(sums + a2));
                c13 = N.Count <= 3 ? default : O.Load((float*)(sums + a3));
                c14 = N.Count <= 4 ? default : O.Load((float*)(sums + a4));
                c15 = N.Count <= 5 ? default : O.Load((float*)(sums + a5));
            }
            else
            {
                c10 = bias != null ? O.Create(bias[row0 + 1]) : default;
                c15 = c14 = c13 = c12 = c11 = c10;
            }
            if (residual != null)
            {
                byte* add1 = residual + at1;
                Add<V, O>(ref c10, add1, 0);
                if (N.Count > 1) Add<V, O>(ref c11, add1, a1);
                if (N.Count > 2) Add<V, O>(ref c12, add1, a2);
                if (N.Count > 3) Add<V, O>(ref c13, add1, a3);
                if (N.Count > 4) Add<V, O>(ref c14, add1, a4);
                if (N.Count > 5) Add<V, O>(ref c15, add1, a5);
            }
            if (continues)
            {
                byte* sums = y + at2;
                c20 = O.Load((float*)(sums));
                c21 = N.Count <= 1 ? default : O.Load((float*)(sums + a1));
                c22 = N.Count <= 2 ? default : O.Load((float*)(sums + a2));
                c23 = N.Count <= 3 ? default : O.Load((float*)(sums + a3));
                c24 = N.Count <= 4 ? default : O.Load((float*)(sums + a4));
                c25 = N.Count <= 5 ? default : O.Load((float*)(sums + a5));
            }
            else
            {
                c20 = bias != null ? O.Create(bias[row0 + 2]) : default;
                c25 = c24 = c23 = c22 = c21 = c20;
            }
            if (residual != null)
            {
                byte* add2 = residual + at2;
                Add<V, O>(ref c20, add2, 0);
                if (N.Count > 1) Add<V, O>(ref c21, add2, a1);
                if (N.Count > 2) Add<V, O>(ref c22, add2, a2);
                if (N.Count > 3) Add<V, O>(ref c23, add2, a3);
                if (N.Count > 4) Add<V, O>(ref c24, add2, a4);
                if (N.Count > 5) Add<V, O>(ref c25, add2, a5);
            }
            if (continues)
            {
                byte* sums = y + at3;
                c30 = O.Load((float*)(sums));
                c31 = N.Count <= 1 ? default : O.Load((float*)(sums + a1));
                c32 = N.Count <= 2 ? default : O.Load((float*)(sums + a2));
                c33 = N.Count <= 3 ? default : O.Load((float*)(sums + a3));
                c34 = N.Count <= 4 ? default : O.Load((float*)(sums + a4));
                c35 = N.Count <= 5 ? default : O.Load((float*)(sums + a5));
            }
            else
            {
                c30 = bias != null ? O.Create(bias[row0 + 3]) : default;
                c35 = c34 = c33 = c32 = c31 = c30;
            }
            if (residual != null)
            {
                byte* add3 = residual + at3;
                Add<V, O>(ref c30, add3, 0);
                if (N.Count > 1) Add<V, O>(ref c31, add3, a1);
                if (N.Count > 2) Add<V, O>(ref c32, add3, a2);
                if (N.Count > 3) Add<V, O>(ref c33, add3, a3);
                if (N.Count > 4) Add<V, O>(ref c34, add3, a4);
                if (N.Count > 5) Add<V, O>(ref c35, add3, a5);
            }
            nint i = starts[block], n = starts[block + 1];
            float* weights = values + 4 * i;
            for (; i < n; i++, weights += 4)
            {
                byte* x0 = x + offsets[i];
                V s = O.Create(weights[0]), v0 = O.Load((float*)x0), v1 = default, v2 = default, v3 = default, v4 = default, v5 = default;
                if (N.Count > 1) v1 = O.Load((float*)(x0 + a1));
                if (N.Count > 2) v2 = O.Load((float*)(x0 + a2));
                if (N.Count > 3) v3 = O.Load((float*)(x0 + a3));
                if (N.Count > 4) v4 = O.Load((float*)(x0 + a4));
                if (N.Count > 5) v5 = O.Load((float*)(x0 + a5));
                c00 = O.MultiplyAdd(s, v0, c00);
                if (N.Count > 1) c01 = O.MultiplyAdd(s, v1, c01);
                if (N.Count > 2) c02 = O.MultiplyAdd(s, v2, c02);
                if (N.Count > 3) c03 = O.MultiplyAdd(s, v3, c03);
                if (N.Count > 4) c04 = O.MultiplyAdd(s, v4, c04);
                if (N.Count > 5) c05 = O.MultiplyAdd(s, v5, c05);
                s = O.Create(weights[1]);
                c10 = O.MultiplyAdd(s, v0, c10);
                if (N.Count > 1) c11 = O.MultiplyAdd(s, v1, c11);
                if (N.Count > 2) c12 = O.MultiplyAdd(s, v2, c12);
                if (N.Count > 3) c13 = O.MultiplyAdd(s, v3, c13);
                if (N.Count > 4) c14 = O.MultiplyAdd(s, v4, c14);
                if (N.Count > 5) c15 = O.MultiplyAdd(s, v5, c15);
                s = O.Create(weights[2]);
                c20 = O.MultiplyAdd(s, v0, c20);
                if (N.Count > 1) c21 = O.MultiplyAdd(s, v1, c21);
                if (N.Count > 2) c22 = O.MultiplyAdd(s, v2, c22);
                if (N.Count > 3) c23 = O.MultiplyAdd(s, v3, c23);
                if (N.Count > 4) c24 = O.MultiplyAdd(s, v4, c24);
                if (N.Count > 5) c25 = O.MultiplyAdd(s, v5, c25);
                s = O.Create(weights[3]);
                c30 = O.MultiplyAdd(s, v0, c30);
                if (N.Count > 1) c31 = O.MultiplyAdd(s, v1, c31);
                if (N.Count > 2) c32 = O.MultiplyAdd(s, v2, c32);
                if (N.Count > 3) c33 = O.MultiplyAdd(s, v3, c33);
                if (N.Count > 4) c34 = O.MultiplyAdd(s, v4, c34);
                if (N.Count > 5) c35 = O.MultiplyAdd(s, v5, c35);
            }
            byte* y0 = y + at0;
            if (clamps)
            {
                V low = O.Create(t->Minimum), high = O.Create(t->Maximum);
                Clamp<V, O>(c00, low, high, y0, 0);
                if (N.Count > 1) Clamp<V, O>(c01, low, high, y0, a1);
                if (N.Count > 2) Clamp<V, O>(c02, low, high, y0, a2);
                if (N.Count > 3) Clamp<V, O>(c03, low, high, y0, a3);
                if (N.Count > 4) Clamp<V, O>(c04, low, high, y0, a4);
                if (N.Count > 5) Clamp<V, O>(c05, low, high, y0, a5);
            }
            else
            {
                O.Store(c00, (float*)(y0));
                if (N.Count > 1) O.Store(c01, (float*)(y0 + a1));
                if (N.Count > 2) O.Store(c02, (float*)(y0 + a2));
                if (N.Count > 3) O.Store(c03, (float*)(y0 + a3));
                if (N.Count > 4) O.Store(c04, (float*)(y0 + a4));
                if (N.Count > 5) O.Store(c05, (float*)(y0 + a5));
            }
            byte* y1 = y + at1;
            if (clamps)
            {
                V low = O.Create(t->Minimum), high = O.Create(t->Maximum);
                Clamp<V, O>(c10, low, high, y1, 0);
                if (N.Count > 1) Clamp<V, O>(c11, low, high, y1, a1);
                if (N.Count > 2) Clamp<V, O>(c12, low, high, y1, a2);
                if (N.Count > 3) Clamp<V, O>(c13, low, high, y1, a3);
                if (N.Count > 4) Clamp<V, O>(c14, low, high, y1, a4);
                if (N.Count > 5) Clamp<V, O>(c15, low, high, y1, a5);
            }
            else
            {
                O.Store(c10, (float*)(y1));
                if (N.Count > 1) O.Store(c11, (float*)(y1 + a1));
                if (N.Count > 2) O.Store(c12, (float*)(y1 + a2));
                if (N.Count > 3) O.Store(c13, (float*)(y1 + a3));
                if (N.Count > 4) O.Store(c14, (float*)(y1 + a4));
                if (N.Count > 5) O.Store(c15, (float*)(y1 + a5));
            }
            byte* y2 = y + at2;
            if (clamps)
            {
                V low = O.Create(t->Minimum), high = O.Create(t->Maximum);
                Clamp<V, O>(c20, low, high, y2, 0);
                if (N.Count > 1) Clamp<V, O>(c21, low, high, y2, a1);
                if (N.Count > 2) Clamp<V, O>(c22, low, high, y2, a2);
                if (N.Count > 3) Clamp<V, O>(c23, low, high, y2, a3);
                if (N.Count > 4) Clamp<V, O>(c24, low, high, y2, a4);
                if (N.Count > 5) Clamp<V, O>(c25, low, high, y2, a5);
            }
            else
            {
                O.Store(c20, (float*)(y2));
                if (N.Count > 1) O.Store(c21, (float*)(y2 + a1));
                if (N.Count > 2) O.Store(c22, (float*)(y2 + a2));
                if (N.Count > 3) O.Store(c23, (float*)(y2 + a3));
                if (N.Count > 4) O.Store(c24, (float*)(y2 + a4));
                if (N.Count > 5) O.Store(c25, (float*)(y2 + a5));
            }
            byte* y3 = y + at3;
            if (clamps)
            {
                V low = O.Create(t->Minimum), high = O.Create(t->Maximum);
                Clamp<V, O>(c30, low, high, y3, 0);
                if (N.Count > 1) Clamp<V, O>(c31, low, high, y3, a1);
                if (N.Count > 2) Clamp<V, O>(c32, low, high, y3, a2);
                if (N.Count > 3) Clamp<V, O>(c33, low, high, y3, a3);
                if (N.Count > 4) Clamp<V, O>(c34, low, high, y3, a4);
                if (N.Count > 5) Clamp<V, O>(c35, low, high, y3, a5);
            }
            else
            {
                O.Store(c30, (float*)(y3));
                if (N.Count > 1) O.Store(c31, (float*)(y3 + a1));
                if (N.Count > 2) O.Store(c32, (float*)(y3 + a2));
                if (N.Count > 3) O.Store(c33, (float*)(y3 + a3));
                if (N.Count > 4) O.Store(c34, (float*)(y3 + a4));
                if (N.Count > 5) O.Store(c35, (float*)(y3 + a5));
            }
        }
    }
}
