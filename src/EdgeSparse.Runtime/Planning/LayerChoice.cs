using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Runtime.Planning;

/// <summary>
/// The ways to compute one product and the choice among them. The kernel is chosen by its time on one thread, so that it, and with it every bit of the
/// result, does not depend on the number of threads; then whether the chosen kernel is shared among threads.
/// </summary>
internal sealed class LayerChoice(string signature, PlanBuilder builder)
{
    private readonly List<(LayerCandidate Candidate, KernelWork Work)> _ways = [];
    private int _chosen = -1;

    public string Signature { get; } = signature;

    /// <summary>The chosen kernel, once decided.</summary>
    public string Kernel => _ways[_chosen].Candidate.Kernel;

    public KernelWork Work => _ways[_chosen].Work;

    public IReadOnlyList<LayerCandidate> Candidates => [.. _ways.Select((way, i) => way.Candidate with { Chosen = i == _chosen })];

    /// <summary>Adds a kernel with its work when prepared for one thread, and when prepared for all of the session's.</summary>
    public void Add(string kernel, in KernelWork alone, in KernelWork shared)
    {
        double nanoseconds = builder.Costs.Nanoseconds(in alone);
        _ways.Add((new LayerCandidate(kernel, 1, nanoseconds, builder.Costs.Measured(Signature, kernel, 1)), alone));
        if (builder.Threads == 1 || shared.Tasks < 2) return;
        nanoseconds = builder.Costs.Shared(builder.Costs.Nanoseconds(in shared), shared.Tasks, builder.Threads);
        _ways.Add((new LayerCandidate(kernel, builder.Threads, nanoseconds, builder.Costs.Measured(Signature, kernel, builder.Threads)), shared));
    }

    /// <summary>The kernel, and whether it is shared among threads. Measured times are gone by where each of the compared ways has one.</summary>
    public (string Kernel, bool Shared) Decide()
    {
        if (builder.Force is { } force) _chosen = _ways.FindIndex(way => way.Candidate.Kernel == force.Kernel && way.Candidate.Threads == force.Threads);
        if (_chosen < 0)
        {
            string kernel = _ways[Least(way => way.Threads == 1)].Candidate.Kernel;
            _chosen = Least(way => way.Kernel == kernel);
        }
        return (Kernel, _ways[_chosen].Candidate.Threads > 1);
    }

    private int Least(Predicate<LayerCandidate> among)
    {
        bool measured = _ways.TrueForAll(way => !among(way.Candidate) || way.Candidate.MeasuredNanoseconds is not null);
        int best = -1;
        double bestTime = double.PositiveInfinity;
        for (int i = 0; i < _ways.Count; i++)
        {
            LayerCandidate candidate = _ways[i].Candidate;
            double time = measured ? candidate.Nanoseconds : candidate.PredictedNanoseconds;
            if (!among(candidate) || !(time < bestTime)) continue;
            best = i;
            bestTime = time;
        }
        return best;
    }
}
