using EdgeSparse.Devices.Spooling;
using Microsoft.Win32.SafeHandles;

namespace EdgeSparse.Devices.Tests;

/// <summary>Files whose calls fail when told: from the n-th call on so many, or every write while the disk is "full". Locking and listing do not fail.</summary>
internal sealed class FaultyFiles : SpoolFiles
{
    private int _calls;
    private volatile bool _noSpace;

    public int Calls => Volatile.Read(ref _calls);

    public int FailFrom { get; init; } = int.MaxValue;

    public int FailCount { get; init; }

    public bool NoSpace
    {
        get => _noSpace;
        set => _noSpace = value;
    }

    public override void CreateFolder(string folder)
    {
        Count("mkdir");
        base.CreateFolder(folder);
    }

    public override SafeFileHandle Create(string path)
    {
        Count("create");
        return base.Create(path);
    }

    public override SafeFileHandle OpenOrCreate(string path)
    {
        Count("open");
        return base.OpenOrCreate(path);
    }

    public override SafeFileHandle OpenRead(string path)
    {
        Count("open");
        return base.OpenRead(path);
    }

    public override int Read(SafeFileHandle file, Span<byte> target, long offset)
    {
        Count("read");
        return base.Read(file, target, offset);
    }

    public override void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset)
    {
        if (_noSpace) throw new IOException("No space left on device");
        try
        {
            Count("write");
        }
        catch (IOException)
        {
            // A failing write may still have written a part.
            base.Write(file, bytes[..(bytes.Length / 2)], offset);
            throw;
        }
        base.Write(file, bytes, offset);
    }

    public override void Sync(SafeFileHandle file)
    {
        Count("fsync");
        base.Sync(file);
    }

    public override void SetLength(SafeFileHandle file, long length)
    {
        Count("truncate");
        base.SetLength(file, length);
    }

    public override void Delete(string path)
    {
        Count("unlink");
        base.Delete(path);
    }

    public override void SyncFolder(string folder)
    {
        Count("fsync of the folder");
        base.SyncFolder(folder);
    }

    private void Count(string call)
    {
        int number = Interlocked.Increment(ref _calls);
        if (number >= FailFrom && number - FailFrom < FailCount) throw new IOException($"{call} failed (call {number})");
    }
}
