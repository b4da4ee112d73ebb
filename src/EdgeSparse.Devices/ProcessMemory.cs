using System.Buffers.Text;

namespace EdgeSparse.Devices;

/// <summary>What the kernel says about this process's memory (/proc/self).</summary>
public static class ProcessMemory
{
    /// <summary>Bytes of memory resident now (the second field of /proc/self/statm, in pages), or 0 where /proc is absent.</summary>
    public static long ResidentBytes()
    {
        Span<byte> text = stackalloc byte[128];
        int length = Read("/proc/self/statm", text);
        int space = text[..length].IndexOf((byte)' ');
        return space >= 0 && Utf8Parser.TryParse(text[(space + 1)..length], out long pages, out _) ? pages * Environment.SystemPageSize : 0;
    }

    /// <summary>The most bytes that were ever resident (VmHWM of /proc/self/status), or 0 where /proc is absent.</summary>
    public static long PeakResidentBytes()
    {
        Span<byte> text = stackalloc byte[4096];
        int length = Read("/proc/self/status", text);
        ReadOnlySpan<byte> rest = text[..length];
        int at = rest.IndexOf("VmHWM:"u8);
        if (at < 0) return 0;
        rest = rest[(at + 6)..].TrimStart(" \t"u8);
        return Utf8Parser.TryParse(rest, out long kibibytes, out _) ? kibibytes * 1024 : 0;
    }

    private static int Read(string path, Span<byte> buffer)
    {
        if (!File.Exists(path)) return 0;
        using Microsoft.Win32.SafeHandles.SafeFileHandle handle = File.OpenHandle(path);
        int length = 0;
        // /proc files say size 0 and answer a page at most at a time.
        while (length < buffer.Length)
        {
            int read = RandomAccess.Read(handle, buffer[length..], length);
            if (read == 0) break;
            length += read;
        }
        return length;
    }
}
