using System.Text.Json;

namespace EdgeSparse.Cli.Tests;

/// <summary>What the program printed and how it ended.</summary>
internal sealed record Outcome(int ExitCode, string Output, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    /// <summary>Fails unless the program ended with <paramref name="exitCode"/> and one line on standard error that contains <paramref name="message"/>.</summary>
    public void RefusedWith(int exitCode, string message)
    {
        Assert.True(exitCode == ExitCode, $"exit code {ExitCode}, expected {exitCode}: {Error}");
        string[] lines = Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(lines.Length == 1, $"expected one line on standard error, found {lines.Length}:\n{Error}");
        Assert.StartsWith("edgesparse: ", lines[0], StringComparison.Ordinal);
        Assert.Contains(message, lines[0], StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
    }

    public Outcome Succeeded()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}: {Error}");
        return this;
    }
}

/// <summary>The program, run within the test's process as a user would run it.</summary>
internal static class Cli
{
    public static Outcome Run(params string[] arguments)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        int code = Application.Run(arguments, new Terminal(output, error));
        return new Outcome(code, output.ToString(), error.ToString());
    }
}

/// <summary>A folder for one test, removed afterwards.</summary>
internal sealed class WorkFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("edgesparse-").FullName;

    public string this[string name] => Path.Combine(Root, name);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
