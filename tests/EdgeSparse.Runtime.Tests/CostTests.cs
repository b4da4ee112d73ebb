using System.Text;
using EdgeSparse.Kernels;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Runtime.Tests;

/// <summary>The fit of the formulas, the file they are kept in, and what is refused of such a file.</summary>
public class CostTests
{
    private static readonly ProcessorIdentity Processor = ProcessorIdentity.Current;

    [Fact]
    public void A_fit_finds_the_formula_that_made_the_times()
    {
        var random = new Random(5);
        double[] expected = [100, 0.25, 0, 3];
        List<double[]> rows = [.. Enumerable.Range(0, 20).Select(_ => new[] { 1, random.NextDouble() * 1e5, random.NextDouble() * 1e4, random.NextDouble() * 1e3 })];
        double[] fitted = LeastSquares.FitRelative(rows, [.. rows.Select(row => row.Zip(expected, (a, b) => a * b).Sum())], 500);
        for (int i = 0; i < expected.Length; i++) Assert.InRange(fitted[i], expected[i] * 0.98 - 0.01, expected[i] * 1.02 + 0.01);
    }

    [Fact]
    public void A_fit_is_never_negative_and_keeps_its_bound()
    {
        double[] fitted = LeastSquares.FitRelative([[1, 1], [1, 2], [1, 3]], [9000, 8000, 7000], 500);
        Assert.Equal(500, fitted[0]);
        Assert.True(fitted[1] >= 0);
    }

    [Theory]
    [InlineData(InstructionSet.Portable)]
    [InlineData(InstructionSet.AdvSimd)]
    [InlineData(InstructionSet.Avx2)]
    [InlineData(InstructionSet.Avx512)]
    public void Every_instruction_set_has_built_in_costs_that_a_file_keeps(InstructionSet isa)
    {
        CostTable table = CostTable.Default(isa);
        table = new CostTable(isa, "test", table.Machine, [.. CostClasses.All.Select(each => table.Coefficients(each).ToArray())]);
        table.SetLayer("conv \"quoted\" é", [new LayerTiming("dense", 1, 1234.5), new LayerTiming("sparse", 2, 0.5)]);
        CostTable read = CostFile.Parse(CostFile.Format(table, Processor), Processor, isa, "file");
        Assert.Equal((isa, "file"), (read.Isa, read.Origin));
        foreach (CostClass each in CostClasses.All) Assert.Equal(table.Coefficients(each), read.Coefficients(each));
        Assert.Equal(table.Machine.Memory, read.Machine.Memory);
        Assert.Equal(table.Machine with { Memory = read.Machine.Memory }, read.Machine);
        Assert.Equal(table.Layers["conv \"quoted\" é"], Assert.Single(read.Layers).Value);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("edgesparse.costs/1", "edgesparse.costs/2")]
    [InlineData("\"processor\": \"", "\"processor\": \"other ")]
    [InlineData("\"instruction_set\": \"Portable\"", "\"instruction_set\": \"Avx2\"")]
    [InlineData("\"version\": \"", "\"version\": \"9")]
    [InlineData("\"cache_bytes\": [", "\"cache_bytes\": [ 77,")]
    [InlineData("\"cache_bytes\": [", "\"cache_bytes\": [ \"a\",")]
    [InlineData("\"dense_row\"", "\"dense_rows\"")]
    [InlineData("\"weight\":", "\"weights\":")]
    [InlineData("\"tap_element\": ", "\"tap_element\": -")]
    [InlineData("\"tap_element\": ", "\"tap_element\": 1e300")]
    [InlineData("\"tap_element\": ", "\"tap_element\": null, \"x\": ")]
    [InlineData("\"hand_over_nanoseconds\": ", "\"hand_over_nanoseconds\": \"1\", \"x\": ")]
    [InlineData("\"peak_multiply_adds_per_nanosecond\": ", "\"peak_multiply_adds_per_nanosecond\": 0, \"x\": ")]
    [InlineData("\"memory\": [", "\"memory\": [], \"x\": [")]
    [InlineData("\"size_bytes\": ", "\"size_bytes\": -")]
    [InlineData("\"layers\": {", "\"layers\": { \"a\": [], \"b\": {} ")]
    [InlineData("\"layers\": {", "\"layers\": { \"a\": [{ \"kernel\": \"dense\", \"threads\": 0, \"nanoseconds\": 1 }] ")]
    [InlineData("\"layers\": {", "\"layers\": { \"a\": [{ \"kernel\": \"dense\", \"threads\": 1, \"nanoseconds\": -1 }] ")]
    [InlineData("\"layers\": {", "\"layers\": { \"a\": [{ \"kernel\": \"\", \"threads\": 1, \"nanoseconds\": 1 }] ")]
    [InlineData("\"layers\": {", "\"layers\": { \"a\": [1] ")]
    [InlineData("\"layers\": {", "\"layers\": [")]
    public void A_file_that_is_damaged_old_or_foreign_is_not_used_and_says_why(string find, string replace)
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, CostFile.Name(Processor, InstructionSet.Portable));
        string text = Encoding.UTF8.GetString(CostFile.Format(CostTable.Default(InstructionSet.Portable), Processor));
        Assert.Contains(find, text, StringComparison.Ordinal);
        File.WriteAllText(path, find.Length == 0 ? "" : text.Replace(find, replace, StringComparison.Ordinal));
        Assert.Null(CostFile.Load(folder.Path, Processor, InstructionSet.Portable, out string? problem));
        Assert.StartsWith(path + " is not used: ", problem, StringComparison.Ordinal);
        Assert.EndsWith("edgesparse tune", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_cut_short_anywhere_is_not_used()
    {
        byte[] whole = CostFile.Format(CostTable.Default(InstructionSet.Portable), Processor);
        for (int length = 0; length < whole.Length - 2; length += 7)
            Assert.ThrowsAny<Exception>(() => CostFile.Parse(whole.AsMemory(0, length), Processor, InstructionSet.Portable, ""));
    }

    [Fact]
    public void A_huge_file_is_not_read()
    {
        using var folder = new TemporaryFolder();
        using (FileStream file = File.Create(Path.Combine(folder.Path, CostFile.Name(Processor, InstructionSet.Portable)))) file.SetLength(5 << 20);
        Assert.Null(CostFile.Load(folder.Path, Processor, InstructionSet.Portable, out string? problem));
        Assert.Contains("expected at most", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_file_there_is_no_problem_and_a_saved_one_is_loaded()
    {
        using var folder = new TemporaryFolder();
        string inner = Path.Combine(folder.Path, "made", "on the way");
        Assert.Null(CostFile.Load(inner, Processor, InstructionSet.Portable, out string? problem));
        Assert.Null(problem);
        string path = CostFile.Save(CostTable.Default(InstructionSet.Portable), inner, Processor);
        Assert.Equal(path, CostFile.Load(inner, Processor, InstructionSet.Portable, out problem)!.Origin);
        Assert.Null(problem);
    }

    [Theory]
    [InlineData("/given", "/systemd:/other", "/xdg", "/home/a", "/given")]
    [InlineData(null, "/systemd:/other", "/xdg", "/home/a", "/systemd")]
    [InlineData(null, null, "/xdg", "/home/a", "/xdg/edgesparse")]
    [InlineData(null, "", "relative", "/home/a", "/home/a/.local/state/edgesparse")]
    [InlineData(null, null, null, null, null)]
    public void The_state_folder_is_the_first_that_is_known(string? given, string? systemd, string? xdg, string? home, string? expected) =>
        Assert.Equal(expected, CostFile.Folder(given, name => name switch { "STATE_DIRECTORY" => systemd, "XDG_STATE_HOME" => xdg, "HOME" => home, _ => null }));

    private sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("edgesparse-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
