using EdgeSparse.Cli.Evaluation;
using EdgeSparse.Runtime;

namespace EdgeSparse.Cli.Models;

/// <summary>What a timed model runs on: seeded random values, or pictures one after the other.</summary>
internal sealed class BenchInputs : IDisposable
{
    /// <summary>Pictures gone through in turn.</summary>
    private const int MaximumPictures = 64;

    private readonly ulong _seed;
    private readonly EvaluationSet? _all;
    private readonly EvaluationSet? _set;
    private int _next;

    public BenchInputs(OpenedModel model, IReadOnlyList<TensorInfo> inputs, string? pictures, ulong seed)
    {
        _seed = seed;
        if (pictures is null) return;
        _all = EvaluationSet.Open(pictures, model.Name.File, model.Manifest, inputs);
        _set = _all.Take(MaximumPictures, seed);
    }

    /// <summary>True where each run gets another input.</summary>
    public bool Varies => _set is not null;

    /// <summary>Gives both sessions the next input; the second may be null.</summary>
    public void Fill(IInferenceSession session, IInferenceSession? other)
    {
        if (_set is null)
        {
            TensorFiles.Randomize(session, _seed);
            if (other is not null) TensorFiles.Randomize(other, _seed);
            return;
        }
        _set.Load(_next++ % _set.Count, session.Input(0));
        if (other is not null) session.Input(0).CopyTo(other.Input(0));
    }

    public void Dispose() => _all?.Dispose();
}
