namespace EdgeSparse.Mqtt.Tests.Support;

/// <summary>A stream whose peer has gone: every write fails, as on a closed socket.</summary>
internal sealed class BrokenStream : MemoryStream
{
    public override void Write(byte[] buffer, int offset, int count) => throw Broken();

    public override void Write(ReadOnlySpan<byte> buffer) => throw Broken();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.FromException(Broken());

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromException(Broken());

    private static IOException Broken() => new("Broken pipe");
}
