using EdgeSparse.Model;

namespace EdgeSparse.Compiler;

/// <summary>Finds what belongs to a model beside its ONNX file: manifest and labels.</summary>
public static class ManifestFiles
{
    /// <summary>True where <paramref name="path"/> has a name under which the manifest of the ONNX file is looked for.</summary>
    public static bool IsManifestOf(string onnxPath, string path)
    {
        (string folder, string stem) = FolderAndStem(onnxPath);
        return Names(stem).Any(name => Path.Combine(folder, name) == Path.GetFullPath(path));
    }

    internal static Manifest Of(string onnxPath, Manifest? given, List<string> notes)
    {
        (string folder, string stem) = FolderAndStem(onnxPath);
        Manifest manifest = given ?? Read(folder, stem, notes);
        if (manifest.Labels.Count == 0 && Find(folder, $"{stem}.labels.txt", "labels.txt") is { } labels)
        {
            manifest.Labels = [.. File.ReadLines(labels).Select(line => line.Trim()).Where(line => line.Length > 0).Take(Limits.Labels + 1)];
            notes.Add($"{manifest.Labels.Count} labels from {Path.GetFileName(labels)}");
        }
        return manifest;
    }

    private static Manifest Read(string folder, string stem, List<string> notes)
    {
        if (Find(folder, Names(stem)) is not { } path) return new Manifest { Name = NameFrom(stem) };
        if (new FileInfo(path).Length > Limits.ManifestBytes) throw new ModelFormatException($"{path}: {new FileInfo(path).Length} bytes, at most {Limits.ManifestBytes} are supported");
        notes.Add($"manifest from {Path.GetFileName(path)}");
        return ManifestJson.Parse(File.ReadAllBytes(path), path);
    }

    private static string[] Names(string stem) => [$"{stem}.json", "model.json"];

    private static (string Folder, string Stem) FolderAndStem(string onnxPath) => (Path.GetDirectoryName(Path.GetFullPath(onnxPath)) ?? "/", Path.GetFileNameWithoutExtension(onnxPath));

    private static string? Find(string folder, params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            string path = Path.Combine(folder, name);
            if (File.Exists(path)) return path;
        }
        return null;
    }

    /// <summary>A file name as a model name: [a-z0-9-]+, at most 64.</summary>
    private static string NameFrom(string stem)
    {
        string name = string.Concat(stem.ToLowerInvariant().Select(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') ? c : '-')).Trim('-');
        return name.Length == 0 ? "model" : name.Length > 64 ? name[..64] : name;
    }
}
