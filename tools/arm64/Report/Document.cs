using System.Text;
using EdgeSparse.Kernels;

namespace EdgeSparse.Arm64;

/// <summary>Writes the tables of docs/ARM64.md, each between the lines "&lt;!-- NAME --&gt;" and "&lt;!-- /NAME --&gt;", from what report.sh counted.</summary>
internal sealed class Document
{
    private const string Reference = "196x96x576";

    private readonly List<KernelCount> counts;
    private readonly List<TimedLoop> loops;
    private readonly SortedDictionary<string, ModelCounts> models;

    /// <param name="folder">Where kernels.txt, counts.txt, counts.bin.names and models/ are.</param>
    /// <param name="program">llvm-mca.</param>
    public Document(string folder, string program)
    {
        counts = KernelCount.Read(Path.Combine(folder, "counts.txt"), Path.Combine(folder, "counts.bin.names"));
        models = ModelCounts.ReadFolder(Path.Combine(folder, "models"), "cortex-a72");
        List<Loop> all = Listing.Loops(Path.Combine(folder, "kernels.txt"));
        IEnumerable<string> kernels = KernelCatalog.All.Where(kernel => kernel.InstructionSet == InstructionSet.AdvSimd).Select(kernel => kernel.Name);
        loops = [.. kernels.SelectMany(kernel => all.Where(loop => Listing.Implements(loop.Function, kernel)).Select(loop => TimedLoop.Of(kernel, loop, program)))];
    }

    public void Write(string path)
    {
        string text = File.ReadAllText(path);
        foreach ((string name, string table) in new[] { ("targets", Targets()), ("loops", Loops()), ("pointwise", Pointwise()), ("depthwise", Depthwise()), ("models", Models()), ("parts", Parts()) })
        {
            string begin = $"<!-- {name} -->\n", end = $"<!-- /{name} -->";
            int from = text.IndexOf(begin, StringComparison.Ordinal), to = text.IndexOf(end, StringComparison.Ordinal);
            if (from < 0 || to < from) throw new InvalidDataException($"{path}: no lines '{begin.TrimEnd()}' and '{end}'");
            text = string.Concat(text.AsSpan(0, from + begin.Length), table, text.AsSpan(to));
        }
        File.WriteAllText(path, text);
    }

    /// <summary>The figures with a goal.</summary>
    private string Targets()
    {
        KernelCount one = Find("unstructured", 90), block = Find("4x1", 90);
        TimedLoop single = Main("SpmmF32_32x1_AdvSimd"), four = Main(block.Kernel);
        var table = new StringBuilder("| figure | goal | compiled code |\n| --- | --- | --- |\n");
        Row($"instructions per multiply-add, {Reference}, 90 % unstructured ({one.Kernel})", "≤ 0.60", one.PerMultiplyAdd, one.PerMultiplyAdd <= 0.60);
        Row($"the same, 4x1 blocks ({block.Kernel})", "≤ 0.45", block.PerMultiplyAdd, block.PerMultiplyAdd <= 0.45);
        Row($"static fmla per cycle, {single.Kernel}, neoverse-n1", "≥ 1.55", single.FmlaN1, single.FmlaN1 >= 1.55);
        Row($"the same, cortex-a72", "≥ 0.88", single.FmlaA72, single.FmlaA72 >= 0.88);
        Row($"static fmla per cycle, {four.Kernel}, neoverse-n1", "≥ 1.95", four.FmlaN1, four.FmlaN1 >= 1.95);
        if (models.TryGetValue("mobilenet_v2", out ModelCounts? dense) && models.TryGetValue("mobilenet_v2-0.9", out ModelCounts? sparse))
        {
            double ratio = (double)sparse.Instructions / dense.Instructions;
            Row("mobilenet_v2 at 90 %, instructions against our dense mobilenet_v2", "≤ 0.35", ratio, ratio <= 0.35);
        }
        return table.ToString();

        void Row(string figure, string goal, double value, bool met) => table.Append($"| {figure} | {goal} | {value:F2}{(met ? "" : " (not met)")} |\n");
    }

    private string Loops()
    {
        var table = new StringBuilder("| kernel | instructions / fmla | cortex-a72: cycles, fmla per cycle | neoverse-n1: cycles, fmla per cycle |\n| --- | --- | --- | --- |\n");
        foreach (string kernel in loops.Select(loop => loop.Kernel).Distinct())
        {
            TimedLoop loop = Main(kernel);
            table.Append($"| {kernel} | {loop.Loop.Body.Count} / {loop.Loop.Fmla} | {loop.CyclesA72:F1}, {loop.FmlaA72:F2} | {loop.CyclesN1:F1}, {loop.FmlaN1:F2} |\n");
        }
        return table.ToString();
    }

    private string Pointwise()
    {
        var table = new StringBuilder("| pixels × outputs × inputs | dense | unstructured 80 / 90 / 95 % | 4x1 blocks 80 / 90 / 95 % | kernels at 90 % |\n| --- | --- | --- | --- | --- |\n");
        foreach (KernelCount dense in counts.Where(count => count.Kind == "dense"))
        {
            List<KernelCount> sparse = [.. counts.Where(count => count.Kind == "sparse" && count.Shape == dense.Shape)];
            string kernels = string.Join(", ", sparse.Where(count => count.Percent == 90).Select(count => count.Kernel).Distinct());
            table.Append($"| {dense.Shape} | {dense.PerMultiplyAdd:F2} | {Figures("unstructured")} | {Figures("4x1")} | {kernels} |\n");

            string Figures(string pattern) => string.Join(" / ", sparse.Where(count => count.Pattern == pattern).OrderBy(count => count.Percent).Select(count => $"{count.PerMultiplyAdd:F2}"));
        }
        return table.ToString();
    }

    private string Depthwise()
    {
        var table = new StringBuilder("| channels × height × width | instructions per multiply-add | loads per fmla | kernel |\n| --- | --- | --- | --- |\n");
        foreach (KernelCount count in counts.Where(count => count.Kind == "depthwise"))
            table.Append($"| {count.Shape} | {count.PerMultiplyAdd:F2} | {(double)count.Region.Loads / count.Region.Fmla:F2} | {count.Kernel.Split('<')[0]} |\n");
        return table.ToString();
    }

    private string Models()
    {
        var table = new StringBuilder("| model | million instructions | of them fmla | against dense |\n| --- | --- | --- | --- |\n");
        foreach (var (name, model) in models)
        {
            int dash = name.IndexOf('-', StringComparison.Ordinal);
            string against = dash > 0 && models.TryGetValue(name[..dash], out ModelCounts? dense) ? $"{(double)model.Instructions / dense.Instructions:F2}" : "";
            table.Append($"| {name.Replace('-', ' ')} | {ModelCounts.Millions(model.Instructions)} | {(double)model.Fmla / model.Instructions:P0} | {against} |\n");
        }
        return table.ToString();
    }

    /// <summary>Where each model's instructions go.</summary>
    private string Parts()
    {
        var table = new StringBuilder("| model | steps: share of the instructions |\n| --- | --- |\n");
        foreach (var (name, model) in models)
        {
            var kinds = model.Kinds.Where(kind => kind.Instructions * 200 >= model.Instructions).Select(kind => $"{kind.Kind} {(double)kind.Instructions / model.Instructions:P0}");
            table.Append($"| {name.Replace('-', ' ')} | {string.Join(", ", kinds)} |\n");
        }
        return table.ToString();
    }

    private KernelCount Find(string pattern, int percent) => counts.Single(count => count.Shape == Reference && count.Pattern == pattern && count.Percent == percent);

    /// <summary>The loop that does most of a kernel's work: with the most multiply-adds.</summary>
    private TimedLoop Main(string kernel) => loops.Where(loop => loop.Kernel == kernel).MaxBy(loop => loop.Loop.Fmla)
        ?? throw new InvalidDataException($"{kernel}: no inner loop with fmla was found in the compiled code");
}

/// <summary>An inner loop of a kernel with its static cycles an iteration.</summary>
internal sealed record TimedLoop(string Kernel, Loop Loop, double CyclesA72, double CyclesN1)
{
    public double FmlaA72 => Loop.Fmla / CyclesA72;

    public double FmlaN1 => Loop.Fmla / CyclesN1;

    public static TimedLoop Of(string kernel, Loop loop, string program) =>
        new(kernel, loop, StaticCycles.Of(program, "cortex-a72", loop), StaticCycles.Of(program, "neoverse-n1", loop));
}
