using System.CommandLine;
using System.Diagnostics;
using EdgeSparse.Cli.Models;
using EdgeSparse.Cli.Output;
using EdgeSparse.Compiler;
using EdgeSparse.Kernels;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Costs;
using Spectre.Console;

namespace EdgeSparse.Cli.Commands;

/// <summary><c>edgesparse tune</c>: measures what computing costs on this processor and keeps it, so that plans made here are chosen by it.</summary>
internal static class TuneCommand
{
    public static Command Create(Terminal terminal)
    {
        var model = new ModelOptions(modelIsOptional: true);
        Option<bool> json = CommonOptions.Json();
        var command = new Command("tune", "Measure this processor, and a model's layers where one is given; plans made here are chosen by it.");
        model.AddTo(command);
        command.Add(json);
        command.SetAction(parsed =>
        {
            ModelRequest request = model.Read(parsed);
            string folder = Tuning.Folder(request.StateFolder) ?? throw new CliException(ExitCode.Usage, "no folder to keep the measurements in: give --state DIR, or set HOME");
            TuneReport report = Measure(terminal, model.HasModel(parsed) ? OpenedModel.Open(request, terminal) : null, folder);
            if (parsed.GetValue(json)) Json.Write(terminal, report, ReportContext.Default.TuneReport);
            else Print(terminal, report);
            return ExitCode.Ok;
        });
        return command;
    }

    private static TuneReport Measure(Terminal terminal, OpenedModel? model, string folder)
    {
        Graph[] graphs = model?.NativeGraphs() ?? [];
        if (model is not null && graphs.Length == 0) throw new CliException(ExitCode.Data, $"{model.Name.File}: runs on ONNX Runtime, there is nothing to tune");
        FileOutput.CreateFolder(folder);
        long start = Stopwatch.GetTimestamp();
        InstructionSet isa = InstructionSets.Best;
        CostTable table = CostTuner.Measure(isa, terminal.Progress, out IReadOnlyList<FitQuality> quality);
        // What other models' layers took stays.
        if (CostFile.Load(folder, ProcessorIdentity.Current, isa, out _) is { } known)
            foreach ((string signature, LayerTiming[] timings) in known.Layers) table.SetLayer(signature, timings);
        int layers = graphs.Sum(graph => CostTuner.MeasureLayers(table, graph, model!.Threads, terminal.Progress));
        IReadOnlyList<EngineComparison> engines = model?.CompareEngines(table, terminal) ?? [];
        string path = Path.Combine(folder, CostFile.Name(ProcessorIdentity.Current, isa));
        FileOutput.Write(path, _ => CostFile.Save(table, folder, ProcessorIdentity.Current));
        terminal.EndProgress();
        MachineCosts machine = table.Machine;
        return new TuneReport("edgesparse.tune/1", ProcessorIdentity.Current.Name, isa.ToString(), path, Stopwatch.GetElapsedTime(start).TotalSeconds, 2 * machine.PeakMultiplyAddsPerNanosecond,
            machine.HandOverNanoseconds / 1e3, machine.BytesPerNanosecond, machine.FunctionsPerNanosecond,
            [.. machine.Memory.Select(level => new MemoryReport(level.SizeBytes == long.MaxValue ? null : level.SizeBytes, level.LoadBytesPerNanosecond, level.StoreBytesPerNanosecond))],
            [.. quality.Select(fit => new FormulaReport(CostClasses.Name(fit.Class), CostClasses.Terms(fit.Class).Zip(table.Coefficients(fit.Class)).ToDictionary(pair => pair.First, pair => pair.Second), fit.Measurements, fit.MeanRelativeError))],
            model?.Name.File, model?.Threads ?? 0, layers,
            [.. engines.Select(engine => new EngineReport(engine.Part, engine.Operators, engine.Other, engine.NativeNanoseconds / 1e6, engine.OtherNanoseconds / 1e6, engine.Runs))]);
    }

    private static void Print(Terminal terminal, TuneReport report)
    {
        terminal.Line($"processor  {report.Processor}, {report.InstructionSet}; one thread, measured in {Format.Number(report.Seconds, "0.0")} s");
        terminal.Line($"peak       {Format.Number(report.PeakGigaflopsPerSecond, "0.0")} GFLOP/s; hand-over to another thread {Format.Number(report.HandOverMicroseconds, "0.00")} us");
        foreach (MemoryReport level in report.Memory)
            terminal.Line($"memory     {(level.SizeBytes is { } size ? $"to {Format.Bytes(size)}" : "beyond"),-12}  loads {Format.Number(level.LoadBytesPerNanosecond, "0.0")} GB/s, stores {Format.Number(level.StoreBytesPerNanosecond, "0.0")} GB/s");
        if (report.Model is not null) terminal.Line($"model      {report.Model}: every way to compute its layers timed, {report.Threads} threads, {report.MeasuredLayers} different layers");
        foreach (EngineReport engine in report.Engines)
            terminal.Line($"engines    {(engine.Part < 0 ? "the model" : $"part {engine.Part}")}, {engine.Operators} operators: {Format.Number(engine.NativeMilliseconds, "0.###")} ms native, {Format.Number(engine.OtherMilliseconds, "0.###")} ms on {engine.Other}; the whole model, least of {engine.Runs} runs each");
        terminal.Line($"kept in    {report.File}");
        terminal.Line();
        Table table = Terminal.Table(1, "kernel", "measured", "mean error", "nanoseconds for one");
        foreach (FormulaReport formula in report.Formulas)
            Terminal.AddRow(table, formula.Kernel, Format.Count(formula.Measurements), Format.Number(100 * formula.MeanRelativeError, "0") + " %",
                string.Join("  ", formula.Nanoseconds.Select(term => $"{term.Key} {Format.Number(term.Value, "0.####")}")));
        terminal.Write(table);
    }
}
