namespace EdgeSparse.Devices;

/// <summary>
/// Replaces a small file so that after a crash or power loss it holds either the old or the new content, whole: write beside it, fsync,
/// rename over it, fsync the folder (rename(2) alone orders nothing on disk).
/// </summary>
public static class DurableFile
{
    /// <summary>Writes <paramref name="content"/> as <paramref name="path"/>. Throws <see cref="IOException"/>; the old file then still stands and nothing is left beside it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">All of it.</param>
    /// <param name="mode">Its permissions; null = as the process's umask leaves them.</param>
    public static void Replace(string path, ReadOnlySpan<byte> content, UnixFileMode? mode = null)
    {
        string full = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(full) ?? throw new IOException($"{path}: not a file's path");
        string incoming = Path.Combine(folder, $".{Path.GetFileName(full)}.{Environment.ProcessId}.incoming");
        try
        {
            using (var stream = new FileStream(incoming, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                stream.Write(content);
                if (mode is { } permissions && !OperatingSystem.IsWindows()) File.SetUnixFileMode(stream.SafeFileHandle, permissions);
                stream.Flush(flushToDisk: true);
            }
            File.Move(incoming, full, overwrite: true);
        }
        catch
        {
            File.Delete(incoming);
            throw;
        }
        SyncFolder(folder);
    }

    /// <summary>fsync of a folder: makes renames, creations and deletions in it durable.</summary>
    public static void SyncFolder(string folder)
    {
        int fd = Libc.Open(folder, Libc.OpenReadOnlyCloseOnExec);
        if (fd < 0) throw new IOException($"{folder}: cannot open the folder: {Libc.LastError()}");
        try
        {
            if (Libc.FSync(fd) != 0) throw new IOException($"{folder}: cannot fsync the folder: {Libc.LastError()}");
        }
        finally
        {
            _ = Libc.Close(fd);
        }
    }
}
