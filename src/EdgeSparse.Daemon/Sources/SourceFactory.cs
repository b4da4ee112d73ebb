using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Devices;

namespace EdgeSparse.Daemon.Sources;

/// <summary>Makes the source that a camera's options name.</summary>
internal static class SourceFactory
{
    public static FrameSource Create(CameraOptions camera, TimeProvider time, Log log)
    {
        bool realTime = camera.Pace == Pace.RealTime;
        var pacer = new FramePacer(time, realTime ? camera.FramesPerSecond : 0);
        return camera.Source.Kind switch
        {
            SourceKind.Synthetic => new SyntheticSource(camera.Width, camera.Height, camera.Seed, camera.FramesPerSecond, pacer),
            SourceKind.Images => new ImageFolderSource(camera.Source.Path, camera.Loop, pacer, log),
            SourceKind.Camera => new CameraSource(camera, VideoCapture.Open, time, log),
            SourceKind.Rtsp => new RtspSource(camera.Source.Path, camera.CredentialsFile, RtspSource.StallTime),
            _ => new VideoFileSource(camera.Source.Path, realTime, camera.Loop),
        };
    }
}
