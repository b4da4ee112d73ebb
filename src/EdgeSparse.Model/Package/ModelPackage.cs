using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace EdgeSparse.Model;

/// <summary>
/// A model as it is shipped: the manifest, and the native engine's graph, the ONNX model that only ONNX Runtime runs, or both; or the parts that each engine runs.
/// FORMAT.md in this room defines the bytes. Whatever is wrong with a file is a <see cref="ModelFormatException"/> that says where.
/// </summary>
public sealed class ModelPackage
{
    private string? _sha256;
    private SelfTest? _selfTest;

    /// <summary>The first eight bytes of every package.</summary>
    public static ReadOnlySpan<byte> Magic => PackageFormat.Magic;

    /// <summary>A package from its parts; they are checked when it is written. At least one of <paramref name="graph"/> and <paramref name="onnxModel"/> must be there.</summary>
    public ModelPackage(Manifest manifest, Graph? graph, ReadOnlyMemory<byte> onnxModel = default)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (graph is null && onnxModel.IsEmpty) throw new ArgumentException("a package needs a graph or an ONNX model", nameof(graph));
        Manifest = manifest;
        Graph = graph;
        OnnxModel = onnxModel;
    }

    /// <summary>A package in parts; they are checked when it is written.</summary>
    public ModelPackage(Manifest manifest, PartitionedModel parts)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(parts);
        Manifest = manifest;
        Parts = parts;
    }

    public Manifest Manifest { get; }

    /// <summary>The parts that each engine runs; null where one engine runs the model whole.</summary>
    public PartitionedModel? Parts { get; }

    /// <summary>The graph for the native engine; null where it does not run the model whole.</summary>
    public Graph? Graph { get; }

    /// <summary>The ONNX file for ONNX Runtime; empty where it does not run the model whole.</summary>
    public ReadOnlyMemory<byte> OnnxModel { get; }

    /// <summary>An input with its outputs, to see whether the model computes the right thing where it is used; null where the package carries none.</summary>
    public SelfTest? SelfTest
    {
        get => _selfTest;
        set
        {
            _selfTest = value;
            _sha256 = null;
        }
    }

    /// <summary>The model's identity: SHA-256 of the whole package, lower-case hexadecimal; of a package made in memory, of the bytes it would be written as now.</summary>
    public string Sha256 => _sha256 ??= Hash(ToBytes());

    /// <summary>
    /// The size that a package's first bytes say it has, to tell a file that is still being written; null where they are too few, or not a package's.
    /// </summary>
    public static long? DeclaredSizeBytes(ReadOnlySpan<byte> first) =>
        first.Length >= PackageFormat.HashedHeaderBytes && first.StartsWith(PackageFormat.Magic) ? (long)Math.Min(long.MaxValue, BinaryPrimitives.ReadUInt64LittleEndian(first[16..])) : null;

    /// <summary>
    /// Reads and checks a package file. Dense constants are views of one pinned buffer in which each begins at a multiple of 64 bytes.
    /// Throws <see cref="ModelFormatException"/> for what is not a valid package and <see cref="IOException"/> for what cannot be read.
    /// </summary>
    public static ModelPackage Load(string path) => FromBytes(ReadFile(path), path);

    /// <summary>A package file's bytes, unchecked, where <see cref="FromBytes"/> wants them. Throws <see cref="ModelFormatException"/> for a file that is too large and <see cref="IOException"/>.</summary>
    public static ReadOnlyMemory<byte> ReadFile(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        if (stream.Length > Limits.ModelFileBytes) throw new ModelFormatException($"{path}: {stream.Length} bytes, at most {Limits.ModelFileBytes} are supported");
        Memory<byte> file = Aligned((int)stream.Length);
        stream.ReadExactly(file.Span);
        return file;
    }

    /// <summary>Reads and checks a package's bytes, which it keeps; <paramref name="path"/> is named in errors.</summary>
    public static ModelPackage FromBytes(ReadOnlyMemory<byte> file, string path = "package")
    {
        ModelPackage package = PackageReader.Read(file, path);
        package._sha256 = Hash(file.Span);
        return package;
    }

    /// <summary>Writes the package to a temporary file beside <paramref name="path"/>, flushes it to the disk and renames it: the file is whole or not there.</summary>
    public void Save(string path)
    {
        byte[] file = ToBytes();
        _sha256 = Hash(file);
        AtomicFile.Write(path, file);
    }

    /// <summary>The package's bytes. Throws <see cref="ModelFormatException"/> where the manifest or the graph would not be accepted by a reader.</summary>
    public byte[] ToBytes() => PackageWriter.Write(this);

    private static string Hash(ReadOnlySpan<byte> file) => Convert.ToHexStringLower(SHA256.HashData(file));

    private static Memory<byte> Aligned(int size)
    {
        byte[] buffer = GC.AllocateUninitializedArray<byte>(size + PackageFormat.Alignment, pinned: true);
        int start = (int)(-Marshal.UnsafeAddrOfPinnedArrayElement(buffer, 0) & (PackageFormat.Alignment - 1));
        return buffer.AsMemory(start, size);
    }
}
