using System.Text.Json;
using EdgeSparse.Testing;

namespace EdgeSparse.Cli.Tests;

public class OnnxRuntimeTests
{
    [OnnxRuntimeFact]
    public void Both_engines_agree_on_random_inputs()
    {
        using var work = new WorkFolder();
        SmallModel.WriteColors(work["m.onnx"]);
        JsonElement json = Cli.Run("verify", work["m.onnx"], "--against", "onnxruntime", "--seed", "9", "--onnxruntime-library", OnnxRuntimeLibrary.Path, "--json").Succeeded().Json;
        Assert.Equal("native", json.GetProperty("backend").GetString());
        Assert.StartsWith("onnxruntime/cpu", json.GetProperty("reference").GetString(), StringComparison.Ordinal);
        JsonElement reverse = Cli.Run("verify", work["m.onnx"], "--backend", "onnxruntime", "--against", "native", "--onnxruntime-library", OnnxRuntimeLibrary.Path, "--json").Succeeded().Json;
        Assert.Equal("onnxruntime/cpu", reverse.GetProperty("backend").GetString());
    }

    [OnnxRuntimeFact]
    public void Bench_gives_the_ratio_of_medians()
    {
        using var work = new WorkFolder();
        SmallModel.WriteColors(work["m.onnx"]);
        JsonElement json = Cli.Run("bench", work["m.onnx"], "--seconds", "0", "--threads", "1", "--against", "onnxruntime", "--onnxruntime-library", OnnxRuntimeLibrary.Path, "--json").Succeeded().Json;
        double native = json.GetProperty("native").GetProperty("p50_milliseconds").GetDouble(), other = json.GetProperty("onnxruntime").GetProperty("p50_milliseconds").GetDouble();
        Assert.Equal(other / native, json.GetProperty("speedup").GetDouble(), 1e-9);
        Assert.Equal(json.GetProperty("native").GetProperty("runs").GetInt64(), json.GetProperty("onnxruntime").GetProperty("runs").GetInt64());
    }

    [OnnxRuntimeFact]
    public void A_package_for_ONNX_Runtime_runs_on_it()
    {
        using var work = new WorkFolder();
        SmallModel.WriteColors(work["m.onnx"]);
        SmallModel.WriteInput(work["x.npy"]);
        Cli.Run("compile", work["m.onnx"], "-o", work["m.esm"], "--backend", "onnxruntime").Succeeded();
        JsonElement json = Cli.Run("run", work["m.esm"], "--npy", work["x.npy"], "--save-npy", work["out"], "--onnxruntime-library", OnnxRuntimeLibrary.Path, "--json").Succeeded().Json;
        Assert.Equal("onnxruntime/cpu", json.GetProperty("backend").GetString());
        Assert.Equal(SmallModel.Scores, Model.NpyFile.Read(Path.Combine(work["out"], "output_scores.npy")).Span<float>().ToArray());
    }

    [OnnxRuntimeFact]
    public void A_model_in_parts_is_compiled_inspected_timed_and_verified()
    {
        using var work = new WorkFolder();
        Cli.Run("synth", "mobilenet_v2_gru", "--sparsity", "0.9", "-o", work["m.onnx"]).Succeeded();
        JsonElement compiled = Cli.Run("compile", work["m.onnx"], "-o", work["m.esm"], "--json").Succeeded().Json;
        Assert.Equal("mixed", compiled.GetProperty("backend").GetString());
        JsonElement plan = Cli.Run("inspect", work["m.esm"], "--plan", "--json").Succeeded().Json;
        JsonElement[] parts = [.. plan.GetProperty("parts").EnumerateArray()];
        Assert.Equal(["native", "onnxruntime"], parts.Select(part => part.GetProperty("engine").GetString()));
        Assert.Contains("GRU", Assert.Single(parts[1].GetProperty("reasons").EnumerateArray()).GetString(), StringComparison.Ordinal);
        Assert.Equal(1280 * 49 * 4, parts[1].GetProperty("bytes_in").GetInt64());
        Assert.Equal(0, parts[0].GetProperty("bytes_in").GetInt64());
        string text = Cli.Run("inspect", work["m.esm"], "--plan").Succeeded().Output;
        Assert.Contains("part 1 needs ONNX Runtime: node 'gru'", text, StringComparison.Ordinal);

        string library = OnnxRuntimeLibrary.Path;
        JsonElement verified = Cli.Run("verify", work["m.onnx"], "--against", "onnxruntime", "--onnxruntime-library", library, "--json").Succeeded().Json;
        Assert.Equal("mixed/cpu", verified.GetProperty("backend").GetString());
        JsonElement timed = Cli.Run("bench", work["m.onnx"], "--seconds", "0", "--threads", "1", "--against", "onnxruntime", "--onnxruntime-library", library, "--json").Succeeded().Json;
        Assert.Equal("mixed/cpu", timed.GetProperty("mixed").GetProperty("backend").GetString());
        Assert.True(timed.GetProperty("speedup").GetDouble() > 0);
        Cli.Run("run", work["m.esm"], "--backend", "native", "--npy", work["m.onnx"]).RefusedWith(65, "in parts for both engines");
    }
}
