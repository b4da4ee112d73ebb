using System.Buffers.Binary;
using System.IO.Compression;
using EdgeSparse.Vision;

namespace EdgeSparse.Cli.Evaluation;

/// <summary>
/// MNIST's files (Y. LeCun, http://yann.lecun.com/exdb/mnist): big-endian magic 0x0000_08NN with NN axes of unsigned bytes, NN sizes of 32 bits, then the bytes; compressed by gzip.
/// Pictures have three axes [N, rows, columns], labels one.
/// </summary>
internal static class IdxFile
{
    private const string Pictures = "images-idx3-ubyte", Labels = "labels-idx1-ubyte";

    public static bool HasName(string path) => Path.GetFileName(path) is var name && name.Contains(Pictures, StringComparison.Ordinal) && name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase);

    /// <summary>The pictures, labelled where the file of labels lies beside theirs, in a folder <c>labels</c> there, or in one beside their folder.</summary>
    public static List<EvaluationSample> Samples(string path)
    {
        (int[] sizes, byte[] pixels) = Read(path, 3);
        (int count, int height, int width) = (sizes[0], sizes[1], sizes[2]);
        byte[]? labels = LabelsFile(path) is { } file ? Read(file, 1).Data : null;
        if (labels is not null && labels.Length != count) throw new CliException(ExitCode.Data, $"{LabelsFile(path)}: {labels.Length} labels for {count} pictures");
        var samples = new List<EvaluationSample>(count);
        for (int i = 0; i < count; i++)
            samples.Add(new EvaluationSample($"{path}[{i}]", new GreyPicture(pixels.AsMemory(i * height * width, height * width), width, height), labels?[i] ?? -1));
        return samples;
    }

    private static string? LabelsFile(string path)
    {
        string name = Path.GetFileName(path).Replace(Pictures, Labels, StringComparison.Ordinal), folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
        return ((string[])[Path.Combine(folder, name), Path.Combine(folder, "labels", name), Path.Combine(folder, "..", "labels", name)]).FirstOrDefault(File.Exists);
    }

    private static (int[] Sizes, byte[] Data) Read(string path, int axes)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read);
            using var stream = new GZipStream(file, CompressionMode.Decompress);
            Span<byte> header = stackalloc byte[4 + 4 * axes];
            stream.ReadExactly(header);
            uint magic = BinaryPrimitives.ReadUInt32BigEndian(header);
            if (magic != 0x800u + (uint)axes) throw new CliException(ExitCode.Data, $"{path}: begins with {magic:x8}, expected {0x800 + axes:x8} (IDX, unsigned bytes, {axes} axes)");
            var sizes = new int[axes];
            long total = 1;
            for (int i = 0; i < axes; i++)
            {
                uint size = BinaryPrimitives.ReadUInt32BigEndian(header[(4 + 4 * i)..]);
                if (size is 0 or > 1 << 24) throw new CliException(ExitCode.Data, $"{path}: axis {i} of length {size}, expected 1 to {1 << 24}");
                sizes[i] = (int)size;
                total *= size;
                if (total > file.Length * EvaluationSource.MostExpansion) throw new CliException(ExitCode.Data, $"{path}: {file.Length} bytes cannot hold what its sizes say");
                if (total > EvaluationSource.MaxBytes) throw new CliException(ExitCode.Data, $"{path}: more than {EvaluationSource.MaxBytes} bytes");
            }
            if (sizes[0] > EvaluationSource.MaxSamples) throw new CliException(ExitCode.Data, $"{path}: {sizes[0]} entries, at most {EvaluationSource.MaxSamples} are read");
            if (axes == 3 && (long)sizes[1] * sizes[2] > Frame.MaxPixels) throw new CliException(ExitCode.Data, $"{path}: pictures of more than {Frame.MaxPixels} pixels");
            var data = new byte[total];
            stream.ReadExactly(data);
            return (sizes, data);
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException)
        {
            throw new CliException(ExitCode.Data, $"{path}: not a whole IDX file: {error.Message}");
        }
    }
}
