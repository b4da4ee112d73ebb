using System.Runtime.InteropServices;

namespace EdgeSparse.Devices;

/// <summary>The system calls this room makes itself; numbers are those of Linux on x86-64 and arm64, which agree on every constant here.</summary>
internal static unsafe partial class Libc
{
    public const int OpenReadOnlyCloseOnExec = 0x80000;
    public const int CurrentDirectory = -100;
    public const int SymlinkNoFollow = 0x100;
    public const uint StatxType = 1;
    public const int StatxSizeBytes = 256;
    /// <summary>Byte offset of the 16-bit <c>stx_mode</c> in struct statx.</summary>
    public const int StatxModeOffset = 28;
    public const int ModeTypeMask = 0xF000;
    public const int ModeSocket = 0xC000;
    public const int ModeRegular = 0x8000;

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    public static partial int SchedSetAffinity(int thread, nuint maskBytes, ReadOnlySpan<ulong> mask);

    [LibraryImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    public static partial int SchedGetAffinity(int thread, nuint maskBytes, Span<ulong> mask);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int FSync(int fd);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Statx(int directory, string path, int flags, uint mask, Span<byte> buffer);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ioctl(int descriptor, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int PollDescriptors(PollEntry* entries, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, void* data, nuint sizeBytes);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int descriptor, void* data, nuint sizeBytes);

    /// <summary>An ioctl, repeated where a signal interrupts it; a negative error number where it failed.</summary>
    public static int Control(int descriptor, uint request, void* argument)
    {
        int result;
        do result = Result(Ioctl(descriptor, request, argument));
        while (result == -LinuxError.Interrupted);
        return result;
    }

    /// <summary>What a call gave, or the negative error number where it failed.</summary>
    public static int Result(int result) => result < 0 ? -Marshal.GetLastPInvokeError() : result;

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    public static partial int Prctl(int option, nuint second, nuint third, nuint fourth, nuint fifth);

    [LibraryImport("libc", EntryPoint = "capset", SetLastError = true)]
    public static partial int CapSet(ReadOnlySpan<uint> header, ReadOnlySpan<uint> data);

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    public static partial int SetResourceLimit(int resource, ReadOnlySpan<ulong> softAndHard);

    public static string LastError() => Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
}

/// <summary>struct pollfd.</summary>
internal struct PollEntry
{
    public int Descriptor;
    public short Events;
    public short Returned;
}
