namespace EdgeSparse.Daemon;

/// <summary>The process's exit codes, those of sysexits.h.</summary>
internal static class ExitCode
{
    public const int Ok = 0;
    /// <summary>The command line is wrong.</summary>
    public const int Usage = 64;
    /// <summary>The model package is damaged or cannot be run.</summary>
    public const int Data = 65;
    /// <summary>A port or socket is taken by someone else.</summary>
    public const int Unavailable = 69;
    /// <summary>A defect of this program.</summary>
    public const int Software = 70;
    /// <summary>The configuration is wrong.</summary>
    public const int Configuration = 78;
}

/// <summary>The daemon cannot start or go on for a reason that the operator can mend: one line, and the exit code that fits.</summary>
internal sealed class DaemonException(int exitCode, string message) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
