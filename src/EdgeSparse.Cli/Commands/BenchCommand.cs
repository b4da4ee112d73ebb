using System.CommandLine;
using System.Diagnostics;
using EdgeSparse.Cli.Models;
using EdgeSparse.Cli.Output;
using EdgeSparse.Kernels;
using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Backends.Isolated;
using Spectre.Console;

namespace EdgeSparse.Cli.Commands;

/// <summary>
/// <c>edgesparse bench</c>: times a model on seeded random inputs. With <c>--against onnxruntime</c> the engines alternate run by run, so that
/// whatever else the machine does meets both; the speedup is the ratio of the medians.
/// </summary>
internal static class BenchCommand
{
    private const int WarmUpRuns = 3;
    private const int LeastRuns = 5;

    public static Command Create(Terminal terminal)
    {
        var model = new ModelOptions();
        Option<double> seconds = CommonOptions.Number("--seconds", "How long to measure.", 5, 0, 3600);
        Option<string?> against = CommonOptions.Choice("--against", "Time another engine too, alternating with the first; one-thread: the native engine on one thread; in-process: the same without --onnxruntime-isolated.", "onnxruntime", "native", "one-thread", "in-process");
        var baseline = new Option<string?>("--baseline") { Description = "The model that the other engine runs, where it is another one: the dense original of a sparse or token-reduced package.", HelpName = "MODEL" };
        var profile = new Option<bool>("--profile") { Description = "Also the least time of each layer (native backend) beside its roofline, from runs of its own." };
        Option<string?> pictures = CommonOptions.Text("--pictures", "Run on pictures in turn instead of random inputs, for models whose time depends on what they see: a folder, .tar.gz, IDX or .npy file.", "PATH");
        Option<long> seed = CommonOptions.Integer("--seed", "Seed of the random inputs, or of the choice of pictures.", 1, 0, long.MaxValue);
        Option<bool> json = CommonOptions.Json();
        var command = new Command("bench", "Time a model: min, median, 95th and 99th percentile, frames per second, GFLOP/s.");
        model.AddTo(command);
        foreach (Option option in (Option[])[seconds, against, baseline, profile, pictures, seed, json]) command.Add(option);
        command.SetAction(parsed =>
        {
            BenchReport report = Measure(terminal, model.Read(parsed), parsed.GetValue(against), parsed.GetValue(baseline), parsed.GetValue(seconds), parsed.GetValue(profile), parsed.GetValue(pictures), (ulong)parsed.GetValue(seed));
            if (parsed.GetValue(json)) Json.Write(terminal, report, ReportContext.Default.BenchReport);
            else Print(terminal, report);
            return ExitCode.Ok;
        });
        return command;
    }

    private static BenchReport Measure(Terminal terminal, ModelRequest request, string? against, string? baseline, double seconds, bool profile, string? pictures, ulong seed)
    {
        if (baseline is not null && against is not ("onnxruntime" or "native"))
            throw new CliException(ExitCode.Usage, "--baseline names what the other engine runs: say which with --against onnxruntime or --against native");
        bool inProcess = against == "in-process";
        if (inProcess && !request.IsIsolated) throw new CliException(ExitCode.Usage, "--against in-process compares with --onnxruntime-isolated, which is missing");
        OpenedModel model = OpenedModel.Open(request, terminal);
        OpenedModel otherModel = baseline is not null ? OpenedModel.Open(request with { Path = baseline }, terminal) : inProcess ? OpenedModel.Open(request with { IsIsolated = false }, terminal) : model;
        using IInferenceSession session = model.CreateSession();
        bool oneThread = against == "one-thread";
        using IInferenceSession? other = against switch
        {
            "onnxruntime" => otherModel.CreateSession(BackendChoice.OnnxRuntime),
            "native" => otherModel.CreateSession(BackendChoice.Native),
            "one-thread" => model.CreateOneThreadSession(),
            "in-process" => otherModel.CreateSession(),
            _ => null,
        };
        if (oneThread && session is not NativeSession) throw new CliException(ExitCode.Data, $"--against one-thread compares the native engine with itself, the model runs on {session.Backend}");
        if (inProcess && session is not IsolatedSession) throw new CliException(ExitCode.Data, $"--against in-process compares ONNX Runtime with itself, the model runs on {session.Backend}");
        if (baseline is null && !oneThread && !inProcess && other?.Backend == session.Backend) throw new CliException(ExitCode.Usage, $"the model already runs on {session.Backend}: there is nothing to compare with; choose another --backend");
        if (profile && session is not NativeSession) throw new CliException(ExitCode.Data, $"--profile measures the native backend's layers, the model runs on {session.Backend}");
        using var feed = new BenchInputs(model, session.Inputs, pictures, seed);
        feed.Fill(session, other);
        (RunTimes times, RunTimes? otherTimes) = AlternatingRuns.Measure(session, other, seconds, run =>
        {
            if (run > 0 && feed.Varies) feed.Fill(session, other);
            if (run % 16 == 0) terminal.Progress($"{model.Name.File}: {run} runs");
        });

        // The description is the native engine's, whichever of the two it is; a baseline is another model.
        SessionDescription? description = (session as NativeSession ?? (baseline is null ? other as NativeSession : null))?.Describe();
        long? multiplyAdds = description?.Layers.Sum(l => l.MultiplyAdds), effective = description?.Layers.Sum(l => l.EffectiveMultiplyAdds);
        EngineTiming first = times.Summary(multiplyAdds);
        EngineTiming? second = otherTimes?.Summary(baseline is null ? multiplyAdds : null);
        bool isMixed = session.Backend.StartsWith("mixed/", StringComparison.Ordinal);
        if (baseline is not null || inProcess)
        {
            return Report(session is NativeSession ? first : null, session is NativeSession || isMixed ? null : first) with
            {
                BaselineModel = otherModel.Name,
                Baseline = second,
                BaselineSpeedup = second!.P50Milliseconds / first.P50Milliseconds,
            };
        }
        bool nativeFirst = session is NativeSession;
        EngineTiming? native = isMixed ? null : nativeFirst ? first : second, onnxRuntime = oneThread ? null : nativeFirst || isMixed ? second : first;
        return Report(native, onnxRuntime) with { OneThread = oneThread ? second : null, ThreadSpeedup = oneThread ? second!.P50Milliseconds / first.P50Milliseconds : null };

        BenchReport Report(EngineTiming? native, EngineTiming? onnxRuntime) => new("edgesparse.bench/1", model.Name, Processor.Current.Name, InstructionSets.Best.ToString(), model.Threads, seconds,
            multiplyAdds, effective, native, onnxRuntime, (isMixed ? first : native) is { } compared && onnxRuntime is not null ? onnxRuntime.P50Milliseconds / compared.P50Milliseconds : null,
            profile ? Profile(terminal, model, seconds, feed) : null, description?.Costs.Origin, Mixed: isMixed ? first : null);
    }

    /// <summary>Per-layer times from a session of its own: reading the clock after every layer would weigh on the times above.</summary>
    private static LayerReport[] Profile(Terminal terminal, OpenedModel model, double seconds, BenchInputs feed)
    {
        using NativeSession session = model.CreateProfiledSession();
        feed.Fill(session, null);
        for (int i = 0; i < WarmUpRuns; i++) session.Run();
        session.ResetProfile();
        long end = Stopwatch.GetTimestamp() + (long)(Math.Min(seconds, 5) * Stopwatch.Frequency);
        for (int runs = 0; runs < LeastRuns || Stopwatch.GetTimestamp() < end; runs++)
        {
            if (feed.Varies) feed.Fill(session, null);
            session.Run();
            if (runs % 16 == 0) terminal.Progress($"{model.Name.File}: {runs} profiled runs");
        }
        return Layers.Reports(session.Describe(), session.Profile());
    }

    private static string Baseline(BenchReport report) => report.BaselineModel!.File == report.Model.File ? "in this process" : Path.GetFileName(report.BaselineModel.File);

    private static void Print(Terminal terminal, BenchReport report)
    {
        terminal.Line($"{report.Model.File}: {report.Processor}, {report.InstructionSet}, {report.Threads} threads, {(report.MultiplyAdds is { } dense ? $"{Format.Count(dense)} multiply-adds dense, {Format.Count(report.EffectiveMultiplyAdds ?? 0)} computed" : "multiply-adds unknown")}");
        terminal.Line();
        Table table = Terminal.Table(1, "engine", "runs", "min ms", "p50 ms", "p95 ms", "p99 ms", "frames/s", "GFLOP/s dense");
        foreach (EngineTiming? engine in (EngineTiming?[])[report.Mixed, report.Native, report.Onnxruntime, report.OneThread, report.Baseline])
        {
            if (engine is null) continue;
            Terminal.AddRow(table, engine == report.OneThread ? "native, 1 thread" : engine == report.Baseline ? $"{engine.Backend}, {Baseline(report)}" : engine.Backend, Format.Count(engine.Runs), Format.Milliseconds(engine.MinMilliseconds), Format.Milliseconds(engine.P50Milliseconds),
                Format.Milliseconds(engine.P95Milliseconds), Format.Milliseconds(engine.P99Milliseconds), Format.Number(engine.FramesPerSecond, "0.0"),
                engine.GigaflopsPerSecond is { } rate ? Format.Number(rate, "0.0") : "");
        }
        terminal.Write(table);
        if (report.Speedup is { } speedup)
        {
            terminal.Line();
            terminal.Line($"{(report.Mixed is null ? "native" : report.Mixed.Backend)} takes {Format.Number(1 / speedup, "0.000")} of ONNX Runtime's median time ({Format.Number(speedup, "0.00")}x)");
        }
        if (report.BaselineSpeedup is { } gain)
        {
            terminal.Line();
            terminal.Line($"{report.Model.File} takes {Format.Number(1 / gain, "0.000")} of the median time of {Baseline(report)} on {report.Baseline!.Backend} ({Format.Number(gain, "0.00")}x)");
        }
        if (report.ThreadSpeedup is { } scaling)
        {
            terminal.Line();
            terminal.Line($"{report.Threads} threads are {Format.Number(scaling, "0.00")}x as fast as one, by the medians ({Format.Number(report.OneThread!.MinMilliseconds / report.Native!.MinMilliseconds, "0.00")}x by the least times)");
        }
        if (report.Layers is not { } layers) return;
        terminal.Line();
        terminal.Write(Layers.ProfileTable(layers));
    }
}
