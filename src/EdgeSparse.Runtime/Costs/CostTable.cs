using EdgeSparse.Kernels;

namespace EdgeSparse.Runtime.Costs;

/// <summary>Rates of one level of the memory: what lies in <see cref="SizeBytes"/> or less is read and written at these many bytes a nanosecond by one thread.</summary>
public readonly record struct MemoryLevel(long SizeBytes, double LoadBytesPerNanosecond, double StoreBytesPerNanosecond);

/// <summary>Measured time of one way to compute a layer; <see cref="Threads"/> is 1 where the layer is not shared.</summary>
public readonly record struct LayerTiming(string Kernel, int Threads, double Nanoseconds);

/// <summary>
/// What computing costs on a processor with one instruction set: rates of the machine, a linear formula for each <see cref="CostClass"/>, and the measured times of
/// single layers. A plan is chosen by it. Measured by <see cref="CostTuner"/>, kept by <see cref="CostFile"/>; <see cref="Default"/> serves where nothing was measured.
/// </summary>
public sealed partial class CostTable
{
    private readonly double[][] _coefficients;
    private readonly Dictionary<string, LayerTiming[]> _layers = new(StringComparer.Ordinal);

    /// <param name="coefficients">For each class in the order of <see cref="CostClasses.All"/>, nanoseconds for one of each of its terms.</param>
    public CostTable(InstructionSet isa, string origin, MachineCosts machine, IReadOnlyList<double[]> coefficients)
    {
        ArgumentNullException.ThrowIfNull(origin);
        ArgumentNullException.ThrowIfNull(machine);
        ArgumentNullException.ThrowIfNull(coefficients);
        if (coefficients.Count != CostClasses.All.Count) throw new ArgumentException($"{coefficients.Count} formulas, expected {CostClasses.All.Count}", nameof(coefficients));
        for (int i = 0; i < coefficients.Count; i++)
        {
            int terms = CostClasses.Terms((CostClass)i).Count;
            if (coefficients[i].Length != terms || coefficients[i].Any(value => !(value >= 0) || !double.IsFinite(value)))
                throw new ArgumentException($"{(CostClass)i}: expected {terms} coefficients of 0 or more", nameof(coefficients));
        }
        Isa = isa;
        Origin = origin;
        Machine = machine;
        _coefficients = [.. coefficients];
    }

    public InstructionSet Isa { get; }

    /// <summary>Where the figures are from: <c>built in</c>, <c>measured</c> or a file.</summary>
    public string Origin { get; }

    public MachineCosts Machine { get; }

    /// <summary>Measured layers by their signature.</summary>
    public IReadOnlyDictionary<string, LayerTiming[]> Layers => _layers;

    /// <summary>Nanoseconds for one of each of the class's terms.</summary>
    public IReadOnlyList<double> Coefficients(CostClass costClass) => _coefficients[(int)costClass];

    public void SetLayer(string signature, LayerTiming[] timings) => _layers[signature] = timings;

    /// <summary>The measured time of a way to compute a layer, or null.</summary>
    internal double? Measured(string signature, string kernel, int threads)
    {
        if (!_layers.TryGetValue(signature, out LayerTiming[]? timings)) return null;
        foreach (LayerTiming timing in timings)
            if (timing.Threads == threads && timing.Kernel == kernel) return timing.Nanoseconds;
        return null;
    }

    /// <summary>Predicted time of all of a call's tasks on one thread.</summary>
    internal double Nanoseconds(in KernelWork work)
    {
        double[] coefficients = _coefficients[(int)work.Class];
        double sum = 0;
        for (int i = 0; i < coefficients.Length; i++) sum += coefficients[i] * work.Term(i);
        return sum;
    }

    /// <summary>Predicted time of work that takes one thread <paramref name="nanoseconds"/>, shared out in equal tasks.</summary>
    internal double Shared(double nanoseconds, int tasks, int threads)
    {
        threads = Math.Min(Math.Min(threads, Environment.ProcessorCount), tasks);
        if (threads <= 1) return nanoseconds;
        double longest = Math.Ceiling(tasks / (double)threads) / tasks;
        return nanoseconds * longest + Machine.HandOverNanoseconds;
    }
}

/// <summary>Rates of a machine that do not belong to one kernel; one thread, float32.</summary>
public sealed record MachineCosts
{
    /// <summary>Fused multiply-adds on registers, by lane, in a nanosecond.</summary>
    public required double PeakMultiplyAddsPerNanosecond { get; init; }

    /// <summary>Smallest level first; the last is main memory, with <see cref="long.MaxValue"/>.</summary>
    public required IReadOnlyList<MemoryLevel> Memory { get; init; }

    /// <summary>What sharing a step with another thread costs: publishing it, the other's first task, and waiting for its last.</summary>
    public required double HandOverNanoseconds { get; init; }

    /// <summary>Element-wise steps and copies: bytes read and written in a nanosecond.</summary>
    public required double BytesPerNanosecond { get; init; }

    /// <summary>Evaluations of exp, tanh and the like in a nanosecond.</summary>
    public required double FunctionsPerNanosecond { get; init; }

    /// <summary>The level that holds so many bytes.</summary>
    public MemoryLevel Level(long sizeBytes)
    {
        foreach (MemoryLevel level in Memory)
            if (sizeBytes <= level.SizeBytes) return level;
        return Memory[^1];
    }
}
