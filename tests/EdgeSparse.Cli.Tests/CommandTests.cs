using System.Text.Json;
using EdgeSparse.Model;

namespace EdgeSparse.Cli.Tests;

public class CommandTests
{
    [Fact]
    public void Version_and_help_go_to_standard_output()
    {
        Outcome version = Cli.Run("--version").Succeeded();
        Assert.Matches(@"^edgesparse \d+\.\d+\.\d+\n$", version.Output);
        Outcome help = Cli.Run("--help").Succeeded();
        Assert.StartsWith("Examples:", help.Output, StringComparison.Ordinal);
        Assert.Contains("Exit codes:", help.Output, StringComparison.Ordinal);
        Assert.Empty(help.Error);
    }

    [Theory]
    [InlineData("compile")]
    [InlineData("inspect")]
    [InlineData("run")]
    [InlineData("verify")]
    [InlineData("bench")]
    [InlineData("synth")]
    [InlineData("kernels")]
    public void Every_command_has_help_that_begins_with_examples(string command)
    {
        Outcome help = Cli.Run(command, "--help").Succeeded();
        Assert.StartsWith($"Examples:\n  edgesparse {command}", help.Output, StringComparison.Ordinal);
        Assert.Contains($"edgesparse {command}", Cli.Run("--help").Output + help.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Kernels_says_what_this_processor_uses()
    {
        JsonElement json = Cli.Run("kernels", "--json").Succeeded().Json;
        Assert.Equal("edgesparse.kernels/1", json.GetProperty("schema").GetString());
        Assert.Equal(Kernels.InstructionSets.Best.ToString(), json.GetProperty("instruction_set").GetString());
        Assert.Equal(Kernels.KernelCatalog.All.Count, json.GetProperty("kernels").GetArrayLength());
        Assert.Equal(Environment.ProcessorCount, json.GetProperty("processors").GetInt32());
        Assert.Contains("instruction set  " + Kernels.InstructionSets.Best, Cli.Run("kernels").Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Compile_takes_the_manifest_beside_the_model_and_writes_a_package()
    {
        using var work = new WorkFolder();
        SmallModel.WriteColors(work["m.onnx"]);
        File.WriteAllText(work["model.json"], SmallModel.Manifest);
        JsonElement json = Cli.Run("compile", work["m.onnx"], "-o", work["m.esm"], "--json").Succeeded().Json;
        Assert.Equal("edgesparse.compile/1", json.GetProperty("schema").GetString());
        Assert.Equal("native", json.GetProperty("backend").GetString());
        Assert.Equal("tiny", json.GetProperty("model").GetProperty("name").GetString());
        Assert.Equal(12, json.GetProperty("parameters").GetInt64());
        Assert.Equal(7, json.GetProperty("zeros").GetInt64());
        Assert.Equal(36, json.GetProperty("multiply_adds").GetInt64());
        Assert.Equal(new FileInfo(work["m.esm"]).Length, json.GetProperty("output_bytes").GetInt64());

        ModelPackage package = ModelPackage.Load(work["m.esm"]);
        Assert.Equal(package.Sha256, json.GetProperty("model").GetProperty("sha256").GetString());
        Assert.Equal(["red", "green", "blue"], package.Manifest.Labels);
        Assert.Equal(["m.esm", "m.onnx", "model.json"], Directory.GetFiles(work.Root).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Compile_takes_labels_and_manifest_from_options()
    {
        using var work = new WorkFolder();
        SmallModel.WriteColors(work["m.onnx"]);
        File.WriteAllText(work["other.json"], """{ "name": "other" }""");
        File.WriteAllText(work["names.txt"], "a\r\nb\n\nc\n");
        Cli.Run("compile", work["m.onnx"], "-o", work["m.esm"], "--manifest", work["other.json"], "--labels", work["names.txt"]).Succeeded();
        Manifest manifest = ModelPackage.Load(work["m.esm"]).Manifest;
        Assert.Equal("other", manifest.Name);
        Assert.Equal(["a", "b", "c"], manifest.Labels);
    }

    [Fact]
    public void Labels_alone_leave_the_name_to_the_file()
    {
        using var work = new WorkFolder();
        SmallModel.WriteColors(work["colors.onnx"]);
        File.WriteAllText(work["names.txt"], "a\nb\nc");
        Cli.Run("compile", work["colors.onnx"], "-o", work["m.esm"], "--labels", work["names.txt"]).Succeeded();
        Manifest manifest = ModelPackage.Load(work["m.esm"]).Manifest;
        Assert.Equal("colors", manifest.Name);
        Assert.Equal(["a", "b", "c"], manifest.Labels);
    }

    [Fact]
    public void Inspect_shows_a_package_for_ONNX_Runtime_without_the_library()
    {
        using var work = new WorkFolder();
        SmallModel.WriteColors(work["m.onnx"]);
        Cli.Run("compile", work["m.onnx"], "-o", work["m.esm"], "--backend", "onnxruntime").Succeeded();
        Assert.Null(ModelPackage.Load(work["m.esm"]).Graph);
        JsonElement json = Cli.Run("inspect", work["m.esm"], "--json").Succeeded().Json;
        Assert.Equal("onnxruntime", json.GetProperty("backend").GetString());
        Assert.Equal(["Conv", "MaxPool", "Reshape"], json.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("operator").GetString()));
        Assert.Equal(12, json.GetProperty("layers")[0].GetProperty("parameters").GetInt64());
        Assert.Equal([1, 3, 2, 2], json.GetProperty("inputs")[0].GetProperty("shape").EnumerateArray().Select(d => d.GetInt32()));
        Cli.Run("bench", work["m.esm"], "--backend", "native").RefusedWith(65, "no graph for the native engine");
    }

    [Fact]
    public void Annotated_pictures_are_written()
    {
        using var work = new WorkFolder();
        SmallModel.WriteColors(work["m.onnx"]);
        File.WriteAllText(work["model.json"], SmallModel.Manifest);
        using var frame = new Vision.Frame(160, 120);
        frame.Fill(0, 0, 255);
        Vision.ImageFile.Save(work["blue.png"], frame);
        Cli.Run("run", work["m.onnx"], work["blue.png"], "--annotate", work["one.png"]).Succeeded();
        Cli.Run("run", work["m.onnx"], work["blue.png"], work["blue.png"], "--annotate", work["several"]).Succeeded();
        Assert.Equal(File.ReadAllBytes(work["one.png"]), File.ReadAllBytes(Path.Combine(work["several"], "blue.png")));
        using Vision.Frame drawn = Vision.ImageFile.Load(work["one.png"]);
        Assert.Equal((160, 120), (drawn.Width, drawn.Height));
        Assert.False(drawn.Pixels.SequenceEqual(frame.Pixels));
        Cli.Run("run", work["m.onnx"], work["blue.png"], "--annotate", work["one.gif"]).RefusedWith(64, "one.gif");
    }

    [Theory]
    [InlineData("m.onnx")]
    [InlineData("m.esm")]
    public void Inspect_lists_the_layers(string file)
    {
        using var work = new WorkFolder();
        SmallModel.WriteColors(work["m.onnx"]);
        Cli.Run("compile", work["m.onnx"], "-o", work["m.esm"]).Succeeded();
        JsonElement json = Cli.Run("inspect", work[file], "--json").Succeeded().Json;
        Assert.Equal("edgesparse.inspect/1", json.GetProperty("schema").GetString());
        Assert.Equal(36, json.GetProperty("multiply_adds").GetInt64());
        JsonElement conv = json.GetProperty("layers")[0];
        Assert.Equal("Conv", conv.GetProperty("operator").GetString());
        Assert.Equal([1, 3, 2, 2], conv.GetProperty("output_shapes")[0].EnumerateArray().Select(d => d.GetInt32()));
        Assert.Equal(12, conv.GetProperty("parameters").GetInt64());
        Assert.Equal(7, conv.GetProperty("zeros").GetInt64());
        Assert.NotEmpty(conv.GetProperty("kernel").GetString()!);
        Assert.Equal("x", json.GetProperty("inputs")[0].GetProperty("name").GetString());
        Assert.True(json.GetProperty("arena_bytes").GetInt64() > 0);

        string table = Cli.Run("inspect", work[file], "--plan").Succeeded().Output;
        Assert.Contains("weigh", table, StringComparison.Ordinal);
        Assert.Contains("1x3x2x2", table, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_on_an_array_writes_every_output()
    {
        using var work = new WorkFolder();
        SmallModel.WriteColors(work["m.onnx"]);
        SmallModel.WriteInput(work["x.npy"]);
        JsonElement json = Cli.Run("run", work["m.onnx"], "--npy", work["x.npy"], "--save-npy", work["out"], "--json").Succeeded().Json;
        Assert.Equal("edgesparse.tensors/1", json.GetProperty("schema").GetString());
        Tensor scores = NpyFile.Read(Path.Combine(work["out"], "output_scores.npy"));
        Assert.Equal(SmallModel.Scores, scores.Span<float>().ToArray());
        Assert.Contains("35.0000", Cli.Run("run", work["m.onnx"], "--npy", "x=" + work["x.npy"]).Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_on_pictures_gives_the_best_labels()
    {
        using var work = new WorkFolder();
        SmallModel.WriteColors(work["m.onnx"]);
        File.WriteAllText(work["model.json"], SmallModel.Manifest);
        Directory.CreateDirectory(work["pictures"]);
        using (var frame = new Vision.Frame(4, 4))
        {
            frame.Fill(255, 0, 0);
            Vision.ImageFile.Save(Path.Combine(work["pictures"], "b.png"), frame);
            frame.Fill(0, 0, 255);
            Vision.ImageFile.Save(Path.Combine(work["pictures"], "a.png"), frame);
        }
        Outcome run = Cli.Run("run", work["m.onnx"], work["pictures"], "--save", work["r.jsonl"], "--json", "--top", "2").Succeeded();
        string[] lines = File.ReadAllLines(work["r.jsonl"]);
        Assert.Equal(lines, run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(2, lines.Length);
        JsonElement blue = JsonDocument.Parse(lines[0]).RootElement;
        Assert.Equal("edgesparse.picture/1", blue.GetProperty("schema").GetString());
        Assert.EndsWith("a.png", blue.GetProperty("file").GetString(), StringComparison.Ordinal);
        Assert.Equal(4, blue.GetProperty("frame").GetProperty("width").GetInt32());
        // Blue alone: 0, 0 + 1, 3 + 2.
        JsonElement best = blue.GetProperty("detections")[0];
        Assert.Equal("blue", best.GetProperty("label").GetString());
        Assert.Equal(2, best.GetProperty("label_id").GetInt32());
        Assert.Equal(5, best.GetProperty("score").GetSingle(), 1e-5);
        Assert.Equal(JsonValueKind.Null, best.GetProperty("box").ValueKind);
        Assert.Equal(2, blue.GetProperty("detections").GetArrayLength());
        Assert.Contains("green", Cli.Run("run", work["m.onnx"], Path.Combine(work["pictures"], "a.png")).Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_passes_within_and_fails_beyond_tolerance()
    {
        using var work = new WorkFolder();
        SmallModel.WriteColors(work["m.onnx"]);
        Directory.CreateDirectory(work["golden"]);
        SmallModel.WriteInput(Path.Combine(work["golden"], "input.npy"));
        string expected = Path.Combine(work["golden"], "output_scores.npy");
        NpyFile.Write(expected, Tensor.FromFloats(new Shape(1, 3), SmallModel.Scores));
        JsonElement json = Cli.Run("verify", work["m.onnx"], "--golden", work["golden"], "--json").Succeeded().Json;
        Assert.Equal("edgesparse.verify/1", json.GetProperty("schema").GetString());
        Assert.True(json.GetProperty("passed").GetBoolean());

        NpyFile.Write(expected, Tensor.FromFloats(new Shape(1, 3), [3, 15.1f, 35]));
        Outcome different = Cli.Run("verify", work["m.onnx"], "--golden", work["golden"], "--json");
        Assert.Equal(1, different.ExitCode);
        Assert.False(different.Json.GetProperty("passed").GetBoolean());
        JsonElement output = different.Json.GetProperty("outputs")[0];
        Assert.Equal(1, output.GetProperty("worst_index").GetInt64());
        Assert.Equal(1, output.GetProperty("beyond_tolerance").GetInt64());
        Assert.Equal(0.1, output.GetProperty("max_absolute_error").GetDouble(), 1e-5);
        Assert.Contains("DIFFERENT", Cli.Run("verify", work["m.onnx"], "--golden", work["golden"]).Output, StringComparison.Ordinal);
        Cli.Run("verify", work["m.onnx"], "--golden", work["golden"], "--atol", "0.2").Succeeded();

        // A lone output.npy, and an expected NaN.
        File.Delete(expected);
        NpyFile.Write(Path.Combine(work["golden"], "output.npy"), Tensor.FromFloats(new Shape(1, 3), [3, float.NaN, 35]));
        Assert.Equal(1, Cli.Run("verify", work["m.onnx"], "--golden", work["golden"]).ExitCode);
    }

    [Theory]
    [InlineData(2, 1, 3)]
    [InlineData(2, 3)]
    public void Verify_runs_every_stacked_sample(params int[] outputShape)
    {
        using var work = new WorkFolder();
        SmallModel.WriteColors(work["m.onnx"]);
        float[] two = [.. Enumerable.Range(0, 12).Select(i => (float)i), .. new float[12]];
        NpyFile.Write(work["input_x.npy"], Tensor.FromFloats(new Shape(2, 3, 2, 2), two));
        NpyFile.Write(work["output_scores.npy"], Tensor.FromFloats(new Shape(outputShape), [.. SmallModel.Scores, 0, 1, 2]));
        JsonElement json = Cli.Run("verify", work["m.onnx"], "--golden", work.Root, "--json").Succeeded().Json;
        Assert.Equal(6, json.GetProperty("outputs")[0].GetProperty("elements").GetInt64());
        NpyFile.Write(work["output_scores.npy"], Tensor.FromFloats(new Shape(outputShape), [.. SmallModel.Scores, 0, 1, 3]));
        Assert.Equal(5, Cli.Run("verify", work["m.onnx"], "--golden", work.Root, "--json").Json.GetProperty("outputs")[0].GetProperty("worst_index").GetInt64());
    }

    [Fact]
    public void Bench_reports_percentiles_and_layers()
    {
        using var work = new WorkFolder();
        SmallModel.WriteColors(work["m.onnx"]);
        JsonElement json = Cli.Run("bench", work["m.onnx"], "--seconds", "0", "--threads", "1", "--profile", "--json").Succeeded().Json;
        Assert.Equal("edgesparse.bench/1", json.GetProperty("schema").GetString());
        JsonElement native = json.GetProperty("native");
        double minimum = native.GetProperty("min_milliseconds").GetDouble(), median = native.GetProperty("p50_milliseconds").GetDouble();
        Assert.True(minimum > 0 && minimum <= median && median <= native.GetProperty("p95_milliseconds").GetDouble());
        Assert.True(native.GetProperty("p95_milliseconds").GetDouble() <= native.GetProperty("p99_milliseconds").GetDouble());
        Assert.Equal(1000 / median, native.GetProperty("frames_per_second").GetDouble(), 1e-6 * 1000 / median);
        Assert.Equal(5, native.GetProperty("runs").GetInt64());
        Assert.Equal(JsonValueKind.Null, json.GetProperty("onnxruntime").ValueKind);
        Assert.Equal(JsonValueKind.Null, json.GetProperty("speedup").ValueKind);
        Assert.Equal(1, json.GetProperty("threads").GetInt32());
        Assert.True(json.GetProperty("layers").GetArrayLength() >= 2);
        string table = Cli.Run("bench", work["m.onnx"], "--seconds", "0").Succeeded().Output;
        Assert.Contains("p50 ms", table, StringComparison.Ordinal);
    }

    [Fact]
    public void Bench_compares_threads_with_one_thread()
    {
        using var work = new WorkFolder();
        SmallModel.WriteColors(work["m.onnx"]);
        JsonElement json = Cli.Run("bench", work["m.onnx"], "--seconds", "0", "--threads", "2", "--against", "one-thread", "--json").Succeeded().Json;
        double one = json.GetProperty("one_thread").GetProperty("p50_milliseconds").GetDouble(), two = json.GetProperty("native").GetProperty("p50_milliseconds").GetDouble();
        Assert.Equal(one / two, json.GetProperty("thread_speedup").GetDouble(), 1e-9);
        Assert.Equal(JsonValueKind.Null, json.GetProperty("onnxruntime").ValueKind);
        Assert.Contains("as fast as one", Cli.Run("bench", work["m.onnx"], "--seconds", "0", "--threads", "2", "--against", "one-thread").Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Bench_compares_with_the_model_it_came_from()
    {
        using var work = new WorkFolder();
        SmallModel.WriteColors(work["m.onnx"]);
        Cli.Run("compile", work["m.onnx"], "-o", work["m.esm"]).Succeeded();
        JsonElement json = Cli.Run("bench", work["m.esm"], "--seconds", "0", "--against", "native", "--baseline", work["m.onnx"], "--json").Succeeded().Json;
        double ours = json.GetProperty("native").GetProperty("p50_milliseconds").GetDouble(), baseline = json.GetProperty("baseline").GetProperty("p50_milliseconds").GetDouble();
        Assert.Equal(baseline / ours, json.GetProperty("baseline_speedup").GetDouble(), 1e-9);
        Assert.EndsWith("m.onnx", json.GetProperty("baseline_model").GetProperty("file").GetString(), StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, json.GetProperty("speedup").ValueKind);
        Assert.Contains("of the median time of", Cli.Run("bench", work["m.esm"], "--seconds", "0", "--against", "native", "--baseline", work["m.onnx"]).Succeeded().Output, StringComparison.Ordinal);
        Outcome refused = Cli.Run("bench", work["m.esm"], "--baseline", work["m.onnx"]);
        Assert.Equal(64, refused.ExitCode);
        Assert.Contains("--against", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Synth_writes_a_pruned_model()
    {
        using var work = new WorkFolder();
        JsonElement json = Cli.Run("synth", "mobilenet_v2", "--pattern", "4x1", "--sparsity", "0.9", "--seed", "3", "-o", work["m.onnx"], "--json").Succeeded().Json;
        Assert.Equal("edgesparse.synth/1", json.GetProperty("schema").GetString());
        Assert.Equal(new FileInfo(work["m.onnx"]).Length, json.GetProperty("output_bytes").GetInt64());
        Assert.Equal("4x1", json.GetProperty("pattern").GetString());
        Assert.Equal(3_487_816, json.GetProperty("parameters").GetInt64());
        Assert.Equal([work["m.onnx"]], Directory.GetFiles(work.Root));
    }
}
