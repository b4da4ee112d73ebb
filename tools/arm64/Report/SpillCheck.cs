using EdgeSparse.Kernels;

namespace EdgeSparse.Arm64;

/// <summary>The check that no innermost loop with multiply-adds reads or writes the stack frame: registers sufficed.</summary>
internal static class SpillCheck
{
    /// <summary>One line for each loop or kernel that fails, then "N passed, N failed" over the loops. 1 if any failed.</summary>
    public static int Run(string listing)
    {
        List<Loop> loops = Listing.Loops(listing);
        int spilled = 0, missing = 0;
        foreach (Loop loop in loops.Where(loop => loop.Spills.Any()))
        {
            spilled++;
            Console.WriteLine($"FAIL {Listing.Method(loop.Function)}: {loop.Spills.Count()} of {loop.Body.Count} instructions of an inner loop with {loop.Fmla} fmla use the stack frame, "
                + $"the first: {loop.Spills.First().Text.Replace('\t', ' ')}");
        }
        // The products' kernels are named by their tile and must have been found, else the check would be empty.
        foreach (KernelDescription kernel in KernelCatalog.All.Where(k => k.InstructionSet == InstructionSet.AdvSimd && !k.Name.StartsWith($"{k.Operation}F32_", StringComparison.Ordinal)))
        {
            if (loops.Any(loop => Listing.Implements(loop.Function, kernel.Name))) continue;
            missing++;
            Console.WriteLine($"FAIL {kernel.Name}: no inner loop with fmla was found in the compiled code");
        }
        Console.WriteLine($"{loops.Count - spilled} passed, {spilled + missing} failed");
        return spilled + missing == 0 ? 0 : 1;
    }
}
