using System.Text.Json;
using EdgeSparse.Model;
using EdgeSparse.Testing;
using EdgeSparse.Vision;

namespace EdgeSparse.Cli.Tests;

/// <summary><c>edgesparse prune</c> as a user runs it.</summary>
public sealed class PruneTests : IDisposable
{
    private const string Cifar = """
        { "name": "resnet8", "version": "1.0.0", "preprocess": {}, "decoder": { "type": "classification" },
          "labels": ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"] }
        """;

    private readonly WorkFolder _work = new();

    public void Dispose() => _work.Dispose();

    [DataFact]
    public void ResNet8_keeps_its_accuracy_at_70_percent_where_magnitude_does_not()
    {
        File.Copy(TestData.Path("models", "mlperftiny_resnet8_cifar10.onnx"), _work["m.onnx"]);
        File.WriteAllText(_work["m.json"], Cifar);
        JsonElement report = Cli.Run("prune", _work["m.onnx"], "--sparsity", "0.7", "--calibrate", TestData.Path("images", "cifar10_test1000_jpeg.tar.gz"), "--pictures", "400", "-o", _work["s.onnx"], "--package", _work["s.esm"], "--json").Succeeded().Json;
        Dictionary<string, double> accuracy = report.GetProperty("outcomes").EnumerateArray().ToDictionary(outcome => outcome.GetProperty("method").GetString()!, outcome => outcome.GetProperty("metrics").GetProperty("accuracy").GetDouble());
        Assert.Equal(["dense", "magnitude alone", "random alone", "second-order, update weights"], accuracy.Keys.Order());
        Assert.InRange(accuracy["second-order, update weights"], accuracy["dense"] - 0.1, 1);
        Assert.InRange(accuracy["magnitude alone"], 0, accuracy["dense"] - 0.3);
        Assert.Equal((400, 600), (report.GetProperty("calibration_pictures").GetInt32(), report.GetProperty("judged_pictures").GetInt32()));
        // Zeros in the file and in the package, layer by layer, are those asked for.
        long[] asked = [.. report.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("zeros_asked").GetInt64())];
        Assert.Equal([0, 1613, 1613, 3226, 6451, 358, 12902, 25805, 1434, 0], asked);
        JsonElement inspected = Cli.Run("inspect", _work["s.esm"], "--json").Succeeded().Json;
        Assert.Equal(asked, inspected.GetProperty("layers").EnumerateArray().Where(layer => layer.GetProperty("multiply_adds").GetInt64() > 0).Select(layer => layer.GetProperty("zeros").GetInt64()));
    }

    [OnnxRuntimeDataTheory]
    [InlineData("mlperftiny_resnet8_cifar10", "unstructured", "32x32")]
    [InlineData("mlperftiny_resnet8_cifar10", "4x1", "32x32")]
    [InlineData("vit_mnist_d128l6_op17", "2:4", "28x28")]
    [InlineData("mlperftiny_resnet8_cifar10", "channels", "32x32")]
    public void A_pruned_file_gives_the_same_outputs_in_ONNX_Runtime(string model, string pattern, string size)
    {
        File.Copy(TestData.Path("models", model + ".onnx"), _work["m.onnx"]);
        int side = int.Parse(size[..2], System.Globalization.CultureInfo.InvariantCulture), channels = side == 32 ? 3 : 1;
        var random = new Random(4);
        NpyFile.Write(_work["x.npy"], Tensor.FromFloats(new Shape(30, channels, side, side), Enumerable.Range(0, 30 * channels * side * side).Select(_ => random.NextSingle()).ToArray()));
        string[] sparsity = pattern == "2:4" ? [] : ["--sparsity", "0.6"];
        Cli.Run(["prune", _work["m.onnx"], "--pattern", pattern, "--calibrate", _work["x.npy"], "-o", _work["s.onnx"], .. sparsity]).Succeeded();
        Cli.Run("verify", _work["s.onnx"], "--against", "onnxruntime", "--seed", "5", "--onnxruntime-library", OnnxRuntimeLibrary.Path).Succeeded();
    }

    [Fact]
    public void Without_pictures_magnitude_and_random_prune_and_nothing_is_judged()
    {
        SmallModel.WriteColors(_work["m.onnx"]);
        JsonElement report = Cli.Run("prune", _work["m.onnx"], "--sparsity", "0.66", "--layers", "*", "-o", _work["s.onnx"], "--json").Succeeded().Json;
        Assert.Equal(("magnitude", "none", 6), (report.GetProperty("criterion").GetString(), report.GetProperty("update").GetString(), report.GetProperty("zeros").GetInt64()));
        Assert.Empty(report.GetProperty("outcomes").EnumerateArray());
        Assert.True(File.Exists(_work["s.onnx"]));
    }

    [Fact]
    public void More_lost_than_allowed_writes_nothing_and_keeps_what_was_there()
    {
        SmallModel.WriteColors(_work["m.onnx"]);
        File.WriteAllText(_work["m.json"], SmallModel.Manifest);
        foreach (string name in (string[])["red", "green", "blue"])
        {
            Directory.CreateDirectory(_work[$"p/{name}"]);
            for (int i = 0; i < 4; i++)
            {
                using var frame = new Frame(2, 2);
                frame.Fill((byte)(name == "red" ? 250 : 10 * i), (byte)(name == "green" ? 255 : 0), (byte)(name == "blue" ? 250 : 0));
                ImageFile.Save(_work[$"p/{name}/{i}.png"], frame);
            }
        }
        File.WriteAllText(_work["s.onnx"], "the last whole result");
        string[] prune = ["prune", _work["m.onnx"], "--layers", "*", "--criterion", "random", "--update", "none", "--calibrate", _work["p"], "--judge", _work["p"], "-o", _work["s.onnx"], "--sparsity"];
        Outcome refused = Cli.Run([.. prune, "0.99", "--max-drop", "30"]);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("nothing was written", refused.Error, StringComparison.Ordinal);
        Assert.Equal("the last whole result", File.ReadAllText(_work["s.onnx"]));
        Cli.Run([.. prune, "0", "--max-drop", "0"]).Succeeded();
        Cli.Run("inspect", _work["s.onnx"]).Succeeded();
        Assert.Empty(Directory.EnumerateFiles(_work.Root, "*.tmp"));
    }

    [Fact]
    public void Views_calibrate_too_by_the_seed()
    {
        SmallModel.WriteColors(_work["m.onnx"]);
        File.WriteAllText(_work["m.json"], SmallModel.Manifest);
        Directory.CreateDirectory(_work["p"]);
        var random = new Random(3);
        for (int i = 0; i < 4; i++)
        {
            using var frame = new Frame(16, 16);
            random.NextBytes(frame.Pixels);
            ImageFile.Save(_work[$"p/{i}.png"], frame);
        }
        byte[] plain = Pruned(0), viewed = Pruned(3);
        Assert.NotEqual(plain, viewed);
        Assert.Equal(viewed, Pruned(3));
        Assert.NotEqual(viewed, Pruned(3, "--seed", "65537"));
        Assert.NotEqual(viewed, Pruned(2));
        Outcome said = Cli.Run([.. Prune(3)]).Succeeded();
        Assert.Contains("calibrated with 4 and 3 parts of each", said.Output, StringComparison.Ordinal);

        string[] Prune(int views) => ["prune", _work["m.onnx"], "--layers", "*", "--sparsity", "0.5", "--calibrate", _work["p"], "--judge", _work["p"], "--views", $"{views}", "-o", _work["s.onnx"]];

        byte[] Pruned(int views, params string[] more)
        {
            JsonElement report = Cli.Run([.. Prune(views), "--json", .. more]).Succeeded().Json;
            Assert.Equal((4, views), (report.GetProperty("calibration_pictures").GetInt32(), report.GetProperty("calibration_views").GetInt32()));
            return File.ReadAllBytes(_work["s.onnx"]);
        }
    }

    [DataFact]
    public void A_sweep_finds_the_drop_and_writes_the_sparsest_model_before_it()
    {
        File.Copy(TestData.Path("models", "mlperftiny_resnet8_cifar10.onnx"), _work["m.onnx"]);
        File.WriteAllText(_work["m.json"], Cifar);
        string[] sweep = ["prune", _work["m.onnx"], "--sweep", "0.5,0.7,0.9,0.98", "--calibrate", TestData.Path("images", "cifar10_test1000_jpeg.tar.gz"), "--pictures", "100", "--judged", "200", "-o", _work["s.onnx"]];
        JsonElement report = Cli.Run([.. sweep, "--plot", _work["s.png"], "--save", _work["sweep.json"], "--json"]).Succeeded().Json;
        JsonElement[] points = [.. report.GetProperty("points").EnumerateArray()];
        Assert.Equal([0.5, 0.7, 0.9, 0.98], points.Select(point => point.GetProperty("sparsity_asked").GetDouble()));
        double[] lost = [.. points.Select(point => point.GetProperty("lost").GetDouble())];
        Assert.True(lost[0] < 0.15 && lost[^1] > 0.3, string.Join(' ', lost));
        foreach (JsonElement point in points)
        {
            Assert.Equal(["dense", "second-order, update weights", "magnitude alone", "random alone"], point.GetProperty("outcomes").EnumerateArray().Select(outcome => outcome.GetProperty("method").GetString()));
            Assert.All(point.GetProperty("outcomes").EnumerateArray(), outcome => Assert.InRange(outcome.GetProperty("metrics").GetProperty("calibration_error").GetDouble(), 0, 1));
            Assert.All(point.GetProperty("layers").EnumerateArray(), layer => Assert.Equal(layer.GetProperty("zeros_asked").GetInt64(), layer.GetProperty("zeros").GetInt64()));
        }
        double before = report.GetProperty("before_drop").GetDouble();
        Assert.InRange(before, 0.5, 0.9);
        Assert.Equal(before, report.GetProperty("written").GetDouble());
        Assert.True(points.Single(point => point.GetProperty("is_before_drop").GetBoolean()).GetProperty("sparsity_asked").GetDouble() == before);
        Assert.True(new FileInfo(_work["s.png"]).Length > 1000);
        Assert.Equal("edgesparse.prune-sweep/1", JsonDocument.Parse(File.ReadAllText(_work["sweep.json"])).RootElement.GetProperty("schema").GetString());
        Assert.Empty(Directory.EnumerateFiles(_work.Root, "*.pruning"));
        File.Delete(_work["s.onnx"]);
        Outcome refused = Cli.Run(["prune", _work["m.onnx"], "--sweep", "0.95,0.98", "--criterion", "magnitude", "--update", "none", "--max-drop", "1", "--judged", "100", "--judge", TestData.Path("images", "cifar10_test1000_jpeg.tar.gz"), "-o", _work["s.onnx"]]);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("at every share more was lost", refused.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_work["s.onnx"]));
    }

    [Fact]
    public void Wrong_requests_are_refused_in_one_line()
    {
        SmallModel.WriteColors(_work["m.onnx"]);
        File.WriteAllText(_work["m.json"], SmallModel.Manifest);
        Directory.CreateDirectory(_work["empty"]);
        Directory.CreateDirectory(_work["one"]);
        Directory.CreateDirectory(_work["torn"]);
        using (var frame = new Frame(2, 2)) ImageFile.Save(_work["one/a.png"], frame);
        for (int i = 0; i < 3; i++) File.WriteAllText(_work[$"torn/{i}.png"], "no picture");
        Refused(64, "--sparsity is '1.5', expected a number from 0 to 0.999", "--sparsity", "1.5");
        Refused(64, "--sparsity is missing", "--pattern", "4x1");
        Refused(64, "--pattern is '3:2', expected unstructured", "--pattern", "3:2");
        Refused(64, "pattern 2:4 fixes it at 0.5", "--pattern", "2:4", "--sparsity", "0.7");
        Refused(64, "--criterion second-order needs --calibrate", "--sparsity", "0.5", "--criterion", "second-order");
        Refused(64, "no layer is left to prune: 'weigh' first layer", "--sparsity", "0.5");
        Refused(64, "no layer is named 'nosuch'", "--sparsity", "0.5", "--layers", "nosuch");
        Refused(64, "3 inputs are no multiple of 4", "--pattern", "2:4", "--layers", "*");
        Refused(66, "empty: no .jpg", "--sparsity", "0.5", "--calibrate", _work["empty"]);
        Refused(66, "nowhere: no such file", "--sparsity", "0.5", "--calibrate", _work["nowhere"]);
        Refused(65, "too few: needed are at least 2", "--sparsity", "0.5", "--calibrate", _work["one"]);
        Refused(65, "torn/", "--sparsity", "0.5", "--layers", "*", "--calibrate", _work["torn"]);
        Refused(64, "--allocation measured needs --calibrate", "--sparsity", "0.5", "--allocation", "measured");
        Refused(64, "--target-time-ratio needs --allocation measured", "--target-time-ratio", "0.5");
        Refused(64, "--refine needs --calibrate", "--sparsity", "0.5", "--refine", "2");
        Refused(64, "--refine needs --update weights", "--sparsity", "0.5", "--refine", "2", "--update", "bias", "--calibrate", _work["one"]);
        Refused(64, "--views needs --calibrate", "--sparsity", "0.5", "--views", "2");
        NpyFile.Write(_work["x.npy"], Tensor.FromFloats(new Shape(4, 3, 2, 2), new float[48]));
        Refused(64, "--views is 2, expected 0", "--sparsity", "0.5", "--layers", "*", "--views", "2", "--calibrate", _work["x.npy"]);
        Refused(64, "take for the manifest of", "--sparsity", "0.5", "--layers", "*", "--save", _work["s.json"]);
        Refused(64, "take for the manifest of", "--sparsity", "0.5", "--layers", "*", "--save", _work["model.json"]);
        Refused(64, "--repair needs --calibrate", "--sparsity", "0.5", "--repair");
        Refused(64, "--sweep is '0.5,x', expected numbers between 0 and 1", "--sweep", "0.5,x");
        Refused(64, "--sweep: pattern 2:4 fixes the share", "--sweep", "0.5", "--pattern", "2:4");
        Refused(64, "--sweep needs pictures to judge by", "--sweep", "0.5", "--layers", "*");
        Refused(64, "expected a .png or .jpg file, with --sweep", "--sparsity", "0.5", "--plot", _work["a.png"]);
        Refused(64, "--max-drop needs pictures", "--sparsity", "0.5", "--layers", "*", "--max-drop", "1");
        Cli.Run("prune", _work["m.onnx"], "--sparsity", "0.5", "--layers", "*", "-o", _work["m.onnx"]).RefusedWith(64, "is the ONNX file itself");
        Assert.False(File.Exists(_work["s.onnx"]));

        void Refused(int code, string message, params string[] arguments) => Cli.Run(["prune", _work["m.onnx"], "-o", _work["s.onnx"], .. arguments]).RefusedWith(code, message);
    }
}
