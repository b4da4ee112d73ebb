using System.Text.Json;
using EdgeSparse.Cli.Optimization;
using EdgeSparse.Compiler.Synthesis;
using EdgeSparse.Testing;
using EdgeSparse.Vision;

namespace EdgeSparse.Cli.Tests;

/// <summary><c>edgesparse optimize</c> as a user runs it, and its search.</summary>
public sealed class OptimizeTests : IDisposable
{
    private readonly WorkFolder _work = new();

    public void Dispose() => _work.Dispose();

    [Theory]
    [InlineData(27, 4, 9)]
    [InlineData(27, 0, 26)]
    [InlineData(27, 3, 3)]
    [InlineData(27, 26, 26)]
    [InlineData(1, 0, 0)]
    [InlineData(2, 0, 1)]
    public void The_strongest_recipe_within_the_bound_is_found_by_bisection(int recipes, int weakestThatGains, int strongestThatPasses)
    {
        var predicted = new List<int>();
        var tried = new List<int>();
        var search = new FamilySearch(Family(recipes), recipe =>
        {
            predicted.Add(Index(recipe));
            return Index(recipe) >= weakestThatGains ? 0.9 - 0.01 * Index(recipe) : 1.05;
        }, 0.02);
        while (search.Closed is null)
        {
            Assert.DoesNotContain(search.Next, tried);
            tried.Add(search.Next);
            search.Report(search.Next <= strongestThatPasses);
        }
        Assert.Equal(weakestThatGains, tried[0]);
        Assert.Equal(strongestThatPasses, search.Passed);
        Assert.Equal(predicted.Distinct().Count(), predicted.Count);
        Assert.InRange(tried.Count, 1, 2 + (int)Math.Ceiling(Math.Log2(recipes)));
    }

    [Fact]
    public void A_family_ends_where_its_weakest_recipe_loses_too_much_or_none_gains()
    {
        var losing = new FamilySearch(Family(20), _ => 0.5, 0.02);
        losing.Report(false);
        Assert.Contains("loses too much", losing.Closed, StringComparison.Ordinal);
        Assert.False(losing.HasPassed);
        Assert.Contains("even at its strongest", new FamilySearch(Family(20), _ => 0.99, 0.02).Closed, StringComparison.Ordinal);
        Assert.Contains("cannot be had", new FamilySearch(Family(20), _ => null, 0.02).Closed, StringComparison.Ordinal);
        // Recipes that cannot be had at the strong end are left out.
        Assert.Equal(0.7, new FamilySearch(Family(20), recipe => Index(recipe) < 12 ? 0.8 - 0.1 * Index(recipe) / 11 : null, 0.02).Bound, 9);
    }

    [Fact]
    public void Patterns_N_of_M_are_one_family_from_dense_to_sparse()
    {
        List<RecipeFamily> families = RecipeFamilies.Zeros([.. "1:8,unstructured,2:4,4x1,1:4".Split(',').Select(text => PruningPattern.Parse(text)!)], [Compiler.Sparsity.SparsityAllocation.Uniform, Compiler.Sparsity.SparsityAllocation.ErdosRenyiKernel]);
        Assert.Equal(["unstructured uniform", "4x1 uniform", "N:M", "unstructured erk", "4x1 erk"], families.Select(family => family.Name));
        Assert.Equal(["2:4", "1:4", "1:8"], families[2].Recipes.Select(recipe => recipe.Name));
        Assert.Equal("unstructured 30 % erk", families[3].Recipes[0].Name);
        Assert.Equal("4x1 95 %", families[1].Recipes[^1].Name);
    }

    [DataFact]
    public void A_trained_model_gets_a_package_that_keeps_the_bound_and_a_report_of_all_candidates()
    {
        string model = TestData.Path("models", "own", "mbnet_dense.onnx"), pictures = TestData.Path("images", "cifar10_test1000_jpeg.tar.gz");
        File.WriteAllText(_work["cifar.json"], """{ "name": "mbnet", "preprocess": { "scale": 0.00392156863 }, "decoder": { "type": "classification" }, "labels": ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"] }""");
        Outcome run = Cli.Run("optimize", model, "--calibrate", pictures, "--manifest", _work["cifar.json"], "--pictures", "12", "--judged", "60", "--max-drop", "100%", "--patterns", "4x1", "--allocations", "uniform",
            "--seconds", "0.05", "--threads", "1", "-o", _work["o.esm"], "--onnx", _work["o.onnx"], "--report", _work["report"], "--json");
        Assert.True(run.ExitCode is 0 or 1, run.Error);
        JsonElement report = run.Json;
        JsonElement[] candidates = [.. report.GetProperty("candidates").EnumerateArray()];
        Assert.Equal(("accuracy", 12, 60, "complete"), (report.GetProperty("metric").GetString(), report.GetProperty("calibration_pictures").GetInt32(), report.GetProperty("judged_pictures").GetInt32(), report.GetProperty("ended_by").GetString()));
        Assert.InRange(report.GetProperty("dense_value").GetDouble(), 0.6, 1);
        JsonElement chosen = Assert.Single(candidates, candidate => candidate.GetProperty("chosen").GetBoolean());
        // Whatever is chosen is in the package, within the bound, and what the report says of it holds.
        Assert.True(chosen.GetProperty("within_bound").GetBoolean());
        Assert.Equal(report.GetProperty("faster").GetBoolean(), run.ExitCode == 0);
        JsonElement compared = Cli.Run("compare", _work["o.esm"], "--baseline", _work["o.onnx"], "--pictures", pictures, "--count", "20", "--json").Succeeded().Json;
        Assert.Equal(1.0, compared.GetProperty("model_metrics").GetProperty("agreement").GetDouble());
        Assert.Equal(["optimize.json", "optimize.md", "optimize.png"], Directory.GetFiles(_work["report"]).Select(Path.GetFileName).Order());
        Assert.Contains("| 4x1 ", File.ReadAllText(_work["report/optimize.md"]), StringComparison.Ordinal);
        using var picture = new Frame(1, 1);
        ImageFile.Load(_work["report/optimize.png"], picture);
        Assert.Equal((1100, 640), (picture.Width, picture.Height));
        Assert.Empty(Directory.EnumerateFiles(_work.Root, "*.tmp", SearchOption.AllDirectories));
    }

    [DataFact]
    public void With_nothing_faster_within_the_bound_the_dense_package_is_written_and_said_so()
    {
        string model = TestData.Path("models", "own", "vit_gelu.onnx"), pictures = TestData.Path("images", "cifar10_test1000_jpeg.tar.gz");
        File.WriteAllText(_work["cifar.json"], """{ "name": "vit", "preprocess": { "scale": 0.00392156863 }, "decoder": { "type": "classification" } }""");
        // Ten pictures and no loss allowed of a share that the weakest recipe there is does lose.
        Outcome run = Cli.Run("optimize", model, "--calibrate", pictures, "--manifest", _work["cifar.json"], "--pictures", "2", "--judged", "20", "--max-drop", "0", "--patterns", "1:16", "--allocations", "uniform",
            "--token-methods", "none", "--seconds", "0.02", "--threads", "1", "-o", _work["o.esm"], "--json");
        Assert.Equal(1, run.ExitCode);
        Assert.False(run.Json.GetProperty("faster").GetBoolean());
        Assert.Equal("dense", Assert.Single(run.Json.GetProperty("candidates").EnumerateArray(), candidate => candidate.GetProperty("chosen").GetBoolean()).GetProperty("family").GetString());
        Assert.Contains("loses", run.Json.GetProperty("candidates")[1].GetProperty("verdict").GetString(), StringComparison.Ordinal);
        JsonElement inspected = Cli.Run("inspect", _work["o.esm"], "--json").Succeeded().Json;
        Assert.All(inspected.GetProperty("sparsity").EnumerateArray(), layer => Assert.Equal(JsonValueKind.Null, layer.GetProperty("pattern").ValueKind));
    }

    [DataFact]
    public void Zeros_where_they_pay_and_fewer_tokens_are_tried_together()
    {
        File.WriteAllText(_work["cifar.json"], """{ "name": "vit", "preprocess": { "scale": 0.00392156863 }, "decoder": { "type": "classification" } }""");
        JsonElement report = Cli.Run("optimize", TestData.Path("models", "own", "vit_gelu.onnx"), "--calibrate", TestData.Path("images", "cifar10_test1000_jpeg.tar.gz"), "--manifest", _work["cifar.json"], "--pictures", "4", "--judged", "10",
            "--max-drop", "100%", "--patterns", "4x1", "--allocations", "measured", "--token-methods", "merge", "--seconds", "0.02", "--threads", "1", "-o", _work["o.esm"], "--onnx", _work["o.onnx"], "--json").Json;
        JsonElement[] candidates = [.. report.GetProperty("candidates").EnumerateArray()];
        string[] families = [.. report.GetProperty("families").EnumerateArray().Select(family => family.GetProperty("name").GetString()!)];
        Assert.Contains("4x1 measured", families);
        Assert.Contains("tokens: merge threshold", families);
        // Which of them are faster is a matter of measured time; where zeros and fewer tokens are, each alone, both together are searched.
        bool IsOf(JsonElement candidate, string property) => candidate.GetProperty(property).ValueKind == JsonValueKind.String;
        bool zeros = candidates.Any(candidate => IsOf(candidate, "pattern") && !IsOf(candidate, "tokens") && candidate.GetProperty("time_share") is { ValueKind: JsonValueKind.Number } share && share.GetDouble() <= 1 - OptimizeRun.LeastGain);
        Assert.Contains(candidates, candidate => IsOf(candidate, "tokens") && !IsOf(candidate, "pattern"));
        Assert.Equal(zeros, families.Any(family => family.StartsWith("4x1 ", StringComparison.Ordinal) && family.Contains(" measured + tokens: merge", StringComparison.Ordinal)));
        Assert.All(candidates.Where(candidate => candidate.GetProperty("sparsity").ValueKind == JsonValueKind.Number), candidate => Assert.InRange(candidate.GetProperty("sparsity").GetDouble(), 0.25, 1));
        // A package with fewer tokens is written whole, whichever was chosen.
        Cli.Run("inspect", _work["o.esm"]).Succeeded();
        Assert.Equal("complete", report.GetProperty("ended_by").GetString());
    }

    [DataFact]
    public void A_time_limit_ends_the_search_with_a_whole_package()
    {
        string pictures = TestData.Path("images", "cifar10_test1000_jpeg.tar.gz");
        File.WriteAllText(_work["cifar.json"], """{ "name": "vit", "preprocess": { "scale": 0.00392156863 }, "decoder": { "type": "classification" } }""");
        Outcome run = Cli.Run("optimize", TestData.Path("models", "own", "vit_gelu.onnx"), "--calibrate", pictures, "--manifest", _work["cifar.json"], "--pictures", "8", "--judged", "8", "--time-limit", "0.001",
            "--seconds", "0.01", "--threads", "1", "-o", _work["o.esm"]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("ended by: time limit", run.Output, StringComparison.Ordinal);
        Assert.Contains("no candidate is faster than the dense model", run.Output, StringComparison.Ordinal);
        Cli.Run("inspect", _work["o.esm"]).Succeeded();
    }

    [Fact]
    public void Wrong_requests_are_refused_in_one_line_and_leave_what_was_there()
    {
        SmallModel.WriteColors(_work["m.onnx"]);
        File.WriteAllText(_work["m.json"], SmallModel.Manifest);
        SmallModel.WriteColors(_work["foreign.onnx"], foreign: true);
        foreach (string folder in (string[])["empty", "one", "torn", "two"]) Directory.CreateDirectory(_work[folder]);
        using (var frame = new Frame(2, 2))
            foreach (string name in (string[])["one/a.png", "two/a.png", "two/b.png"]) ImageFile.Save(_work[name], frame);
        for (int i = 0; i < 3; i++) File.WriteAllText(_work[$"torn/{i}.png"], "no picture");
        File.WriteAllText(_work["o.esm"], "the last whole result");
        Refused(64, "--max-drop is 'much', expected points from 0 to 100", "@m.onnx -c @two --max-drop much");
        Refused(64, "--max-drop is '101%'", "@m.onnx -c @two --max-drop 101%");
        Refused(64, "--patterns has '5:4'", "@m.onnx -c @two --patterns 4x1,5:4");
        Refused(64, "--allocations has 'fair'", "@m.onnx -c @two --allocations fair");
        Refused(64, "--token-methods has 'random', expected merge", "@m.onnx -c @two --token-methods random");
        Refused(64, "--time-limit is '-1'", "@m.onnx -c @two --time-limit -1");
        Refused(64, "Option '--calibrate' is required", "@m.onnx");
        Refused(64, "is the ONNX file itself", "@m.onnx -c @two --onnx @m.onnx");
        Refused(65, "too few: needed are at least 2", "@m.onnx -c @one");
        Refused(65, "torn/", "@m.onnx -c @torn");
        Refused(65, "operator Colorize of domain example.org", "@foreign.onnx -c @two");
        Refused(66, "empty: no .jpg", "@m.onnx -c @empty");
        Refused(66, "nowhere: no such file", "@m.onnx -c @nowhere");
        Refused(66, "nowhere.onnx: no such file", "@nowhere.onnx -c @two");
        Refused(73, "--report is", "@m.onnx -c @two --report @m.json");
        Refused(73, "nosuch/o.onnx: cannot be created: there is no such folder", "@m.onnx -c @two --onnx @nosuch/o.onnx");
        Refused(73, "two: is a folder", "@m.onnx -c @two --onnx @two");
        Assert.Equal("the last whole result", File.ReadAllText(_work["o.esm"]));
        Assert.Empty(Directory.EnumerateFiles(_work.Root, "*.tmp"));

        void Refused(int code, string message, string line) =>
            Cli.Run(["optimize", "-o", _work["o.esm"], .. line.Split(' ').Select(word => word.StartsWith('@') ? _work[word[1..]] : word)]).RefusedWith(code, message);
    }

    private static RecipeFamily Family(int recipes) => new("family", [.. Enumerable.Range(0, recipes).Select(i => new Recipe { Pattern = PruningPattern.Unstructured, Sparsity = i / 100.0 })]);

    private static int Index(Recipe recipe) => (int)Math.Round(recipe.Sparsity * 100);
}
