using System.Text.Json;

namespace EdgeSparse.Daemon.Configuration;

/// <summary>Line and column of an option in a JSON file, looked up only when there is an error to report.</summary>
internal static class JsonPositions
{
    /// <summary>1-based line and column (in bytes) of the property <paramref name="key"/> (levels separated by colons, case ignored; list elements by index), or null.</summary>
    public static (int Line, int Column)? Find(byte[]? json, string key)
    {
        if (json is null) return null;
        ReadOnlySpan<byte> text = json;
        if (text.StartsWith("\uFEFF"u8)) text = text[3..];
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        // levels[i]: the property's name, or the index of a list element, at depth i.
        var levels = new List<string>();
        var indices = new List<int>();
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    levels[^1] = reader.GetString()!;
                    if (Matches(levels, key)) return Position(text, (int)reader.TokenStartIndex);
                    continue;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    levels.RemoveAt(levels.Count - 1);
                    indices.RemoveAt(indices.Count - 1);
                    continue;
            }
            if (indices.Count > 0 && indices[^1] >= 0)
            {
                levels[^1] = indices[^1]++.ToString();
                if (Matches(levels, key)) return Position(text, (int)reader.TokenStartIndex);
            }
            if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
            {
                levels.Add("");
                indices.Add(reader.TokenType == JsonTokenType.StartArray ? 0 : -1);
            }
        }
        return null;
    }

    private static bool Matches(List<string> levels, string key) => string.Equals(string.Join(':', levels), key, StringComparison.OrdinalIgnoreCase);

    private static (int Line, int Column) Position(ReadOnlySpan<byte> text, int offset)
    {
        ReadOnlySpan<byte> before = text[..offset];
        return (before.Count((byte)'\n') + 1, offset - before.LastIndexOf((byte)'\n'));
    }
}
