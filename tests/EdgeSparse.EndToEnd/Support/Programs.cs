using System.Diagnostics;
using System.Text;
using EdgeSparse.Testing;

namespace EdgeSparse.EndToEnd.Support;

/// <summary>What a program printed and how it ended.</summary>
internal sealed record Outcome(int ExitCode, string Output, string Error)
{
    /// <summary>The one line on standard error that a refusal must consist of; fails the test if there are more or it looks like a stack trace.</summary>
    public string OneErrorLine()
    {
        string[] lines = Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(lines.Length == 1, $"expected one line on standard error, found {lines.Length}:\n{Error}");
        Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", Error, StringComparison.Ordinal);
        return lines[0];
    }
}

/// <summary>The published programs in out/bin, run as a user would.</summary>
internal static class Programs
{
    /// <summary>No program under test may take longer; a bound against hanging, not a measure of speed.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    public static string Folder { get; } = Path.Combine(TestData.RepositoryRoot, "out", "bin");

    public static string EdgeSparse { get; } = Path.Combine(Folder, "edgesparse");

    public static string EdgeSparseDaemon { get; } = Path.Combine(Folder, "edgesparsed");

    public static string Models { get; } = Path.Combine(Folder, "models");

    public static Outcome Run(params string[] arguments) => RunProgram(EdgeSparse, arguments);

    public static Outcome RunDaemon(params string[] arguments) => RunProgram(EdgeSparseDaemon, arguments);

    public static Outcome RunProgram(string program, params string[] arguments)
    {
        using Process process = Start(program, arguments);
        var output = new StringBuilder();
        var error = new StringBuilder();
        process.OutputDataReceived += (_, line) => Append(output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(error, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(Limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} {string.Join(' ', arguments)} did not end within {Limit}:\n{error}");
        }
        process.WaitForExit();
        lock (output) lock (error) return new Outcome(process.ExitCode, output.ToString(), error.ToString());
    }

    public static Process Start(string program, params string[] arguments)
    {
        Assert.True(File.Exists(program) || !program.Contains('/', StringComparison.Ordinal), $"{program} is absent: run make build");
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = TestData.RepositoryRoot,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["NO_COLOR"] = "1";
        start.Environment.Remove("NOTIFY_SOCKET");
        start.Environment.Remove("JOURNAL_STREAM");
        Process process = Process.Start(start) ?? throw new InvalidOperationException($"cannot start {program}");
        process.StandardInput.Close();
        return process;
    }

    /// <summary>The full path of a program on PATH, or null.</summary>
    public static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    private static void Append(StringBuilder target, string? line)
    {
        if (line is null) return;
        lock (target) target.Append(line).Append('\n');
    }
}

/// <summary>A fact that needs a program on PATH and is skipped, with the reason, where it is absent.</summary>
internal sealed class ProgramFactAttribute : FactAttribute
{
    public ProgramFactAttribute(string program)
    {
        if (Programs.Find(program) is null) Skip = $"skipped: no {program}";
    }
}

/// <summary>A folder for one test, removed afterwards.</summary>
internal sealed class WorkFolder : IDisposable
{
    public WorkFolder() => Root = Directory.CreateTempSubdirectory("edgesparse-").FullName;

    public string Root { get; }

    public string this[string name] => Path.Combine(Root, name);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
