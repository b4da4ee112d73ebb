using System.Buffers.Binary;
using System.Security.Cryptography;

namespace EdgeSparse.Model;

/// <summary>Reads the frame of a package: header, section table, checksums (FORMAT.md). Sizes are checked before anything is allocated for them.</summary>
internal static class PackageReader
{
    private readonly record struct SectionEntry(SectionType Type, ReadOnlyMemory<byte> Content);

    public static ModelPackage Read(ReadOnlyMemory<byte> file, string path)
    {
        List<SectionEntry> sections = Sections(file, path, out bool inParts);
        try
        {
            Manifest manifest = ManifestJson.Parse(sections[0].Content.Span, "manifest");
            SelfTest? test = null;
            if (sections[^1].Type == SectionType.SelfTest)
            {
                test = SelfTestSection.Read(sections[^1].Content.Span);
                sections.RemoveAt(sections.Count - 1);
            }
            if (inParts) return new ModelPackage(manifest, Parts(sections)) { SelfTest = test };
            Graph? graph = null;
            int next = 1;
            if (sections[next].Type == SectionType.Graph)
            {
                graph = GraphReader.Read(sections[next].Content, sections[next + 1].Content);
                next += 2;
            }
            return new ModelPackage(manifest, graph, next < sections.Count ? sections[next].Content : default) { SelfTest = test };
        }
        catch (ModelFormatException error)
        {
            throw new ModelFormatException($"{path}: {error.Message}", error);
        }
    }

    /// <summary>The parts section and, in its order, each part's graph and weights or ONNX model.</summary>
    private static PartitionedModel Parts(List<SectionEntry> sections)
    {
        var model = new PartitionedModel();
        int next = 2;
        foreach (PartsSection.Plan plan in PartsSection.Read(sections[1].Content.Span, model))
        {
            SectionType expected = plan.Engine == PartEngine.Native ? SectionType.Graph : SectionType.Onnx;
            if (next >= sections.Count || sections[next].Type != expected) throw new ModelFormatException($"part {model.Parts.Count} has no section of type {(uint)expected} in its place");
            var part = plan.Engine == PartEngine.Native ? new ModelPart(GraphReader.Read(sections[next].Content, sections[next + 1].Content)) : new ModelPart(sections[next].Content);
            next += plan.Engine == PartEngine.Native ? 2 : 1;
            part.Operators = plan.Operators;
            part.Inputs.AddRange(plan.Inputs);
            part.Outputs.AddRange(plan.Outputs);
            part.Reasons.AddRange(plan.Reasons);
            model.Parts.Add(part);
        }
        if (next != sections.Count) throw new ModelFormatException($"a section of type {(uint)sections[next].Type} belongs to no part");
        model.Validate();
        return model;
    }

    /// <summary>The sections in order, every checksum verified: manifest first; a graph always with its weights.</summary>
    private static List<SectionEntry> Sections(ReadOnlyMemory<byte> memory, string path, out bool inParts)
    {
        ReadOnlySpan<byte> file = memory.Span;
        if (!file.StartsWith(PackageFormat.Magic)) throw new ModelFormatException($"{path}: not an EdgeSparse package (.esm)");
        if (file.Length < PackageFormat.HeaderBytes) throw new ModelFormatException(path, file.Length, "the file ends within its header");
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(file[8..]);
        if (version is not (PackageFormat.Version or PackageFormat.PartsVersion or PackageFormat.SelfTestVersion))
            throw new ModelFormatException(path, 8, $"package version {version}, this program reads versions {PackageFormat.Version} to {PackageFormat.SelfTestVersion}; compile the model again or update the program");
        bool tested = version == PackageFormat.SelfTestVersion;
        inParts = version == PackageFormat.PartsVersion;
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(file[12..]), least = tested ? 3u : 2u, most = inParts ? 2 + 2 * Limits.Parts : tested ? 3 + 2 * Limits.Parts : 4u;
        if (count < least || count > most) throw new ModelFormatException(path, 12, $"{count} sections, expected {least} to {most}");
        ulong size = BinaryPrimitives.ReadUInt64LittleEndian(file[16..]);
        if (size != (ulong)file.Length) throw new ModelFormatException(path, 16, $"the file has {file.Length} bytes, its header says {size}: it is cut off or was changed");
        if (size > Limits.ModelFileBytes) throw new ModelFormatException(path, 16, $"{size} bytes, at most {Limits.ModelFileBytes} are supported");
        long end = PackageFormat.HeaderBytes + count * PackageFormat.SectionBytes;
        if (file.Length < end) throw new ModelFormatException(path, file.Length, "the file ends within its section table");
        if (!PackageFormat.HashTable(file, (int)count).AsSpan().SequenceEqual(file.Slice(24, 32))) throw new ModelFormatException(path, 24, "the checksum of the header does not match");
        Zero(file, 56, 64, path);

        var sections = new List<SectionEntry>((int)count);
        for (int i = 0; i < count; i++)
        {
            int at = PackageFormat.HeaderBytes + i * PackageFormat.SectionBytes;
            ReadOnlySpan<byte> entry = file.Slice(at, PackageFormat.SectionBytes);
            var type = (SectionType)BinaryPrimitives.ReadUInt32LittleEndian(entry);
            uint flags = BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]);
            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]), bytes = BinaryPrimitives.ReadUInt64LittleEndian(entry[16..]);
            SectionType previous = i == 0 ? 0 : sections[^1].Type;
            if (tested && i == 1) inParts = type == SectionType.Parts;
            bool follows = tested && i == count - 1 ? type == SectionType.SelfTest && previous is SectionType.Weights or SectionType.Onnx : Follows(type, previous, inParts);
            if (!follows) throw new ModelFormatException(path, at, $"section type {(uint)type} after {(uint)previous}, which is not the order of version {version}");
            if (flags != 0) throw new ModelFormatException(path, at + 4, $"section flags {flags}, expected 0");
            long start = PackageFormat.Align(end);
            if (offset != (ulong)start || start > file.Length) throw new ModelFormatException(path, at + 8, $"section {(uint)type} at {offset}, expected {start} of {file.Length}");
            if (bytes > (ulong)(file.Length - start)) throw new ModelFormatException(path, at + 16, $"section {(uint)type} has {bytes} bytes, {file.Length - start} are left");
            if (bytes == 0 && type != SectionType.Weights) throw new ModelFormatException(path, at + 16, $"section {(uint)type} is empty");
            Zero(file, at + 56, at + 64, path);
            Zero(file, end, start, path);
            end = start + (long)bytes;
            ReadOnlyMemory<byte> content = memory.Slice((int)start, (int)bytes);
            if (!SHA256.HashData(content.Span).AsSpan().SequenceEqual(entry.Slice(24, 32))) throw new ModelFormatException(path, start, $"the checksum of section {(uint)type} does not match");
            sections.Add(new SectionEntry(type, content));
        }
        if (end != file.Length) throw new ModelFormatException(path, end, "bytes after the last section");
        if (sections[^1].Type is SectionType.Graph) throw new ModelFormatException($"{path}: graph and weights sections belong together, one is missing");
        return sections;
    }

    /// <summary>The order of sections: manifest; then graph and weights, an ONNX model, or both; or parts, and for each of them graph and weights or an ONNX model.</summary>
    private static bool Follows(SectionType type, SectionType previous, bool inParts) => (previous, type) switch
    {
        (0, SectionType.Manifest) => true,
        (SectionType.Manifest, SectionType.Parts) => inParts,
        (SectionType.Manifest, SectionType.Graph or SectionType.Onnx) => !inParts,
        (SectionType.Graph, SectionType.Weights) => true,
        (SectionType.Weights, SectionType.Onnx) => true,
        (SectionType.Parts, SectionType.Graph or SectionType.Onnx) => true,
        (SectionType.Weights, SectionType.Graph) or (SectionType.Onnx, SectionType.Graph or SectionType.Onnx) => inParts,
        _ => false,
    };

    private static void Zero(ReadOnlySpan<byte> file, long start, long end, string path)
    {
        int index = file[(int)start..(int)end].IndexOfAnyExcept((byte)0);
        if (index >= 0) throw new ModelFormatException(path, start + index, "a byte that must be 0 is not");
    }
}
