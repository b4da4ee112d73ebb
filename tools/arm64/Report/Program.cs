// What the arm64 scripts print from the kernels' machine code (objdump -d --no-show-raw-insn) and from icount.c's counts.
using System.Globalization;
using EdgeSparse.Arm64;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
switch (args)
{
    // Spilled registers in inner loops; exit 1 if there are any.
    case ["loops", string listing]:
        return SpillCheck.Run(listing);

    // Static cycles of every inner loop with multiply-adds.
    case ["cycles", string listing, string program]:
        foreach (Loop loop in Listing.Loops(listing).OrderBy(loop => Listing.Method(loop.Function), StringComparer.Ordinal))
        {
            TimedLoop timed = TimedLoop.Of("", loop, program);
            Console.WriteLine($"{Listing.Method(loop.Function),-64} {loop.Body.Count,4} instructions {loop.Fmla,3} fmla   cortex-a72 {timed.CyclesA72,6:F1} cycles {timed.FmlaA72:F2} fmla/cycle   "
                + $"neoverse-n1 {timed.CyclesN1,6:F1} cycles {timed.FmlaN1:F2} fmla/cycle");
        }
        return 0;

    // Instructions per multiply-add of every counted call.
    case ["counts", string counts, string names]:
        foreach (KernelCount count in KernelCount.Read(counts, names))
        {
            Console.WriteLine($"{count.Kind,-10} {count.Shape,-24} {count.Pattern,-13} {count.Percent,3} {count.Region.Instructions,10} instructions {count.PerMultiplyAdd,6:F3} a multiply-add, "
                + $"{(double)count.Region.Loads / count.Region.Fmla:F2} loads a fmla, {count.Kernel}");
        }
        return 0;

    // One model's instructions.
    case ["model", string counts, string steps]:
        var model = new ModelCounts(counts, steps);
        Console.WriteLine($"{ModelCounts.Millions(model.Instructions)} million instructions an inference, {ModelCounts.Millions(model.Fmla)} million of them fmla");
        foreach ((string kind, int number, long instructions, long fmla) in model.Kinds.Where(kind => kind.Instructions * 200 >= model.Instructions))
            Console.WriteLine($"  {kind,-24} {number,4} steps {ModelCounts.Millions(instructions),8} {(double)instructions / model.Instructions,6:P1}  fmla {(double)fmla / instructions:P0}");
        foreach (FunctionShare function in model.Functions.TakeWhile(function => function.Instructions * 100 >= model.Instructions))
            Console.WriteLine($"  {function.Method,-56} {ModelCounts.Millions(function.Instructions),8} {(double)function.Instructions / model.Instructions,6:P1}  fmla {(double)function.Fmla / function.Instructions:P0}");
        return 0;

    // Pruned models against the dense ones of the same name.
    case ["ratios", string folder]:
        SortedDictionary<string, ModelCounts> models = ModelCounts.ReadFolder(folder, "cortex-a72");
        foreach (var (name, pruned) in models)
        {
            if (name.IndexOf('-', StringComparison.Ordinal) is > 0 and int dash && models.TryGetValue(name[..dash], out ModelCounts? dense))
                Console.WriteLine($"{name.Replace('-', ' ')}: {(double)pruned.Instructions / dense.Instructions:F3} of the instructions of {name[..dash]}");
        }
        return 0;

    // The tables of docs/ARM64.md.
    case ["document", string document, string folder, string program]:
        new Document(folder, program).Write(document);
        return 0;

    default:
        Console.Error.WriteLine("usage: Report loops LISTING | cycles LISTING LLVM-MCA | counts COUNTS NAMES | model COUNTS STEPS | ratios FOLDER | document FILE.md FOLDER LLVM-MCA");
        return 64;
}
