// Report loops DISASSEMBLY            innermost multiply-add loops of the kernels; exit 1 if one touches the stack frame or a kernel has none
// Report cycles DISASSEMBLY LLVM-MCA  the same with static cycles
using System.Globalization;
using EdgeSparse.Arm64;
using EdgeSparse.Kernels;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args is ["loops", string listing]) return SpillCheck.Run(listing);
if (args is ["cycles", string path, string program])
{
    foreach (Loop loop in Listing.Loops(path).OrderBy(l => Listing.Method(l.Function), StringComparer.Ordinal))
    {
        double a72 = StaticCycles.Of(program, "cortex-a72", loop), n1 = StaticCycles.Of(program, "neoverse-n1", loop);
        Console.WriteLine($"{Listing.Method(loop.Function),-70} {loop.Body.Count,4} instr {loop.Fmla,3} fmla   a72 {a72,6:F1} {loop.Fmla / a72:F2}   n1 {n1,6:F1} {loop.Fmla / n1:F2} {(loop.Spills.Any() ? "SPILLS" : "")}");
    }
    return 0;
}
if (args is ["counts", string counts, string names])
{
    foreach (KernelCount count in KernelCount.Read(counts, names))
        Console.WriteLine($"{count.Kind,-10} {count.Shape,-24} {count.Pattern,-13} {count.Percent,3} {count.Region.Instructions,10} {count.PerMultiplyAdd,6:F3} loads/fmla {(double)count.Region.Loads / count.Region.Fmla:F2} {count.Kernel}");
    return 0;
}
if (args is ["model", string regions, string steps])
{
    var model = new ModelCounts(regions, steps);
    Console.WriteLine($"{ModelCounts.Millions(model.Instructions)} million instructions an inference, {ModelCounts.Millions(model.Fmla)} million of them fmla");
    foreach ((string kind, int number, long instructions, long fmla) in model.Kinds.Take(8))
        Console.WriteLine($"  {kind,-24} {number,4} steps {ModelCounts.Millions(instructions),8} {(double)instructions / model.Instructions,6:P1}  fmla {(double)fmla / instructions:P0}");
    foreach (FunctionShare function in model.Functions.Take(14))
        Console.WriteLine($"  {function.Method,-60} {ModelCounts.Millions(function.Instructions),8} {(double)function.Instructions / model.Instructions,6:P1}  fmla {(double)function.Fmla / function.Instructions:P0}");
    return 0;
}
if (args is ["ratios", string folder])
{
    SortedDictionary<string, ModelCounts> models = ModelCounts.ReadFolder(folder, "cortex-a72");
    foreach (var (name, model) in models)
        if (name.IndexOf('-', StringComparison.Ordinal) is > 0 and int dash && models.TryGetValue(name[..dash], out ModelCounts? dense))
            Console.WriteLine($"{name.Replace('-', ' ')}: {(double)model.Instructions / dense.Instructions:F3} of the instructions of the dense model");
    return 0;
}
Console.Error.WriteLine("usage: Report loops DISASSEMBLY | cycles DISASSEMBLY LLVM-MCA");
return 64;
