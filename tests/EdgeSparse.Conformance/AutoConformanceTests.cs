using System.Globalization;
using System.Text;
using EdgeSparse.Runtime.Backends.Onnx;
using EdgeSparse.Testing;
using Xunit.Abstractions;

namespace EdgeSparse.Conformance;

/// <summary>Every node case through <c>auto</c>: natively, in parts or by ONNX Runtime, what that supports runs and is right, but for what <see cref="AutoExceptions"/> lists.</summary>
public sealed class AutoConformanceTests(ITestOutputHelper output)
{
    private const string Archive = "onnx-node-v1.21.0.tar.gz";

    /// <summary>A test that needs the archives and the library.</summary>
    private sealed class ArchiveFactAttribute : FactAttribute
    {
        public ArchiveFactAttribute()
        {
            if (TestData.Folder is null) Skip = TestData.SkipReason;
            else if (!OnnxRuntimeLibrary.IsThere) Skip = OnnxRuntimeLibrary.SkipReason;
        }
    }

    [ArchiveFact]
    public void What_an_engine_supports_runs_and_is_right()
    {
        string folder = Directory.CreateTempSubdirectory("edgesparse-").FullName, version = OnnxRuntimeSession.Library(new OnnxRuntimeOptions { LibraryPath = OnnxRuntimeLibrary.Path }).Version;
        var counts = new int[Enum.GetValues<AutoOutcome>().Length];
        var others = new SortedDictionary<string, (AutoOutcome Outcome, string Reason)>(StringComparer.Ordinal);
        try
        {
            foreach (NodeCase node in NodeArchive.Read(TestData.Path(Archive)).Values)
            {
                (AutoOutcome outcome, string reason) = AutoCaseRunner.Run(node, folder);
                counts[(int)outcome]++;
                if (outcome > AutoOutcome.OnnxRuntime) others.Add(node.Name, (outcome, reason));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
        string document = Write(counts), written = Path.Combine(AppContext.BaseDirectory, "CONFORMANCE.md"), path = Path.Combine(TestData.RepositoryRoot, "docs", "CONFORMANCE.md");
        Console.WriteLine(Summary(counts));
        output.WriteLine(Summary(counts));
        foreach ((string name, (AutoOutcome outcome, string reason)) in others.OrderBy(entry => entry.Value.Outcome)) output.WriteLine($"{outcome} {name}: {reason}");
        File.WriteAllText(written, document);

        Dictionary<string, AutoOutcome> listed = AutoExceptions.All.SelectMany(entry => entry.Cases.Select(name => (name, entry.Outcome))).ToDictionary();
        string[] wrong = [.. others.Where(entry => listed.GetValueOrDefault(entry.Key) != entry.Value.Outcome).Select(entry => $"{entry.Key} is not listed as {entry.Value.Outcome}: {entry.Value.Reason}"),
            .. listed.Keys.Where(name => !others.ContainsKey(name)).Select(name => $"{name} is listed as {listed[name]}, and passes")];
        Assert.True(wrong.Length == 0, $"AutoExceptions is the list for ONNX Runtime {AutoExceptions.LibraryVersion}, this is {version}:\n{string.Join('\n', wrong)}");
        // What fails is what ONNX Runtime makes of the whole file; no part of it is EdgeSparse's.
        Assert.All(others.Values.Where(entry => entry.Outcome == AutoOutcome.Failed), entry => Assert.Matches("^(onnxruntime/cpu: |OnnxRuntimeException: ONNX Runtime )", entry.Reason));
        Assert.True(File.Exists(path) && File.ReadAllText(path) == document, $"{path} is not what this run says: cp {written} {path}");
    }

    private static string Summary(int[] counts) => string.Create(CultureInfo.InvariantCulture,
        $"{Archive} through auto: {counts.Sum()} cases, {counts[0] + counts[1] + counts[2]} passed ({counts[0]} native, {counts[1]} mixed, {counts[2]} ONNX Runtime), {counts[3]} that ONNX Runtime's CPU provider lacks, {counts[4]} of types that sessions do not carry, {counts[5]} failed");

    private static string Write(int[] counts)
    {
        var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"""
            # ONNX's own cases through `auto`

            Every node case of onnx 1.21.0 is compiled with `--backend auto` and run by whatever engines its package is for: {counts.Sum()} cases, **{counts[0] + counts[1] + counts[2]} pass** ({counts[0]} in the native engine,
            {counts[2]} by ONNX Runtime {AutoExceptions.LibraryVersion} whole). A test writes this page, and fails on any case that does not pass and is not listed here, and on any that is listed and passes.

            Outputs may differ from ONNX's by 10⁻⁵ + 10⁻³ of the value, as in ONNX Runtime's own tests; float16 by 10⁻⁴ + 2 · 10⁻³, bfloat16 by 2⁻⁷, Fourier transforms by 10⁻⁶ of the largest element, from which what is 0 in
            theory has its rounding. Integers, bool and elements of 8 and fewer bits are equal.

            The native engine's own operators are [listed](OPERATORS-ONNX.md). These models are too small to be worth dividing, so none is mixed; models in parts have tests of their own.


            """));
        foreach ((AutoOutcome outcome, string title) in new[] { (AutoOutcome.Failed, "ONNX Runtime's result is another, in its own binding for Node.js too"), (AutoOutcome.NotInOnnxRuntime, "ONNX Runtime's CPU provider has no kernel, and the native engine does not either"), (AutoOutcome.NotCarried, "Sessions carry no such type in or out; the model is refused by the name of what has it. Inside a model it may be") })
        {
            text.Append(CultureInfo.InvariantCulture, $"## {title}: {counts[(int)outcome]}\n\n| cases | which | reason |\n| ---: | --- | --- |\n");
            foreach ((_, string reason, string[] cases) in AutoExceptions.All.Where(entry => entry.Outcome == outcome)) text.Append(CultureInfo.InvariantCulture, $"| {cases.Length} | {string.Join(", ", cases.Select(name => $"`{name[5..]}`"))} | {reason} |\n");
            text.Append('\n');
        }
        return text.ToString().TrimEnd() + "\n";
    }
}
