namespace EdgeSparse.Cli;

/// <summary>The program's exit codes: 0, 1 for a comparison that failed, and those of sysexits.h.</summary>
internal static class ExitCode
{
    public const int Ok = 0;
    /// <summary><c>verify</c>: an output lies beyond the tolerance; <c>prune</c>: more was lost than allowed, and nothing was written; <c>optimize</c>: nothing faster was found within the bound.</summary>
    public const int Different = 1;
    /// <summary>The command line is wrong.</summary>
    public const int Usage = 64;
    /// <summary>The model, picture or array is damaged, or does not fit.</summary>
    public const int Data = 65;
    /// <summary>An input cannot be opened.</summary>
    public const int NoInput = 66;
    /// <summary>A library or execution provider is absent.</summary>
    public const int Unavailable = 69;
    /// <summary>A defect of this program.</summary>
    public const int Software = 70;
    /// <summary>An output cannot be created.</summary>
    public const int CannotCreate = 73;
    /// <summary>Writing an output failed.</summary>
    public const int Io = 74;
    /// <summary>model.json or labels.txt is wrong.</summary>
    public const int Configuration = 78;
    /// <summary>Stopped by Ctrl-C: 128 + SIGINT.</summary>
    public const int Interrupted = 130;
}

/// <summary>A command cannot go on for a reason that its user can mend: one line, and the exit code that fits.</summary>
internal sealed class CliException(int exitCode, string message) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
