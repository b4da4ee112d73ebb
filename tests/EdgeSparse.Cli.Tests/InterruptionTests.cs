using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using EdgeSparse.Testing;

namespace EdgeSparse.Cli.Tests;

/// <summary>Ctrl-C or SIGTERM in the middle of long work, sent to the program as a process of its own: the last whole result stays.</summary>
public sealed class InterruptionTests : IDisposable
{
    private const int Interrupted = 130;

    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

    private readonly WorkFolder _work = new();

    public void Dispose() => _work.Dispose();

    [DataTheory]
    [InlineData("--sweep 0.5,0.6,0.7,0.8,0.9", "s.onnx.600.pruning")]
    [InlineData("--sparsity 0.6", "s.onnx.pruning")]
    public void Prune_leaves_what_was_there_and_goes_on_from_the_layers_that_are_done(string arguments, string sign)
    {
        File.WriteAllText(_work["m.json"], """{ "name": "resnet8", "version": "1.0.0", "preprocess": {}, "decoder": { "type": "classification" } }""");
        File.Copy(TestData.Path("models", "mlperftiny_resnet8_cifar10.onnx"), _work["m.onnx"]);
        File.WriteAllText(_work["s.onnx"], "the last whole result");
        using var watcher = new FileSystemWatcher(_work.Root) { EnableRaisingEvents = true };
        string[] words = ["prune", _work["m.onnx"], "--calibrate", TestData.Path("images", "cifar10_test1000_jpeg.tar.gz"), "--pictures", "400", "--judged", "400", "--threads", "1", "-o", _work["s.onnx"], .. arguments.Split(' ')];
        using Process program = Start(words);
        // A layer is done when the file of finished layers has grown.
        while (!(File.Exists(_work[sign]) && new FileInfo(_work[sign]).Length > 1000)) watcher.WaitForChanged(WatcherChangeTypes.All, 100);
        Assert.Equal(Interrupted, Interrupt(program, "INT").ExitCode);
        Assert.Equal("the last whole result", File.ReadAllText(_work["s.onnx"]));
        Assert.Empty(Directory.EnumerateFiles(_work.Root, "*.tmp"));
        if (arguments.StartsWith("--sweep", StringComparison.Ordinal)) return;
        JsonElement report = Cli.Run([.. words, "--json"]).Succeeded().Json;
        Assert.Contains(report.GetProperty("notes").EnumerateArray(), note => note.GetString()!.Contains("layers taken over from an interrupted run", StringComparison.Ordinal));
        Assert.False(File.Exists(_work[sign]));
        Cli.Run("inspect", _work["s.onnx"]).Succeeded();
    }

    [DataTheory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void Optimize_leaves_the_best_package_so_far_and_a_report_that_says_so(string signal)
    {
        File.WriteAllText(_work["cifar.json"], """{ "name": "mbnet", "preprocess": { "scale": 0.00392156863 }, "decoder": { "type": "classification" } }""");
        using Process program = Start("optimize", TestData.Path("models", "own", "mbnet_dense.onnx"), "--calibrate", TestData.Path("images", "cifar10_test1000_jpeg.tar.gz"), "--manifest", _work["cifar.json"], "--pictures", "16", "--judged", "200",
            "--max-drop", "100%", "--patterns", "unstructured,4x1,2x1", "--seconds", "2", "--threads", "1", "-o", _work["o.esm"], "--report", _work["report"]);
        string? line;
        while ((line = program.StandardError.ReadLine()) is not null && !line.Contains("written", StringComparison.Ordinal))
        {
        }
        Assert.NotNull(line);
        (int code, string error) = Interrupt(program, signal);
        Assert.True(code == Interrupted, error);
        JsonElement report = JsonDocument.Parse(File.ReadAllText(_work["report/optimize.json"])).RootElement;
        Assert.Equal("interrupted", report.GetProperty("ended_by").GetString());
        JsonElement chosen = Assert.Single(report.GetProperty("candidates").EnumerateArray(), candidate => candidate.GetProperty("chosen").GetBoolean());
        Assert.NotEqual("dense", chosen.GetProperty("family").GetString());
        JsonElement inspected = Cli.Run("inspect", _work["o.esm"], "--json").Succeeded().Json;
        Assert.Contains(inspected.GetProperty("layers").EnumerateArray(), layer => layer.GetProperty("zeros").GetInt64() > 0);
        Assert.Empty(Directory.EnumerateFiles(_work.Root, "*.tmp", SearchOption.AllDirectories));
    }

    private static Process Start(params string[] arguments)
    {
        // A runner may have been started with signals ignored, which its children inherit.
        var start = new ProcessStartInfo("env", ["--default-signal=INT,TERM", Path.Combine(AppContext.BaseDirectory, "edgesparse")]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", ".."));
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    private static (int ExitCode, string Error) Interrupt(Process program, string signal)
    {
        using (Process kill = Process.Start("kill", ["-" + signal, program.Id.ToString(CultureInfo.InvariantCulture)])) kill.WaitForExit();
        Task<string> output = program.StandardOutput.ReadToEndAsync(), error = program.StandardError.ReadToEndAsync();
        if (!program.WaitForExit(s_limit)) program.Kill();
        Task.WaitAll(output, error);
        return (program.ExitCode, error.Result);
    }
}
