using System.Diagnostics;
using EdgeSparse.Cli.Evaluation;
using EdgeSparse.Cli.Models;
using EdgeSparse.Cli.Output;
using EdgeSparse.Cli.Pruning;
using EdgeSparse.Compiler;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Kernels;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Cli.Optimization;

/// <summary>
/// Searches the fastest package within the bound. What the cost model predicts to gain nothing is not tried; the others are pruned with the calibration pictures, judged on the held-out ones and
/// timed in turn with the dense model. Whenever a better one is found it is written, so that the run can be stopped at any time.
/// </summary>
internal sealed class OptimizeRun : IDisposable
{
    /// <summary>A candidate must save this share of the dense model's time to be called faster: less is within what two runs of one model differ by.</summary>
    public const double LeastGain = 0.02;

    /// <summary>Medians of fewer runs mean little where other programs run too.</summary>
    private const int LeastRuns = 25;

    /// <summary>Candidates that are measured once more, longer, before one is chosen.</summary>
    private const int Finalists = 3;

    /// <summary>Pictures that the timed runs go through in turn.</summary>
    private const int TimedPictures = 16;

    /// <summary>Share of a time limit that is left for the last measurements.</summary>
    private const double SearchShare = 0.92;

    private readonly OptimizeRequest _request;
    private readonly Terminal _terminal;
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly Interruption _interruption = new();
    private readonly List<string> _notes = [];
    private readonly NativeSession _dense;
    private readonly ModelPackage _densePackage;
    private readonly byte[] _onnx;
    private readonly EvaluationSet _all;
    private readonly EvaluationSet? _judgeAll;
    private readonly EvaluationSet _calibration;
    private readonly EvaluationSet _heldOut;
    private readonly int _views;
    private readonly List<OptimizeCandidate> _candidates = [];
    private readonly List<(FamilySearch Search, int Tried)> _families = [];
    private readonly List<(Candidate Candidate, int Index)> _passed = [];
    private ReferenceOutputs _reference = null!;
    private CandidateBuilder _builder = null!;
    private byte[][] _inputs = [];
    private int _best = -1;

    private OptimizeRun(OptimizeRequest request, Terminal terminal)
    {
        _request = request;
        _terminal = terminal;
        if (Directory.Exists(request.Onnx)) throw new CliException(ExitCode.NoInput, $"{request.Onnx}: is a folder, expected an ONNX file");
        if (!File.Exists(request.Onnx)) throw new CliException(ExitCode.NoInput, $"{request.Onnx}: no such file");
        if (OpenedModel.IsPackage(request.Onnx)) throw new CliException(ExitCode.Data, $"{request.Onnx}: is a package; give the ONNX file it was compiled from");
        CompileResult compiled = Compiling.Compile(request.Onnx, new CompileOptions { Backend = CompileBackend.Native }, request.InputShapes, request.Manifest);
        _densePackage = compiled.Package is { Graph: not null } package ? package : throw Compiling.Refused(request.Onnx, compiled);
        OnnxModel model = OnnxModel.Read(request.Onnx);
        _onnx = model.FileBytes.ToArray();
        if (model.InlineExternalData())
        {
            using var whole = new MemoryStream();
            model.Write(whole);
            _onnx = whole.ToArray();
        }
        _dense = NativeSession.Create(_densePackage.Graph!, new SessionOptions { Threads = request.Threads, Costs = request.Costs });
        _all = Open(request.Calibrate);
        int wanted = CalibrationPictures.Fitting(request.CalibrationPictures, _densePackage.Graph!, _notes);
        if (request.Judge is { } judge)
        {
            _judgeAll = Open(judge);
            (_calibration, _heldOut) = (_all.Take(wanted, request.Seed), _judgeAll.Take(request.JudgedPictures, request.Seed));
        }
        else
        {
            _all.Require(2, "at least 2, some to calibrate with and some to judge by");
            (_calibration, _heldOut) = _all.Split(Math.Min(wanted, _all.Count / 2), request.JudgedPictures, request.Seed);
        }
        _views = CalibrationPictures.FittingViews(_calibration, request.Views, _densePackage.Graph!, _notes);
    }

    public static OptimizeReport Execute(OptimizeRequest request, Terminal terminal)
    {
        using var run = new OptimizeRun(request, terminal);
        return run.Execute();
    }

    public void Dispose()
    {
        _dense.Dispose();
        _all.Dispose();
        _judgeAll?.Dispose();
        _interruption.Dispose();
    }

    private EvaluationSet Open(string path) => EvaluationSet.Open(path, _request.Onnx, _densePackage.Manifest, _dense.Inputs);

    private OptimizeReport Execute()
    {
        Baseline();
        string ended = "complete";
        using (CancellationTokenSource search = Limited(SearchShare))
        {
            try
            {
                Search(search.Token);
            }
            catch (OperationCanceledException)
            {
                ended = "time limit";
            }
        }
        if (!_interruption.Token.IsCancellationRequested)
        {
            using CancellationTokenSource limit = Limited(1);
            try
            {
                Confirm(limit.Token);
            }
            catch (OperationCanceledException)
            {
                ended = "time limit";
            }
        }
        if (_interruption.Token.IsCancellationRequested) ended = "interrupted";
        bool faster = _best >= 0;
        // A result that an earlier run left is not replaced by an unchanged model because this one was interrupted.
        string? written = faster || ended != "interrupted" ? _request.Output : null;
        if (!faster && written is not null)
        {
            FileOutput.Write(_request.Output, _densePackage.Save);
            if (_request.OutputOnnx is { } onnx) FileOutput.Write(onnx, _onnx);
        }
        _terminal.EndProgress();
        OptimizeReport report = Report(written, ended);
        if (_request.ReportFolder is { } folder) OptimizeDocument.Write(folder, report);
        return report;
    }

    private CancellationTokenSource Limited(double share)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(_interruption.Token);
        if (_request.TimeLimit is { } limit) source.CancelAfter(TimeSpan.FromSeconds(Math.Max(0, limit.TotalSeconds * share - Stopwatch.GetElapsedTime(_start).TotalSeconds)));
        return source;
    }

    /// <summary>The dense model's answers and time; it is not bound by the time limit, without it there is nothing to say.</summary>
    private void Baseline()
    {
        CancellationToken cancel = _interruption.Token;
        float[][] pictures = CalibrationPictures.Load(_calibration, _views, _dense.Inputs[0], _request.Seed, _request.Onnx, _terminal, cancel);
        _reference = ReferenceOutputs.Of(_heldOut, _dense, _request.Onnx, _densePackage.Manifest, i => _terminal.Progress($"dense model: picture {i + 1}/{_heldOut.Count}"), cancel);
        AccuracyLoss own = AccuracyLoss.Of(_reference.Own, _reference.Own, _request.Onnx);
        _inputs = new byte[Math.Min(TimedPictures, _heldOut.Count)][];
        for (int i = 0; i < _inputs.Length; i++)
        {
            _inputs[i] = new byte[_dense.Input(0).Length];
            _heldOut.Load(i, _inputs[i]);
        }
        _terminal.Progress("dense model: time");
        double milliseconds = AlternatingRuns.Measure(_dense, null, _request.Seconds, run => Fill(_dense, run), LeastRuns, cancel).First.Summary(null).P50Milliseconds;
        _builder = new CandidateBuilder(_request, _onnx, pictures, _dense, milliseconds);
        _candidates.Add(new OptimizeCandidate("dense", "", null, null, null, null, [], 1, milliseconds, milliseconds, 1, own.Value, 0, true, false, false, "the model as it came", _reference.Own));
    }

    private void Search(CancellationToken cancel)
    {
        List<RecipeFamily> tokens = RecipeFamilies.Tokens(_densePackage.Graph!, _request.TokenMethods, out string? problem);
        if (problem is not null) _notes.Add($"no token reduction: {problem}");
        Explore([.. tokens, .. RecipeFamilies.Zeros(_request.Patterns, _request.Allocations)], cancel);
        Combine(cancel);
        Refine(cancel);
    }

    /// <summary>Tries recipes of the families, the one predicted to be fastest first, until each is searched or cannot beat what was found.</summary>
    private void Explore(IReadOnlyList<RecipeFamily> families, CancellationToken cancel)
    {
        int first = _families.Count;
        foreach (RecipeFamily family in families)
        {
            cancel.ThrowIfCancellationRequested();
            _terminal.Progress($"predicting {family.Name}");
            _families.Add((new FamilySearch(family, recipe =>
            {
                cancel.ThrowIfCancellationRequested();
                return _builder.Predict(recipe, new PruningSteps(this, recipe.Name), cancel);
            }, LeastGain), 0));
            // The weakest recipe of each family before any is searched further: what can be had at all is known soon.
            Rule(first);
            if (_families[^1].Search.Closed is null) Step(_families.Count - 1, cancel);
        }
        while (true)
        {
            Rule(first);
            int next = Enumerable.Range(first, _families.Count - first).Where(i => _families[i].Search.Closed is null).OrderBy(i => _families[i].Search.Predicted(_families[i].Search.Next)).FirstOrDefault(-1);
            if (next < 0) return;
            Step(next, cancel);
        }
    }

    /// <summary>Closes the families that cannot beat the best.</summary>
    private void Rule(int first)
    {
        if (_best < 0) return;
        // Predictions are compared with the prediction for the best, because they err alike; a best that takes longer than predicted is beaten more easily.
        double best = Math.Max(_candidates[_best].PredictedShare ?? 1, _candidates[_best].TimeShare!.Value);
        foreach ((FamilySearch search, _) in _families.Skip(first))
            if (search.Closed is null && search.Bound >= best) search.Close($"predicted to take {Share(search.Bound)} of the dense time at its strongest, no less than the best");
    }

    private void Step(int index, CancellationToken cancel)
    {
        (FamilySearch search, int tried) = _families[index];
        bool within = Try(search.Family, search.Family.Recipes[search.Next], search.Predicted(search.Next), cancel);
        search.Report(within);
        _families[index] = (search, tried + 1);
    }

    /// <summary>Builds, judges and times a recipe; true where it is within the bound.</summary>
    private bool Try(RecipeFamily family, Recipe recipe, double? predicted, CancellationToken cancel)
    {
        Progress(recipe.Name);
        var row = new OptimizeCandidate(family.Name, recipe.Name, recipe.Pattern?.Name, recipe.Pattern is null ? null : Recipe.Words(recipe.Allocation), null, recipe.Tokens?.Text, [.. recipe.KeptDense], predicted, null, null,
            null, null, null, false, false, false, "", null);
        Candidate candidate;
        try
        {
            candidate = _builder.Build(recipe, new PruningSteps(this, recipe.Name), cancel);
        }
        catch (RecipeException refused)
        {
            _candidates.Add(row with { Verdict = $"cannot be had: {refused.Message}" });
            return false;
        }
        using NativeSession session = _builder.Session(candidate.Graph);
        EvaluationMetrics metrics = _reference.Compare(session, i => Progress($"{recipe.Name}: picture {i + 1}/{_heldOut.Count}"), cancel);
        AccuracyLoss loss = AccuracyLoss.Of(_reference.Own, metrics, _request.Onnx);
        Progress($"{recipe.Name}: time");
        bool within = loss.Lost <= _request.MaxDrop;
        (double milliseconds, double dense) = Time(session, within ? _request.Seconds : _request.Seconds / 2, cancel);
        double share = milliseconds / dense;
        string verdict = !within ? $"loses {Points(loss.Lost)} points of {loss.Metric}, allowed are {Points(_request.MaxDrop)}"
            : share > 1 - LeastGain ? $"within the bound, but takes {Share(share)} of the dense time" : $"within the bound at {Share(share)} of the dense time";
        _candidates.Add(row with
        {
            Sparsity = candidate.Pruned == 0 ? null : (double)candidate.Zeros / candidate.Pruned, Milliseconds = milliseconds, DenseMilliseconds = dense, TimeShare = share, Value = loss.Value,
            LostPoints = 100 * loss.Lost, WithinBound = within, Verdict = verdict, Metrics = metrics,
        });
        if (!within || share > 1 - LeastGain) return within;
        int index = _candidates.Count - 1;
        _passed.Add((candidate, index));
        _passed.Sort((a, b) => _candidates[a.Index].TimeShare!.Value.CompareTo(_candidates[b.Index].TimeShare!.Value));
        if (_passed[0].Index == index) Take(candidate, index);
        return true;
    }

    /// <summary>Writes a candidate as the best so far.</summary>
    private void Take(Candidate candidate, int index)
    {
        FileOutput.Write(_request.Output, candidate.PackageBytes);
        if (_request.OutputOnnx is { } onnx) FileOutput.Write(onnx, candidate.Onnx);
        _best = index;
        OptimizeCandidate row = _candidates[index];
        _terminal.Note($"{row.Recipe}: {Share(row.TimeShare!.Value)} of the dense time, {Format.Number(row.LostPoints!.Value, "0.00")} points lost; {_request.Output} written");
        if (_request.ReportFolder is { } folder) OptimizeDocument.Write(folder, Report(_request.Output, "running"));
    }

    /// <summary>Token reductions on pruned weights, from the strongest zeros within the bound to weaker ones.</summary>
    private void Combine(CancellationToken cancel)
    {
        Recipe[] pruned = [.. _passed.Select(one => one.Candidate.Recipe).Where(recipe => recipe is { Pattern: not null, Tokens: null }).Take(Finalists)];
        RecipeFamily[] tokens = [.. _families.Where(family => family.Search.HasPassed && family.Search.Family.Recipes[0] is { Pattern: null }).Select(family => (family.Search, Share: _candidates
                .Where(row => row.WithinBound && row.Family == family.Search.Family.Name).Min(row => row.TimeShare) ?? 1)).OrderBy(family => family.Share).Take(2)
            .Select(family => family.Search.Family with { Recipes = [.. family.Search.Family.Recipes.Take(family.Search.Passed + 1)] })];
        if (pruned.Length == 0 || tokens.Length == 0) return;
        Explore([.. pruned.SelectMany(zeros => tokens.Select(family => new RecipeFamily($"{zeros.PruningName} + {family.Name}", [.. family.Recipes.Select(recipe => zeros with { Tokens = recipe.Tokens })])))], cancel);
    }

    /// <summary>
    /// Dense or sparse by measured time: every way to compute each layer of the best candidate is timed alone, and layers that zeros make no faster get their weights back, which leaves room for more
    /// zeros elsewhere.
    /// </summary>
    private void Refine(CancellationToken cancel)
    {
        if (_best < 0 || _passed[0].Candidate is not { Recipe.Pattern: not null } best) return;
        CostTable known = _request.Costs ?? CostTable.Default(InstructionSets.Best);
        var table = new CostTable(known.Isa, known.Origin, known.Machine, [.. CostClasses.All.Select(costClass => known.Coefficients(costClass).ToArray())]);
        string[] slower;
        using (NativeSession session = _builder.Session(best.Graph))
        {
            CostTuner.MeasureLayers(table, best.Graph, session.Describe().Threads, what =>
            {
                cancel.ThrowIfCancellationRequested();
                Progress($"timing {what}");
            });
            slower = [.. session.Describe().Layers.Where(layer => layer.Pattern is not null && layer.Signature is { } signature && table.Layers.TryGetValue(signature, out LayerTiming[]? times) && !Gains(times)).Select(layer => layer.Name)];
        }
        if (slower.Length == 0)
        {
            _notes.Add("each sparse layer of the best candidate was timed alone, dense and sparse: sparse is faster in all of them");
            return;
        }
        _notes.Add($"timed alone, zeros make {slower.Length} layers of the best candidate no faster; they were kept dense in a further search: {string.Join(", ", slower)}");
        RecipeFamily family = _families.Select(one => one.Search.Family).First(one => one.Name == _candidates[_best].Family);
        int from = Math.Max(0, family.Recipes.ToList().FindIndex(recipe => recipe.PruningName == best.Recipe.PruningName && recipe.Tokens?.Text == best.Recipe.Tokens?.Text));
        Explore([new RecipeFamily($"{family.Name}, slower layers dense", [.. family.Recipes.Skip(from).Select(recipe => recipe with { KeptDense = slower })])], cancel);
    }

    /// <summary>Least times, on as many threads as suit each way.</summary>
    private static bool Gains(LayerTiming[] times)
    {
        double Least(string kernel) => times.Where(time => time.Kernel == kernel).Select(time => time.Nanoseconds).DefaultIfEmpty(double.PositiveInfinity).Min();
        return Least("sparse") < Least("dense");
    }

    /// <summary>Measures the fastest few again, longer, and takes the one that is fastest then; those that are no faster than the dense model this time give way to the next.</summary>
    private void Confirm(CancellationToken cancel)
    {
        var confirmed = new List<(Candidate Candidate, int Index)>();
        foreach ((Candidate candidate, int index) in _passed)
        {
            if (confirmed.Count == Finalists) break;
            Progress($"{candidate.Recipe.Name}: time again");
            using NativeSession session = _builder.Session(candidate.Graph);
            (double milliseconds, double dense) = Time(session, 2 * _request.Seconds, cancel);
            double share = milliseconds / dense;
            bool faster = share <= 1 - LeastGain;
            _candidates[index] = _candidates[index] with
            {
                Milliseconds = milliseconds, DenseMilliseconds = dense, TimeShare = share,
                Verdict = faster ? $"within the bound at {Share(share)} of the dense time, measured twice" : $"within the bound, but measured again it takes {Share(share)} of the dense time",
            };
            if (faster) confirmed.Add((candidate, index));
        }
        if (_passed.Count == 0) return;
        if (confirmed.Count == 0)
        {
            _best = -1;
            return;
        }
        (Candidate best, int fastest) = confirmed.MinBy(one => _candidates[one.Index].TimeShare!.Value);
        if (fastest != _best) Take(best, fastest);
    }

    private (double Milliseconds, double Dense) Time(NativeSession session, double seconds, CancellationToken cancel)
    {
        (RunTimes times, RunTimes? dense) = AlternatingRuns.Measure(session, _dense, seconds, run =>
        {
            Fill(session, run);
            Fill(_dense, run);
        }, LeastRuns, cancel);
        return (times.Summary(null).P50Milliseconds, dense!.Summary(null).P50Milliseconds);
    }

    private void Fill(NativeSession session, int run) => _inputs[run % _inputs.Length].CopyTo(session.Input(0));

    private void Progress(string what)
    {
        int done = _candidates.Count, left = _families.Sum(family => family.Search.Left);
        TimeSpan elapsed = Stopwatch.GetElapsedTime(_start);
        // With a limit the time left is the limit's where the search would take longer.
        if (_request.TimeLimit is { } limit && elapsed.TotalSeconds / done * left > limit.TotalSeconds - elapsed.TotalSeconds) _terminal.Progress(what, (int)elapsed.TotalSeconds, (int)limit.TotalSeconds, elapsed);
        else _terminal.Progress(what, done, done + left, elapsed);
    }

    private OptimizeReport Report(string? written, string ended)
    {
        List<int> front = ParetoFront.Of([.. _candidates.Select(row => (row.TimeShare ?? double.PositiveInfinity, row.Value ?? double.NegativeInfinity))]);
        SessionDescription description = _dense.Describe();
        AccuracyLoss own = AccuracyLoss.Of(_reference.Own, _reference.Own, _request.Onnx);
        return new OptimizeReport("edgesparse.optimize/1", new ModelName(_request.Onnx, _densePackage.Manifest.Name, _densePackage.Manifest.Version, null), written, _best >= 0, own.Metric, 100 * _request.MaxDrop, own.Value,
            _request.Calibrate, _calibration.Count, _views, _request.Judge ?? _request.Calibrate, _heldOut.Count, _request.Seed, Processor.Current.Name, description.Isa.ToString(), description.Threads, description.Costs.Origin,
            Stopwatch.GetElapsedTime(_start).TotalSeconds, ended, _candidates[0].Milliseconds!.Value,
            [.. _candidates.Select((row, i) => row with { OnFront = row.Metrics is not null && front.Contains(i), Chosen = written is not null && i == (_best < 0 ? 0 : _best) })],
            [.. _families.Select(family => new OptimizeFamily(family.Search.Family.Name, family.Search.Family.Recipes.Count, family.Tried, family.Search.Closed ?? "not searched to its end"))], [.. _notes]);
    }

    private static string Share(double share) => Format.Number(100 * share, "0.0") + " %";

    private static string Points(double share) => Format.Number(100 * share, "0.00");

    private sealed class PruningSteps(OptimizeRun run, string name) : IProgress<PruningProgress>
    {
        public void Report(PruningProgress value) => run.Progress($"{name}: pruning, step {value.Done + 1}/{value.Total}");
    }
}
