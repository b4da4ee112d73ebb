using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EdgeSparse.Runtime.Backends.Isolated;

/// <summary>
/// Memory that is shared with a process to which <see cref="File"/> is handed: a memfd, so it has no name in any folder, is not bounded by the size of /dev/shm, and is gone with the
/// processes that hold it.
/// </summary>
internal sealed unsafe partial class SharedMemory : IDisposable
{
    private const uint CloseOnExec = 1;

    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;

    private SharedMemory(SafeFileHandle file, long sizeBytes, MemoryMappedFileAccess access)
    {
        File = file;
        SizeBytes = sizeBytes;
        _mapping = MemoryMappedFile.CreateFromFile(file, null, sizeBytes, access, HandleInheritability.None, leaveOpen: true);
        _view = _mapping.CreateViewAccessor(0, sizeBytes, access);
        byte* pointer = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        Pointer = pointer + _view.PointerOffset;
    }

    public byte* Pointer { get; private set; }

    public long SizeBytes { get; }

    public SafeFileHandle File { get; }

    /// <exception cref="IOException">The system gives none.</exception>
    public static SharedMemory Create(long sizeBytes)
    {
        int descriptor = MemfdCreate("edgesparse", CloseOnExec);
        if (descriptor < 0) throw new IOException($"no shared memory: memfd_create: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        var file = new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            RandomAccess.SetLength(file, sizeBytes);
            return new SharedMemory(file, sizeBytes, MemoryMappedFileAccess.ReadWrite);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Maps what another process made and handed over; owns <paramref name="file"/>, also where that throws.</summary>
    /// <exception cref="IOException">It is not of that size.</exception>
    public static SharedMemory Map(SafeFileHandle file, long sizeBytes, bool writable)
    {
        try
        {
            if (RandomAccess.GetLength(file) != sizeBytes) throw new IOException($"shared memory of {RandomAccess.GetLength(file)} bytes, expected {sizeBytes}");
            return new SharedMemory(file, sizeBytes, writable ? MemoryMappedFileAccess.ReadWrite : MemoryMappedFileAccess.Read);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (Pointer == null) return;
        Pointer = null;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _mapping.Dispose();
        File.Dispose();
    }

    /// <summary>memfd_create(2).</summary>
    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MemfdCreate(string name, uint flags);
}
