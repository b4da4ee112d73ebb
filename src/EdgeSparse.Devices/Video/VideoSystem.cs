using System.Runtime.InteropServices;

namespace EdgeSparse.Devices;

/// <summary>The system calls of a capture device, so that a scripted driver can stand in their place. Failures are negative error numbers.</summary>
internal abstract unsafe class VideoSystem : IDisposable
{
    /// <summary>Opens for reading and writing without blocking; a file descriptor.</summary>
    public abstract int Open(string path);

    public abstract int Control(int descriptor, uint request, void* argument);

    /// <summary>Null where the system refuses.</summary>
    public abstract byte* Map(int descriptor, uint offset, uint sizeBytes);

    public abstract void Unmap(byte* memory, uint sizeBytes);

    /// <summary>Waits for a picture: what poll(2) says of the device, 0 when the time is over or <see cref="Wake"/> was called.</summary>
    public abstract int Poll(int descriptor, int milliseconds);

    /// <summary>Ends a <see cref="Poll"/> under way, and every later one at once.</summary>
    public abstract void Wake();

    public abstract void Close(int descriptor);

    /// <summary>Frees what <see cref="Wake"/> needs.</summary>
    public abstract void Dispose();
}

/// <summary>The kernel's.</summary>
internal sealed unsafe partial class LinuxVideoSystem : VideoSystem
{
    private const int ReadWriteNonBlockCloseOnExec = 0x2 | 0x800 | 0x80000;
    private const int ReadWriteProtection = 0x3;
    private const int Shared = 0x1;

    private readonly WakeEvent _wake = new();

    public override int Open(string path) => Libc.Result(Libc.Open(path, ReadWriteNonBlockCloseOnExec));

    public override int Control(int descriptor, uint request, void* argument) => Libc.Control(descriptor, request, argument);

    public override byte* Map(int descriptor, uint offset, uint sizeBytes)
    {
        void* memory = MMap(null, sizeBytes, ReadWriteProtection, Shared, descriptor, (nint)offset);
        return memory == (void*)-1 ? null : (byte*)memory;
    }

    public override void Unmap(byte* memory, uint sizeBytes) => _ = MUnmap(memory, sizeBytes);

    public override int Poll(int descriptor, int milliseconds)
    {
        PollEntry* entries = stackalloc PollEntry[2];
        entries[0] = new PollEntry { Descriptor = descriptor, Events = LinuxError.PollIn, Returned = 0 };
        entries[1] = new PollEntry { Descriptor = _wake.Descriptor, Events = LinuxError.PollIn, Returned = 0 };
        int result = Libc.Result(Libc.PollDescriptors(entries, 2, milliseconds));
        // A signal shortens the wait; the caller sees that no picture came.
        if (result == -LinuxError.Interrupted) return 0;
        return result < 0 ? result : entries[0].Returned;
    }

    public override void Wake() => _wake.Set();

    public override void Close(int descriptor) => _ = Libc.Close(descriptor);

    public override void Dispose() => _wake.Dispose();

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial void* MMap(void* address, nuint sizeBytes, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int MUnmap(void* address, nuint sizeBytes);
}
