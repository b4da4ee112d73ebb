using System.CommandLine;
using System.Runtime.CompilerServices;
using EdgeSparse.Cli.Output;
using EdgeSparse.Kernels;
using Spectre.Console;

namespace EdgeSparse.Cli.Commands;

/// <summary><c>edgesparse kernels</c>: what this processor has, what this binary uses of it, and the kernels.</summary>
internal static class KernelsCommand
{
    public static Command Create(Terminal terminal)
    {
        var json = CommonOptions.Json();
        var command = new Command("kernels", "Show what this processor has and which kernels this binary uses.") { json };
        command.SetAction(parsed =>
        {
            KernelsReport report = Report();
            if (parsed.GetValue(json)) Json.Write(terminal, report, ReportContext.Default.KernelsReport);
            else Print(terminal, report);
            return ExitCode.Ok;
        });
        return command;
    }

    private static KernelsReport Report()
    {
        Processor processor = Processor.Current;
        InstructionSet used = InstructionSets.Best;
        return new KernelsReport("edgesparse.kernels/1", processor.Name, Environment.ProcessorCount, processor.Features, used.ToString(), processor.Best.ToString(), processor.Best > used,
            !RuntimeFeature.IsDynamicCodeSupported,
            [.. KernelCatalog.All.Select(kernel => new KernelReport(kernel.Operation, kernel.Name, kernel.InstructionSet.ToString(), InstructionSets.IsSupported(kernel.InstructionSet)))]);
    }

    private static void Print(Terminal terminal, KernelsReport report)
    {
        terminal.Line($"processor        {report.Processor}, {report.Processors} threads: {string.Join(' ', report.ProcessorFeatures)}");
        terminal.Line($"instruction set  {report.InstructionSet}{(report.AheadOfTime ? " (fixed when this binary was built)" : "")}");
        if (report.RebuildWouldHelp) terminal.Line($"                 the processor also has {report.BestOfProcessor}: build with ISA=native to use it");
        terminal.Line();
        Table table = Terminal.Table(4, "operation", "kernel", "instruction set", "usable here");
        foreach (KernelReport kernel in report.Kernels) Terminal.AddRow(table, kernel.Operation, kernel.Name, kernel.InstructionSet, kernel.Usable ? "yes" : "no");
        terminal.Write(table);
    }
}
