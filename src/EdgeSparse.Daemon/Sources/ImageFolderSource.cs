using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Sources;

/// <summary>The JPEG and PNG files of a folder in order of name, once or again and again.</summary>
internal sealed class ImageFolderSource(string folder, bool loop, FramePacer pacer, Log log) : FrameSource
{
    private string[] _files = [];
    private int _next;

    public override void Open(CancellationToken stop)
    {
        try
        {
            _files = FileCheck.Pictures(folder);
        }
        catch (DirectoryNotFoundException)
        {
            throw new SourceException($"no such folder: {folder}");
        }
        if (_files.Length == 0) throw new SourceException($"no pictures in {folder}");
        _next = 0;
        pacer.Restart();
    }

    public override bool WaitNext(CancellationToken stop)
    {
        if (_next == _files.Length)
        {
            if (!loop) return false;
            _next = 0;
        }
        return pacer.Wait(stop);
    }

    public override FillResult Fill(Frame frame)
    {
        string file = _files[_next++];
        try
        {
            ImageFile.Load(file, frame);
            return FillResult.Filled;
        }
        catch (ImageFormatException e)
        {
            log.Warning(e.Message);
            return FillResult.Corrupt;
        }
        catch (IOException e)
        {
            log.Warning($"{file}: {e.Message}");
            return FillResult.Corrupt;
        }
    }

    public override void Close() => _files = [];
}
