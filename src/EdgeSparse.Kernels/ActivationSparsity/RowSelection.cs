using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.ActivationSparsity;

/// <summary>
/// The values of a row that count, as a list: without branches, a vector at a time. A comparison's mask picks from a table how the lanes that count move to the front; all lanes are
/// stored, the list grows by as many as count.
/// </summary>
internal static unsafe class RowSelection
{
    /// <summary>Elements behind a list's last entry that are written too.</summary>
    public const int Slack = 8;

    /// <summary>Bytes of <see cref="WriteTables"/>.</summary>
    public const int TableBytes = 256 * 8 + 16 * 16;

    /// <summary>
    /// Writes the tables of moves: for each mask of 8 lanes the indices of the set ones as bytes, then for each mask of 4 lanes the byte shuffle that moves their floats to the front.
    /// </summary>
    public static void WriteTables(byte* tables)
    {
        for (int mask = 0; mask < 256; mask++)
        {
            int next = 0;
            for (int lane = 0; lane < 8; lane++) if ((mask >> lane & 1) != 0) tables[mask * 8 + next++] = (byte)lane;
            for (; next < 8; next++) tables[mask * 8 + next] = 0;
        }
        byte* quads = tables + 256 * 8;
        for (int mask = 0; mask < 16; mask++)
        {
            int next = 0;
            for (int lane = 0; lane < 4; lane++)
                if ((mask >> lane & 1) != 0)
                    for (int b = 0; b < 4; b++) quads[mask * 16 + next++] = (byte)(lane * 4 + b);
            for (; next < 16; next++) quads[mask * 16 + next] = 0;
        }
    }

    /// <summary>The row's threshold.</summary>
    public static float Threshold(InstructionSet isa, in ActivationSelection selection, float* x, int count)
    {
        if (!selection.IsStatistical) return selection.Threshold;
        (double sum, double squares) =
            isa == InstructionSet.Avx512 && InstructionSets.IsCompiled(isa) ? Moments<Float512>(x, count)
            : isa == InstructionSet.Avx2 && InstructionSets.IsCompiled(isa) ? Moments<Float256>(x, count)
            : Moments<Float128>(x, count);
        double mean = sum / count;
        return (float)(mean + selection.Deviations * Math.Sqrt(Math.Max(squares / count - mean * mean, 0)));
    }

    /// <summary>Writes the values that count and their indices, in order; returns how many.</summary>
    /// <param name="isa">Instruction set.</param>
    /// <param name="tables">Of <see cref="WriteTables"/>.</param>
    /// <param name="x">[count].</param>
    /// <param name="count">Elements of the row.</param>
    /// <param name="threshold">Not negative; a value counts where its magnitude is not at most this.</param>
    /// <param name="values">[count + <see cref="Slack"/>].</param>
    /// <param name="indices">[count + <see cref="Slack"/>].</param>
    public static int Run(InstructionSet isa, byte* tables, float* x, int count, float threshold, float* values, int* indices)
    {
        if (isa is InstructionSet.Avx2 or InstructionSet.Avx512 && Avx2.IsSupported) return Run_8(tables, x, count, threshold, values, indices);
        return Run_4(tables + 256 * 8, x, count, threshold, values, indices);
    }

    private static int Run_8(byte* tables, float* x, int count, float threshold, float* values, int* indices)
    {
        Vector256<float> limit = Vector256.Create(threshold);
        Vector256<int> index = Vector256.Create(0, 1, 2, 3, 4, 5, 6, 7), step = Vector256.Create(8);
        int found = 0, i = 0;
        for (; i + 8 <= count; i += 8, index += step)
        {
            Vector256<float> value = Vector256.Load(x + i);
            uint mask = ~Vector256.LessThanOrEqual(Vector256.Abs(value), limit).ExtractMostSignificantBits() & 0xFF;
            Vector256<int> move = Avx2.ConvertToVector256Int32(tables + mask * 8);
            Avx2.PermuteVar8x32(value, move).Store(values + found);
            Avx2.PermuteVar8x32(index, move).Store(indices + found);
            found += System.Numerics.BitOperations.PopCount(mask);
        }
        return Rest(x, i, count, threshold, values, indices, found);
    }

    private static int Run_4(byte* tables, float* x, int count, float threshold, float* values, int* indices)
    {
        Vector128<float> limit = Vector128.Create(threshold);
        Vector128<int> index = Vector128.Create(0, 1, 2, 3), step = Vector128.Create(4);
        int found = 0, i = 0;
        for (; i + 4 <= count; i += 4, index += step)
        {
            Vector128<float> value = Vector128.Load(x + i);
            uint mask = ~Vector128.LessThanOrEqual(Vector128.Abs(value), limit).ExtractMostSignificantBits() & 0xF;
            Vector128<byte> move = Vector128.Load(tables + mask * 16);
            Shuffle(value.AsByte(), move).Store((byte*)(values + found));
            Shuffle(index.AsByte(), move).Store((byte*)(indices + found));
            found += System.Numerics.BitOperations.PopCount(mask);
        }
        return Rest(x, i, count, threshold, values, indices, found);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Shuffle(Vector128<byte> value, Vector128<byte> move)
    {
        if (AdvSimd.Arm64.IsSupported) return AdvSimd.Arm64.VectorTableLookup(value, move);
        return Ssse3.IsSupported ? Ssse3.Shuffle(value, move) : Vector128.Shuffle(value, move);
    }

    private static int Rest(float* x, int i, int count, float threshold, float* values, int* indices, int found)
    {
        for (; i < count; i++)
        {
            values[found] = x[i];
            indices[found] = i;
            if (!(MathF.Abs(x[i]) <= threshold)) found++;
        }
        return found;
    }

    /// <summary>Σ|x| and Σx²; vectors of float sums, 64 elements each, added up in double precision.</summary>
    private static (double Sum, double Squares) Moments<V>(float* x, int count) where V : unmanaged, IFloatVector<V>
    {
        double sum = 0, squares = 0;
        int i = 0;
        while (i + V.Count <= count)
        {
            int end = Math.Min(count, i + 64) - V.Count;
            V sums = V.Zero, products = V.Zero;
            for (; i <= end; i += V.Count)
            {
                V value = V.Load(x + i);
                sums += V.Abs(value);
                products = V.MultiplyAdd(value, value, products);
            }
            sum += V.Sum(sums);
            squares += V.Sum(products);
        }
        for (; i < count; i++)
        {
            sum += MathF.Abs(x[i]);
            squares += (double)x[i] * x[i];
        }
        return (sum, squares);
    }
}
