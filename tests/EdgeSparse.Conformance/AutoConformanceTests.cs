using System.Globalization;
using System.Text;
using EdgeSparse.Testing;
using Xunit.Abstractions;

namespace EdgeSparse.Conformance;

/// <summary>Every node case through <c>auto</c>: natively, in parts or by ONNX Runtime, what that supports runs and is right.</summary>
public sealed class AutoConformanceTests(ITestOutputHelper output)
{
    /// <summary>A theory that needs the archives and the library.</summary>
    private sealed class ArchiveTheoryAttribute : TheoryAttribute
    {
        public ArchiveTheoryAttribute()
        {
            if (TestData.Folder is null) Skip = TestData.SkipReason;
            else if (!OnnxRuntimeLibrary.IsThere) Skip = OnnxRuntimeLibrary.SkipReason;
        }
    }

    [ArchiveTheory]
    [InlineData("onnx-node-v1.21.0.tar.gz", 1530)]
    public void What_an_engine_supports_runs_and_is_right(string archive, int atLeast)
    {
        string folder = Directory.CreateTempSubdirectory("edgesparse-").FullName;
        var counts = new int[Enum.GetValues<AutoOutcome>().Length];
        var listed = new SortedDictionary<AutoOutcome, StringBuilder>();
        try
        {
            foreach (NodeCase node in NodeArchive.Read(TestData.Path(archive)).Values)
            {
                (AutoOutcome outcome, string reason) = AutoCaseRunner.Run(node, folder);
                counts[(int)outcome]++;
                if (outcome <= AutoOutcome.OnnxRuntime) continue;
                if (!listed.TryGetValue(outcome, out StringBuilder? lines)) listed[outcome] = lines = new StringBuilder();
                lines.AppendLine(CultureInfo.InvariantCulture, $"  {node.Name}: {reason}");
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        int passed = counts[(int)AutoOutcome.Native] + counts[(int)AutoOutcome.Mixed] + counts[(int)AutoOutcome.OnnxRuntime];
        string summary = string.Create(CultureInfo.InvariantCulture, $"""
            {archive} through auto: {counts.Sum()} cases, {passed} passed ({counts[0]} native, {counts[1]} mixed, {counts[2]} ONNX Runtime), {counts[3]} that ONNX Runtime's CPU provider lacks, {counts[4]} of types that are not carried, {counts[5]} failed
            """);
        var report = new StringBuilder(summary).AppendLine();
        foreach ((AutoOutcome outcome, StringBuilder lines) in listed) report.AppendLine(CultureInfo.InvariantCulture, $"{outcome}:").Append(lines);
        output.WriteLine(report.ToString());
        Console.WriteLine(summary);
        File.WriteAllText(Path.Combine(AppContext.BaseDirectory, archive + ".auto.txt"), report.ToString());
        Assert.True(passed >= atLeast, summary);
    }
}
