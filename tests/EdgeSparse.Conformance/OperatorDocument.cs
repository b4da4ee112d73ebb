using System.Globalization;
using System.Text;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Testing;

namespace EdgeSparse.Conformance;

/// <summary>docs/OPERATORS-ONNX.md says what the importer's table says, to the letter.</summary>
public sealed class OperatorDocument
{
    [Fact]
    public void The_documentation_is_the_table()
    {
        string path = Path.Combine(TestData.RepositoryRoot, "docs", "OPERATORS-ONNX.md"), written = Path.Combine(AppContext.BaseDirectory, "OPERATORS-ONNX.md");
        string expected = Write();
        File.WriteAllText(written, expected);
        string actual = File.Exists(path) ? File.ReadAllText(path) : "";
        Assert.True(actual == expected, $"{path} differs from the table in OperatorTable; what it should be is in {written}: cp {written} {path}");
    }

    [Fact]
    public void Every_operator_is_listed_once()
    {
        Assert.Equal(OperatorTable.Claims.Count, OperatorTable.Claims.Select(claim => (claim.Domain, claim.Name)).Distinct().Count());
        Assert.All(OperatorTable.Claims, claim => Assert.InRange(claim.Since, OnnxImporter.OldestOpset, OnnxImporter.NewestOpset));
    }

    private static string Write()
    {
        var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"""
            # ONNX operators that the native engine takes

            This is the importer's own table (src/EdgeSparse.Compiler/Import), by which it lowers and refuses; a test keeps this page equal to it, and every case of the ONNX
            node archives that it claims passes. A model with another operator, or another form of one, is refused by name, or goes to ONNX Runtime.

            * **Opset** is the oldest operator set whose form is understood; the newest is {OnnxImporter.NewestOpset}. Models of opset 7 to 21 are what EdgeSparse is made for.
            * **Types**: float is float32; float16 and bfloat16 are taken too and computed as float32, and so is double where only float is listed. all = float, double, integers, bool.
            * Shapes are fixed when a model is compiled, so inputs that decide a shape must be constants or follow from constants and input shapes.
            * An attribute that is not understood is refused, never ignored.


            """));
        foreach (IGrouping<string, OperatorClaim> domain in OperatorTable.Claims.GroupBy(claim => claim.Domain))
        {
            text.Append(CultureInfo.InvariantCulture, $"## {(domain.Key.Length == 0 ? "ai.onnx" : domain.Key)}\n\n| operator | opset | types | not supported |\n| --- | --- | --- | --- |\n");
            foreach (OperatorClaim claim in domain) text.Append(CultureInfo.InvariantCulture, $"| {claim.Name} | {claim.Since}+ | {Types(claim)} | {claim.Limits} |\n");
            text.Append('\n');
        }
        return text.ToString().TrimEnd() + "\n";
    }

    private static string Types(OperatorClaim claim)
    {
        if (claim.Types.Length == 0) return "all";
        var parts = new List<string> { OperatorClaim.Describe(claim.Types[0]) };
        for (int i = 1; i < claim.Types.Length; i++)
            if (claim.Types[i] != claim.Types[i - 1]) parts.Add($"from input {i}: {OperatorClaim.Describe(claim.Types[i])}");
        return string.Join("; ", parts);
    }
}
