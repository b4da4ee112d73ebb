namespace EdgeSparse.Daemon.Sources;

/// <summary>A video file.</summary>
internal sealed class VideoFileSource(string path, bool realTime, bool loop) : FfmpegSource(path)
{
    protected override IEnumerable<string> InputArguments()
    {
        if (realTime) yield return "-re";
        if (loop)
        {
            yield return "-stream_loop";
            yield return "-1";
        }
        // The protocol is named so that no path is taken for an address, and nothing a file refers to is fetched.
        foreach (string argument in (string[])["-protocol_whitelist", "file,pipe", "-i", "file:" + Name]) yield return argument;
    }
}
