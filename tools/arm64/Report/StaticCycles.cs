using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace EdgeSparse.Arm64;

/// <summary>Static cycles of a loop: what llvm-mca's model of a processor takes for one iteration once the loop runs steadily, with every load a hit in L1.</summary>
internal static partial class StaticCycles
{
    private const int Iterations = 400;

    /// <summary>Cycles an iteration.</summary>
    public static double Of(string program, string processor, Loop loop)
    {
        var text = new StringBuilder();
        foreach (Instruction instruction in loop.Body)
        {
            // An address that objdump names, of a branch or a constant, becomes the label: only the kind of the instruction matters.
            string line = Named().Replace(instruction.Text, "loop");
            text.Append(line).Append('\n');
        }
        string assembly = $"loop:\n{text}";
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in new[] { "-mtriple=aarch64-linux-gnu", $"-mcpu={processor}", $"-iterations={Iterations}", "-instruction-info=false", "-resource-pressure=false" }) start.ArgumentList.Add(argument);
        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
        Task<string> errors = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(assembly);
        process.StandardInput.Close();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Match cycles = TotalCycles().Match(output);
        if (process.ExitCode != 0 || !cycles.Success) throw new InvalidDataException($"{program} -mcpu={processor} on a loop of {Listing.Method(loop.Function)}: {errors.Result}");
        return double.Parse(cycles.Groups[1].Value, CultureInfo.InvariantCulture) / Iterations;
    }

    [GeneratedRegex(@"\b[0-9a-f]+ <.*$")]
    private static partial Regex Named();

    [GeneratedRegex(@"Total Cycles:\s+(\d+)")]
    private static partial Regex TotalCycles();
}
