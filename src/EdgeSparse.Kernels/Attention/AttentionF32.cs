namespace EdgeSparse.Kernels.Attention;

/// <summary>Scaled dot-product attention. Formula: <see cref="AttentionParameters"/>.</summary>
public static unsafe partial class AttentionF32
{
    /// <summary>Checks the sizes and derives tiles, TaskCount and ScratchBytes.</summary>
    /// <exception cref="ArgumentException">A size that is not positive, or a mask key stride other than 0 or 1.</exception>
    public static void Prepare(ref AttentionParameters p)
    {
        if (p.Batch < 1 || p.Heads < 1 || p.Queries < 1 || p.Keys < 1 || p.HeadSize < 1 || p.ValueSize < 1)
            throw new ArgumentException($"attention of {p.Batch}x{p.Heads}, {p.Queries} queries, {p.Keys} keys, sizes {p.HeadSize} and {p.ValueSize}, expected at least 1 each");
        if (p.MaskKeyStride is not (0 or 1)) throw new ArgumentException($"mask key stride {p.MaskKeyStride}, expected 0 or 1");
        p.TaskCount = 1;
        p.ScratchBytes = (long)p.Keys * sizeof(double);
    }

    /// <summary>Runs one task; mask may be null. y may not overlap an input.</summary>
    public static void Run(AttentionParameters* p, float* q, float* k, float* v, float* mask, float* y, byte* scratch, int task)
        => Reference(p, q, k, v, mask, y, (double*)scratch);
}
