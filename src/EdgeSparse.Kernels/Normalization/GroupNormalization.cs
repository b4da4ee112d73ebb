using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Normalization;

/// <summary>Parameters of <see cref="GroupNormalization"/>.</summary>
public struct GroupNormalizationParameters
{
    public InstructionSet Isa;

    /// <summary>x is [batch, channels, size].</summary>
    public long Batch, Channels, Size;

    /// <summary>Groups of channels; as many as channels for instance normalisation.</summary>
    public long Groups;

    public float Epsilon;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>y = (x − mean)/√(variance + ε)·scale[c] + bias[c], mean and variance over a group of channels of one image. Instance normalisation has one channel in a group. y may be x.</summary>
public static unsafe class GroupNormalization
{
    /// <summary>Checks and derives <see cref="GroupNormalizationParameters.TaskCount"/>.</summary>
    /// <exception cref="ArgumentException">Groups do not divide the channels, or a size is impossible.</exception>
    public static void Prepare(ref GroupNormalizationParameters p)
    {
        if (p.Batch < 0 || p.Size < 1 || p.Groups < 1 || p.Channels < p.Groups || p.Channels % p.Groups != 0)
            throw new ArgumentException($"GroupNormalization: {p.Groups} groups of [{p.Batch}, {p.Channels}, {p.Size}]");
        p.TaskCount = TaskSplit.Count(p.Batch * p.Groups, p.Channels / p.Groups * p.Size, 8192);
        p.ScratchBytes = 0;
    }

    /// <summary>Runs one task: a share of the groups.</summary>
    public static void Run(GroupNormalizationParameters* p, float* x, float* scale, float* bias, float* y, byte* scratch, int task)
    {
        long groupChannels = p->Channels / p->Groups, count = groupChannels * p->Size;
        long end = TaskSplit.Start(p->Batch * p->Groups, p->TaskCount, task + 1);
        for (long item = TaskSplit.Start(p->Batch * p->Groups, p->TaskCount, task); item < end; item++)
        {
            float* group = x + item * count;
            float mean = ReductionLoop.Row<SumReduction>(p->Isa, group, count) / count;
            float factor = 1 / MathF.Sqrt(ReductionLoop.Row<SquaredDifferenceReduction>(p->Isa, group, count, mean) / count + p->Epsilon);
            long channel = item % p->Groups * groupChannels;
            for (long i = 0; i < groupChannels; i++, channel++)
                NormalizeLoop.Run(p->Isa, group + i * p->Size, &mean, 0, &factor, 0, scale + channel, 0, bias + channel, 0, y + item * count + i * p->Size, p->Size);
        }
    }
}

/// <summary>Parameters of <see cref="BatchNormalization"/>.</summary>
public struct BatchNormalizationParameters
{
    public InstructionSet Isa;

    /// <summary>x is [batch, channels, size].</summary>
    public long Batch, Channels, Size;

    public float Epsilon;

    /// <summary>Applied to the result.</summary>
    public Activation Activation;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>y = (x − mean[c])/√(variance[c] + ε)·scale[c] + bias[c] with given statistics. y may be x.</summary>
public static unsafe class BatchNormalization
{
    /// <summary>Checks and derives <see cref="BatchNormalizationParameters.TaskCount"/>.</summary>
    /// <exception cref="ArgumentException">A negative size.</exception>
    public static void Prepare(ref BatchNormalizationParameters p)
    {
        if (p.Batch < 0 || p.Channels < 0 || p.Size < 0) throw new ArgumentException($"BatchNormalization: [{p.Batch}, {p.Channels}, {p.Size}]");
        p.TaskCount = TaskSplit.Count(p.Batch * p.Channels, p.Size);
        p.ScratchBytes = 0;
    }

    /// <summary>Runs one task: a share of the planes.</summary>
    public static void Run(BatchNormalizationParameters* p, float* x, float* scale, float* bias, float* mean, float* variance, float* y, byte* scratch, int task)
    {
        long end = TaskSplit.Start(p->Batch * p->Channels, p->TaskCount, task + 1);
        for (long item = TaskSplit.Start(p->Batch * p->Channels, p->TaskCount, task); item < end; item++)
        {
            long channel = item % p->Channels;
            float factor = 1 / MathF.Sqrt(variance[channel] + p->Epsilon);
            float* row = y + item * p->Size;
            NormalizeLoop.Run(p->Isa, x + item * p->Size, mean + channel, 0, &factor, 0, scale + channel, 0, bias + channel, 0, row, p->Size);
            Elementwise.ActivationPass.Apply(p->Isa, row, 1, p->Size, p->Size, p->Activation);
        }
    }
}
