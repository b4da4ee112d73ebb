using System.Globalization;

namespace EdgeSparse.Arm64;

/// <summary>What icount.c counted between two markers, and the functions that took the most of it.</summary>
internal sealed record Region(int Number, long Instructions, long Fmla, long Loads, long Stores, List<FunctionShare> Functions)
{
    /// <summary>Reads the plugin's output.</summary>
    public static List<Region> Read(string path)
    {
        var regions = new List<Region>();
        foreach (string line in File.ReadLines(path))
        {
            string[] parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts[0] == "region") regions.Add(new Region((int)Number64(parts[1]), Number64(parts[2]), Number64(parts[3]), Number64(parts[4]), Number64(parts[5]), []));
            else regions[^1].Functions.Add(new FunctionShare(Listing.Method(parts[3]), Number64(parts[1]), Number64(parts[2])));
        }
        return regions;
    }

    private static long Number64(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}

/// <summary>Instructions executed in one function.</summary>
internal sealed record FunctionShare(string Method, long Instructions, long Fmla);
