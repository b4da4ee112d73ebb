using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Costs;
using Spectre.Console;

namespace EdgeSparse.Cli.Output;

/// <summary>A session's layers as reports and tables.</summary>
internal static class Layers
{
    /// <summary>The layers in order; with <paramref name="profile"/>, their times and how near they come to the roofline.</summary>
    public static LayerReport[] Reports(SessionDescription description, IReadOnlyList<LayerProfile>? profile = null) =>
        [.. description.Layers.Select(layer => new LayerReport(layer.Index, layer.Name, layer.Operator.ToString(), layer.Kernel,
            [.. layer.Inputs.Select(Format.Dimensions)], [.. layer.Outputs.Select(Format.Dimensions)], layer.Parameters, layer.Zeros, layer.Pattern?.ToString().ToLowerInvariant(),
            layer.MultiplyAdds, layer.EffectiveMultiplyAdds, layer.BytesMoved, layer.Tasks, layer.Parallel,
            profile is { } times ? Milliseconds(times[layer.Index].Nanoseconds, times[layer.Index].Runs) : null, profile is { } least ? least[layer.Index].LeastNanoseconds / 1e6 : null,
            layer.Signature, layer.Candidates.Count == 0 ? null : [.. layer.Candidates.Select(Candidate)],
            profile is { } measured ? RooflineOf(layer, description, measured[layer.Index].LeastNanoseconds) : null))];

    private static CandidateReport Candidate(LayerCandidate candidate) =>
        new(candidate.Kernel, candidate.Threads, Rounded(candidate.PredictedNanoseconds / 1e3), candidate.MeasuredNanoseconds is { } measured ? Rounded(measured / 1e3) : null, candidate.Chosen);

    private static RooflineReport? RooflineOf(LayerDescription layer, SessionDescription description, long nanoseconds)
    {
        if (layer.BytesMoved == 0 || nanoseconds == 0) return null;
        int threads = layer.Parallel ? description.Threads : 1;
        Roofline bound = Roofline.Of(layer, description.Costs.Machine, threads);
        return new RooflineReport(Rounded(bound.ArithmeticNanoseconds / 1e3), Rounded(bound.MemoryNanoseconds / 1e3), Rounded((double)layer.EffectiveMultiplyAdds / layer.BytesMoved),
            layer.EffectiveMultiplyAdds == 0 ? null : Rounded(bound.ArithmeticNanoseconds / nanoseconds), Rounded(bound.Nanoseconds / nanoseconds));
    }

    private static double Rounded(double value) => Math.Round(value, 4);

    private static double Milliseconds(long nanoseconds, long runs) => runs == 0 ? 0 : nanoseconds / 1e6 / runs;

    /// <summary>The ways to compute each layer: predicted microseconds, in brackets measured ones, by kernel and threads; the pick.</summary>
    public static Table PlanTable(LayerReport[] layers, int threads)
    {
        string[] kernels = ["dense", "sparse", .. layers.Any(layer => layer.Candidates?.Any(candidate => candidate.Kernel == "gathered") == true) ? ["gathered"] : Array.Empty<string>()];
        (string Kernel, int Threads)[] ways = [.. kernels.Select(kernel => (kernel, 1)), .. threads > 1 ? kernels.Select(kernel => (kernel, threads)) : []];
        Table table = Terminal.Table(5, ["layer", "operator", "output", "zeros", "pick", .. ways.Select(way => $"{way.Kernel}/{way.Threads} us")]);
        foreach (LayerReport layer in layers)
        {
            if (layer.Candidates is not { } candidates) continue;
            CandidateReport pick = candidates.Single(candidate => candidate.Chosen);
            var cells = new List<string> { Short(layer.Name), layer.Operator, Shapes(layer.OutputShapes), Format.Percent(layer.Zeros, layer.Parameters), $"{pick.Kernel}/{pick.Threads}" };
            foreach ((string kernel, int count) in ways)
            {
                CandidateReport? found = Array.Find(candidates, candidate => candidate.Threads == count && (candidate.Kernel == kernel || (kernel == "dense" && candidate.Kernel == "depthwise")));
                cells.Add(found is null ? "" : Microseconds(found.PredictedMicroseconds) + (found.MeasuredMicroseconds is { } measured ? $" ({Microseconds(measured)})" : ""));
            }
            Terminal.AddRow(table, [.. cells]);
        }
        return table;
    }

    private static string Microseconds(double value) => Format.Number(value, value < 100 ? "0.0" : "0");

    /// <summary>Names of exported models can be whole paths; what tells them apart is at the end.</summary>
    private static string Short(string name) => name.Length <= 24 ? name : "…" + name[^23..];

    /// <summary>What <c>inspect</c> prints; <paramref name="detailed"/> adds the plan's figures.</summary>
    public static Table Table(LayerReport[] layers, bool detailed)
    {
        Table table = detailed
            ? Terminal.Table(5, "layer", "operator", "input", "output", "kernel", "parameters", "zeros", "pattern", "multiply-adds", "computed", "bytes", "tasks", "threads")
            : Terminal.Table(4, "layer", "operator", "output", "kernel", "parameters", "zeros", "pattern", "multiply-adds");
        foreach (LayerReport layer in layers)
        {
            string zeros = Format.Percent(layer.Zeros, layer.Parameters), parameters = Blank(layer.Parameters), products = Blank(layer.MultiplyAdds);
            if (detailed)
            {
                Terminal.AddRow(table, layer.Name, layer.Operator, Shapes(layer.InputShapes), Shapes(layer.OutputShapes), layer.Kernel, parameters, zeros, layer.Pattern ?? "", products,
                    Blank(layer.EffectiveMultiplyAdds), Format.Bytes(layer.BytesMoved), Format.Count(layer.Tasks), layer.Parallel ? "all" : "one");
            }
            else
            {
                Terminal.AddRow(table, layer.Name, layer.Operator, Shapes(layer.OutputShapes), layer.Kernel, parameters, zeros, layer.Pattern ?? "", products);
            }
        }
        return table;
    }

    /// <summary>
    /// What <c>bench --profile</c> prints, the slowest layer first: least time of the runs, computed multiply-adds, bytes that must move, how many multiply-adds each byte serves,
    /// rate, share of the processor's peak, and share of the roofline, whose bound is arithmetic or bytes.
    /// </summary>
    public static Table ProfileTable(LayerReport[] layers)
    {
        double total = layers.Sum(layer => layer.LeastMilliseconds ?? 0);
        Table table = Terminal.Table(3, "layer", "output", "kernel", "us", "share", "madds", "bytes", "madds/B", "GFLOP/s", "of peak", "bound by", "bound us", "of roof");
        foreach (LayerReport layer in layers.OrderByDescending(layer => layer.LeastMilliseconds))
        {
            double milliseconds = layer.LeastMilliseconds ?? 0;
            if (milliseconds == 0) continue;
            RooflineReport? roof = layer.Roofline;
            Terminal.AddRow(table, Short(layer.Name), Short(Shapes(layer.OutputShapes)), Kernel(layer.Kernel), Microseconds(1e3 * milliseconds), Percent(milliseconds / total),
                Blank(layer.EffectiveMultiplyAdds), Blank(layer.BytesMoved), roof is { MultiplyAddsPerByte: > 0 } ? Format.Number(roof.MultiplyAddsPerByte, "0.0") : "",
                layer.EffectiveMultiplyAdds == 0 ? "" : Format.Number(2e-6 * layer.EffectiveMultiplyAdds / milliseconds, "0.0"), Percent(roof?.ShareOfPeak),
                roof is null ? "" : roof.ArithmeticMicroseconds >= roof.MemoryMicroseconds ? "madds" : "bytes",
                roof is null ? "" : Microseconds(Math.Max(roof.ArithmeticMicroseconds, roof.MemoryMicroseconds)), Percent(roof?.ShareOfRoofline));
        }
        return table;
    }

    private static string Percent(double? share) => share is { } value ? Format.Number(100 * value, "0.0") + " %" : "";

    /// <summary>Of several kernels the last, which computes (a plus says that others prepare), without the instruction set, which the heading names.</summary>
    private static string Kernel(string kernels)
    {
        int plus = kernels.LastIndexOf(" + ", StringComparison.Ordinal), end = kernels.LastIndexOf('_');
        string name = kernels[(plus < 0 ? 0 : plus + 3)..(end > plus && end > 0 ? end : kernels.Length)].Replace("ConvolutionF32", "Conv", StringComparison.Ordinal);
        return Short(plus < 0 ? name : "+" + name);
    }

    private static string Blank(long value) => value == 0 ? "" : Format.Count(value);

    private static string Shapes(int[][] shapes) => string.Join(' ', shapes.Select(shape => shape.Length == 0 ? "scalar" : string.Join('x', shape)));
}
