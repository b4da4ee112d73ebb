using System.Globalization;

namespace EdgeSparse.Arm64;

/// <summary>One counted call of a kernel: the case "KIND · SHAPE [PATTERN SPARSITY] · MULTIPLY-ADDS" of CountCases with its region.</summary>
internal sealed record KernelCount(string Kind, string Shape, string Pattern, int Percent, long MultiplyAdds, Region Region)
{
    public double PerMultiplyAdd => (double)Region.Instructions / MultiplyAdds;

    /// <summary>The name of the kernel that executed most of the multiply-adds.</summary>
    public string Kernel
    {
        get
        {
            string method = Region.Functions.MaxBy(function => function.Fmla)?.Method ?? "";
            return method[(method.IndexOf('.', StringComparison.Ordinal) + 1)..];
        }
    }

    /// <summary>Joins the plugin's output with the names of the cases.</summary>
    public static List<KernelCount> Read(string counts, string names)
    {
        string[] lines = File.ReadAllLines(names);
        return [.. Region.Read(counts).Select(region => Parse(lines[region.Number], region))];
    }

    private static KernelCount Parse(string name, Region region)
    {
        string[] parts = name.Split(" · ");
        string[] shape = parts[1].Split(' ');
        bool sparse = parts[0] == "sparse";
        return new KernelCount(parts[0], sparse ? shape[0] : parts[1], sparse ? shape[1] : "", sparse ? int.Parse(shape[2], CultureInfo.InvariantCulture) : 0,
            long.Parse(parts[2], CultureInfo.InvariantCulture), region);
    }
}
