namespace EdgeSparse.Devices;

/// <summary>Tells files from what only looks like one: opening a named pipe waits for its other end, a link leads elsewhere.</summary>
public static class RegularFile
{
    /// <summary>True where <paramref name="path"/> itself, not what a link there leads to, is a regular file.</summary>
    public static bool Is(string path) => UnixSocketFile.FileType(path) == Libc.ModeRegular;
}
