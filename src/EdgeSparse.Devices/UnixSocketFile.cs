using System.Net.Sockets;
using System.Text;

namespace EdgeSparse.Devices;

/// <summary>Why a Unix socket's path cannot be listened on.</summary>
public enum UnixSocketProblem
{
    None,
    /// <summary>More bytes than sockaddr_un holds.</summary>
    PathTooLong,
    /// <summary>The folder is absent.</summary>
    NoFolder,
    /// <summary>A file that is no socket is there; it is left alone.</summary>
    NotASocket,
    /// <summary>A process listens on it.</summary>
    InUse,
}

/// <summary>The file of a Unix domain socket that a killed server leaves behind, and which the next one must not mistake for a live one.</summary>
public static class UnixSocketFile
{
    /// <summary>Longest path in bytes: sockaddr_un has 108, the last is the terminating zero.</summary>
    public const int MaximumPathBytes = 107;

    /// <summary>
    /// Clears the way for a listener: a socket file that nobody listens on is deleted, anything else is left as it is and named.
    /// </summary>
    public static UnixSocketProblem Prepare(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Encoding.UTF8.GetByteCount(path) > MaximumPathBytes) return UnixSocketProblem.PathTooLong;
        if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path)))) return UnixSocketProblem.NoFolder;
        switch (FileType(path))
        {
            case null: return UnixSocketProblem.None;
            case Libc.ModeSocket: break;
            default: return UnixSocketProblem.NotASocket;
        }
        using (var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            try
            {
                probe.Connect(new UnixDomainSocketEndPoint(path));
                return UnixSocketProblem.InUse;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
            {
                // Nobody listens: a leftover.
            }
            catch (SocketException)
            {
                // A full backlog, no permission: somebody's.
                return UnixSocketProblem.InUse;
            }
        }
        File.Delete(path);
        return UnixSocketProblem.None;
    }

    /// <summary>The file type bits of the path itself (links are not followed), or null where nothing is there.</summary>
    internal static int? FileType(string path)
    {
        Span<byte> statx = stackalloc byte[Libc.StatxSizeBytes];
        statx.Clear();
        if (Libc.Statx(Libc.CurrentDirectory, path, Libc.SymlinkNoFollow, Libc.StatxType, statx) != 0) return null;
        return BitConverter.ToUInt16(statx[Libc.StatxModeOffset..]) & Libc.ModeTypeMask;
    }
}
