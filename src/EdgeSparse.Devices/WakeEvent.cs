namespace EdgeSparse.Devices;

/// <summary>An eventfd that ends a poll: readable once it was set.</summary>
internal sealed unsafe class WakeEvent : IDisposable
{
    private const int NonBlockCloseOnExec = 0x800 | 0x80000;

    public int Descriptor { get; } = Libc.EventFd(0, NonBlockCloseOnExec);

    /// <summary>From any thread.</summary>
    public void Set()
    {
        ulong one = 1;
        _ = Libc.Write(Descriptor, &one, sizeof(ulong));
    }

    public void Clear()
    {
        ulong counted;
        _ = Libc.Read(Descriptor, &counted, sizeof(ulong));
    }

    public void Dispose()
    {
        if (Descriptor >= 0) _ = Libc.Close(Descriptor);
    }
}
