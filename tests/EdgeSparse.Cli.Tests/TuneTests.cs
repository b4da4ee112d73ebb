using System.Text.Json;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Cli.Tests;

/// <summary><c>tune</c> measures and keeps, <c>inspect --plan</c> and <c>bench --profile</c> show what was chosen by it.</summary>
public class TuneTests
{
    [Fact]
    public void Tune_measures_the_processor_and_plans_go_by_it()
    {
        using var work = new WorkFolder();
        SmallModel.WriteColors(work["m.onnx"]);
        JsonElement tuned = Cli.Run("tune", work["m.onnx"], "--threads", "1", "--state", work["state"], "--json").Succeeded().Json;
        Assert.Equal("edgesparse.tune/1", tuned.GetProperty("schema").GetString());
        Assert.True(tuned.GetProperty("peak_gigaflops_per_second").GetDouble() > 0.1);
        Assert.Equal(CostClasses.All.Count, tuned.GetProperty("formulas").GetArrayLength());
        Assert.All(tuned.GetProperty("formulas").EnumerateArray(), formula => Assert.Contains(formula.GetProperty("nanoseconds").EnumerateObject(), term => term.Value.GetDouble() > 0));
        Assert.Equal(1, tuned.GetProperty("measured_layers").GetInt32());
        string file = Assert.Single(Directory.GetFiles(work["state"]));
        Assert.Equal(file, tuned.GetProperty("file").GetString());

        JsonElement plan = Cli.Run("inspect", work["m.onnx"], "--plan", "--threads", "1", "--state", work["state"], "--json").Succeeded().Json;
        Assert.Equal(file, plan.GetProperty("costs").GetString());
        JsonElement[] candidates = [.. plan.GetProperty("layers")[0].GetProperty("candidates").EnumerateArray()];
        Assert.Equal(["dense", "sparse"], candidates.Select(candidate => candidate.GetProperty("kernel").GetString()));
        Assert.All(candidates, candidate => Assert.True(candidate.GetProperty("measured_microseconds").GetDouble() > 0));
        JsonElement chosen = Assert.Single(candidates, candidate => candidate.GetProperty("chosen").GetBoolean());
        Assert.Equal(candidates.Min(candidate => candidate.GetProperty("measured_microseconds").GetDouble()), chosen.GetProperty("measured_microseconds").GetDouble());

        string table = Cli.Run("inspect", work["m.onnx"], "--plan", "--threads", "2", "--state", work["state"]).Succeeded().Output;
        Assert.Contains("dense/1 us", table, StringComparison.Ordinal);
        Assert.Contains("(measured)", table, StringComparison.Ordinal);

        string cut = File.ReadAllText(file)[..100];
        File.WriteAllText(file, cut);
        Outcome damaged = Cli.Run("inspect", work["m.onnx"], "--plan", "--state", work["state"], "--json").Succeeded();
        Assert.Equal("built in", damaged.Json.GetProperty("costs").GetString());
        Assert.Contains($"{file} is not used", damaged.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Profile_shows_how_near_each_layer_comes_to_its_roofline()
    {
        using var work = new WorkFolder();
        Cli.Run("synth", "mobilenet_v2", "--sparsity", "0.9", "-o", work["m.onnx"]).Succeeded();
        string[] arguments = ["bench", work["m.onnx"], "--profile", "--seconds", "0", "--threads", "1", "--state", work["none"]];
        string[] lines = Cli.Run(arguments).Succeeded().Output.Split('\n');
        int header = Array.FindIndex(lines, line => line.StartsWith("layer ", StringComparison.Ordinal));
        Assert.Contains("of roof", lines[header], StringComparison.Ordinal);
        Assert.True(lines.Length > header + 50);
        Assert.All(lines[header..], line => Assert.True(line.TrimEnd().Length < 160, line));

        JsonElement conv = Cli.Run([.. arguments, "--json"]).Succeeded().Json.GetProperty("layers")[0];
        JsonElement roofline = conv.GetProperty("roofline");
        double least = 1e3 * conv.GetProperty("least_milliseconds").GetDouble();
        double bound = Math.Max(roofline.GetProperty("arithmetic_microseconds").GetDouble(), roofline.GetProperty("memory_microseconds").GetDouble());
        Assert.Equal(bound / least, roofline.GetProperty("share_of_roofline").GetDouble(), 1e-3);
        Assert.Equal(roofline.GetProperty("arithmetic_microseconds").GetDouble() / least, roofline.GetProperty("share_of_peak").GetDouble(), 1e-3);
    }

    [Theory]
    [InlineData("3-1", "--cpus is '3-1', expected processors")]
    [InlineData("", "--cpus is '', expected processors")]
    [InlineData("1000-1001", "processors 1000-1001 are not here or not allowed; this process may use ")]
    public void A_bad_list_of_processors_is_refused(string list, string message)
    {
        using var work = new WorkFolder();
        SmallModel.WriteColors(work["m.onnx"]);
        Cli.Run("bench", work["m.onnx"], "--seconds", "0", "--cpus", list).RefusedWith(64, message);
    }

    [Fact]
    public void Tune_refuses_a_folder_that_cannot_be_made()
    {
        using var work = new WorkFolder();
        File.WriteAllText(work["file"], "");
        Cli.Run("tune", "--state", work["file"] + "/inner").RefusedWith(73, "cannot be created");
    }
}
