using System.Globalization;
using System.Text;
using EdgeSparse.Devices;

namespace EdgeSparse.Daemon.Pipelines;

/// <summary>
/// Numbers a camera's messages, or the objects it follows, so that no number is given twice, not even after a crash: a file holds the first number that was never reserved, and is
/// written once for a block of numbers, before the first of them is used. A clean end gives the rest of the block back. For one thread at a time.
/// </summary>
internal sealed class SequenceStore : IDisposable
{
    /// <summary>Numbers reserved by one write: some hours of frames.</summary>
    public const long Block = 100_000;

    private readonly string? _path;
    private readonly Log _log;
    private long _next = 1;
    private long _reserved = 1;
    private bool _broken;

    /// <param name="folder">Where the file is kept; empty = numbers begin at 1 with every start.</param>
    /// <param name="camera">Names the file.</param>
    /// <param name="log">Told once where the file cannot be used; numbering then goes on without it.</param>
    /// <param name="kind">What is numbered; begins the file's name.</param>
    public SequenceStore(string folder, string camera, Log log, string kind = "sequence")
    {
        _log = log;
        if (folder.Length == 0)
        {
            _reserved = long.MaxValue;
            return;
        }
        _path = Path.Combine(folder, $"{kind}-{camera}");
        try
        {
            if (!File.Exists(_path)) return;
            string text = File.ReadAllText(_path).Trim();
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long stored) || stored < 1)
                throw new IOException($"{_path} holds '{(text.Length > 20 ? text[..20] + "…" : text)}', expected a number; numbers begin at 1 again");
            _next = _reserved = stored;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log.Warning($"camera {camera}: {e.Message}");
        }
    }

    /// <summary>The next number, from 1.</summary>
    public long Next()
    {
        if (_next == _reserved) Keep(_reserved = _next + Block);
        return _next++;
    }

    public void Dispose()
    {
        if (_path is not null && _reserved > _next) Keep(_next);
    }

    private void Keep(long firstFree)
    {
        if (_path is null || _broken) return;
        try
        {
            DurableFile.Replace(_path, Encoding.ASCII.GetBytes(firstFree.ToString(CultureInfo.InvariantCulture) + "\n"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _broken = true;
            _log.Warning($"{_path}: cannot be written: {e.Message}; message numbers will begin again at the next start");
        }
    }
}
