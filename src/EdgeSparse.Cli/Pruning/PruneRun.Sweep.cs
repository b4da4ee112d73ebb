using EdgeSparse.Cli.Evaluation;
using EdgeSparse.Cli.Output;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Vision;

namespace EdgeSparse.Cli.Pruning;

/// <summary>One model pruned to several shares of zeros, and where it breaks.</summary>
internal sealed partial class PruneRun
{
    /// <summary>
    /// Prunes to each share of the sweep and judges beside magnitude and chance. Written is the sparsest model that keeps <see cref="PruneRequest.MaxDrop"/>, or, where that is not given, the one before the
    /// sharp drop; <see cref="PruneSweepReport.Output"/> is null where there is none, or where it was interrupted: then the report has the points so far.
    /// </summary>
    public static PruneSweepReport Sweep(PruneRequest request, Terminal terminal) => Execute(request, terminal, run => run.Sweep(request.Sweep!));

    private PruneSweepReport Sweep(double[] shares)
    {
        if (_heldOut is null) throw new CliException(ExitCode.Usage, "--sweep needs pictures to judge by: give --calibrate or --judge");
        float[][] pictures = Pictures();
        PruningOptions options = _request.Options;
        var points = new List<PruneSweepPoint>();
        var models = new List<byte[]>();
        bool complete = false;
        try
        {
            for (int i = 0; i < shares.Length; i++)
            {
                OnnxModel model = Parse();
                PruningOptions here = options with { Sparsity = shares[i] };
                using PruningState? state = OpenState(here with { Sensitivity = null }, pictures, Suffix(shares[i]));
                PruningResult pruned = Prune(model, here with { State = state }, pictures, $"{Format.Number(100 * shares[i], "0.#")} %, {i + 1}/{shares.Length}");
                options = options with { Sensitivity = pruned.Sensitivity };
                PruneOutcome[] outcomes = Judge(model, pruned, options with { Sparsity = shares[i] });
                points.Add(new PruneSweepPoint(shares[i], Share(pruned), Lost(outcomes), false, outcomes, Layers(pruned)));
                models.Add(Bytes(model));
                foreach (string note in pruned.Notes) if (!_notes.Contains(note)) _notes.Add(note);
            }
            complete = true;
        }
        catch (OperationCanceledException)
        {
        }
        _terminal.EndProgress();
        foreach (double share in complete && pictures.Length > 0 ? shares : []) File.Delete(StatePath(Suffix(share)));
        int before = BeforeDrop(points);
        if (before >= 0) points[before] = points[before] with { IsBeforeDrop = true };
        int chosen = !complete ? -1 : _request.MaxDrop is { } allowed ? points.FindLastIndex(point => point.Lost <= allowed) : before;
        if (chosen >= 0) Write(models[chosen]);
        return new PruneSweepReport("edgesparse.prune-sweep/1", _request.Onnx, chosen >= 0 ? _request.Output : null, chosen >= 0 ? _request.Package : null, Pattern(options), Words(options.Criterion),
            options.Update.ToString().ToLowerInvariant(), Words(options.Allocation), options.Seed, _calibration?.Count ?? 0, _views, _heldOut.Count, complete, chosen >= 0 ? points[chosen].SparsityAsked : null, before >= 0 ? points[before].SparsityAsked : null,
            [.. points], [.. _notes]);
    }

    private static string Suffix(double share) => "." + Format.Number(1000 * share, "0");

    /// <summary>
    /// The last point before what is lost grows sharply: where the curve of what is kept over the share of zeros, from the dense model on, bends most; −1 where it does not bend.
    /// </summary>
    internal static int BeforeDrop(IReadOnlyList<PruneSweepPoint> points)
    {
        int knee = ParetoFront.Knee([(1, 1), .. points.Select(point => (1 - point.Sparsity, 1 - point.Lost))]);
        return knee <= 0 ? -1 : knee - 1;
    }

    /// <summary>A chart of what each method keeps over the share of zeros.</summary>
    public static void Plot(PruneSweepReport report, string path)
    {
        EvaluationMetrics dense = report.Points[0].Outcomes[0].Metrics!;
        (string axis, Func<EvaluationMetrics, double?> value) = dense.Accuracy is not null ? ("accuracy", metrics => metrics.Accuracy)
            : dense.MeanAveragePrecision is not null ? ("mAP@.5", metrics => metrics.MeanAveragePrecision) : ("agreement with the dense model", (Func<EvaluationMetrics, double?>)(metrics => metrics.Agreement));
        var chart = new Chart
        {
            Title = $"{Path.GetFileNameWithoutExtension(report.Model)}: {report.Pattern}, {report.Allocation}, {report.JudgedPictures} pictures",
            XLabel = "zeros in the pruned layers, %",
            YLabel = axis + ", %",
        };
        foreach (string method in report.Points[0].Outcomes.Skip(1).Select(outcome => outcome.Method))
        {
            bool own = method == report.Points[0].Outcomes[1].Method;
            chart.Series.Add(new ChartSeries(method, [new ChartPoint(0, 100 * (value(dense) ?? double.NaN)), .. report.Points.Select(point => (Point: point, Outcome: point.Outcomes.First(outcome => outcome.Method == method))).Select(pair =>
                new ChartPoint(100 * pair.Outcome.Sparsity, 100 * (value(pair.Outcome.Metrics!) ?? double.NaN), own && pair.Point.IsBeforeDrop ? "before the drop" : "", own && pair.Point.IsBeforeDrop))], Line: true));
        }
        FileOutput.Write(path, target =>
        {
            using Frame frame = chart.Render(1000, 600);
            ImageFile.Save(target, frame);
        });
    }
}
