namespace EdgeSparse.Devices;

/// <summary>The system calls of GPIO chips, so that scripted chips can stand in their place. Failures are negative error numbers.</summary>
internal abstract unsafe class GpioSystem : IDisposable
{
    /// <summary>Paths of the chips in order of their numbers.</summary>
    public abstract IReadOnlyList<string> Chips();

    public abstract int Open(string path);

    public abstract int Control(int descriptor, uint request, void* argument);

    /// <summary>Takes as many waiting edges as fit, without waiting; how many.</summary>
    public abstract int ReadEvents(int descriptor, Span<GpioLineEvent> events);

    /// <summary>Waits for edges on any of the lines: for each what poll(2) says. Ends early by <see cref="Wake"/>.</summary>
    public abstract int Poll(ReadOnlySpan<int> descriptors, Span<short> returned, int milliseconds);

    /// <summary>Ends a <see cref="Poll"/> under way, or the next one.</summary>
    public abstract void Wake();

    public abstract void Close(int descriptor);

    public abstract void Dispose();
}

/// <summary>The kernel's.</summary>
internal sealed unsafe class LinuxGpioSystem : GpioSystem
{
    private const string Folder = "/dev";
    private const string Prefix = "gpiochip";
    private const int ReadWriteCloseOnExec = 0x2 | 0x80000;

    private readonly WakeEvent _wake = new();

    public override IReadOnlyList<string> Chips() =>
        [.. Directory.EnumerateFiles(Folder, Prefix + "*").Where(path => int.TryParse(path.AsSpan(Folder.Length + 1 + Prefix.Length), out _))
            .OrderBy(path => int.Parse(path.AsSpan(Folder.Length + 1 + Prefix.Length)))];

    public override int Open(string path) => Libc.Result(Libc.Open(path, ReadWriteCloseOnExec));

    public override int Control(int descriptor, uint request, void* argument) => Libc.Control(descriptor, request, argument);

    public override int ReadEvents(int descriptor, Span<GpioLineEvent> events)
    {
        PollEntry entry = new() { Descriptor = descriptor, Events = LinuxError.PollIn };
        int ready = Libc.Result(Libc.PollDescriptors(&entry, 1, 0));
        if (ready <= 0) return ready == -LinuxError.Interrupted ? 0 : ready;
        if ((entry.Returned & LinuxError.PollIn) == 0) return -LinuxError.NoDevice;
        fixed (GpioLineEvent* target = events)
        {
            int read = Libc.Result((int)Libc.Read(descriptor, target, (nuint)(events.Length * sizeof(GpioLineEvent))));
            return read is -LinuxError.Interrupted or -LinuxError.Again ? 0 : read < 0 ? read : read / sizeof(GpioLineEvent);
        }
    }

    public override int Poll(ReadOnlySpan<int> descriptors, Span<short> returned, int milliseconds)
    {
        PollEntry* entries = stackalloc PollEntry[descriptors.Length + 1];
        for (int i = 0; i < descriptors.Length; i++) entries[i] = new PollEntry { Descriptor = descriptors[i], Events = LinuxError.PollIn };
        entries[descriptors.Length] = new PollEntry { Descriptor = _wake.Descriptor, Events = LinuxError.PollIn };
        int result = Libc.Result(Libc.PollDescriptors(entries, (nuint)(descriptors.Length + 1), milliseconds));
        if (result == -LinuxError.Interrupted) result = 0;
        for (int i = 0; i < descriptors.Length; i++) returned[i] = result > 0 ? entries[i].Returned : (short)0;
        if (result > 0 && entries[descriptors.Length].Returned != 0) _wake.Clear();
        return result;
    }

    public override void Wake() => _wake.Set();

    public override void Close(int descriptor) => _ = Libc.Close(descriptor);

    public override void Dispose() => _wake.Dispose();
}
