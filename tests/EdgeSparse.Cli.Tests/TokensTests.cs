using System.Text.Json;
using EdgeSparse.Cli.Evaluation;
using EdgeSparse.Compiler.Tokens;
using EdgeSparse.Testing;
using EdgeSparse.Vision;

namespace EdgeSparse.Cli.Tests;

/// <summary>The sweep over token reductions: what it measures, what it writes, what it refuses.</summary>
public sealed class TokensTests : IDisposable
{
    private const string Manifest = """
        { "name": "vit-mnist", "preprocess": { "color": "gray", "scale": 0.00392156863, "mean": [0.1307], "std": [0.3081] }, "decoder": { "type": "classification", "softmax": true } }
        """;

    private readonly WorkFolder _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public void The_front_is_what_no_point_beats_in_both()
    {
        (double, double)[] points = [(1, 1), (0.5, 0.9), (0.6, 0.8), (0.3, 0.2), (0.9, 0.9), (0.31, 0.1)];
        Assert.Equal([3, 1, 0], ParetoFront.Of(points));
        Assert.Equal(1, ParetoFront.Knee(points));
        // A straight front has no knee, nor has one of two points.
        Assert.Equal(-1, ParetoFront.Knee([(0, 0), (0.5, 0.5), (1, 1)]));
        Assert.Equal(-1, ParetoFront.Knee([(0, 0), (1, 1)]));
    }

    [Fact]
    public void Every_method_has_specifications_that_it_reads()
    {
        IReadOnlyList<TokenFamily> families = TokenFamily.All(tokens: 197, layers: 12);
        Assert.Equal(TokenMethods.All.Select(method => method.Name), families.Select(family => family.Method).Distinct());
        foreach (TokenFamily family in families)
            foreach (double strength in (double[])[0, 0.1, 0.5, 0.99, 1]) Assert.Equal(family.Specification(strength), TokenReductionSpec.Parse(family.Specification(strength)).Text);
        Assert.Equal("merge:r=20", families[0].Specification(20.0 / 98));
    }

    [DataFact]
    public void A_sweep_tells_time_and_loss_by_method()
    {
        JsonElement report = Cli.Run([.. Arguments(), "--pictures", "40", "--seconds", "0", "--shares", "0.7", "--spec", "merge:r=2", "--spec", "merge:threshold=0.7", "--plot", _work["t.png"], "--save", _work["t.json"], "--json"]).Succeeded().Json;
        Assert.Equal("edgesparse.tokens/1", report.GetProperty("schema").GetString());
        Assert.True(report.GetProperty("complete").GetBoolean());
        Assert.Equal(File.ReadAllText(_work["t.json"]).Trim(), report.GetRawText());
        JsonElement[] points = [.. report.GetProperty("points").EnumerateArray()];
        JsonElement dense = points[0];
        Assert.Equal(("dense", 1.0, 1.0), (dense.GetProperty("method").GetString(), dense.GetProperty("time_share").GetDouble(), dense.GetProperty("metrics").GetProperty("agreement").GetDouble()));
        Assert.InRange(dense.GetProperty("metrics").GetProperty("accuracy").GetDouble(), 0.9, 1);
        Assert.Contains(points, point => point.GetProperty("spec").GetString() == "merge:r=2");
        int varying = 0;
        foreach (JsonElement point in points.Skip(1))
        {
            Assert.True(point.GetProperty("milliseconds").GetDouble() > 0);
            Assert.True(point.GetProperty("metrics").GetProperty("logit_relative_error").GetDouble() > 0);
            int[] tokens = [.. point.GetProperty("tokens").EnumerateArray().Select(count => count.GetInt32())];
            bool varies = point.GetProperty("spec").GetString()!.Contains("threshold", StringComparison.Ordinal);
            Assert.Equal(varies, point.GetProperty("varies").GetBoolean());
            Assert.Equal(varies, point.GetProperty("method").GetString() == "merge threshold");
            // Where the count follows from the picture, as many as can be are planned for; what was left of them is a mean over the pictures.
            if (varies)
            {
                Assert.InRange(point.GetProperty("mean_tokens_left").GetDouble(), 2, tokens[^1] - 0.5);
                varying++;
                continue;
            }
            Assert.Equal(JsonValueKind.Null, point.TryGetProperty("mean_tokens_left", out JsonElement none) ? none.ValueKind : JsonValueKind.Null);
            Assert.True(tokens[0] > tokens[^1], string.Join(' ', tokens));
            Assert.InRange(point.GetProperty("multiply_add_share").GetDouble(), 0.3, 0.99);
        }
        Assert.Equal(2, varying);
        foreach (JsonElement best in report.GetProperty("best").EnumerateArray())
        {
            Assert.DoesNotContain("threshold", best.GetProperty("spec").GetString(), StringComparison.Ordinal);
            Assert.InRange(best.GetProperty("multiply_add_share").GetDouble() - best.GetProperty("target").GetDouble(), -0.03, 0.03);
        }
        using Frame plot = ImageFile.Load(_work["t.png"]);
        Assert.Equal((1100, 640), (plot.Width, plot.Height));
    }

    [DataFact]
    public void Interrupting_leaves_the_points_so_far()
    {
        using var stop = new CancellationTokenSource();
        File.WriteAllText(_work["model.json"], Manifest);
        var request = new TokenSweepRequest(TestData.Path("models", "vit_mnist_d128l6_op17.onnx"), _work["model.json"], [], TestData.Path("images", "mnist_t10k-images-idx3-ubyte.gz"), 10, 1, [0.7], [], 0, 1, null);
        using var sweep = new TokenSweep(request, (done, _, _) => { if (done == 1) stop.Cancel(); }, stop.Token);
        Output.TokensReport report = sweep.Run();
        Assert.False(report.Complete);
        Assert.Equal(2, report.Points.Length);
    }

    [DataFact]
    public void What_cannot_be_is_refused_in_one_line()
    {
        Cli.Run("tokens", _work["absent.onnx"], "--calibrate", "x").RefusedWith(ExitCode.NoInput, "absent.onnx: no such file");
        Cli.Run([.. Arguments(), "--shares", "0.9,1.5"]).RefusedWith(ExitCode.Usage, "--shares is '0.9,1.5'");
        Cli.Run([.. Arguments(), "--spec", "merge:q=3"]).RefusedWith(ExitCode.Usage, "merge:q=3");
        Cli.Run([.. Arguments(), "--spec", "merge:r=2@99"]).RefusedWith(ExitCode.Data, "no layer 99");
        Cli.Run([.. Arguments(), "--plot", "x.gif"]).RefusedWith(ExitCode.Usage, "--plot is 'x.gif'");
        Cli.Run("tokens", TestData.Path("models", "mlperftiny_resnet8_cifar10.onnx"), "--calibrate", TestData.Path("images", "cifar10_test1000_jpeg.tar.gz"), "--manifest", _work["model.json"])
            .RefusedWith(ExitCode.Data, "1x1xHxW");
        File.WriteAllText(_work["color.json"], """{ "preprocess": {} }""");
        Cli.Run("tokens", TestData.Path("models", "mlperftiny_resnet8_cifar10.onnx"), "--calibrate", TestData.Path("images", "cifar10_test1000_jpeg.tar.gz"), "--manifest", _work["color.json"])
            .RefusedWith(ExitCode.Data, "no attention");
    }

    private string[] Arguments()
    {
        File.WriteAllText(_work["model.json"], Manifest);
        return ["tokens", TestData.Path("models", "vit_mnist_d128l6_op17.onnx"), "--calibrate", TestData.Path("images", "mnist_t10k-images-idx3-ubyte.gz"), "--manifest", _work["model.json"], "--threads", "1"];
    }
}

/// <summary>A changed model against the one it was made from, through the program.</summary>
public sealed class CompareTests : IDisposable
{
    private readonly WorkFolder _work = new();

    public void Dispose() => _work.Dispose();

    [Fact]
    public void A_model_agrees_with_itself_and_is_told_from_another()
    {
        SmallModel.WriteColors(_work["m.onnx"]);
        File.WriteAllText(_work["m.json"], SmallModel.Manifest);
        Directory.CreateDirectory(_work["p"]);
        for (int i = 0; i < 3; i++)
        {
            using var frame = new Frame(2, 2);
            frame.Fill((byte)(80 * i), 100, 50);
            ImageFile.Save(_work[$"p/{i}.png"], frame);
        }
        JsonElement report = Cli.Run("compare", _work["m.onnx"], "--baseline", _work["m.onnx"], "--pictures", _work["p"], "--backend", "native", "--json").Succeeded().Json;
        Assert.Equal((3, 1.0, 0.0), (report.GetProperty("samples").GetInt32(), report.GetProperty("model_metrics").GetProperty("agreement").GetDouble(), report.GetProperty("model_metrics").GetProperty("logit_max_error").GetDouble()));
        Directory.CreateDirectory(_work["none"]);
        Cli.Run("compare", _work["m.onnx"], "--baseline", _work["m.onnx"], "--pictures", _work["none"]).RefusedWith(ExitCode.NoInput, "none: empty");
        File.WriteAllText(_work["p/9.png"], "no picture");
        Cli.Run("compare", _work["m.onnx"], "--baseline", _work["m.onnx"], "--pictures", _work["p"]).RefusedWith(ExitCode.Data, "9.png");
    }

    [DataFact]
    public void Inspect_shows_the_tokens_that_each_attention_sees()
    {
        string onnx = TestData.Path("models", "own", "vit_gelu.onnx");
        string Text(string model) => Cli.Run("inspect", model).Succeeded().Output;
        JsonElement Report(string model) => Cli.Run("inspect", model, "--json").Succeeded().Json;
        Assert.Contains("65, 65, 65, 65, 65, 65 in 6 attention layers", Text(onnx), StringComparison.Ordinal);

        Cli.Run("compile", onnx, "-o", _work["r.esm"], "--tokens", "merge:r=6").Succeeded();
        Assert.Contains("65, 59, 53, 47, 41, 35 in 6 attention layers", Text(_work["r.esm"]), StringComparison.Ordinal);
        Assert.Equal([65, 59, 53, 47, 41, 35], Report(_work["r.esm"]).GetProperty("tokens").EnumerateArray().Select(count => count.GetInt32()));
        Assert.False(Report(_work["r.esm"]).GetProperty("tokens_vary").GetBoolean());

        Cli.Run("compile", onnx, "-o", _work["t.esm"], "--tokens", "merge:threshold=0.9").Succeeded();
        Assert.Contains("at most 65, ", Text(_work["t.esm"]), StringComparison.Ordinal);
        Assert.True(Report(_work["t.esm"]).GetProperty("tokens_vary").GetBoolean());

        File.Copy(TestData.Path("models", "resnet8_cifar10_sparse80.onnx"), _work["cnn.onnx"]);
        Assert.DoesNotContain("attention layers", Text(_work["cnn.onnx"]), StringComparison.Ordinal);
    }

    [DataFact]
    public void Skipping_the_zeros_of_relu_changes_nothing_but_rounding()
    {
        File.WriteAllText(_work["model.json"], """{ "preprocess": { "scale": 0.00392156863 }, "decoder": { "type": "classification", "softmax": true } }""");
        string pictures = TestData.Path("images", "cifar10_test1000_jpeg.tar.gz"), onnx = TestData.Path("models", "own", "vit_relu.onnx");
        Cli.Run("compile", onnx, "-o", _work["dense.esm"], "--manifest", _work["model.json"]).Succeeded();
        Outcome compiled = Cli.Run("compile", onnx, "-o", _work["relu.esm"], "--manifest", _work["model.json"], "--activation", "relu", "--calibrate", pictures, "--pictures", "20").Succeeded();
        Assert.Contains("the others are skipped", compiled.Error, StringComparison.Ordinal);
        JsonElement metrics = Cli.Run("compare", _work["relu.esm"], "--baseline", _work["dense.esm"], "--pictures", pictures, "--count", "40", "--json").Succeeded().Json.GetProperty("model_metrics");
        Assert.Equal(1.0, metrics.GetProperty("agreement").GetDouble());
        Assert.InRange(metrics.GetProperty("logit_relative_error").GetDouble(), 0, 1e-4);
        JsonElement layers = Cli.Run("inspect", _work["relu.esm"], "--json").Succeeded().Json.GetProperty("layers");
        Assert.True(layers.EnumerateArray().Count(layer => layer.GetProperty("kernel").GetString()!.StartsWith("GatheredMatMulF32", StringComparison.Ordinal)) >= 4);
        Cli.Run("compile", onnx, "-o", _work["x.esm"], "--activation", "relu").RefusedWith(ExitCode.Usage, "needs pictures");
        Cli.Run("compile", onnx, "-o", _work["x.esm"], "--activation", "sparse", "--calibrate", pictures).RefusedWith(ExitCode.Usage, "'sparse' is not known");
        Assert.False(File.Exists(_work["x.esm"]));
    }
}
