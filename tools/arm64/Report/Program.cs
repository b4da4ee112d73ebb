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
Console.Error.WriteLine("usage: Report loops DISASSEMBLY | cycles DISASSEMBLY LLVM-MCA");
return 64;
