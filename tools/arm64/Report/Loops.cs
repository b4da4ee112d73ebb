using System.Globalization;
using System.Text.RegularExpressions;
using EdgeSparse.Kernels;

namespace EdgeSparse.Arm64;

/// <summary>One instruction as objdump prints it.</summary>
internal sealed record Instruction(long Address, string Text, long? Target);

/// <summary>An innermost loop: from the target of a backward branch to that branch, with no other such branch and no call between.</summary>
internal sealed record Loop(string Function, IReadOnlyList<Instruction> Body)
{
    /// <summary>Multiply-adds of four floats.</summary>
    public int Fmla { get; } = Body.Count(i => i.Text.StartsWith("fmla\t", StringComparison.Ordinal) && i.Text.Contains(".4s", StringComparison.Ordinal));

    /// <summary>Loads and stores in the frame: registers that did not suffice.</summary>
    public IEnumerable<Instruction> Spills => Body.Where(i => Listing.IsFrameAccess(i.Text));
}

/// <summary>The functions of EdgeSparse.Kernels in an `objdump -d --no-show-raw-insn` listing, and their loops.</summary>
internal static partial class Listing
{
    private const string Prefix = "EdgeSparse_Kernels_";

    /// <summary>Innermost loops of every function of the kernels' assembly that hold a vector multiply-add.</summary>
    public static List<Loop> Loops(string path)
    {
        var loops = new List<Loop>();
        var body = new List<Instruction>();
        string function = "";
        foreach (string line in File.ReadLines(path))
        {
            if (Header().Match(line) is { Success: true } header)
            {
                AddLoops(function, body, loops);
                function = header.Groups[1].Value;
                body.Clear();
            }
            else if (function.StartsWith(Prefix, StringComparison.Ordinal) && Line().Match(line) is { Success: true } match) body.Add(Parse(match));
        }
        AddLoops(function, body, loops);
        return loops;
    }

    /// <summary>The method of a symbol with its class, type arguments of this repository by the last of them: "GemmF32.GemmF32_8x8_AdvSimd", "DepthwiseConvolutionF32.DepthwiseF32_3x3&lt;Float128&gt;".</summary>
    /// <remarks>The loops of the sparse product, which its kernels share by the numbers of rows and vectors, carry the kernel's name: "SpmmF32.SpmmF32_32x1_AdvSimd".</remarks>
    public static string Method(string function)
    {
        if (SparseLoop().Match(function) is { Success: true } loop)
        {
            string kernels = loop.Groups[1].Value == "Block" ? "SpmmBlockF32" : "SpmmF32";
            return $"{kernels}.{kernels}_{4 * int.Parse(loop.Groups[3].Value, CultureInfo.InvariantCulture)}x{loop.Groups[2].Value}_{InstructionSet.AdvSimd}";
        }
        string name = Argument().Replace(function, match => match.Groups[1].Value);
        int arguments = name.IndexOf('<', StringComparison.Ordinal), split = (arguments < 0 ? name : name[..arguments]).LastIndexOf("__", StringComparison.Ordinal);
        if (split < 0) return name;
        string type = name[..split];
        return $"{type[(type.LastIndexOf('_') + 1)..]}.{name[(split + 2)..]}";
    }

    /// <summary>
    /// Whether a function is code of a catalogued kernel: its own method, or one for vectors of four with the kernel's tile or geometry in its name
    /// (DepthwiseF32_5x5s2_AdvSimd: 5x5s2), since a generic kernel may consist of several.
    /// </summary>
    public static bool Implements(string function, string kernel)
    {
        string method = Method(function);
        method = method[(method.IndexOf('.', StringComparison.Ordinal) + 1)..];
        if (method.Split('<')[0] == kernel) return true;
        string[] parts = kernel.Split('_');
        return function.Contains("Simd_Float128", StringComparison.Ordinal) && method.Split('<')[0].Contains(parts[1], StringComparison.Ordinal) && Method(function).StartsWith(parts[0][..5], StringComparison.Ordinal);
    }

    /// <summary>A load or store relative to the stack pointer or the frame pointer.</summary>
    public static bool IsFrameAccess(string text) => FrameAccess().IsMatch(text);

    private static Instruction Parse(Match match)
    {
        string text = match.Groups[2].Value;
        int comment = text.IndexOf("\t//", StringComparison.Ordinal);
        if (comment >= 0) text = text[..comment];
        text = text.TrimEnd();
        long? target = Branch().Match(text) is { Success: true } branch ? Hexadecimal(branch.Groups[1].Value) : null;
        return new Instruction(Hexadecimal(match.Groups[1].Value), text, target);
    }

    private static void AddLoops(string function, List<Instruction> body, List<Loop> loops)
    {
        if (body.Count == 0) return;
        long first = body[0].Address;
        var backward = body.Where(i => i.Target >= first && i.Target <= i.Address).ToList();
        foreach (Instruction end in backward)
        {
            if (backward.Any(other => other != end && other.Target >= end.Target && other.Address < end.Address)) continue;
            var loop = new Loop(function, [.. body.Where(i => i.Address >= end.Target && i.Address <= end.Address)]);
            if (loop.Fmla > 0 && !loop.Body.Any(i => IsCall(i.Text))) loops.Add(loop);
        }
    }

    private static bool IsCall(string text) => text.StartsWith("bl\t", StringComparison.Ordinal) || text.StartsWith("blr\t", StringComparison.Ordinal);

    private static long Hexadecimal(string text) => long.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^[0-9a-f]+ <(.+)>:$")]
    private static partial Regex Header();

    [GeneratedRegex(@"^ +([0-9a-f]+):\t(.+)$")]
    private static partial Regex Line();

    [GeneratedRegex(@"^(?:b|b\.\w+|cbn?z|tbn?z)\t(?:.*, )?([0-9a-f]+) <")]
    private static partial Regex Branch();

    [GeneratedRegex(@"^(?:ld|st)\w*\t.*\[(?:sp|x29)[\],]")]
    private static partial Regex FrameAccess();

    [GeneratedRegex(@"_SpmmLoops(?:AdvSimd(?=__)|(?=__Rows4))__(Rows|Block)(\d)<.*_Vectors(\d)(?:__|>)")]
    private static partial Regex SparseLoop();

    [GeneratedRegex(@"EdgeSparse_\w+_(\w+?)(?=[>,])")]
    private static partial Regex Argument();
}
