using EdgeSparse.Devices;
using EdgeSparse.Model;

namespace EdgeSparse.Daemon.Models;

/// <summary>
/// The folder where new packages arrive: <c>NAME.esm</c>, with <c>NAME.esm.sig</c> and <c>NAME.esm.force</c> where wanted, which must be there first. 'edgesparse push' renames whole files
/// into it; a file that is still being copied is waited for. The kernel tells of changes (inotify); the folder is also looked at now and then, where it does not.
/// </summary>
internal sealed class ModelInbox : IDisposable
{
    public const string PackagePattern = "*.esm";
    public const string ForceExtension = ".force";
    private static readonly TimeSpan LookNowAndThen = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    /// <summary>So long a file that is not whole, or comes without the signature that it needs, may stay as it is.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly string _folder;
    private readonly bool _wantsSignature;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _changed = new(0);
    private readonly FileSystemWatcher? _watcher;
    private readonly Dictionary<string, (long Length, long Since)> _unfinished = new(StringComparer.Ordinal);

    /// <summary>Makes the folder where it is absent. Throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>.</summary>
    public ModelInbox(string folder, bool wantsSignature, Log log, TimeProvider time)
    {
        _folder = folder;
        _wantsSignature = wantsSignature;
        _time = time;
        Directory.CreateDirectory(folder);
        try
        {
            _watcher = new FileSystemWatcher(folder) { NotifyFilter = NotifyFilters.FileName | NotifyFilters.Size | NotifyFilters.LastWrite };
            _watcher.Created += (_, _) => _changed.Release();
            _watcher.Renamed += (_, _) => _changed.Release();
            _watcher.Changed += (_, _) => _changed.Release();
            _watcher.EnableRaisingEvents = true;
        }
        catch (IOException e)
        {
            _watcher?.Dispose();
            _watcher = null;
            log.Warning($"models: {folder} cannot be watched ({e.Message}); it is looked at every {LookNowAndThen.TotalSeconds:0} s");
        }
    }

    /// <summary>The path of the next package, the first in order of name.</summary>
    public async Task<string> NextAsync(CancellationToken stop)
    {
        while (true)
        {
            while (_changed.CurrentCount > 0) await _changed.WaitAsync(stop);
            if (Look() is { } path) return path;
            TimeSpan pause = _unfinished.Count > 0 ? LookAgain : LookNowAndThen;
            using ITimer timer = _time.CreateTimer(_ => _changed.Release(), null, pause, Timeout.InfiniteTimeSpan);
            await _changed.WaitAsync(stop);
        }
    }

    /// <summary>True where the package may replace a newer one.</summary>
    public static bool IsForced(string path) => File.Exists(path + ForceExtension);

    /// <summary>Removes a package and what belongs to it.</summary>
    public static void Remove(string path)
    {
        foreach (string file in (ReadOnlySpan<string>)[path, PackageSignature.PathFor(path), path + ForceExtension]) File.Delete(file);
    }

    public void Dispose()
    {
        _watcher?.Dispose();
        // A late event may still release it; it holds nothing that must be freed.
    }

    private string? Look()
    {
        string[] files;
        try
        {
            files = Directory.GetFiles(_folder, PackagePattern);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        Array.Sort(files, StringComparer.Ordinal);
        foreach (string gone in _unfinished.Keys.Except(files).ToList()) _unfinished.Remove(gone);
        foreach (string file in files)
        {
            if (Path.GetFileName(file)[0] == '.' || !IsFinished(file)) continue;
            _unfinished.Remove(file);
            return file;
        }
        return null;
    }

    private bool IsFinished(string path)
    {
        long length;
        try
        {
            if (!RegularFile.Is(path)) return true;
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            length = stream.Length;
            Span<byte> first = stackalloc byte[32];
            first = first[..stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false)];
            bool whole = first.Length == 32 && (ModelPackage.DeclaredSizeBytes(first) is not { } declared || length >= declared);
            if (whole && (!_wantsSignature || File.Exists(PackageSignature.PathFor(path)))) return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whoever takes it says what is wrong with it.
            return true;
        }
        long now = _time.GetTimestamp();
        if (!_unfinished.TryGetValue(path, out (long Length, long Since) known) || known.Length != length) _unfinished[path] = known = (length, now);
        return _time.GetElapsedTime(known.Since, now) >= Patience;
    }
}
