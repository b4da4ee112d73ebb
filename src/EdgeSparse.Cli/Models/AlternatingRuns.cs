using System.Diagnostics;
using EdgeSparse.Runtime;

namespace EdgeSparse.Cli.Models;

/// <summary>Times two sessions run by run in turn, so that whatever else the machine does meets both.</summary>
internal static class AlternatingRuns
{
    private const int WarmUpRuns = 3;

    /// <param name="other">May be null.</param>
    /// <param name="seconds">How long; <paramref name="leastRuns"/> at least.</param>
    /// <param name="before">Called before each run with its number, to give both sessions their input.</param>
    public static (RunTimes First, RunTimes? Second) Measure(IInferenceSession session, IInferenceSession? other, double seconds, Action<int> before, int leastRuns = 5, CancellationToken cancel = default)
    {
        var times = new RunTimes(session);
        RunTimes? otherTimes = other is null ? null : new RunTimes(other);
        before(0);
        for (int i = 0; i < WarmUpRuns; i++)
        {
            times.Run();
            otherTimes?.Run();
        }
        times.Clear();
        otherTimes?.Clear();
        long end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        for (int run = 0; run < leastRuns || Stopwatch.GetTimestamp() < end; run++)
        {
            cancel.ThrowIfCancellationRequested();
            before(run);
            times.Run();
            otherTimes?.Run();
        }
        return (times, otherTimes);
    }
}
