using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Normalization;

/// <summary>Parameters of <see cref="LocalResponseNormalization"/>.</summary>
public struct LocalResponseNormalizationParameters
{
    public InstructionSet Isa;

    /// <summary>x is [batch, channels, pixels].</summary>
    public long Batch, Channels, Pixels;

    /// <summary>Channels of the window, and ONNX's alpha, beta and bias.</summary>
    public int Size;

    public float Alpha, Beta, Bias;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>y[c] = x[c]/(bias + alpha/size·Σx[c′]²)^beta over the channels c − ⌊(size−1)/2⌋ … c + ⌈(size−1)/2⌉ (Krizhevsky 2012). y must not be x.</summary>
public static unsafe class LocalResponseNormalization
{
    /// <summary>Checks and derives <see cref="LocalResponseNormalizationParameters.TaskCount"/>.</summary>
    /// <exception cref="ArgumentException">A negative size or an empty window.</exception>
    public static void Prepare(ref LocalResponseNormalizationParameters p)
    {
        if (p.Batch < 0 || p.Channels < 0 || p.Pixels < 0 || p.Size < 1) throw new ArgumentException($"LRN: window {p.Size} of [{p.Batch}, {p.Channels}, {p.Pixels}]");
        p.TaskCount = TaskSplit.Count(p.Batch * p.Channels, p.Pixels * p.Size);
        p.ScratchBytes = 0;
    }

    /// <summary>Runs one task: a share of the planes.</summary>
    public static void Run(LocalResponseNormalizationParameters* p, float* x, float* y, byte* scratch, int task)
    {
        long end = TaskSplit.Start(p->Batch * p->Channels, p->TaskCount, task + 1);
        for (long item = TaskSplit.Start(p->Batch * p->Channels, p->TaskCount, task); item < end; item++)
        {
            long channel = item % p->Channels;
            long first = Math.Max(0, channel - (p->Size - 1) / 2), behind = Math.Min(p->Channels, channel + p->Size / 2 + 1);
            float* row = y + item * p->Pixels;
            ReductionLoop.Columns<SquaredDifferenceReduction>(p->Isa, x + (item - channel + first) * p->Pixels, behind - first, p->Pixels, row, p->Pixels);
            UnaryLoop.Run<AffineOperation>(p->Isa, row, row, p->Pixels, p->Alpha / p->Size, p->Bias);
            UnaryLoop.Run<AbsolutePowerOperation>(p->Isa, row, row, p->Pixels, -p->Beta, 0);
            BinaryLoop.Run<MultiplyOperation>(p->Isa, x + item * p->Pixels, 1, row, 1, row, p->Pixels);
        }
    }
}
