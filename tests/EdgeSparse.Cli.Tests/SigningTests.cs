using System.Text.Json;
using EdgeSparse.Model;

namespace EdgeSparse.Cli.Tests;

public sealed class SigningTests : IDisposable
{
    private readonly WorkFolder _work = new();

    public void Dispose() => _work.Dispose();

    private string Package()
    {
        SmallModel.WriteColors(_work["model.onnx"]);
        File.WriteAllText(_work["model.json"], SmallModel.Manifest);
        Cli.Run("compile", _work["model.onnx"], "-o", _work["model.esm"], "--self-test").Succeeded();
        return _work["model.esm"];
    }

    private void Keygen(string name) => Cli.Run("keygen", _work[name]).Succeeded();

    [Fact]
    public void A_package_is_signed_checked_and_pushed_whole_with_its_signature()
    {
        string package = Package();
        Directory.CreateDirectory(_work["keys"]);
        Keygen("keys/release");
        File.Move(_work["keys/release.key.pem"], _work["release.key.pem"]);
        Outcome signed = Cli.Run("sign", package, "--key", _work["release.key.pem"], "--release", "7").Succeeded();
        Assert.Contains("tiny 1.0.0, release 7", signed.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("self-test", signed.Error, StringComparison.Ordinal);
        Assert.Contains("good", Cli.Run("sign", package, "--check", _work["keys"]).Succeeded().Output, StringComparison.Ordinal);

        Directory.CreateDirectory(_work["state/models/inbox"]);
        Cli.Run("push", package, "--state", _work["state"], "--force").Succeeded();
        string[] files = [.. Directory.GetFiles(_work["state/models/inbox"]).Order(StringComparer.Ordinal)];
        Assert.Equal([".esm", ".force", ".sig"], files.Select(Path.GetExtension));
        Assert.Equal(File.ReadAllBytes(package), File.ReadAllBytes(files[0]));
        if (!OperatingSystem.IsWindows()) Assert.True((File.GetUnixFileMode(files[0]) & UnixFileMode.OtherRead) != 0, "the daemon, another user, could not read it");
    }

    [Fact]
    public void A_compiled_self_test_holds_what_the_model_answers()
    {
        SelfTest test = ModelPackage.Load(Package()).SelfTest!;
        Assert.Equal("x", Assert.Single(test.Inputs).Name);
        Assert.Equal("scores", Assert.Single(test.Outputs).Name);
        float[] input = test.Inputs[0].Tensor.Span<float>().ToArray(), scores = test.Outputs[0].Tensor.Span<float>().ToArray();
        for (int c = 0; c < 3; c++) Assert.Equal((c + 1) * input.AsSpan(4 * c, 4).ToArray().Max() + c, scores[c], 4);
        Assert.Null(SelfTest.Difference(test.Outputs[0], test.Outputs[0].Tensor.Data.Span));
    }

    [Fact]
    public async Task Push_waits_for_what_the_daemon_says()
    {
        string package = Package(), inbox = Directory.CreateDirectory(_work["state/models/inbox"]).FullName, sha256 = ModelPackage.Load(package).Sha256;
        foreach ((string result, int code) in ((string, int)[])[("installed", 0), ("rejected", 1), ("rolled-back", 1)])
        {
            using var stop = new CancellationTokenSource();
            // What a daemon does: takes the file and leaves a report.
            Task daemon = Task.Run(() =>
            {
                string[] taken;
                while ((taken = Directory.GetFiles(inbox, "*.esm").Where(file => Path.GetFileName(file)[0] != '.').ToArray()).Length == 0) stop.Token.ThrowIfCancellationRequested();
                string report = JsonSerializer.Serialize(new { time = DateTime.UtcNow, file = Path.GetFileName(taken[0]), result, message = "because", sha256 });
                File.WriteAllText(_work["state/models/.report"], report);
                File.Move(_work["state/models/.report"], _work["state/models/last-update.json"], overwrite: true);
                File.Delete(taken[0]);
            });
            Outcome pushed = Cli.Run("push", package, "--state", _work["state"], "--wait", "--timeout", "60");
            await stop.CancelAsync();
            await daemon;
            Assert.Equal(code, pushed.ExitCode);
            Assert.Contains(result, pushed.Output, StringComparison.Ordinal);
            Assert.Contains("because", pushed.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_cannot_be_is_refused_with_one_line()
    {
        string package = Package();
        Keygen("release");
        string key = _work["release.key.pem"];
        Cli.Run("keygen", _work["release"]).RefusedWith(73, "is not overwritten");
        Cli.Run("keygen", _work["nowhere/release"]).RefusedWith(73, "cannot be created");
        Cli.Run("sign", package).RefusedWith(64, "sign needs --key FILE and --release N");
        Cli.Run("sign", package, "--key", key).RefusedWith(64, "sign needs");
        Cli.Run("sign", package, "--key", key, "--release", "0").RefusedWith(64, "--release is '0'");
        Cli.Run("sign", _work["model.onnx"], "--key", key, "--release", "1").RefusedWith(65, "not an EdgeSparse package");
        Cli.Run("sign", package, "--key", _work["release.pub.pem"], "--release", "1").RefusedWith(65, "PRIVATE KEY");
        Cli.Run("sign", package, "--check", _work.Root).RefusedWith(66, "the package is not signed");
        Cli.Run("push", package, "--state", _work["nowhere"]).RefusedWith(66, "is the daemon running");
        Cli.Run("sign", package, "--key", key, "--release", "1").Succeeded();
        File.WriteAllText(_work["model.json"], SmallModel.Manifest.Replace("1.0.0", "1.0.1", StringComparison.Ordinal));
        Cli.Run("compile", _work["model.onnx"], "-o", package).Succeeded();
        Cli.Run("push", package, "--state", _work.Root).RefusedWith(65, "the signature is for");
        if (OperatingSystem.IsWindows()) return;
        File.SetUnixFileMode(key, (UnixFileMode)0b110_100_100);
        Cli.Run("sign", package, "--key", key, "--release", "1").RefusedWith(65, "chmod 600");
    }
}
