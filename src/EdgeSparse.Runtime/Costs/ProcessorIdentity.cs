using System.Globalization;
using System.Runtime.InteropServices;

namespace EdgeSparse.Runtime.Costs;

/// <summary>What measured costs are valid for: the processor's name and its caches, as Linux tells them.</summary>
public sealed class ProcessorIdentity
{
    private ProcessorIdentity(string name, IReadOnlySet<string> features, long[] cacheBytes)
    {
        Name = name;
        Features = features;
        CacheBytes = cacheBytes;
    }

    /// <summary>The model name of /proc/cpuinfo; on Arm the core's name.</summary>
    public string Name { get; }

    /// <summary>The processor's flags as the kernel spells them.</summary>
    public IReadOnlySet<string> Features { get; }

    /// <summary>Sizes of the data caches of processor 0, level 1 first; empty where the system does not say.</summary>
    public IReadOnlyList<long> CacheBytes { get; }

    public static ProcessorIdentity Current { get; } = Read();

    private static ProcessorIdentity Read()
    {
        string? name = null, implementer = null, part = null;
        var features = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            foreach (string line in File.ReadLines("/proc/cpuinfo"))
            {
                int colon = line.IndexOf(':', StringComparison.Ordinal);
                if (colon < 0)
                {
                    if (name is not null || part is not null) break;
                    continue;
                }
                string value = line[(colon + 1)..].Trim();
                switch (line[..colon].Trim())
                {
                    case "model name": name = value; break;
                    case "CPU implementer": implementer = value; break;
                    case "CPU part": part = value; break;
                    case "flags" or "Features": features.UnionWith(value.Split(' ')); break;
                }
            }
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // No /proc here: the architecture alone is known.
        }
        return new ProcessorIdentity(name ?? CoreName(implementer, part), features, Caches());
    }

    private static string CoreName(string? implementer, string? part) => (implementer, part) switch
    {
        ("0x41", "0xd03") => "Arm Cortex-A53",
        ("0x41", "0xd08") => "Arm Cortex-A72",
        ("0x41", "0xd0b") => "Arm Cortex-A76",
        ("0x41", "0xd41") => "Arm Cortex-A78",
        ("0x41", "0xd42") => "Arm Cortex-A78AE",
        (not null, not null) => $"implementer {implementer}, part {part}",
        _ => RuntimeInformation.ProcessArchitecture.ToString(),
    };

    private static long[] Caches()
    {
        var sizes = new SortedDictionary<int, long>();
        for (int index = 0; index < 8; index++)
        {
            string folder = $"/sys/devices/system/cpu/cpu0/cache/index{index}/";
            if (Text(folder + "type") is not ("Data" or "Unified")) continue;
            if (int.TryParse(Text(folder + "level"), NumberStyles.None, CultureInfo.InvariantCulture, out int level) && Size(Text(folder + "size")) is > 0 and long size) sizes[level] = size;
        }
        return [.. sizes.Values];
    }

    /// <summary>"32K", "1M" or a number of bytes; 0 for anything else.</summary>
    private static long Size(string text)
    {
        int shift = text.Length == 0 ? 0 : text[^1] switch { 'K' => 10, 'M' => 20, 'G' => 30, _ => 0 };
        return long.TryParse(shift == 0 ? text : text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value < 1L << 32 ? value << shift : 0;
    }

    private static string Text(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path).Trim() : "";
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
