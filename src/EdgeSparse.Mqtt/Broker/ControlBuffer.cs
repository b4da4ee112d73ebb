using System.Buffers;

namespace EdgeSparse.Mqtt.Broker;

/// <summary>Answers waiting for the writer: a byte buffer that grows and keeps its size.</summary>
internal sealed class ControlBuffer : IBufferWriter<byte>
{
    private byte[] buffer = new byte[256];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => buffer.AsSpan(0, Length);

    public ReadOnlyMemory<byte> WrittenMemory => buffer.AsMemory(0, Length);

    public void Clear() => Length = 0;

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        int needed = Length + Math.Max(1, sizeHint);
        if (needed > buffer.Length) Array.Resize(ref buffer, Math.Max(needed, 2 * buffer.Length));
        return buffer.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
}
