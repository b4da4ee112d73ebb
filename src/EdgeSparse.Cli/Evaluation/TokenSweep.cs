using System.Diagnostics;
using System.Runtime.InteropServices;
using EdgeSparse.Cli.Models;
using EdgeSparse.Cli.Output;
using EdgeSparse.Compiler;
using EdgeSparse.Compiler.Tokens;
using EdgeSparse.Kernels;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Cli.Evaluation;

/// <summary>What a sweep measures.</summary>
/// <param name="Onnx">The dense model.</param>
/// <param name="Manifest">Its model.json, where not beside it.</param>
/// <param name="InputShapes">For inputs that it leaves open.</param>
/// <param name="Source">Folder or file of pictures.</param>
/// <param name="Samples">Most pictures of a point.</param>
/// <param name="Targets">Shares of the dense multiply-adds; each method is brought as near to each as it can.</param>
/// <param name="Specs">Further points, as written.</param>
/// <param name="Seconds">How long each point is timed.</param>
internal sealed record TokenSweepRequest(
    string Onnx, string? Manifest, Dictionary<string, Shape> InputShapes, string Source, int Samples, ulong Seed, IReadOnlyList<double> Targets, IReadOnlyList<string> Specs, double Seconds,
    int Threads, CostTable? Costs);

/// <summary>Reduces a model's tokens by every method, as strongly as each target asks, and measures time and what is lost on pictures.</summary>
internal sealed class TokenSweep : IDisposable
{
    private const int WarmUpRuns = 3;
    private const int LeastRuns = 20;

    /// <summary>Runs of each picture where the time follows from it.</summary>
    private const int RunsOfPicture = 5;

    private readonly TokenSweepRequest _request;
    private readonly CancellationToken _cancel;
    private readonly Action<int, int, string> _progress;
    private readonly Dictionary<string, TokenReductionResult> _plans = new(StringComparer.Ordinal);
    private readonly List<string> _refused = [];
    private readonly List<TokenPoint> _points = [];
    private readonly Graph _graph;
    private string? _problem;
    private readonly NativeSession _dense;
    private readonly EvaluationSet _all;
    private readonly EvaluationSet _set;

    /// <summary>Compiles the model and finds the pictures; nothing is measured yet.</summary>
    /// <param name="progress">Told how many of how many steps are done, and what is at hand.</param>
    public TokenSweep(TokenSweepRequest request, Action<int, int, string> progress, CancellationToken cancel)
    {
        _request = request;
        _cancel = cancel;
        _progress = progress;
        CompileResult result = Compile(null);
        Manifest = result.Package!.Manifest;
        _graph = result.Package.Graph!;
        _dense = Session(_graph);
        _all = EvaluationSet.Open(request.Source, request.Onnx, Manifest, _dense.Inputs);
        _set = _all.Take(request.Samples, request.Seed);
    }

    public Manifest Manifest { get; }

    public void Dispose()
    {
        _dense.Dispose();
        _all.Dispose();
    }

    /// <summary>Measures. Where it is cancelled, the report has the points so far.</summary>
    public TokensReport Run()
    {
        bool complete = false;
        try
        {
            Measure();
            complete = true;
        }
        catch (OperationCanceledException)
        {
        }
        TokenPoint[] candidates = [.. _points.Where(point => !point.IsBaseline)];
        int knee = ParetoFront.Knee([.. candidates.Select(point => (point.TimeShare, Worth(point)))]);
        TokenPoint[] points = [.. _points.Select(point => point with { IsKnee = knee >= 0 && point == candidates[knee] })];
        return new TokensReport("edgesparse.tokens/1", new ModelName(_request.Onnx, Manifest.Name, Manifest.Version, Manifest.SourceSha256), Processor.Current.Name, InstructionSets.Best.ToString(),
            _dense.Describe().Threads, _request.Source, _set.Count, _request.Seed, complete, points, [.. _request.Targets.Select(target => Best(points, target)).OfType<TokenBest>()],
            knee < 0 ? null : candidates[knee].Spec, [.. _refused]);
    }

    private void Measure()
    {
        _progress(0, 1, "the dense model");
        ReferenceOutputs reference = ReferenceOutputs.Of(_set, _dense, _request.Onnx, Manifest, null, _cancel);
        TransformerLayers layers = TransformerLayers.Find(_graph);
        List<(string Method, string Spec)> specs = [];
        foreach (TokenFamily family in TokenFamily.All(layers.Tokens, layers.Layers.Count))
            foreach (double target in _request.Targets)
                if (Nearest(family, target) is { } spec && !specs.Exists(known => known.Spec == spec)) specs.Add((family.Name, spec));
        specs.AddRange(_request.Specs.Where(spec => !specs.Exists(known => known.Spec == spec)).Select(spec => (TokenFamily.NameOf(TokenReductions.Parse(spec)!), spec)));
        long multiplyAdds = _dense.Describe().Layers.Sum(layer => layer.MultiplyAdds);
        _points.Add(new TokenPoint("dense", "", [.. Enumerable.Repeat(layers.Tokens, layers.Layers.Count + 1)], false, null, multiplyAdds, 1, 0, 0, 1, false, false, reference.Own));
        for (int i = 0; i < specs.Count; i++)
        {
            (string method, string spec) = specs[i];
            _progress(i, specs.Count, spec);
            Graph graph = Compile(TokenReductions.Parse(spec)).Package!.Graph!;
            using NativeSession session = Session(graph);
            TokenReductionResult plan = _plans[spec];
            int count = Enumerable.Range(0, session.Outputs.Count).FirstOrDefault(output => session.Outputs[output].Name == TokenCount.OutputName, -1);
            long left = 0;
            EvaluationMetrics metrics = reference.Compare(session, _ => left += count < 0 ? 0 : MemoryMarshal.Read<int>(session.Output(count)), _cancel);
            (double milliseconds, double dense) = plan.Varies ? MeanTime(session) : Time(session);
            _points.Add(new TokenPoint(method, spec, [.. plan.Layers.Select(layer => layer.Tokens), plan.Layers[^1].TokensAfter], plan.Varies, count < 0 ? null : (double)left / _set.Count,
                plan.MultiplyAdds, (double)plan.MultiplyAdds / plan.MultiplyAddsBefore,
                milliseconds, dense, milliseconds / dense, IsBaseline(method), false, metrics));
        }
        double alone = Undisturbed(_points.Skip(1).Select(point => point.DenseMilliseconds));
        _points[0] = _points[0] with { Milliseconds = alone, DenseMilliseconds = alone };
    }

    /// <summary>Methods that tell what chance or likeness alone would keep.</summary>
    private static bool IsBaseline(string method) => method is "random" or "similarity";

    /// <summary>
    /// The family's specification whose multiply-adds come nearest to the target, by bisection over its strengths; null where the method cannot reduce this model. A method whose count
    /// varies with the picture is taken at thresholds instead.
    /// </summary>
    private string? Nearest(TokenFamily family, double target)
    {
        _problem = null;
        if (family.IsDynamic) return Share(family.Specification(1 - target)) is null ? null : family.Specification(1 - target);
        int low = 0, high = family.Steps;
        string? best = null;
        double least = double.PositiveInfinity;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            string spec = family.Specification((double)middle / family.Steps);
            double? share = Share(spec);
            if (share is { } found && Math.Abs(found - target) < least)
            {
                least = Math.Abs(found - target);
                best = spec;
            }
            // A strength that the model refuses is too strong.
            if (share is null || share < target) high = middle - 1;
            else low = middle + 1;
        }
        if (best is not null && _plans[best].MultiplyAdds < _plans[best].MultiplyAddsBefore) return best;
        string refused = $"{family.Name}: {_problem ?? "reduces nothing in this model"}";
        if (!_refused.Contains(refused)) _refused.Add(refused);
        return null;
    }

    /// <summary>The share of the multiply-adds left, or null where the model refuses the reduction.</summary>
    private double? Share(string spec)
    {
        _cancel.ThrowIfCancellationRequested();
        try
        {
            if (!_plans.TryGetValue(spec, out TokenReductionResult? plan)) plan = Compile(TokenReductions.Parse(spec)).Tokens!;
            return (double)plan.MultiplyAdds / plan.MultiplyAddsBefore;
        }
        catch (TokenReductionException problem)
        {
            _problem = problem.Message;
            return null;
        }
    }

    private CompileResult Compile(TokenReductionSpec? tokens)
    {
        CompileResult result = Compiling.Compile(_request.Onnx, new CompileOptions { Backend = CompileBackend.Native, Tokens = tokens }, _request.InputShapes, _request.Manifest);
        if (result.Package?.Graph is null) throw Compiling.Refused(_request.Onnx, result);
        if (result.Tokens is { } plan) _plans[tokens!.Text] = plan;
        return result;
    }

    private NativeSession Session(Graph graph) => NativeSession.Create(graph, new SessionOptions { Threads = _request.Threads, Costs = _request.Costs });

    /// <summary>Times of the session and of the dense model, which run in turn on one picture after the other.</summary>
    private (double Milliseconds, double Dense) Time(NativeSession session)
    {
        var times = new List<double>();
        var denseTimes = new List<double>();
        long end = Stopwatch.GetTimestamp() + (long)(_request.Seconds * Stopwatch.Frequency);
        for (int run = -WarmUpRuns; run < LeastRuns || Stopwatch.GetTimestamp() < end; run++)
        {
            _cancel.ThrowIfCancellationRequested();
            _set.Load((run + WarmUpRuns) % _set.Count, _dense.Input(0));
            _dense.Input(0).CopyTo(session.Input(0));
            double dense = Milliseconds(_dense), reduced = Milliseconds(session);
            if (run < 0) continue;
            denseTimes.Add(dense);
            times.Add(reduced);
        }
        return (Undisturbed(times), Undisturbed(denseTimes));
    }

    /// <summary>
    /// The same for a session whose time follows from the picture: means over pictures, of the least time of a few runs of each.
    /// </summary>
    private (double Milliseconds, double Dense) MeanTime(NativeSession session)
    {
        double time = 0, denseTime = 0;
        int pictures = 0;
        long end = Stopwatch.GetTimestamp() + (long)(_request.Seconds * Stopwatch.Frequency);
        for (; pictures < LeastRuns || (pictures < _set.Count && Stopwatch.GetTimestamp() < end); pictures++)
        {
            _cancel.ThrowIfCancellationRequested();
            _set.Load(pictures % _set.Count, _dense.Input(0));
            _dense.Input(0).CopyTo(session.Input(0));
            (double least, double leastDense) = (double.MaxValue, double.MaxValue);
            for (int run = 0; run < RunsOfPicture; run++)
            {
                leastDense = Math.Min(leastDense, Milliseconds(_dense));
                least = Math.Min(least, Milliseconds(session));
            }
            (time, denseTime) = (time + least, denseTime + leastDense);
        }
        return (time / pictures, denseTime / pictures);
    }

    private static double Milliseconds(NativeSession session)
    {
        long start = Stopwatch.GetTimestamp();
        session.Run();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    /// <summary>The time that a tenth of the runs stay below: whatever else the machine does disturbs it little.</summary>
    private static double Undisturbed(IEnumerable<double> times)
    {
        double[] sorted = [.. times.Order()];
        return sorted.Length == 0 ? 0 : sorted[sorted.Length / 10];
    }

    /// <summary>The more, the nearer to the dense model: agreement, or for outputs that are no classes the smaller error.</summary>
    private static double Worth(TokenPoint point) => point.Metrics.Agreement ?? -point.Metrics.Outputs.Max(output => output.RelativeError ?? double.MaxValue);

    /// <summary>Of the points near a target, the one that agrees most, and of the baselines there that which does. Where the count varies, the multiply-adds are not known.</summary>
    private static TokenBest? Best(TokenPoint[] points, double target)
    {
        const double near = 0.03;
        TokenPoint[] nearby = [.. points.Where(point => point.Spec.Length > 0 && !point.Varies && Math.Abs(point.MultiplyAddShare - target) <= near)];
        TokenPoint? best = nearby.Where(point => !point.IsBaseline).MaxBy(Worth), baseline = nearby.Where(point => point.IsBaseline).MaxBy(Worth);
        return best is null ? null : new TokenBest(target, best.Spec, best.MultiplyAddShare, best.TimeShare, 100 * (1 - best.Metrics.Agreement), 100 * (points[0].Metrics.Accuracy - best.Metrics.Accuracy),
            baseline?.Spec, 100 * (1 - baseline?.Metrics.Agreement));
    }
}
