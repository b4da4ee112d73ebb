using System.Runtime.InteropServices;

namespace EdgeSparse.Kernels.Tests;

/// <summary>
/// Memory that ends exactly at a page without access rights (or, with <paramref name="guardBefore"/>, begins right behind one), so that one byte read or
/// written outside stops the process. Starts filled with NaN bytes (0xFF).
/// </summary>
public sealed unsafe partial class GuardedBuffer : IDisposable
{
    private readonly byte* mapping;
    private readonly nuint mappingBytes;

    public GuardedBuffer(long sizeBytes, bool guardBefore = false)
    {
        nuint page = (nuint)Environment.SystemPageSize;
        nuint bodyBytes = ((nuint)sizeBytes + page - 1) / page * page;
        mappingBytes = bodyBytes + 2 * page;
        mapping = (byte*)Map(null, mappingBytes, 3, 0x22, -1, 0);
        if (mapping == (byte*)-1) throw new InvalidOperationException($"mmap of {mappingBytes} bytes failed: {Marshal.GetLastPInvokeErrorMessage()}");
        if (Protect(mapping, page, 0) != 0 || Protect(mapping + page + bodyBytes, page, 0) != 0)
            throw new InvalidOperationException($"mprotect failed: {Marshal.GetLastPInvokeErrorMessage()}");
        Start = guardBefore ? mapping + page : mapping + page + bodyBytes - (nuint)sizeBytes;
        SizeBytes = sizeBytes;
        new Span<byte>(Start, checked((int)sizeBytes)).Fill(0xFF);
    }

    public byte* Start { get; }

    public long SizeBytes { get; }

    public float* Floats => (float*)Start;

    public Span<float> Span => new(Start, (int)(SizeBytes / sizeof(float)));

    /// <summary>Room for <paramref name="count"/> floats.</summary>
    public static GuardedBuffer OfFloats(long count, bool guardBefore = false) => new(count * sizeof(float), guardBefore);

    /// <summary>A copy of the values, ending at the guard page or beginning at one.</summary>
    public static GuardedBuffer Of(ReadOnlySpan<float> values, bool guardBefore = false)
    {
        GuardedBuffer buffer = OfFloats(values.Length, guardBefore);
        values.CopyTo(buffer.Span);
        return buffer;
    }

    public void Dispose() => _ = Unmap(mapping, mappingBytes);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int file, long offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    private static partial int Unmap(void* address, nuint length);
}
