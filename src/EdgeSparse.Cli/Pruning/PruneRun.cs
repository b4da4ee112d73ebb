using System.Diagnostics;
using EdgeSparse.Cli.Evaluation;
using EdgeSparse.Cli.Models;
using EdgeSparse.Cli.Output;
using EdgeSparse.Compiler;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Cli.Pruning;

/// <summary>What <c>edgesparse prune</c> was asked for.</summary>
/// <param name="Calibrate">Pictures to calibrate with, or null.</param>
/// <param name="Views">Of each calibration picture so many parts are calibrated with too.</param>
/// <param name="Judge">Pictures to judge by; null: those of <paramref name="Calibrate"/> that calibration leaves.</param>
/// <param name="MaxDrop">Most that accuracy, or agreement without labels, may lose, as a share; null: anything.</param>
internal sealed record PruneRequest(
    string Onnx, string Output, string? Package, string? Manifest, Dictionary<string, Shape> InputShapes, string? Calibrate, string? Judge, int CalibrationPictures, int Views, int JudgedPictures, double? MaxDrop,
    PruningOptions Options, double[]? Sweep = null);

/// <summary>Prunes, judges beside magnitude and chance, and writes.</summary>
internal sealed partial class PruneRun : IDisposable
{
    private readonly PruneRequest _request;
    private readonly Terminal _terminal;
    private readonly Interruption _interruption = new();
    private readonly byte[] _onnx;
    private readonly Manifest _manifest;
    private readonly List<string> _notes = [];
    private readonly NativeSession _dense;
    private readonly EvaluationSet? _calibration;
    private readonly EvaluationSet? _heldOut;
    private readonly Graph _graph;
    private readonly int _views;
    private ReferenceOutputs? _reference;

    private PruneRun(PruneRequest request, Terminal terminal)
    {
        _request = request;
        _terminal = terminal;
        if (Directory.Exists(request.Onnx)) throw new CliException(ExitCode.NoInput, $"{request.Onnx}: is a folder, expected an ONNX file");
        if (!File.Exists(request.Onnx)) throw new CliException(ExitCode.NoInput, $"{request.Onnx}: no such file");
        foreach (string target in (string[])[request.Output, .. request.Package is null ? (string[])[] : [request.Package]])
            if (Path.GetFullPath(request.Onnx) == Path.GetFullPath(target)) throw new CliException(ExitCode.Usage, $"'{target}' is the ONNX file itself, give another file to write");
        CompileResult compiled = Compiling.Compile(request.Onnx, new CompileOptions { Backend = CompileBackend.Native }, request.InputShapes, request.Manifest);
        if (compiled.Package is not { Graph: { } graph } package) throw Compiling.Refused(request.Onnx, compiled);
        _manifest = package.Manifest;
        _onnx = File.ReadAllBytes(request.Onnx);
        _graph = graph;
        _dense = NativeSession.Create(graph, new SessionOptions { Threads = request.Options.Threads });
        if (request.Calibrate is not null)
        {
            (_calibration, _heldOut) = Sets(request.Calibrate);
            _views = CalibrationPictures.FittingViews(_calibration, request.Views, graph, _notes);
        }
        else if (request.Judge is not null) _heldOut = Open(request.Judge).Take(request.JudgedPictures, request.Options.Seed);
    }

    /// <summary>Does all of it; <see cref="PruneReport.Output"/> is null where more was lost than allowed, and then nothing was written.</summary>
    public static PruneReport Execute(PruneRequest request, Terminal terminal) => Execute(request, terminal, run => run.Execute());

    private static T Execute<T>(PruneRequest request, Terminal terminal, Func<PruneRun, T> act)
    {
        using var run = new PruneRun(request, terminal);
        try
        {
            return act(run);
        }
        catch (ArgumentException error) when (error is not ArgumentNullException)
        {
            throw new CliException(ExitCode.Usage, $"{request.Onnx}: {error.Message}");
        }
    }

    public void Dispose()
    {
        _dense.Dispose();
        _calibration?.Dispose();
        _heldOut?.Dispose();
        _interruption.Dispose();
    }

    private PruneReport Execute()
    {
        long start = Stopwatch.GetTimestamp();
        PruningOptions options = _request.Options;
        float[][] pictures = Pictures();
        OnnxModel model = Parse();
        using PruningState? state = OpenState(options, pictures, "");
        PruningResult pruned = Prune(model, options with { State = state }, pictures, "pruning");
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        _notes.AddRange(pruned.Notes);
        if (pruned.Refinement is { } refined) _notes.Add($"refined in {refined.Passes} passes: error of the outputs on {(_calibration is { HasViews: true } ? "parts of the calibration pictures that were not learnt from" : "the calibration pictures")} {Format.Number(100 * refined.ErrorBefore, "0.00")} % before, {Format.Number(100 * refined.ErrorAfter, "0.00")} % after");
        if (options.Channels) _notes.Add($"{pruned.ChannelsRemoved} of the {pruned.Channels} channels that can be removed are gone from the file; the layers' zeros are the weights that read them");
        PruneOutcome[] outcomes = _heldOut is null ? [] : Judge(model, pruned, options);
        bool accepted = _request.MaxDrop is not { } allowed || Lost(outcomes) <= allowed;
        if (accepted) Write(Bytes(model));
        Forget(state, "");
        _terminal.EndProgress();
        return new PruneReport("edgesparse.prune/1", _request.Onnx, accepted ? _request.Output : null, accepted ? new FileInfo(_request.Output).Length : 0, accepted ? _request.Package : null, Pattern(options),
            Words(options.Criterion), options.Update.ToString().ToLowerInvariant(), Words(options.Allocation), options.Sparsity, options.Seed,
            _calibration?.Count ?? 0, _views, _heldOut?.Count ?? 0, seconds, pruned.Layers.Sum(layer => layer.Parameters), pruned.Layers.Sum(layer => layer.Zeros), outcomes,
            Layers(pruned),
            pruned.Plan is { } plan ? new PredictedTime(plan.Nanoseconds / 1e6, pruned.Sensitivity!.DenseNanoseconds / 1e6) : null, [.. _notes]);
    }

    private EvaluationSet Open(string path) => EvaluationSet.Open(path, _request.Onnx, _manifest, _dense.Inputs);

    private (EvaluationSet Calibration, EvaluationSet HeldOut) Sets(string path)
    {
        int wanted = CalibrationPictures.Fitting(_request.CalibrationPictures, _graph, _notes);
        EvaluationSet set = Open(path);
        if (_request.Judge is { } judge) return (set.Take(wanted, _request.Options.Seed), Open(judge).Take(_request.JudgedPictures, _request.Options.Seed));
        set.Require(2, "at least 2, some to calibrate with and some to judge by");
        return set.Split(Math.Min(wanted, Math.Max(1, set.Count * 3 / 4)), _request.JudgedPictures, _request.Options.Seed);
    }

    private float[][] Pictures() => _calibration is null ? [] : CalibrationPictures.Load(_calibration, _views, _dense.Inputs[0], _request.Options.Seed, _request.Onnx, _terminal, _interruption.Token);

    /// <summary>Where finished layers are kept while a model is pruned: beside the output, until the run ends by itself.</summary>
    private string StatePath(string suffix) => $"{_request.Output}{suffix}.pruning";

    /// <summary>Null where nothing is solved that would be worth keeping.</summary>
    private PruningState? OpenState(PruningOptions options, float[][] pictures, string suffix)
    {
        if (pictures.Length == 0) return null;
        PruningState? state = null;
        FileOutput.Write(StatePath(suffix), path => state = PruningState.Open(path, PruningState.Key(_onnx, options, pictures)));
        if (state!.Count > 0) _notes.Add($"{state.Count} layers taken over from an interrupted run ({StatePath(suffix)})");
        return state;
    }

    private void Forget(PruningState? state, string suffix)
    {
        if (state is null) return;
        state.Dispose();
        File.Delete(StatePath(suffix));
    }

    private OnnxModel Parse() => OnnxModel.Parse(_onnx, _request.Onnx);

    private PruningResult Prune(OnnxModel model, PruningOptions options, float[][] pictures, string what)
    {
        var import = new ImportOptions();
        foreach ((string name, Shape shape) in _request.InputShapes) import.InputShapes[name] = shape;
        Func<int, ulong, float[]>? views = options.RefinementPasses > 0 && _calibration is { HasViews: true } set ? CalibrationPictures.Views(set, _dense.Inputs[0], options.Seed) : null;
        return ModelPruner.Prune(model, options with { Views = views }, pictures, import, new TimedProgress(_terminal, what), _interruption.Token);
    }

    /// <summary>The dense model, the pruned one, and beside it what magnitude and chance alone make of the same pattern and share.</summary>
    private PruneOutcome[] Judge(OnnxModel model, PruningResult pruned, PruningOptions options)
    {
        ReferenceOutputs reference = _reference ??= ReferenceOutputs.Of(_heldOut!, _dense, _request.Onnx, _manifest, i => _terminal.Progress($"dense model: picture {i + 1}/{_heldOut!.Count}"), _interruption.Token);
        var outcomes = new List<PruneOutcome>
        {
            new("dense", 0, reference.Own),
            new($"{Words(options.Criterion)}{(options.Repair ? ", repaired" : "")}, update {options.Update.ToString().ToLowerInvariant()}{(options.RefinementPasses > 0 ? ", refined" : "")}", Share(pruned), Compare(reference, model, "pruned model")),
        };
        foreach (PruningCriterion criterion in (PruningCriterion[])[PruningCriterion.Magnitude, PruningCriterion.Random])
        {
            if (criterion == options.Criterion && options.Update == PruningUpdate.None) continue;
            OnnxModel other = Parse();
            PruningResult result = Prune(other, options with { Criterion = criterion, Update = PruningUpdate.None, Repair = false, RefinementPasses = 0, Allocation = SparsityAllocation.Uniform, TimeRatio = null, Sparsity = options.Allocation == SparsityAllocation.Measured ? Math.Min(Share(pruned), 0.999) : options.Sparsity }, [], Words(criterion));
            outcomes.Add(new PruneOutcome($"{Words(criterion)} alone", Share(result), Compare(reference, other, Words(criterion))));
        }
        return [.. outcomes];
    }

    private EvaluationMetrics Compare(ReferenceOutputs reference, OnnxModel model, string what)
    {
        var import = new ImportOptions();
        foreach ((string name, Shape shape) in _request.InputShapes) import.InputShapes[name] = shape;
        Graph graph = OnnxImporter.Import(model, import).Graph!;
        GraphPasses.Run(graph, []);
        using NativeSession session = NativeSession.Create(graph, new SessionOptions { Threads = _request.Options.Threads });
        return reference.Compare(session, i => _terminal.Progress($"{what}: picture {i + 1}/{_heldOut!.Count}"), _interruption.Token);
    }

    /// <summary>Zeros of the pruned layers.</summary>
    private static double Share(PruningResult result)
    {
        IEnumerable<PrunedLayer> chosen = result.Layers.Where(layer => layer.LeftDense is null);
        return (double)chosen.Sum(layer => layer.Zeros) / Math.Max(1, chosen.Sum(layer => layer.Parameters));
    }

    private double Lost(PruneOutcome[] outcomes)
    {
        if (outcomes.Length == 0) throw new CliException(ExitCode.Usage, "--max-drop needs pictures to judge by: give --calibrate or --judge");
        return AccuracyLoss.Of(outcomes[0].Metrics!, outcomes[1].Metrics!, _request.Onnx).Lost;
    }

    private static byte[] Bytes(OnnxModel model)
    {
        using var bytes = new MemoryStream();
        model.Write(bytes);
        return bytes.ToArray();
    }

    private void Write(byte[] model)
    {
        FileOutput.Write(_request.Output, model);
        if (_request.Package is null) return;
        var options = new CompileOptions { Backend = CompileBackend.Native, Manifest = _manifest };
        foreach ((string name, Shape shape) in _request.InputShapes) options.InputShapes[name] = shape;
        CompileResult compiled = ModelCompiler.Compile(_request.Output, options);
        ModelPackage package = compiled.Package ?? throw Compiling.Refused(_request.Output, compiled);
        FileOutput.Write(_request.Package, package.Save);
    }

    private static PrunedLayerReport[] Layers(PruningResult pruned) =>
        [.. pruned.Layers.Select(layer => new PrunedLayerReport(layer.Name, layer.Operator, layer.Outputs, layer.Inputs, layer.Positions, layer.Parameters, layer.ZerosAsked, layer.Zeros, layer.OutputError is { } error ? Json.Finite(error) : null, layer.LeftDense))];

    private static string Words(SparsityAllocation allocation) => allocation == SparsityAllocation.ErdosRenyiKernel ? "erk" : allocation.ToString().ToLowerInvariant();

    private static string Pattern(PruningOptions options) => options.Channels ? "channels" : options.Pattern.Name;

    private static string Words(PruningCriterion criterion) => criterion == PruningCriterion.SecondOrder ? "second-order" : criterion.ToString().ToLowerInvariant();

    /// <summary>A bar with the time left, by the steps done so far.</summary>
    private sealed class TimedProgress(Terminal terminal, string what) : IProgress<PruningProgress>
    {
        private const int Width = 24;

        private readonly long _start = Stopwatch.GetTimestamp();

        public void Report(PruningProgress value)
        {
            int filled = Width * value.Done / Math.Max(1, value.Total);
            double elapsed = Stopwatch.GetElapsedTime(_start).TotalSeconds, left = value.Done == 0 ? 0 : elapsed / value.Done * (value.Total - value.Done);
            terminal.Progress($"{what} [{new string('#', filled)}{new string('.', Width - filled)}] {value.Done}/{value.Total} {(value.Done == 0 ? "" : $"{Format.Number(left, "0")} s left ")}{value.Layer}");
        }
    }
}
