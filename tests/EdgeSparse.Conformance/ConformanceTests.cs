using System.Globalization;
using System.Text;
using EdgeSparse.Testing;
using Xunit.Abstractions;

namespace EdgeSparse.Conformance;

/// <summary>Every node case of two releases of onnx/onnx: what is claimed passes, and what is not claimed is counted by reason.</summary>
public sealed class ConformanceTests(ITestOutputHelper output)
{
    [DataTheory]
    [InlineData("onnx-node-v1.12.0.tar.gz", 695)]
    [InlineData("onnx-node-v1.21.0.tar.gz", 1266)]
    public void Every_claimed_case_passes(string archive, int atLeast)
    {
        var failures = new StringBuilder();
        var notClaimed = new SortedDictionary<string, int>(StringComparer.Ordinal);
        int total = 0, claimed = 0, passed = 0;
        foreach (NodeCase node in NodeArchive.Read(TestData.Path(archive)).Values)
        {
            total++;
            (Outcome outcome, string reason) = NodeCaseRunner.Run(node, optimize: true);
            if (outcome == Outcome.NotClaimed)
            {
                int colon = reason.IndexOf(": node", StringComparison.Ordinal);
                string group = colon < 0 ? reason : reason[..colon];
                notClaimed[group] = notClaimed.GetValueOrDefault(group) + 1;
                continue;
            }
            claimed++;
            // What the passes leave alone must hold without them too.
            if (outcome == Outcome.Passed) (outcome, reason) = NodeCaseRunner.Run(node, optimize: false);
            if (outcome == Outcome.Passed) passed++;
            else failures.AppendLine(CultureInfo.InvariantCulture, $"{node.Name}: {reason}");
        }
        string summary = $"{archive}: {total} cases, {claimed} claimed, {passed} passed, {total - claimed} not claimed";
        var report = new StringBuilder().AppendLine(summary);
        foreach ((string reason, int count) in notClaimed.OrderByDescending(entry => entry.Value)) report.AppendLine(CultureInfo.InvariantCulture, $"  {count,4} {reason}");
        output.WriteLine(report.ToString());
        Console.WriteLine(summary);
        File.WriteAllText(Path.Combine(AppContext.BaseDirectory, archive + ".report.txt"), report + "\n" + failures);
        Assert.True(failures.Length == 0, failures.ToString());
        Assert.True(passed >= atLeast, summary);
    }
}
