using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Sources;
using EdgeSparse.Devices;
using EdgeSparse.Devices.Tests;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Tests;

public sealed class CameraSourceTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly LogText _log = new();
    private readonly Frame _frame = new(64, 64);
    private ScriptedCamera _camera = new();

    public void Dispose() => _frame.Dispose();

    private CameraSource Source(string format = "") => new(
        new CameraOptions { Name = "front", Source = new SourceOptions(SourceKind.Camera, "/dev/video0"), Format = format, FramesPerSecond = 30 },
        request => VideoCapture.Open(request, _camera), _time, _log.CreateLog(new LogOptions { Level = LogLevel.Debug }, _time));

    [Fact]
    public void A_Raw_Picture_Becomes_A_Frame()
    {
        using CameraSource source = Source();
        source.Open(CancellationToken.None);
        Assert.Contains("camera front: Scripted gives YUYV 640x480 at 30 frames/s", _log.ToString(), StringComparison.Ordinal);
        _camera.Shoot(128, 0);
        Assert.True(source.WaitNext(CancellationToken.None));
        Assert.Equal(FillResult.Filled, source.Fill(_frame));
        Assert.Equal((640, 480), (_frame.Width, _frame.Height));
        // Y = U = V = 128 is (298·112 + 128) >> 8.
        Assert.True(_frame.Pixels.IndexOfAnyExcept((byte)130) < 0);
        Assert.Equal(4, _camera.Queued);
    }

    [Fact]
    public void A_Compressed_Picture_Becomes_A_Frame_And_A_Broken_One_Is_Corrupt()
    {
        _camera.Sizes.Add(new("MJPG", 640, 480, 30));
        using CameraSource source = Source("mjpeg");
        source.Open(CancellationToken.None);
        using var picture = new Frame(640, 480);
        picture.Fill(200, 40, 90);
        using var encoder = new JpegEncoder();
        byte[] jpeg = encoder.Encode(picture, 90).ToArray();
        _camera.Shoot(jpeg, 0);
        Assert.True(source.WaitNext(CancellationToken.None));
        Assert.Equal(FillResult.Filled, source.Fill(_frame));
        (byte r, byte g, byte b) = _frame[320, 240];
        Assert.InRange(r, 196, 204);
        Assert.InRange(g, 36, 44);
        Assert.InRange(b, 86, 94);

        _camera.Shoot([1, 2, 3], 1);
        Assert.True(source.WaitNext(CancellationToken.None));
        Assert.Equal(FillResult.Corrupt, source.Fill(_frame));
        Assert.Equal(4, _camera.Queued);
    }

    [Fact]
    public void Short_And_Damaged_Pictures_Are_Corrupt()
    {
        using CameraSource source = Source();
        source.Open(CancellationToken.None);
        foreach ((uint bytes, uint flags) in ((uint, uint)[])[(1000, 0), (0, 0), (614_400, VideoAbi.BufferError)])
        {
            _camera.Shoot(1, 0, bytes, flags);
            Assert.True(source.WaitNext(CancellationToken.None));
            Assert.Equal(FillResult.Corrupt, source.Fill(_frame));
        }
    }

    [Fact]
    public void A_Camera_That_Gives_Nothing_Has_Stalled()
    {
        using CameraSource source = Source();
        source.Open(CancellationToken.None);
        int waited = 0;
        _camera.OnIdle = milliseconds =>
        {
            waited += milliseconds;
            // Signals end waits early; the sum counts.
            _time.Advance(TimeSpan.FromMilliseconds(milliseconds / 2 + 1));
        };
        Assert.Contains("no picture for 5.3 s", Assert.Throws<SourceException>(() => source.WaitNext(CancellationToken.None)).Message, StringComparison.Ordinal);
        Assert.InRange(waited, 5300, 12_000);
    }

    [Fact]
    public void Stopping_Ends_The_Wait()
    {
        using CameraSource source = Source();
        using var stop = new CancellationTokenSource();
        source.Open(stop.Token);
        _camera.OnIdle = _ => stop.Cancel();
        Assert.False(source.WaitNext(stop.Token));
    }

    /// <summary>Every way of going away, again and again: each time an error, nothing left open or mapped, and pictures again when the camera is back.</summary>
    [Fact]
    public void A_Camera_May_Be_Unplugged_And_Plugged_In_Again()
    {
        using CameraSource source = Source();
        Action<ScriptedCamera>[] faults =
        [
            camera => camera.PollResult = LinuxError.PollError | LinuxError.PollHangUp,
            camera => camera.PollResult = -LinuxError.NoDevice,
            camera => camera.Failures[VideoAbi.DequeueBuffer] = LinuxError.NoDevice,
            camera => camera.Failures[VideoAbi.DequeueBuffer] = LinuxError.InputOutput,
            camera => camera.OnIdle = milliseconds => _time.Advance(TimeSpan.FromMilliseconds(milliseconds)),
        ];
        for (int round = 0; round < 50; round++)
        {
            ScriptedCamera camera = _camera = new ScriptedCamera();
            source.Open(CancellationToken.None);
            // The numbering jumps by one each round: one picture lost.
            foreach (uint sequence in (uint[])[0, 2])
            {
                Assert.True(camera.Shoot(50, sequence));
                Assert.True(source.WaitNext(CancellationToken.None));
                Assert.Equal(FillResult.Filled, source.Fill(_frame));
            }
            Assert.Equal(round + 1, source.Lost);
            if (round % faults.Length is 2 or 3) camera.Shoot(1, 3);
            faults[round % faults.Length](camera);
            Assert.ThrowsAny<Exception>(() => source.WaitNext(CancellationToken.None));
            source.Close();
            Assert.Equal((0, 0, false, true), (camera.OpenDescriptors, camera.Mapped, camera.Streaming, camera.Disposed));
            Assert.Equal(round + 1, source.Lost);

            _camera = new ScriptedCamera { OpenError = LinuxError.NoEntry };
            Assert.Throws<VideoException>(() => source.Open(CancellationToken.None));
            source.Close();
        }
    }
}
