using System.Formats.Tar;
using System.IO.Compression;

namespace EdgeSparse.Conformance;

/// <summary>One node case of the ONNX backend tests: a model and sets of inputs with expected outputs, all as encoded protobuf.</summary>
internal sealed class NodeCase
{
    public required string Name { get; init; }

    public byte[] Model { get; set; } = [];

    /// <summary>By set and index.</summary>
    public SortedDictionary<(int Set, int Index), byte[]> Inputs { get; } = [];

    public SortedDictionary<(int Set, int Index), byte[]> Outputs { get; } = [];

    public IEnumerable<int> Sets => Outputs.Keys.Select(key => key.Set).Distinct();
}

/// <summary>Reads the cases of an archive of onnx/backend/test/data/node, in memory.</summary>
internal static class NodeArchive
{
    public static SortedDictionary<string, NodeCase> Read(string path)
    {
        var cases = new SortedDictionary<string, NodeCase>(StringComparer.Ordinal);
        using FileStream file = File.OpenRead(path);
        using var unzipped = new GZipStream(file, CompressionMode.Decompress);
        using var reader = new TarReader(unzipped);
        while (reader.GetNextEntry() is { } entry)
        {
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile) || entry.DataStream is null) continue;
            string[] parts = entry.Name.Split('/');
            if (parts.Length < 3) continue;
            bool isModel = parts[^1] == "model.onnx";
            string name = parts[isModel ? ^2 : ^3];
            if (!isModel && !parts[^2].StartsWith("test_data_set_", StringComparison.Ordinal)) continue;
            if (!cases.TryGetValue(name, out NodeCase? found)) cases[name] = found = new NodeCase { Name = name };
            var bytes = new byte[entry.Length];
            entry.DataStream.ReadExactly(bytes);
            if (isModel)
            {
                found.Model = bytes;
                continue;
            }
            string stem = Path.GetFileNameWithoutExtension(parts[^1]);
            var key = (int.Parse(parts[^2]["test_data_set_".Length..]), int.Parse(stem[(stem.IndexOf('_') + 1)..]));
            (stem.StartsWith("input_", StringComparison.Ordinal) ? found.Inputs : found.Outputs)[key] = bytes;
        }
        return cases;
    }
}
