using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.ActivationSparsity;

/// <summary>A copy of rows in which what does not count is zero: what <see cref="GatheredMatMulF32"/> skips, for a dense product after it.</summary>
public static unsafe class ActivationMask
{
    /// <summary>Rows of one task.</summary>
    public const int TaskRows = 16;

    /// <summary>Runs one task: rows task·<see cref="TaskRows"/> and on.</summary>
    /// <param name="p">The selection and sizes.</param>
    /// <param name="x">[rows, columns].</param>
    /// <param name="y">[rows, columns]; may be x.</param>
    /// <param name="task">Index of the task.</param>
    public static void Run(ActivationMaskParameters* p, float* x, float* y, int task)
    {
        for (int row = task * TaskRows; row < Math.Min((task + 1) * TaskRows, p->Rows); row++)
        {
            float* from = x + (nint)row * p->Columns, to = y + (nint)row * p->Columns;
            float threshold = RowSelection.Threshold(p->Isa, in p->Selection, from, p->Columns);
            if (p->Isa == InstructionSet.Avx512 && InstructionSets.IsCompiled(p->Isa)) Run<Float512>(from, to, p->Columns, threshold);
            else if (p->Isa == InstructionSet.Avx2 && InstructionSets.IsCompiled(p->Isa)) Run<Float256>(from, to, p->Columns, threshold);
            else Run<Float128>(from, to, p->Columns, threshold);
        }
    }

    private static void Run<V>(float* from, float* to, int count, float threshold) where V : unmanaged, IFloatVector<V>
    {
        V limit = V.Create(threshold);
        int i = 0;
        for (; i + V.Count <= count; i += V.Count)
        {
            V value = V.Load(from + i);
            V.Select(V.LessOrEqual(V.Abs(value), limit), V.Zero, value).Store(to + i);
        }
        for (; i < count; i++) to[i] = MathF.Abs(from[i]) <= threshold ? 0 : from[i];
    }

    /// <summary>The definition, in double precision.</summary>
    public static void Reference(in ActivationSelection selection, float* x, int rows, int columns, float* y)
    {
        for (int row = 0; row < rows; row++)
        {
            float* from = x + (nint)row * columns, to = y + (nint)row * columns;
            double threshold = selection.Threshold;
            if (selection.IsStatistical)
            {
                double mean = 0, variance = 0;
                for (int i = 0; i < columns; i++) mean += Math.Abs((double)from[i]) / columns;
                for (int i = 0; i < columns; i++) variance += (Math.Abs((double)from[i]) - mean) * (Math.Abs((double)from[i]) - mean) / columns;
                threshold = mean + selection.Deviations * Math.Sqrt(variance);
            }
            for (int i = 0; i < columns; i++) to[i] = Math.Abs((double)from[i]) <= threshold ? 0 : from[i];
        }
    }
}

/// <summary>Rows to select from; blittable.</summary>
public struct ActivationMaskParameters
{
    public int Rows;
    public int Columns;
    public ActivationSelection Selection;
    public InstructionSet Isa;

    public readonly int TaskCount => (Rows + ActivationMask.TaskRows - 1) / ActivationMask.TaskRows;
}
