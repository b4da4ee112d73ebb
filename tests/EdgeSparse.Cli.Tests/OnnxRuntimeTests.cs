using System.Diagnostics;
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

    /// <summary>The worker is the program itself, so it is run as one.</summary>
    [OnnxRuntimeFact]
    public void An_isolated_model_computes_the_same_and_what_it_costs_is_timed()
    {
        using var work = new WorkFolder();
        SmallModel.WriteColors(work["m.onnx"]);
        SmallModel.WriteInput(work["x.npy"]);
        string[] library = ["--backend", "onnxruntime", "--onnxruntime-library", OnnxRuntimeLibrary.Path];
        JsonElement run = Program(["run", work["m.onnx"], "--npy", work["x.npy"], "--save-npy", work["out"], "--onnxruntime-isolated", "--json", .. library]);
        Assert.Equal("onnxruntime/cpu", run.GetProperty("backend").GetString());
        Assert.Equal(SmallModel.Scores, Model.NpyFile.Read(Path.Combine(work["out"], "output_scores.npy")).Span<float>().ToArray());

        JsonElement bench = Program(["bench", work["m.onnx"], "--onnxruntime-isolated", "--against", "in-process", "--seconds", "0", "--threads", "1", "--json", .. library]);
        JsonElement isolated = bench.GetProperty("onnxruntime"), inProcess = bench.GetProperty("baseline");
        Assert.Equal(isolated.GetProperty("runs").GetInt64(), inProcess.GetProperty("runs").GetInt64());
        Assert.Equal(inProcess.GetProperty("p50_milliseconds").GetDouble() / isolated.GetProperty("p50_milliseconds").GetDouble(), bench.GetProperty("baseline_speedup").GetDouble(), 1e-9);
        Cli.Run(["bench", work["m.onnx"], "--against", "in-process", .. library]).RefusedWith(64, "compares with --onnxruntime-isolated");
    }

    [OnnxRuntimeFact]
    public void Outputs_that_vary_have_the_shape_of_the_run()
    {
        using var work = new WorkFolder();
        SmallModel.WritePlaces(work["m.onnx"]);
        Directory.CreateDirectory(work["golden"]);
        Model.NpyFile.Write(work["golden/input.npy"], Model.Tensor.FromFloats(new Model.Shape(1, 6), [0, 5, 0, 0, 7, 1]));
        string[] library = ["--backend", "onnxruntime", "--onnxruntime-library", OnnxRuntimeLibrary.Path];
        JsonElement json = Cli.Run(["run", work["m.onnx"], "--npy", work["golden/input.npy"], "--save-npy", work["golden"], "--json", .. library]).Succeeded().Json;
        Assert.Equal([2, 3], json.GetProperty("outputs")[0].GetProperty("shape").EnumerateArray().Select(size => size.GetInt32()));
        Model.Tensor saved = Model.NpyFile.Read(work["golden/output_places.npy"]);
        Assert.Equal([0, 0, 0, 1, 4, 5], saved.Span<long>().ToArray());
        Cli.Run(["verify", work["m.onnx"], "--golden", work["golden"], .. library]).Succeeded();
        Model.NpyFile.Write(work["golden/output_places.npy"], Model.Tensor.FromInt64s(new Model.Shape(2, 2), [0, 0, 1, 4]));
        Cli.Run(["verify", work["m.onnx"], "--golden", work["golden"], .. library]).RefusedWith(65, "has shape 2x3, the stored one 2x2");
    }

    private static JsonElement Program(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "edgesparse.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process program = Process.Start(start)!;
        Task<string> errors = program.StandardError.ReadToEndAsync();
        string output = program.StandardOutput.ReadToEnd();
        program.WaitForExit();
        Assert.True(program.ExitCode == 0, $"exit code {program.ExitCode}: {errors.Result}");
        return JsonDocument.Parse(output).RootElement;
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
