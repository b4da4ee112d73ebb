using System.Runtime.InteropServices;

namespace EdgeSparse.Runtime.Execution;

/// <summary>A zeroed block of native memory, aligned to a cache line (64 bytes), freed when disposed or collected.</summary>
internal sealed unsafe class NativeBlock : IDisposable
{
    public const int Alignment = 64;

    private byte* _pointer;

    public NativeBlock(long sizeBytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeBytes);
        SizeBytes = sizeBytes;
        nuint allocated = checked((nuint)AlignUp(Math.Max(sizeBytes, 1)));
        _pointer = (byte*)NativeMemory.AlignedAlloc(allocated, Alignment);
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

    private void Free()
    {
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
    }
}
