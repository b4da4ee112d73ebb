using System.Diagnostics;
using EdgeSparse.Cli.Output;
using EdgeSparse.Runtime;

namespace EdgeSparse.Cli.Models;

/// <summary>The times of one engine's runs, to be summed up as percentiles.</summary>
internal sealed class RunTimes(IInferenceSession session)
{
    private readonly List<long> _ticks = new(1 << 12);

    public void Run()
    {
        long start = Stopwatch.GetTimestamp();
        session.Run();
        _ticks.Add(Stopwatch.GetTimestamp() - start);
    }

    public void Clear() => _ticks.Clear();

    /// <summary>Percentiles by the nearest rank; GFLOP/s count two operations for each of <paramref name="multiplyAdds"/>, dense.</summary>
    public EngineTiming Summary(long? multiplyAdds)
    {
        long[] sorted = [.. _ticks];
        Array.Sort(sorted);
        double median = Milliseconds(Rank(sorted, 0.5));
        return new EngineTiming(session.Backend, sorted.Length, Milliseconds(sorted[0]), median, Milliseconds(Rank(sorted, 0.95)), Milliseconds(Rank(sorted, 0.99)),
            Milliseconds(sorted.Average()), 1e3 / median, multiplyAdds is > 0 ? 2e-6 * multiplyAdds / median : null);
    }

    private static long Rank(long[] sorted, double share) => sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];

    private static double Milliseconds(double ticks) => ticks * 1e3 / Stopwatch.Frequency;
}
