using Microsoft.Win32.SafeHandles;

namespace EdgeSparse.Devices.Spooling;

/// <summary>Every call that a spool makes on files; a test derives from it to make calls fail. All throw <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>.</summary>
internal class SpoolFiles
{
    /// <summary>Only the daemon's user may read what its cameras saw.</summary>
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public virtual void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
    }

    public virtual string[] List(string folder, string pattern) => Directory.GetFiles(folder, pattern);

    /// <summary>A new, empty file to read and write.</summary>
    public virtual SafeFileHandle Create(string path) => Open(path, FileMode.CreateNew);

    /// <summary>An existing or new file to read and write.</summary>
    public virtual SafeFileHandle OpenOrCreate(string path) => Open(path, FileMode.OpenOrCreate);

    public virtual SafeFileHandle OpenRead(string path) => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    public virtual long Length(SafeFileHandle file) => RandomAccess.GetLength(file);

    /// <summary>Fills the target as far as the file goes; returns the bytes read.</summary>
    public virtual int Read(SafeFileHandle file, Span<byte> target, long offset)
    {
        int total = 0;
        while (total < target.Length)
        {
            int count = RandomAccess.Read(file, target[total..], offset + total);
            if (count == 0) break;
            total += count;
        }
        return total;
    }

    public virtual void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset) => RandomAccess.Write(file, bytes, offset);

    public virtual void Sync(SafeFileHandle file) => RandomAccess.FlushToDisk(file);

    public virtual void SetLength(SafeFileHandle file, long length) => RandomAccess.SetLength(file, length);

    public virtual void Delete(string path) => File.Delete(path);

    public virtual void Move(string from, string to) => File.Move(from, to, overwrite: true);

    public virtual void SyncFolder(string folder) => DurableFile.SyncFolder(folder);

    /// <summary>Takes the folder for this process (flock); throws where another has it. The kernel lets go when the process ends, however it ends.</summary>
    public virtual IDisposable Lock(string path) => new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);

    private static SafeFileHandle Open(string path, FileMode mode)
    {
        SafeFileHandle file = File.OpenHandle(path, mode, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, OwnerOnly);
        return file;
    }
}
