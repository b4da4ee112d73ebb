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

    /// <summary>The programs are built when these tests run, so what is left of <c>make run</c> is its last line: it is run here as make prints it, on free ports.</summary>
    [Fact]
    public async Task Make_run_starts_a_daemon_that_becomes_ready()
    {
        string last = Plan("run")[^1];
        Assert.StartsWith("exec ", last, StringComparison.Ordinal);
        string[] words = last.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Programs.EdgeSparseDaemon, words[1]);
        Directory.CreateDirectory(Path.Combine(TestData.RepositoryRoot, "out", "run"));
        using var daemon = new RunningDaemon(words[2..]);
        await daemon.WaitForOkAsync("/readyz");
        daemon.WaitForLine("live page: http://127.0.0.1:");
        daemon.WaitForLine("mosquitto_sub -p ");
        daemon.WaitForLine("mosquitto_sub --unix ");
        Assert.Equal(0, daemon.Terminate().ExitCode);
    }

    /// <summary>These tests run under <c>make test</c> itself, so here make only tells what it would do.</summary>
    [Fact]
    public void Make_test_builds_and_runs_every_test_project()
    {
        string[] plan = Plan("test");
        Assert.Contains(plan, line => line.Contains("tools/build/publish.sh", StringComparison.Ordinal));
        Assert.Contains("tools/test/run.sh", plan[^1], StringComparison.Ordinal);
    }

    private static string[] Plan(string target)
    {
        Outcome plan = Programs.RunProgram("make", "--dry-run", "--no-print-directory", target);
        Assert.Equal(0, plan.ExitCode);
        return plan.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
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
