using System.Buffers.Binary;
using System.Text;

namespace EdgeSparse.Daemon.Bridge;

/// <summary>A result in the spool: two bytes length of the topic (little endian), the topic without the bridge's prefix, the payload.</summary>
internal static class SpoolRecord
{
    private const int HeaderBytes = 2;

    private static ReadOnlySpan<byte> Fresh => "\"historical\":false}"u8;

    private static ReadOnlySpan<byte> Historical => "\"historical\":true}"u8;

    public static int Length(string topic, ReadOnlySpan<byte> payload) => HeaderBytes + Encoding.UTF8.GetByteCount(topic) + payload.Length;

    /// <summary>Writes the record; the target has exactly its length.</summary>
    public static void Write(Span<byte> target, string topic, ReadOnlySpan<byte> payload)
    {
        int topicBytes = target.Length - HeaderBytes - payload.Length;
        BinaryPrimitives.WriteUInt16LittleEndian(target, (ushort)topicBytes);
        Encoding.UTF8.GetBytes(topic, target[HeaderBytes..]);
        payload.CopyTo(target[(HeaderBytes + topicBytes)..]);
    }

    /// <summary>False where the bytes are no such record: somebody else wrote them.</summary>
    public static bool TryRead(byte[] record, out ReadOnlyMemory<byte> topic, out ReadOnlyMemory<byte> payload)
    {
        (topic, payload) = (default, default);
        if (record.Length < HeaderBytes) return false;
        int topicBytes = BinaryPrimitives.ReadUInt16LittleEndian(record);
        if (topicBytes == 0 || HeaderBytes + topicBytes > record.Length) return false;
        topic = record.AsMemory(HeaderBytes, topicBytes);
        payload = record.AsMemory(HeaderBytes + topicBytes);
        return true;
    }

    /// <summary>The payload with <c>historical</c> true, where it ends as a result does; see schema/detections-1.json.</summary>
    public static ReadOnlyMemory<byte> MarkHistorical(ReadOnlyMemory<byte> payload)
    {
        if (!payload.Span.EndsWith(Fresh)) return payload;
        byte[] marked = new byte[payload.Length - Fresh.Length + Historical.Length];
        payload.Span[..^Fresh.Length].CopyTo(marked);
        Historical.CopyTo(marked.AsSpan(payload.Length - Fresh.Length));
        return marked;
    }
}
