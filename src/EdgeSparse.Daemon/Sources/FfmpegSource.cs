using System.ComponentModel;
using System.Diagnostics;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Sources;

/// <summary>
/// Pictures decoded by ffmpeg as a child process, which writes every decoded frame once, as it is, as a binary PPM picture to a pipe: the header of
/// each says its size, so nothing has to be asked beforehand and a rotated or changing picture is right.
/// </summary>
/// <param name="name">The path or address; messages call it so.</param>
internal abstract class FfmpegSource(string name) : FrameSource
{
    private readonly byte[] _byte = new byte[1];
    private Process? _process;
    private Stream? _pictures;
    private CancellationTokenRegistration _killOnStop;
    private string? _lastError;
    private int _width;
    private int _height;

    protected string Name { get; } = name;

    public override void Open(CancellationToken stop)
    {
        var start = new ProcessStartInfo("ffmpeg") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        string[] begin = ["-nostdin", "-hide_banner", "-loglevel", "error"];
        string[] end = ["-map", "0:v:0", "-fps_mode", "passthrough", "-c:v", "ppm", "-pix_fmt", "rgb24", "-f", "image2pipe", "pipe:1"];
        foreach (string argument in (IEnumerable<string>)[.. begin, .. InputArguments(), .. end]) start.ArgumentList.Add(argument);
        _lastError = null;
        var process = new Process { StartInfo = start };
        process.ErrorDataReceived += (_, line) => _lastError = string.IsNullOrWhiteSpace(line.Data) ? _lastError : Shown(line.Data.Trim());
        try
        {
            process.Start();
        }
        catch (Win32Exception e)
        {
            process.Dispose();
            throw new SourceException(e.NativeErrorCode == 2
                ? "the program ffmpeg is not installed; it decodes videos: apt-get install ffmpeg"
                : $"ffmpeg cannot be started: {e.Message}");
        }
        _process = process;
        process.BeginErrorReadLine();
        _pictures = process.StandardOutput.BaseStream;
        // The capturing thread sits in a read; ending ffmpeg ends the read.
        _killOnStop = stop.Register(Kill);
    }

    /// <summary>Reads the next picture's header; at the end of the pipe, what ffmpeg says decides between the end and a failure.</summary>
    public override bool WaitNext(CancellationToken stop)
    {
        if (TryReadHeader()) return !stop.IsCancellationRequested;
        if (stop.IsCancellationRequested) return false;
        _process!.WaitForExit();
        if (_process.ExitCode != 0) throw new SourceException($"ffmpeg cannot decode {Name}: {_lastError ?? $"exit code {_process.ExitCode}"}");
        return false;
    }

    public override FillResult Fill(Frame frame)
    {
        frame.Resize(_width, _height);
        Span<byte> rest = frame.Pixels;
        while (rest.Length > 0)
        {
            int read = _pictures!.Read(rest);
            if (read == 0) throw new SourceException($"ffmpeg ended within a frame of {Name}: {_lastError ?? "no reason given"}");
            rest = rest[read..];
        }
        return FillResult.Filled;
    }

    public override void Close()
    {
        _killOnStop.Dispose();
        if (_process is null) return;
        Kill();
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
        _pictures = null;
    }

    /// <summary>What ffmpeg is to read: the options that stand before the output's.</summary>
    protected abstract IEnumerable<string> InputArguments();

    /// <summary>What ffmpeg said, as it may be shown.</summary>
    protected virtual string Shown(string text) => text;

    /// <summary>Ends ffmpeg, and with it a read under way.</summary>
    protected void Kill()
    {
        try
        {
            _process?.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    /// <summary>"P6 WIDTH HEIGHT 255" and one white space; false at the end of the pipe.</summary>
    private bool TryReadHeader()
    {
        int first = ReadByte();
        if (first < 0) return false;
        if (first != 'P' || ReadByte() != '6' || !char.IsWhiteSpace((char)ReadByte())) throw new SourceException($"ffmpeg gave no PPM picture for {Name}");
        _width = ReadNumber();
        _height = ReadNumber();
        int maximum = ReadNumber();
        if (_width < 1 || _height < 1 || (long)_width * _height > Frame.MaxPixels || maximum != 255)
            throw new SourceException($"{Name}: a frame of {_width}x{_height} with values up to {maximum}; at most {Frame.MaxPixels} pixels of 8 bits are taken");
        return true;
    }

    private int ReadNumber()
    {
        int value = 0;
        for (int digits = 0; digits < 9; digits++)
        {
            int next = ReadByte();
            if (next is < '0' or > '9') return digits > 0 ? value : -1;
            value = (value * 10) + next - '0';
        }
        return -1;
    }

    private int ReadByte() => _pictures!.Read(_byte, 0, 1) == 0 ? -1 : _byte[0];
}
