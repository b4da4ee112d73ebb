using System.Globalization;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Import;

/// <summary>
/// Reads tensors that are stored beside the model. Only regular files inside the model's own folder are opened: no absolute location, no "..",
/// no symbolic link that leads out.
/// </summary>
internal sealed class ExternalDataReader(string modelPath)
{
    private readonly string _folder = Path.GetDirectoryName(Path.GetFullPath(modelPath.Length == 0 ? "." : modelPath)) ?? "/";

    /// <summary>The bytes of <paramref name="tensor"/>, exactly <paramref name="expectedBytes"/>.</summary>
    public ReadOnlyMemory<byte> Read(OnnxTensor tensor, long expectedBytes, TensorDecoder decoder)
    {
        string location = "";
        long offset = 0, length = expectedBytes;
        foreach ((string key, string value) in tensor.ExternalData)
        {
            switch (key)
            {
                case "location": location = value; break;
                case "offset": offset = Number(tensor, key, value, decoder); break;
                case "length": length = Number(tensor, key, value, decoder); break;
            }
        }
        if (length != expectedBytes) throw decoder.Fail(tensor, $"has external length {length}, expected {expectedBytes}");
        string path = Locate(tensor, location, decoder);
        long size = new FileInfo(path).Length;
        if (offset > size || length > size - offset)
            throw decoder.Fail(tensor, $"needs bytes {offset} to {offset + length} of external file '{location}', which has {size}");
        decoder.Charge(length, $"external tensor '{tensor.Name}'");
        var bytes = new byte[length];
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        stream.Position = offset;
        stream.ReadExactly(bytes);
        return bytes;
    }

    private string Locate(OnnxTensor tensor, string location, TensorDecoder decoder)
    {
        if (location.Length == 0) throw decoder.Fail(tensor, "is external but names no location");
        string[] parts = location.Split('/');
        if (Path.IsPathRooted(location) || location.Contains('\\') || location.Contains('\0') || Array.Exists(parts, part => part is ".." or ""))
            throw decoder.Fail(tensor, $"has external location '{location}', expected a relative path inside the model's folder");
        string path = _folder;
        foreach (string part in parts)
        {
            if (part == ".") continue;
            path = Path.Combine(path, part);
            FileSystemInfo info = Directory.Exists(path) ? new DirectoryInfo(path) : new FileInfo(path);
            if (info.LinkTarget is null) continue;
            string? target = info.ResolveLinkTarget(returnFinalTarget: true)?.FullName;
            if (target is null || !target.StartsWith(_folder.TrimEnd('/') + '/', StringComparison.Ordinal))
                throw decoder.Fail(tensor, $"has external location '{location}', a link that leads out of the model's folder");
        }
        if (!File.Exists(path)) throw decoder.Fail(tensor, $"has external location '{location}', but there is no such file in {_folder}");
        return path;
    }

    private static long Number(OnnxTensor tensor, string key, string value, TensorDecoder decoder) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number
        : throw decoder.Fail(tensor, $"has external {key} '{value}', expected a number of bytes");
}
