using System.Runtime.InteropServices;

namespace EdgeSparse.Runtime.Execution;

/// <summary>
/// A zeroed block of native memory, aligned to a cache line (64 bytes), freed when disposed or collected. Blocks of 2 MiB and more ask for huge pages: planes lie so far apart
/// that every channel is on pages of its own, and a kernel that reads hundreds of channels in turn would wait for address translations.
/// </summary>
internal sealed unsafe partial class NativeBlock : IDisposable
{
    public const int Alignment = 64;

    private const nuint HugePageBytes = 2 << 20;
    private const int AdviseHugePage = 14;

    private byte* _pointer;

    public NativeBlock(long sizeBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeBytes);
        SizeBytes = sizeBytes;
        nuint allocated = checked((nuint)AlignUp(Math.Max(sizeBytes, 1)));
        bool huge = OperatingSystem.IsLinux() && allocated >= HugePageBytes;
        if (huge) allocated = (allocated + HugePageBytes - 1) / HugePageBytes * HugePageBytes;
        _pointer = (byte*)NativeMemory.AlignedAlloc(allocated, huge ? HugePageBytes : Alignment);
        if (huge) _ = AdviseHugePages(_pointer, allocated, AdviseHugePage);
        NativeMemory.Clear(_pointer, allocated);
    }

    ~NativeBlock() => Free();

    public long SizeBytes { get; }

    public byte* Pointer => _pointer;

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>The next multiple of <see cref="Alignment"/>; throws <see cref="OverflowException"/> where there is none.</summary>
    public static long AlignUp(long bytes) => checked(bytes + (Alignment - 1)) & -Alignment;

    /// <summary>madvise(2). Where the system has no huge pages the block keeps small ones.</summary>
    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int AdviseHugePages(byte* address, nuint length, int advice);

    private void Free()
    {
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
    }
}
