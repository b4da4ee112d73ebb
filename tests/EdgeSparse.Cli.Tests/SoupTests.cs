using System.Text.Json;
using EdgeSparse.Testing;

namespace EdgeSparse.Cli.Tests;

/// <summary><c>edgesparse soup</c> as a user runs it, and what <c>inspect</c> says of models that came sparse.</summary>
public sealed class SoupTests : IDisposable
{
    private readonly WorkFolder _work = new();

    public void Dispose() => _work.Dispose();

    [DataFact]
    public void A_soup_of_one_model_twice_is_that_model_and_runs_in_the_engine()
    {
        string model = TestData.Path("models", "own", "mbnet_nm24.onnx");
        JsonElement report = Cli.Run("soup", model, model, "-o", _work["s.onnx"], "--weights", "2,1", "--json").Succeeded().Json;
        Assert.Equal(2.0 / 3, report.GetProperty("models")[0].GetProperty("share").GetDouble(), 9);
        Assert.Contains("22 2:4", report.GetProperty("summary").GetString(), StringComparison.Ordinal);
        Assert.Contains("the models are the same", report.GetProperty("notes")[0].GetString(), StringComparison.Ordinal);
        Cli.Run("verify", _work["s.onnx"], "--golden", TestData.Path("models", "own", "golden", "mbnet_nm24")).Succeeded();
        JsonElement[] layers = [.. Cli.Run("inspect", _work["s.onnx"], "--json").Succeeded().Json.GetProperty("sparsity").EnumerateArray()];
        Assert.Equal(22, layers.Count(layer => layer.GetProperty("pattern").GetString() == "2:4"));
        string table = Cli.Run("inspect", _work["s.onnx"]).Succeeded().Output;
        Assert.Contains("came sparse: 22 of ", table, StringComparison.Ordinal);
        Assert.Contains("came sparse: 22 of ", Cli.Run("compile", _work["s.onnx"], "-o", _work["s.esm"]).Succeeded().Error, StringComparison.Ordinal);
    }

    [DataFact]
    public void Other_masks_and_graphs_are_refused_and_nothing_is_written()
    {
        string a = TestData.Path("models", "own", "mbnet_unstr90.onnx"), b = TestData.Path("models", "own", "mbnet_block4_85.onnx"), vit = TestData.Path("models", "own", "vit_gelu.onnx");
        Cli.Run("soup", a, b, "-o", _work["s.onnx"]).RefusedWith(65, "mbnet_block4_85.onnx: has another mask than");
        Cli.Run("soup", a, vit, "-o", _work["s.onnx"]).RefusedWith(65, "different graphs");
        Assert.Empty(Directory.EnumerateFileSystemEntries(_work.Root));
    }

    [Fact]
    public void Wrong_requests_are_refused_in_one_line()
    {
        SmallModel.WriteColors(_work["a.onnx"]);
        SmallModel.WriteColors(_work["b.onnx"]);
        File.WriteAllText(_work["text.onnx"], "no model");
        Refused(64, "one model is no soup", "a.onnx");
        Refused(64, "--weights has 3 numbers for 2 models", "a.onnx", "b.onnx", "--weights", "1,2,3");
        Refused(64, "--weights is '1,-2', expected positive numbers", "a.onnx", "b.onnx", "--weights", "1,-2");
        Refused(64, "one of the models themselves", "a.onnx", "s.onnx");
        Refused(66, "nosuch.onnx: no such file", "a.onnx", "nosuch.onnx");
        Refused(65, "text.onnx", "a.onnx", "text.onnx");
        Cli.Run("soup", _work["a.onnx"], _work["b.onnx"], "-o", _work["nosuch/s.onnx"]).RefusedWith(73, "cannot be created");
        Assert.False(File.Exists(_work["s.onnx"]));

        void Refused(int code, string message, params string[] words) =>
            Cli.Run(["soup", "-o", _work["s.onnx"], .. words.Select(word => word.EndsWith(".onnx", StringComparison.Ordinal) ? _work[word] : word)]).RefusedWith(code, message);
    }
}
