using System.Buffers;
using System.Text.Json;

namespace EdgeSparse.Daemon;

/// <summary>Small JSON documents for status and health.</summary>
internal static class JsonText
{
    /// <summary>UTF-8 of one object whose members <paramref name="write"/> writes.</summary>
    public static byte[] Object(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }
}
