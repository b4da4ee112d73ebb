using System.Buffers;
using System.Globalization;
using System.Text.Json;
using EdgeSparse.Kernels;
using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Costs;

/// <summary>
/// A <see cref="CostTable"/> as a JSON file in a state folder, one for each processor and instruction set:
/// <c>{ "schema": "edgesparse.costs/1", "version", "processor", "instruction_set", "cache_bytes": [], "machine": {}, "formulas": { class: { term: nanoseconds } }, "layers": { signature: [ { "kernel", "threads", "nanoseconds" } ] } }</c>.
/// A file of another processor, instruction set, tool version or form is not used.
/// </summary>
public static class CostFile
{
    private const string Schema = "edgesparse.costs/1";
    private const int MaximumBytes = 4 << 20;
    private const int MaximumLayers = 10_000;
    private const int MaximumTimings = 16;
    private const int MaximumText = 300;

    /// <summary>Version of the kernels that the times were taken with.</summary>
    public static string Version { get; } = typeof(CostFile).Assembly.GetName().Version?.ToString(3) ?? "";

    /// <summary>The file's name for a processor and an instruction set: letters, digits and '-'.</summary>
    public static string Name(ProcessorIdentity processor, InstructionSet isa)
    {
        ArgumentNullException.ThrowIfNull(processor);
        var slug = new string([.. processor.Name.ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-')]);
        slug = string.Join('-', slug.Split('-', StringSplitOptions.RemoveEmptyEntries));
        return $"costs-{(slug.Length > 64 ? slug[..64] : slug)}-{isa.ToString().ToLowerInvariant()}.json";
    }

    /// <summary>
    /// Where the tool keeps what it measured: <paramref name="folder"/> where given, else the first folder of $STATE_DIRECTORY (systemd), else
    /// <c>$XDG_STATE_HOME/edgesparse</c>, else <c>~/.local/state/edgesparse</c>; null where none of them is known.
    /// </summary>
    public static string? Folder(string? folder, Func<string, string?> environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        if (!string.IsNullOrEmpty(folder)) return folder;
        if (environment("STATE_DIRECTORY")?.Split(':')[0] is { Length: > 0 } systemd) return systemd;
        // Relative paths in this variable are to be ignored (XDG base directory specification).
        if (environment("XDG_STATE_HOME") is { } xdg && Path.IsPathRooted(xdg)) return Path.Combine(xdg, "edgesparse");
        return environment("HOME") is { } home && Path.IsPathRooted(home) ? Path.Combine(home, ".local", "state", "edgesparse") : null;
    }

    /// <summary>
    /// The table for this machine in a folder. Null where there is no file, or it cannot be used: then <paramref name="problem"/> is one line saying why, and what to do.
    /// </summary>
    public static CostTable? Load(string folder, ProcessorIdentity processor, InstructionSet isa, out string? problem)
    {
        ArgumentNullException.ThrowIfNull(folder);
        string path = Path.Combine(folder, Name(processor, isa));
        problem = null;
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists) return null;
            if (file.Length > MaximumBytes) throw new FormatException($"{file.Length} bytes, expected at most {MaximumBytes}");
            return Parse(File.ReadAllBytes(path), processor, isa, path);
        }
        catch (Exception error) when (error is FormatException or JsonException or IOException or UnauthorizedAccessException)
        {
            problem = $"{path} is not used: {error.Message.ReplaceLineEndings(" ")}; measure again with edgesparse tune";
            return null;
        }
    }

    /// <summary>Writes the table into a folder, which is made where it is absent; returns the path.</summary>
    public static string Save(CostTable table, string folder, ProcessorIdentity processor)
    {
        ArgumentNullException.ThrowIfNull(table);
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, Name(processor, table.Isa));
        AtomicFile.Write(path, Format(table, processor));
        return path;
    }

    /// <summary>Throws <see cref="FormatException"/> or <see cref="JsonException"/> for anything but a whole table of this processor, instruction set and version.</summary>
    internal static CostTable Parse(ReadOnlyMemory<byte> content, ProcessorIdentity processor, InstructionSet isa, string origin)
    {
        using JsonDocument document = JsonDocument.Parse(content, new JsonDocumentOptions { MaxDepth = 8 });
        JsonElement root = document.RootElement;
        Expect(root, "schema", Schema);
        Expect(root, "version", Version);
        Expect(root, "processor", processor.Name);
        Expect(root, "instruction_set", isa.ToString());
        JsonElement caches = Member(root, "cache_bytes", JsonValueKind.Array);
        if (caches.GetArrayLength() != processor.CacheBytes.Count || !caches.EnumerateArray().Zip(processor.CacheBytes).All(pair => pair.First.ValueKind == JsonValueKind.Number && pair.First.TryGetInt64(out long size) && size == pair.Second))
            throw new FormatException("cache_bytes are another processor's");
        MachineCosts machine = ParseMachine(Member(root, "machine", JsonValueKind.Object));
        JsonElement formulas = Member(root, "formulas", JsonValueKind.Object);
        var coefficients = new List<double[]>();
        foreach (CostClass costClass in CostClasses.All)
        {
            JsonElement formula = Member(formulas, CostClasses.Name(costClass), JsonValueKind.Object);
            coefficients.Add([.. CostClasses.Terms(costClass).Select(term => Number(formula, term, 0, 1e9))]);
        }
        var table = new CostTable(isa, origin, machine, coefficients);
        int layers = 0;
        foreach (JsonProperty layer in Member(root, "layers", JsonValueKind.Object).EnumerateObject())
        {
            if (++layers > MaximumLayers || layer.Name.Length > MaximumText || layer.Value.ValueKind != JsonValueKind.Array || layer.Value.GetArrayLength() is 0 or > MaximumTimings)
                throw new FormatException($"layers: more than {MaximumLayers}, a name of more than {MaximumText} letters, or not 1 to {MaximumTimings} timings");
            table.SetLayer(layer.Name, [.. layer.Value.EnumerateArray().Select(timing =>
                new LayerTiming(Text(timing, "kernel"), (int)Whole(timing, "threads", 1, SessionOptions.MaximumThreads), Number(timing, "nanoseconds", 0, 1e15)))]);
        }
        return table;
    }

    private static MachineCosts ParseMachine(JsonElement machine)
    {
        var levels = new List<MemoryLevel>();
        foreach (JsonElement level in Member(machine, "memory", JsonValueKind.Array).EnumerateArray())
        {
            if (levels.Count == 8) throw new FormatException("memory: more than 8 levels");
            long size = level.ValueKind == JsonValueKind.Object && level.TryGetProperty("size_bytes", out _) ? Whole(level, "size_bytes", 1, 1L << 40) : long.MaxValue;
            if (levels.Count > 0 && size <= levels[^1].SizeBytes) throw new FormatException("memory: levels that do not grow");
            levels.Add(new MemoryLevel(size, Number(level, "load_bytes_per_nanosecond", 1e-3, 1e6), Number(level, "store_bytes_per_nanosecond", 1e-3, 1e6)));
        }
        if (levels.Count == 0 || levels[^1].SizeBytes != long.MaxValue) throw new FormatException("memory: the last level has no size_bytes, none found");
        return new MachineCosts
        {
            PeakMultiplyAddsPerNanosecond = Number(machine, "peak_multiply_adds_per_nanosecond", 1e-3, 1e6),
            Memory = levels,
            HandOverNanoseconds = Number(machine, "hand_over_nanoseconds", 0, 1e9),
            BytesPerNanosecond = Number(machine, "bytes_per_nanosecond", 1e-3, 1e6),
            FunctionsPerNanosecond = Number(machine, "functions_per_nanosecond", 1e-4, 1e6),
        };
    }

    internal static byte[] Format(CostTable table, ProcessorIdentity processor)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteString("schema", Schema);
            writer.WriteString("version", Version);
            writer.WriteString("processor", processor.Name);
            writer.WriteString("instruction_set", table.Isa.ToString());
            writer.WriteStartArray("cache_bytes");
            foreach (long size in processor.CacheBytes) writer.WriteNumberValue(size);
            writer.WriteEndArray();
            Write(writer, table.Machine);
            writer.WriteStartObject("formulas");
            foreach (CostClass costClass in CostClasses.All)
            {
                writer.WriteStartObject(CostClasses.Name(costClass));
                for (int i = 0; i < CostClasses.Terms(costClass).Count; i++) Write(writer, CostClasses.Terms(costClass)[i], table.Coefficients(costClass)[i]);
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
            writer.WriteStartObject("layers");
            foreach ((string signature, LayerTiming[] timings) in table.Layers.OrderBy(layer => layer.Key, StringComparer.Ordinal).Take(MaximumLayers))
            {
                writer.WriteStartArray(signature);
                foreach (LayerTiming timing in timings)
                {
                    writer.WriteStartObject();
                    writer.WriteString("kernel", timing.Kernel);
                    writer.WriteNumber("threads", timing.Threads);
                    Write(writer, "nanoseconds", timing.Nanoseconds);
                    writer.WriteEndObject();
                }
                writer.WriteEndArray();
            }
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter writer, MachineCosts machine)
    {
        writer.WriteStartObject("machine");
        Write(writer, "peak_multiply_adds_per_nanosecond", machine.PeakMultiplyAddsPerNanosecond);
        Write(writer, "hand_over_nanoseconds", machine.HandOverNanoseconds);
        Write(writer, "bytes_per_nanosecond", machine.BytesPerNanosecond);
        Write(writer, "functions_per_nanosecond", machine.FunctionsPerNanosecond);
        writer.WriteStartArray("memory");
        foreach (MemoryLevel level in machine.Memory)
        {
            writer.WriteStartObject();
            if (level.SizeBytes != long.MaxValue) writer.WriteNumber("size_bytes", level.SizeBytes);
            Write(writer, "load_bytes_per_nanosecond", level.LoadBytesPerNanosecond);
            Write(writer, "store_bytes_per_nanosecond", level.StoreBytesPerNanosecond);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    /// <summary>Five significant digits: what a clock on a shared machine tells.</summary>
    private static void Write(Utf8JsonWriter writer, string name, double value) =>
        writer.WriteNumber(name, double.Parse(value.ToString("G5", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture));

    private static JsonElement Member(JsonElement parent, string name, JsonValueKind kind)
    {
        if (parent.ValueKind != JsonValueKind.Object || !parent.TryGetProperty(name, out JsonElement member)) throw new FormatException($"{name} is missing");
        return member.ValueKind == kind ? member : throw new FormatException($"{name} is {member.ValueKind}, expected {kind}");
    }

    private static string Text(JsonElement parent, string name)
    {
        string text = Member(parent, name, JsonValueKind.String).GetString()!;
        return text.Length is > 0 and <= MaximumText ? text : throw new FormatException($"{name} of {text.Length} letters, expected 1 to {MaximumText}");
    }

    private static void Expect(JsonElement parent, string name, string expected)
    {
        string found = Text(parent, name);
        if (found != expected) throw new FormatException($"{name} is '{found}', expected '{expected}'");
    }

    private static double Number(JsonElement parent, string name, double minimum, double maximum)
    {
        JsonElement member = Member(parent, name, JsonValueKind.Number);
        return member.TryGetDouble(out double value) && value >= minimum && value <= maximum ? value
            : throw new FormatException($"{name} is {member.GetRawText()}, expected {minimum.ToString(CultureInfo.InvariantCulture)} to {maximum.ToString(CultureInfo.InvariantCulture)}");
    }

    private static long Whole(JsonElement parent, string name, long minimum, long maximum)
    {
        JsonElement member = Member(parent, name, JsonValueKind.Number);
        return member.TryGetInt64(out long value) && value >= minimum && value <= maximum ? value
            : throw new FormatException($"{name} is {member.GetRawText()}, expected a whole number from {minimum} to {maximum}");
    }
}
