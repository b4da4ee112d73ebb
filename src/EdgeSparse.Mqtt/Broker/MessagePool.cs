using System.Numerics;

namespace EdgeSparse.Mqtt.Broker;

/// <summary>
/// Message buffers by size class (powers of two). Bounds the bytes of all live messages, and the bytes kept idle for reuse.
/// </summary>
internal sealed class MessagePool(long maximumLiveBytes, MqttBrokerStatistics statistics)
{
    private const int SmallestClass = 8; // 256 bytes
    private const long MaximumIdleBytes = 4L * 1024 * 1024;

    private readonly Lock gate = new();
    private readonly Stack<SharedMessage>[] idle = CreateClasses();
    private long liveBytes, idleBytes;

    /// <summary>A message with room for its three parts and one reference, or null where memory for messages is used up.</summary>
    public SharedMessage? Rent(int topicBytes, int propertiesBytes, int payloadBytes)
    {
        long length = (long)topicBytes + propertiesBytes + payloadBytes;
        if (length > Packets.PacketFramer.MaximumRemainingLength) return null;
        int sizeClass = ClassOf((int)length);
        SharedMessage? message = null;
        lock (gate)
        {
            if (liveBytes + length > maximumLiveBytes) return null;
            liveBytes += length;
            statistics.SetMessageMemory(liveBytes);
            if (idle[sizeClass].TryPop(out message)) idleBytes -= message.Buffer.Length;
        }
        message ??= new SharedMessage(this, GC.AllocateUninitializedArray<byte>(1 << sizeClass + SmallestClass));
        message.Begin(topicBytes, propertiesBytes, payloadBytes);
        return message;
    }

    public void Return(SharedMessage message)
    {
        lock (gate)
        {
            liveBytes -= message.Length;
            statistics.SetMessageMemory(liveBytes);
            if (idleBytes + message.Buffer.Length > MaximumIdleBytes) return;
            idleBytes += message.Buffer.Length;
            idle[ClassOf(message.Buffer.Length)].Push(message);
        }
    }

    private static int ClassOf(int length) => length <= 1 << SmallestClass ? 0 : BitOperations.Log2((uint)(length - 1)) + 1 - SmallestClass;

    private static Stack<SharedMessage>[] CreateClasses()
    {
        var classes = new Stack<SharedMessage>[ClassOf(Packets.PacketFramer.MaximumRemainingLength) + 1];
        for (int i = 0; i < classes.Length; i++) classes[i] = new Stack<SharedMessage>();
        return classes;
    }
}
