using System.Diagnostics;
using System.Runtime.InteropServices;
using EdgeSparse.Kernels;
using EdgeSparse.Kernels.Measurement;
using EdgeSparse.Kernels.SparseMatMul;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Execution;

namespace EdgeSparse.Runtime.Costs;

/// <summary>How well a formula tells the times it was fitted to: mean of |predicted − measured| / measured.</summary>
public readonly record struct FitQuality(CostClass Class, int Measurements, double MeanRelativeError);

/// <summary>
/// Measures a <see cref="CostTable"/> on this machine: the machine's rates by loops that do nothing else, the formulas by running layers of representative shapes through
/// one-layer sessions, so that what is timed is what a plan would run. Each time is the least of several runs, which a busy machine disturbs little.
/// </summary>
public static unsafe class CostTuner
{
    private const double SecondsPerRate = 0.03;
    private const double SecondsPerShape = 0.024;
    private const double SecondsPerLayer = 0.03;
    private const int RoundsPerShape = 4;
    private const int LeastRuns = 3;
    /// <summary>What a call costs before it computes anything; more would be another term's cost in the wrong place.</summary>
    private const double LargestCallNanoseconds = 500;
    /// <summary>A few cache lines that go from one core to another and back. Measured times can be less, because a second core brings caches of its own.</summary>
    private const double LeastHandOverNanoseconds = 500;

    /// <summary>Measures everything on one thread, the hand-over on two.</summary>
    /// <param name="progress">Told what is measured next; may be null.</param>
    /// <param name="quality">One entry a class.</param>
    public static CostTable Measure(InstructionSet isa, Action<string>? progress, out IReadOnlyList<FitQuality> quality)
    {
        progress?.Invoke("rates of the machine");
        MachineCosts machine = MeasureMachine(isa);
        var coefficients = new List<double[]>();
        var qualities = new List<FitQuality>();
        foreach (CostClass costClass in CostClasses.All)
        {
            (List<double[]> rows, List<double> times) = MeasureClass(isa, costClass, progress);
            double[] formula = LeastSquares.FitRelative(rows, times, LargestCallNanoseconds);
            coefficients.Add(formula);
            qualities.Add(new FitQuality(costClass, rows.Count, rows.Select((row, i) => Math.Abs(row.Zip(formula, (a, b) => a * b).Sum() - times[i]) / times[i]).Average()));
        }
        quality = qualities;
        return new CostTable(isa, "measured", machine, coefficients);
    }

    /// <summary>Work and time of every shape of a class. The shapes are gone through several times, so that a disturbance meets a part of each one's runs only.</summary>
    private static (List<double[]> Rows, List<double> Times) MeasureClass(InstructionSet isa, CostClass costClass, Action<string>? progress)
    {
        var sessions = new List<NativeSession>();
        try
        {
            var rows = new List<double[]>();
            var options = new SessionOptions { Threads = 1, Isa = isa, Kernels = IsSparse(costClass) ? KernelPreference.Sparse : costClass == CostClass.GatheredProduct ? KernelPreference.Auto : KernelPreference.Dense, Force = costClass == CostClass.GatheredProduct ? new LayerCandidate("gathered", 1, 0, null) : null };
            foreach (Graph layer in CostShapes.Of(costClass))
            {
                NativeSession session = NativeSession.Create(layer, options);
                sessions.Add(session);
                CostShapes.FillInputs(layer, session);
                KernelWork work = session.Describe().Layers[0].Work ?? throw new InvalidOperationException($"{layer.Name} has no formula");
                if (work.Class != costClass) throw new InvalidOperationException($"{layer.Name} is {work.Class}, expected {costClass}");
                rows.Add([.. Enumerable.Range(0, CostClasses.Terms(costClass).Count).Select(i => work.Term(i))]);
            }
            var times = new List<double>(Enumerable.Repeat(double.MaxValue, sessions.Count));
            for (int round = 0; round < RoundsPerShape; round++)
            {
                progress?.Invoke($"{CostClasses.Name(costClass)}, round {round + 1} of {RoundsPerShape}");
                for (int i = 0; i < sessions.Count; i++) times[i] = Math.Min(times[i], Least(sessions[i].Run, SecondsPerShape / RoundsPerShape));
            }
            return (rows, times);
        }
        finally
        {
            foreach (NativeSession session in sessions) session.Dispose();
        }
    }

    /// <summary>
    /// Times every way to compute each layer of a graph that has more than one, and puts the times into the table by the layers' signatures. Returns how many layers were measured.
    /// </summary>
    public static int MeasureLayers(CostTable table, Graph graph, int threads, Action<string>? progress)
    {
        ArgumentNullException.ThrowIfNull(table);
        ArgumentNullException.ThrowIfNull(graph);
        var options = new SessionOptions { Threads = threads, Isa = table.Isa, Costs = table };
        var measured = new HashSet<string>(StringComparer.Ordinal);
        foreach (Node node in graph.Nodes)
        {
            if (node.Kind is not (OperatorKind.Conv or OperatorKind.MatMul)) continue;
            Graph layer = CostShapes.Alone(node);
            LayerDescription description;
            using (NativeSession session = NativeSession.Create(layer, options)) description = session.Describe().Layers[0];
            if (description.Signature is not { } signature || description.Candidates.Count < 2 || !measured.Add(signature)) continue;
            progress?.Invoke($"{node.Name}: {signature}");
            List<LayerTiming> timings = MeasureWays(layer, options, description.Candidates);
            // Times of other numbers of threads stay.
            if (table.Layers.TryGetValue(signature, out LayerTiming[]? known))
                timings.AddRange(known.Where(old => !timings.Exists(now => now.Kernel == old.Kernel && now.Threads == old.Threads)));
            table.SetLayer(signature, [.. timings]);
        }
        return measured.Count;
    }

    private static List<LayerTiming> MeasureWays(Graph layer, SessionOptions options, IReadOnlyList<LayerCandidate> ways)
    {
        var sessions = new List<NativeSession>();
        try
        {
            foreach (LayerCandidate way in ways) sessions.Add(NativeSession.Create(layer, options with { Force = way }));
            foreach (NativeSession session in sessions) CostShapes.FillInputs(layer, session);
            var times = new List<double>(Enumerable.Repeat(double.MaxValue, ways.Count));
            for (int round = 0; round < RoundsPerShape; round++)
                for (int i = 0; i < times.Count; i++) times[i] = Math.Min(times[i], Least(sessions[i].Run, SecondsPerLayer / RoundsPerShape));
            return [.. ways.Select((way, i) => new LayerTiming(way.Kernel, way.Threads, times[i]))];
        }
        finally
        {
            foreach (NativeSession session in sessions) session.Dispose();
        }
    }

    private static MachineCosts MeasureMachine(InstructionSet isa)
    {
        const int rounds = 20_000;
        long multiplyAdds = MachineRates.MultiplyAdds(isa, rounds);
        double peak = multiplyAdds / Least(() => MachineRates.MultiplyAdds(isa, rounds), SecondsPerRate);
        var levels = new List<MemoryLevel>();
        IReadOnlyList<long> caches = ProcessorIdentity.Current.CacheBytes;
        long largest = Math.Min(caches.Count == 0 ? 16 << 20 : caches.Max() * 2, 64 << 20);
        using (var block = new NativeBlock(Math.Max(largest, 8 << 20)))
        {
            // A level is measured at four times the one before at most: a large last level is shared with whatever else runs.
            foreach (long cache in caches.Take(3)) levels.Add(Level(isa, block, cache, Math.Min(cache / 2, levels.Count == 0 ? cache : 4 * levels[^1].SizeBytes)));
            levels.Add(Level(isa, block, long.MaxValue, block.SizeBytes));
        }
        return new MachineCosts
        {
            PeakMultiplyAddsPerNanosecond = peak,
            Memory = levels,
            HandOverNanoseconds = MeasureHandOver(isa),
            BytesPerNanosecond = MeasureElementwise(isa, OperatorKind.Add, 12),
            FunctionsPerNanosecond = MeasureElementwise(isa, OperatorKind.Tanh, 1),
        };
    }

    private static MemoryLevel Level(InstructionSet isa, NativeBlock block, long size, long used)
    {
        used = Math.Max(used / 512 * 512, 512);
        double load = used / Least(() => MachineRates.Load(isa, block.Pointer, used), SecondsPerRate);
        double store = used / Least(() => MachineRates.Store(isa, block.Pointer, used), SecondsPerRate);
        return new MemoryLevel(size, load, store);
    }

    /// <summary>How much longer a step of almost no work takes when it is shared by two threads.</summary>
    private static double MeasureHandOver(InstructionSet isa)
    {
        if (Environment.ProcessorCount < 2) return CostTable.Default(isa).Machine.HandOverNanoseconds;
        // Two tasks of a few microseconds, many times, so that the worker is awake as it is within a model.
        Graph layer = CostShapes.Elementwise(OperatorKind.Add, 32 * 1024);
        const int repeats = 64;
        double Time(int threads)
        {
            using NativeSession session = NativeSession.Create(layer, new SessionOptions { Threads = threads, Isa = isa, Force = new LayerCandidate("", threads, 0, null) });
            return Least(() =>
            {
                for (int i = 0; i < repeats; i++) session.Run();
            }, SecondsPerRate) / repeats;
        }
        double alone = Time(1), shared = Time(2);
        return Math.Clamp(shared - alone / 2, LeastHandOverNanoseconds, 100_000);
    }

    private static double MeasureElementwise(InstructionSet isa, OperatorKind kind, double unitsPerElement)
    {
        const int count = 128 * 1024;
        using NativeSession session = NativeSession.Create(CostShapes.Elementwise(kind, count), new SessionOptions { Threads = 1, Isa = isa });
        return count * unitsPerElement / Least(session.Run, SecondsPerRate);
    }

    private static bool IsSparse(CostClass costClass) => costClass is CostClass.SparsePointwise or CostClass.SparseConvolution or CostClass.SparseProduct;

    /// <summary>The least of the times of some runs, in nanoseconds, after one that warms the caches.</summary>
    private static double Least(Action run, double seconds)
    {
        run();
        long best = long.MaxValue, end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        for (int i = 0; i < LeastRuns || Stopwatch.GetTimestamp() < end; i++)
        {
            long start = Stopwatch.GetTimestamp();
            run();
            best = Math.Min(best, Stopwatch.GetTimestamp() - start);
        }
        return Math.Max(best, 1) * 1e9 / Stopwatch.Frequency;
    }
}
