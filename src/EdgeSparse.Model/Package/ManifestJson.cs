using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace EdgeSparse.Model;

/// <summary>
/// The manifest as JSON: the package's first section and the <c>model.json</c> beside an ONNX file. Members are in snake_case; unknown ones, null where a
/// value belongs and values out of range are refused.
/// </summary>
public static class ManifestJson
{
    /// <summary>Reads and checks a manifest; <paramref name="path"/> is named in errors.</summary>
    public static Manifest Parse(ReadOnlySpan<byte> utf8, string path)
    {
        if (utf8.Length > Limits.ManifestBytes) throw new ModelFormatException($"{path}: {utf8.Length} bytes, at most {Limits.ManifestBytes} are supported");
        if (utf8.StartsWith(Encoding.UTF8.Preamble)) utf8 = utf8[Encoding.UTF8.Preamble.Length..];
        Manifest? manifest;
        try
        {
            manifest = JsonSerializer.Deserialize(utf8, ManifestJsonContext.Default.Manifest);
        }
        catch (JsonException error)
        {
            string place = error.LineNumber is { } line ? $"line {line + 1}: " : "";
            throw new ModelFormatException($"{path}: {place}{Reason(error)}", error);
        }
        if (manifest is null) throw new ModelFormatException($"{path}: null, expected an object");
        if (ManifestValidator.Problem(manifest) is { } problem) throw new ModelFormatException($"{path}: {problem}");
        return manifest;
    }

    /// <summary>The manifest as indented UTF-8 JSON. Throws <see cref="ModelFormatException"/> where it is not valid.</summary>
    public static byte[] Write(Manifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (ManifestValidator.Problem(manifest) is { } problem) throw new ModelFormatException($"manifest: {problem}");
        byte[] utf8 = JsonSerializer.SerializeToUtf8Bytes(manifest, ManifestJsonContext.Default.Manifest);
        return utf8.Length <= Limits.ManifestBytes ? utf8 : throw new ModelFormatException($"manifest: {utf8.Length} bytes, at most {Limits.ManifestBytes} are supported");
    }

    /// <summary>The serializer's reason without its appended path and position, which are said in front.</summary>
    private static string Reason(JsonException error)
    {
        string message = error.Message;
        int end = message.IndexOf(" Path: ", StringComparison.Ordinal);
        if (end < 0) end = message.IndexOf(" LineNumber: ", StringComparison.Ordinal);
        string reason = end < 0 ? message : message[..end];
        return string.IsNullOrEmpty(error.Path) || error.Path == "$" ? reason : $"{error.Path.TrimStart('$').TrimStart('.')}: {reason}";
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true, MaxDepth = 8,
    ReadCommentHandling = JsonCommentHandling.Disallow, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(Manifest))]
internal sealed partial class ManifestJsonContext : JsonSerializerContext;
