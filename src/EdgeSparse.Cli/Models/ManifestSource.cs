using System.Text;
using EdgeSparse.Model;

namespace EdgeSparse.Cli.Models;

/// <summary>model.json and labels.txt: what is wrong with them is an error of configuration, what is wrong with the model is not.</summary>
internal static class ManifestSource
{
    /// <summary>The manifest in the file given, or else beside the ONNX file (<c>NAME.json</c>, <c>model.json</c>); null where there is none.</summary>
    public static Manifest? Read(string onnxPath, string? given)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(onnxPath)) ?? "/", stem = Path.GetFileNameWithoutExtension(onnxPath);
        string? path = given ?? ((string[])[$"{stem}.json", "model.json"]).Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        return path is null ? null : Checked(path, bytes => ManifestJson.Parse(bytes, path));
    }

    /// <summary>One label a line; empty lines are left out.</summary>
    public static List<string> Labels(string path) => Checked(path, bytes =>
    {
        List<string> labels = [.. Encoding.UTF8.GetString(bytes).Split('\n').Select(line => line.Trim().TrimStart('\uFEFF')).Where(line => line.Length > 0)];
        return labels.Count is > 0 and <= Limits.Labels ? labels : throw new ModelFormatException($"{path}: {labels.Count} labels, expected 1 to {Limits.Labels}");
    });

    private static T Checked<T>(string path, Func<byte[], T> read)
    {
        if (!File.Exists(path)) throw new CliException(ExitCode.NoInput, $"{path}: no such file");
        long size = new FileInfo(path).Length;
        if (size > Limits.ManifestBytes) throw new CliException(ExitCode.Configuration, $"{path}: {size} bytes, at most {Limits.ManifestBytes} are supported");
        try
        {
            return read(File.ReadAllBytes(path));
        }
        catch (ModelFormatException error)
        {
            throw new CliException(ExitCode.Configuration, error.Message);
        }
    }
}
