using EdgeSparse.EndToEnd.Support;
using EdgeSparse.Testing;

namespace EdgeSparse.EndToEnd;

/// <summary>README promises commands; each of them is run here as it stands there.</summary>
public sealed class ReadmeTests
{
    private static readonly string[] Commands = ReadCommands();

    [Fact]
    public void README_has_the_commands_that_these_tests_run()
    {
        Assert.Equal("make run", Commands[0]);
        Assert.Equal("make test", Commands[1]);
        Assert.StartsWith("out/bin/edgesparse compile ", Commands[2], StringComparison.Ordinal);
        Assert.StartsWith("out/bin/edgesparse bench ", Commands[3], StringComparison.Ordinal);
        Assert.StartsWith("out/bin/edgesparsed ", Commands[4], StringComparison.Ordinal);
        Assert.Equal(5, Commands.Length);
    }

    /// <summary>These tests run under <c>make test</c> itself; here make only tells what it would do.</summary>
    [Theory]
    [InlineData(0, "edgesparsed")]
    [InlineData(1, "tools/test/run.sh")]
    public void The_make_targets_exist_and_start_what_they_say(int index, string expected)
    {
        string target = Commands[index].Split(' ')[1];
        Outcome plan = Programs.RunProgram("make", "--dry-run", "--no-print-directory", target);
        Assert.Equal(0, plan.ExitCode);
        Assert.Contains(expected, plan.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ones_own_model_takes_three_commands()
    {
        Outcome compile = Programs.RunProgram("bash", "-c", Commands[2]);
        Assert.True(compile.ExitCode == 0, compile.Error);
        Outcome bench = Programs.RunProgram("bash", "-c", Commands[3]);
        Assert.True(bench.ExitCode == 0, bench.Error);
        Assert.Contains("p50", bench.Output, StringComparison.OrdinalIgnoreCase);

        string[] arguments = [.. Commands[4].Split(' ').Skip(1)];
        using var daemon = new RunningDaemon(arguments);
        await daemon.WaitForOkAsync("/readyz");
        Assert.Equal(0, daemon.Terminate().ExitCode);
    }

    /// <summary>The lines of README's shell blocks, in order.</summary>
    private static string[] ReadCommands()
    {
        var commands = new List<string>();
        bool inside = false;
        foreach (string line in File.ReadLines(Path.Combine(TestData.RepositoryRoot, "README.md")))
        {
            if (line.StartsWith("```", StringComparison.Ordinal)) inside = line == "```sh";
            else if (inside && line.Length > 0) commands.Add(line);
        }
        return [.. commands];
    }
}
