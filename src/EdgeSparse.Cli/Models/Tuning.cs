using EdgeSparse.Kernels;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Cli.Models;

/// <summary>What <c>edgesparse tune</c> measured on this processor, for the commands that plan.</summary>
internal static class Tuning
{
    /// <summary>The folder given, or the default one; null where there is none.</summary>
    public static string? Folder(string? given) => CostFile.Folder(given, Environment.GetEnvironmentVariable);

    /// <summary>The measured costs, or null, then plans go by the built-in ones; a file that cannot be used is noted.</summary>
    public static CostTable? Load(string? given, Terminal terminal)
    {
        if (Folder(given) is not { } folder) return null;
        CostTable? table = CostFile.Load(folder, ProcessorIdentity.Current, InstructionSets.Best, out string? problem);
        if (problem is not null) terminal.Note($"{problem} (plans go by built-in costs)");
        return table;
    }
}
