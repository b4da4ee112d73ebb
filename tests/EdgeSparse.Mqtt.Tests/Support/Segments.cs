using System.Buffers;

namespace EdgeSparse.Mqtt.Tests.Support;

/// <summary>Bytes in separate pieces, as a pipe may hold them.</summary>
internal sealed class Segments : ReadOnlySequenceSegment<byte>
{
    private Segments(ReadOnlyMemory<byte> memory, long runningIndex)
    {
        Memory = memory;
        RunningIndex = runningIndex;
    }

    public static ReadOnlySequence<byte> Of(ReadOnlyMemory<byte> bytes, int piece)
    {
        var first = new Segments(bytes[..Math.Min(piece, bytes.Length)], 0);
        Segments last = first;
        for (int at = last.Memory.Length; at < bytes.Length; at += last.Memory.Length)
        {
            var next = new Segments(bytes.Slice(at, Math.Min(piece, bytes.Length - at)), at);
            last.Next = next;
            last = next;
        }
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }
}
