using System.Diagnostics;
using EdgeSparse.Compiler.Partitioning;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Backends.Onnx;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Compiler;

/// <summary>What both engines can run of a model, with the time of the whole model either way.</summary>
/// <param name="Part">Number among the parts; −1 for the whole model.</param>
/// <param name="Other">Who ran it instead of the native engine: <c>onnxruntime/cpu</c>, ….</param>
public sealed record EngineComparison(int Part, int Operators, string Other, double NativeNanoseconds, double OtherNanoseconds, int Runs);

/// <summary>
/// Times both engines on every part of a model that both can run, or on the whole of it. What is timed is the whole model each time, with the part on one engine or on the other, so that
/// copies, handing over and what neighbours gain are in it. The runs alternate; of each the least counts.
/// </summary>
public static class EngineTuner
{
    private const double SecondsPerPart = 1.5;
    private const int LeastRuns = 5;
    private const int MostRuns = 500;

    /// <summary>Measures, and keeps the times in <paramref name="table"/>, by which the model is compiled from then on.</summary>
    /// <param name="options">How the model is compiled; of the backend, Auto is taken.</param>
    /// <param name="open">A session for a package, on whatever the package is for.</param>
    /// <param name="fill">Gives a session its inputs.</param>
    /// <exception cref="OnnxRuntimeException">The library or a provider is absent.</exception>
    public static IReadOnlyList<EngineComparison> Measure(string onnxPath, CompileOptions options, Func<ModelPackage, IInferenceSession> open, Action<IInferenceSession> fill, CostTable table, int threads, Action<string>? progress)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(open);
        ArgumentNullException.ThrowIfNull(fill);
        ArgumentNullException.ThrowIfNull(table);
        var comparisons = new List<EngineComparison>();
        var asked = new List<string>();
        CompileResult native = Compile(onnxPath, options, signature =>
        {
            if (!asked.Contains(signature)) asked.Add(signature);
            return false;
        });
        if (native.Package is not { } package || (package.Graph is null && package.Parts is null)) return comparisons;
        ModelPart[] parts = [.. package.Parts?.Parts ?? []];
        int[] nativeParts = [.. Enumerable.Range(0, parts.Length).Where(i => parts[i].Graph is not null)];
        using IInferenceSession first = open(package);
        fill(first);
        for (int i = 0; i < asked.Count; i++)
        {
            string signature = asked[i];
            int part = package.Graph is not null ? -1 : nativeParts[i];
            int operators = (package.Graph ?? parts[part].Graph)!.Nodes.Count;
            progress?.Invoke(part < 0 ? "both engines" : $"both engines on part {part}, {operators} operators");
            using IInferenceSession second = open(Compile(onnxPath, options, other => other == signature).Package!);
            fill(second);
            (double least, double otherLeast, int runs) = Alternate(first, second);
            string kernel = "onnxruntime/" + (second.Health?.Provider ?? "cpu");
            table.SetLayer(signature, [new LayerTiming(EngineChoices.Native, threads, least), new LayerTiming(kernel, threads, otherLeast)]);
            comparisons.Add(new EngineComparison(part, operators, kernel, least, otherLeast, runs));
        }
        return comparisons;
    }

    private static CompileResult Compile(string path, CompileOptions options, Func<string, bool> choice) =>
        ModelCompiler.Compile(path, options.With(CompileBackend.Auto, choice));

    private static (double First, double Second, int Runs) Alternate(IInferenceSession first, IInferenceSession second)
    {
        double least = double.MaxValue, otherLeast = double.MaxValue;
        long begin = Stopwatch.GetTimestamp();
        int runs = 0;
        for (; runs < MostRuns && (runs < LeastRuns || Stopwatch.GetElapsedTime(begin).TotalSeconds < SecondsPerPart); runs++)
        {
            least = Math.Min(least, Time(first));
            otherLeast = Math.Min(otherLeast, Time(second));
        }
        return (least, otherLeast, runs);
    }

    private static double Time(IInferenceSession session)
    {
        long begin = Stopwatch.GetTimestamp();
        session.Run();
        return Stopwatch.GetElapsedTime(begin).TotalNanoseconds;
    }
}
