using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using EdgeSparse.Cli.Models;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Vision;

namespace EdgeSparse.Cli.Evaluation;

/// <summary>
/// Finds pictures, arrays and labels:
/// a folder of pictures; where the pictures lie in several folders, each one's name is the class; <c>NAME.txt</c> beside a picture (or in a folder <c>labels</c> parallel to
/// <c>images</c>) holds YOLO's boxes; a .tar.gz of such a tree; an IDX file of pictures; .npy arrays of the input's shape, samples stacked along a leading axis.
/// </summary>
internal static class EvaluationSource
{
    /// <summary>Most samples of a set.</summary>
    public const int MaxSamples = 200_000;

    /// <summary>Most bytes that archives and arrays may hold.</summary>
    public const long MaxBytes = 1L << 30;

    /// <summary>Most bytes that a byte of gzip can become (RFC 1951: 258 bytes from two bits).</summary>
    public const int MostExpansion = 1032;

    private const int MaxDepth = 8;

    /// <summary>Throws <see cref="CliException"/> or <see cref="ModelFormatException"/> where there is nothing, too much, or something damaged.</summary>
    /// <param name="path">Folder or file.</param>
    /// <param name="classes">The model's labels, which class folders must be named after; empty: folders are the classes in ordinal order.</param>
    /// <param name="input">The model's input, whose shape arrays must have.</param>
    public static List<EvaluationSample> Read(string path, IReadOnlyList<string> classes, TensorInfo input)
    {
        if (Directory.Exists(path)) return Folder(path, classes, input);
        if (!File.Exists(path)) throw new CliException(ExitCode.NoInput, $"{path}: no such file or folder");
        if (HasEnding(path, ".tar.gz") || HasEnding(path, ".tgz")) return Label(Archive(path), classes, path);
        if (HasEnding(path, ".npy")) return Arrays([path], input);
        if (IdxFile.HasName(path)) return IdxFile.Samples(path);
        if (ImageFile.HasImageExtension(path)) return [new EvaluationSample(path, new PictureFile(path), -1, Boxes(path))];
        throw new CliException(ExitCode.Usage, $"{path}: expected a folder, .tar.gz, .npy, an IDX file (.gz) or a picture");
    }

    private static List<EvaluationSample> Folder(string path, IReadOnlyList<string> classes, TensorInfo input)
    {
        string[] files = [.. Directory.EnumerateFiles(path, "*", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = MaxDepth })
            .Where(file => ImageFile.HasImageExtension(file) || HasEnding(file, ".npy") || IdxFile.HasName(file)).Take(MaxSamples + 1).Order(StringComparer.Ordinal)];
        if (files.Length > MaxSamples) throw TooMany(path);
        string[] pictures = [.. files.Where(ImageFile.HasImageExtension)], arrays = [.. files.Where(file => HasEnding(file, ".npy"))];
        if (pictures.Length > 0)
        {
            List<EvaluationSample> samples = [.. pictures.Select(file => new EvaluationSample(file, new PictureFile(file), -1, Boxes(file)))];
            // A picture without a label file among pictures with one shows nothing that has a class.
            if (samples.Exists(sample => sample.Truth is not null)) return [.. samples.Select(sample => sample with { Truth = sample.Truth ?? [] })];
            return Label(samples, classes, path);
        }
        if (arrays.Length > 0) return Arrays(arrays, input);
        return Array.Find(files, IdxFile.HasName) is { } idx ? IdxFile.Samples(idx)
            : throw new CliException(ExitCode.NoInput, $"{path}: empty: no .jpg, .jpeg, .png, .npy or images-idx3-ubyte.gz in this folder or below it");
    }

    /// <summary>The true boxes of a picture, or null where no label file is found.</summary>
    private static Detection[]? Boxes(string picture)
    {
        string beside = Path.ChangeExtension(picture, ".txt");
        if (File.Exists(beside)) return YoloLabelFile.Read(beside);
        char separator = Path.DirectorySeparatorChar;
        int images = beside.LastIndexOf($"{separator}images{separator}", StringComparison.Ordinal);
        if (images < 0) return null;
        string parallel = string.Concat(beside.AsSpan(0, images), $"{separator}labels{separator}", beside.AsSpan(images + "/images/".Length));
        return File.Exists(parallel) ? YoloLabelFile.Read(parallel) : null;
    }

    /// <summary>Gives every sample the class its folder is named after, where there are several folders.</summary>
    private static List<EvaluationSample> Label(List<EvaluationSample> samples, IReadOnlyList<string> classes, string source)
    {
        string[] folders = [.. samples.Select(Parent).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        if (folders.Length < 2) return samples;
        string[] names = classes.Count > 0 ? [.. classes] : folders;
        var index = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int i = 0; i < names.Length; i++) index.TryAdd(names[i], i);
        string? stray = Array.Find(folders, folder => !index.ContainsKey(folder));
        if (stray is not null)
            throw new CliException(ExitCode.Data, $"{source}: folder '{stray}' is not one of the model's {names.Length} labels ({string.Join(", ", names.Take(4))}, …); name folders after labels, or put all pictures in one folder");
        return [.. samples.Select(sample => sample with { Label = index[Parent(sample)] })];
    }

    private static string Parent(EvaluationSample sample) => Path.GetFileName(Path.GetDirectoryName(sample.Name)) ?? "";

    private static List<EvaluationSample> Archive(string path)
    {
        var samples = new List<EvaluationSample>();
        long total = 0;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read);
            using var stream = new GZipStream(file, CompressionMode.Decompress);
            using var reader = new TarReader(stream);
            while (reader.GetNextEntry() is { } entry)
            {
                // Archives made on a Mac carry a "._NAME" beside every file.
                if (entry.DataStream is not { } data || !ImageFile.HasImageExtension(entry.Name) || Path.GetFileName(entry.Name).StartsWith("._", StringComparison.Ordinal)) continue;
                total += entry.Length;
                if (entry.Length > ImageFile.MaxFileBytes || total > MaxBytes) throw new CliException(ExitCode.Data, $"{path}: {entry.Name}: more than {MaxBytes} bytes of pictures, or more than {ImageFile.MaxFileBytes} in one");
                if (entry.Length > file.Length * MostExpansion) throw new CliException(ExitCode.Data, $"{path}: {entry.Name}: {file.Length} bytes cannot hold its {entry.Length}");
                if (samples.Count == MaxSamples) throw TooMany(path);
                var bytes = new byte[entry.Length];
                data.ReadExactly(bytes);
                samples.Add(new EvaluationSample($"{path}:{entry.Name}", new EncodedPicture(bytes)));
            }
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw new CliException(ExitCode.Data, $"{path}: not a whole .tar.gz: {error.Message}");
        }
        if (samples.Count == 0) throw new CliException(ExitCode.NoInput, $"{path}: empty: no .jpg, .jpeg or .png in this archive");
        samples.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return samples;
    }

    /// <summary>Arrays of the input's shape, or of several stacked; <c>labels.npy</c> beside them holds the classes of all, int64 or int32.</summary>
    private static List<EvaluationSample> Arrays(string[] paths, TensorInfo input)
    {
        const string labelsName = "labels.npy";
        string labelsPath = Path.Combine(Path.GetDirectoryName(paths[0]) ?? "", labelsName);
        var samples = new List<EvaluationSample>();
        long total = 0;
        foreach (string path in paths)
        {
            if (Path.GetFileName(path) == labelsName) continue;
            total += new FileInfo(path).Length;
            if (total > MaxBytes) throw new CliException(ExitCode.Data, $"{path}: more than {MaxBytes} bytes of arrays");
            Tensor tensor = NpyFile.Read(path);
            int count = TensorFiles.Samples(tensor.Shape, input.Shape);
            if (count == 0) throw new CliException(ExitCode.Data, $"{path}: shape {tensor.Shape}, input '{input.Name}' expects {input.Shape}, or several stacked");
            if (samples.Count + count > MaxSamples) throw TooMany(path);
            ReadOnlyMemory<byte> bytes = TensorFiles.Convert(tensor, input.Type, path, $"input '{input.Name}'");
            int size = bytes.Length / count;
            for (int i = 0; i < count; i++) samples.Add(new EvaluationSample(count == 1 ? path : $"{path}[{i}]", new InputArray(bytes.Slice(i * size, size))));
        }
        if (samples.Count == 0) throw new CliException(ExitCode.NoInput, $"{labelsPath}: no arrays beside it");
        return File.Exists(labelsPath) ? Labelled(samples, labelsPath) : samples;
    }

    private static List<EvaluationSample> Labelled(List<EvaluationSample> samples, string path)
    {
        Tensor tensor = NpyFile.Read(path);
        long[] labels = tensor.Type switch
        {
            ElementType.Int64 => tensor.Span<long>().ToArray(),
            ElementType.Int32 => [.. tensor.Span<int>().ToArray().Select(label => (long)label)],
            _ => throw new CliException(ExitCode.Data, $"{path}: elements are {tensor.Type}, expected int64 or int32"),
        };
        if (labels.Length != samples.Count) throw new CliException(ExitCode.Data, $"{path}: {labels.Length} labels for {samples.Count} arrays");
        if (Array.Exists(labels, label => label is < 0 or >= Limits.Labels)) throw new CliException(ExitCode.Data, $"{path}: a label is outside 0 to {Limits.Labels - 1}");
        return [.. samples.Select((sample, i) => sample with { Label = (int)labels[i] })];
    }

    private static CliException TooMany(string path) => new(ExitCode.Data, $"{path}: more than {MaxSamples} pictures or arrays");

    private static bool HasEnding(string path, string ending) => path.EndsWith(ending, StringComparison.OrdinalIgnoreCase);
}
