using System.Buffers.Binary;
using System.Security.Cryptography;

namespace EdgeSparse.Model;

/// <summary>Reads the frame of a package: header, section table, checksums (FORMAT.md). Sizes are checked before anything is allocated for them.</summary>
internal static class PackageReader
{
    public static ModelPackage Read(ReadOnlyMemory<byte> file, string path)
    {
        ReadOnlyMemory<byte>[] sections = Sections(file, path);
        ReadOnlyMemory<byte> manifest = sections[(int)SectionType.Manifest], graph = sections[(int)SectionType.Graph], onnx = sections[(int)SectionType.Onnx];
        try
        {
            return new ModelPackage(ManifestJson.Parse(manifest.Span, "manifest"), graph.IsEmpty ? null : GraphReader.Read(graph, sections[(int)SectionType.Weights]), onnx);
        }
        catch (ModelFormatException error)
        {
            throw new ModelFormatException($"{path}: {error.Message}", error);
        }
    }

    /// <summary>The sections by type, empty where absent, every checksum verified.</summary>
    private static ReadOnlyMemory<byte>[] Sections(ReadOnlyMemory<byte> memory, string path)
    {
        ReadOnlySpan<byte> file = memory.Span;
        if (!file.StartsWith(PackageFormat.Magic)) throw new ModelFormatException($"{path}: not an EdgeSparse package (.esm)");
        if (file.Length < PackageFormat.HeaderBytes) throw new ModelFormatException(path, file.Length, "the file ends within its header");
        uint version = BinaryPrimitives.ReadUInt32LittleEndian(file[8..]);
        if (version != PackageFormat.Version)
            throw new ModelFormatException(path, 8, $"package version {version}, this program reads version {PackageFormat.Version}; compile the model again or update the program");
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(file[12..]);
        if (count is < 2 or > 4) throw new ModelFormatException(path, 12, $"{count} sections, expected 2 to 4");
        ulong size = BinaryPrimitives.ReadUInt64LittleEndian(file[16..]);
        if (size != (ulong)file.Length) throw new ModelFormatException(path, 16, $"the file has {file.Length} bytes, its header says {size}: it is cut off or was changed");
        if (size > Limits.ModelFileBytes) throw new ModelFormatException(path, 16, $"{size} bytes, at most {Limits.ModelFileBytes} are supported");
        long end = PackageFormat.HeaderBytes + count * PackageFormat.SectionBytes;
        if (file.Length < end) throw new ModelFormatException(path, file.Length, "the file ends within its section table");
        if (!PackageFormat.HashTable(file, (int)count).AsSpan().SequenceEqual(file.Slice(24, 32))) throw new ModelFormatException(path, 24, "the checksum of the header does not match");
        Zero(file, 56, 64, path);

        var sections = new ReadOnlyMemory<byte>[5];
        uint previous = 0;
        for (int i = 0; i < count; i++)
        {
            int at = PackageFormat.HeaderBytes + i * PackageFormat.SectionBytes;
            ReadOnlySpan<byte> entry = file.Slice(at, PackageFormat.SectionBytes);
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(entry), flags = BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]);
            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]), bytes = BinaryPrimitives.ReadUInt64LittleEndian(entry[16..]);
            if (type <= previous || type > 4) throw new ModelFormatException(path, at, $"section type {type} after {previous}, expected 1 to 4 ascending");
            if (flags != 0) throw new ModelFormatException(path, at + 4, $"section flags {flags}, expected 0");
            long start = PackageFormat.Align(end);
            if (offset != (ulong)start || start > file.Length) throw new ModelFormatException(path, at + 8, $"section {type} at {offset}, expected {start} of {file.Length}");
            if (bytes > (ulong)(file.Length - start)) throw new ModelFormatException(path, at + 16, $"section {type} has {bytes} bytes, {file.Length - start} are left");
            if (bytes == 0 && type != (uint)SectionType.Weights) throw new ModelFormatException(path, at + 16, $"section {type} is empty");
            Zero(file, at + 56, at + 64, path);
            Zero(file, end, start, path);
            end = start + (long)bytes;
            ReadOnlyMemory<byte> content = memory.Slice((int)start, (int)bytes);
            if (!SHA256.HashData(content.Span).AsSpan().SequenceEqual(entry.Slice(24, 32))) throw new ModelFormatException(path, start, $"the checksum of section {type} does not match");
            sections[type] = content;
            previous = type;
        }
        if (end != file.Length) throw new ModelFormatException(path, end, "bytes after the last section");
        bool Has(SectionType type)
        {
            for (int i = 0; i < count; i++)
                if (BinaryPrimitives.ReadUInt32LittleEndian(memory.Span[(PackageFormat.HeaderBytes + i * PackageFormat.SectionBytes)..]) == (uint)type) return true;
            return false;
        }
        if (!Has(SectionType.Manifest)) throw new ModelFormatException($"{path}: no manifest section");
        if (Has(SectionType.Graph) != Has(SectionType.Weights)) throw new ModelFormatException($"{path}: graph and weights sections belong together, one is missing");
        return sections;
    }

    private static void Zero(ReadOnlySpan<byte> file, long start, long end, string path)
    {
        int index = file[(int)start..(int)end].IndexOfAnyExcept((byte)0);
        if (index >= 0) throw new ModelFormatException(path, start + index, "a byte that must be 0 is not");
    }
}
