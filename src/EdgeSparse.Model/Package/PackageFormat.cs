using System.Security.Cryptography;

namespace EdgeSparse.Model;

/// <summary>The constants of FORMAT.md.</summary>
internal static class PackageFormat
{
    /// <summary>Of a package that one engine runs whole.</summary>
    public const int Version = 1;

    /// <summary>Of a package in parts.</summary>
    public const int PartsVersion = 2;

    /// <summary>Of a package of either kind that carries a self-test.</summary>
    public const int SelfTestVersion = 3;

    public const int HeaderBytes = 64;
    public const int SectionBytes = 64;
    public const int HashedHeaderBytes = 24;
    public const int Alignment = 64;
    public const uint Absent = uint.MaxValue;

    public static ReadOnlySpan<byte> Magic => [0x89, (byte)'E', (byte)'S', (byte)'M', (byte)'\r', (byte)'\n', 0x1A, (byte)'\n'];

    public static long Align(long offset) => (offset + Alignment - 1) / Alignment * Alignment;

    /// <summary>Bytes of a column index in a packed sparse constant.</summary>
    public static int ColumnBytes(long columns) => columns <= 65536 ? 2 : 4;

    /// <summary>SHA-256 of the header's first fields and the section table, from the start of the file.</summary>
    public static byte[] HashTable(ReadOnlySpan<byte> file, int sectionCount)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(file[..HashedHeaderBytes]);
        hash.AppendData(file.Slice(HeaderBytes, sectionCount * SectionBytes));
        return hash.GetHashAndReset();
    }
}

internal enum SectionType : uint
{
    Manifest = 1,
    Graph = 2,
    Weights = 3,
    Onnx = 4,
    Parts = 5,
    SelfTest = 6,
}

internal enum ConstantStorage : byte
{
    None = 0,
    Dense = 1,
    Sparse = 2,
}

/// <summary>How a packed sparse constant lists its non-zeros.</summary>
internal enum SparseForm : byte
{
    Rows = 1,
}

internal enum AttributeType : byte
{
    Integer = 1,
    Number = 2,
    Text = 3,
    Integers = 4,
    Numbers = 5,
}
