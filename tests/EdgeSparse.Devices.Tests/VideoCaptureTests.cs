using System.Runtime.InteropServices;
using EdgeSparse.Devices;

namespace EdgeSparse.Devices.Tests;

public sealed class VideoCaptureTests
{
    private static VideoRequest Request(int width = 640, int height = 480, double framesPerSecond = 30, string formats = "NV12 YUYV MJPG", params (string, int)[] controls) =>
        new("/dev/video0", width, height, framesPerSecond, [.. formats.Split(' ').Select(FourCc.Of)], [.. controls.Select(control => KeyValuePair.Create(control.Item1, control.Item2))]);

    [Fact]
    public unsafe void Structures_Have_The_Sizes_That_Their_Requests_Name()
    {
        Assert.Equal(104, sizeof(VideoCapability));
        Assert.Equal(64, sizeof(VideoFormatDescription));
        Assert.Equal(208, sizeof(VideoPixelFormat));
        Assert.Equal(20, sizeof(VideoBufferRequest));
        Assert.Equal(88, sizeof(VideoBuffer));
        Assert.Equal(204, sizeof(VideoStreamParameters));
        Assert.Equal(52, sizeof(VideoFrameInterval));
        Assert.Equal(68, sizeof(VideoControlQuery));
        Assert.Equal(8, sizeof(VideoControlValue));
        foreach ((uint request, int size) in ((uint, int)[])[(VideoAbi.QueryCapabilities, 104), (VideoAbi.EnumerateFormats, 64), (VideoAbi.SetFormat, 208), (VideoAbi.TryFormat, 208),
            (VideoAbi.RequestBuffers, 20), (VideoAbi.QueryBuffer, 88), (VideoAbi.QueueBuffer, 88), (VideoAbi.DequeueBuffer, 88), (VideoAbi.SetParameters, 204),
            (VideoAbi.EnumerateIntervals, 52), (VideoAbi.QueryControl, 68), (VideoAbi.SetControl, 8)])
            Assert.Equal(size, (int)(request >> 16 & 0x3FFF));
    }

    [Fact]
    public void Pictures_Come_In_Order_And_Their_Buffers_Go_Back()
    {
        var camera = new ScriptedCamera();
        using (VideoCapture capture = VideoCapture.Open(Request(), camera))
        {
            Assert.Equal("Scripted", capture.Card);
            Assert.Equal("YUYV 640x480 at 30 frames/s", capture.Format.ToString());
            Assert.Equal((1280, 640 * 480 * 2), (capture.Format.StrideBytes, capture.Format.SizeBytes));
            for (byte i = 1; i < 40; i++)
            {
                Assert.True(camera.Shoot(i, i));
                Assert.True(capture.TryTake(1000));
                Assert.False(capture.IsCorrupt);
                Assert.Equal(640 * 480 * 2, capture.Picture.Length);
                Assert.True(capture.Picture.IndexOfAnyExcept(i) < 0);
                Assert.Equal(3, camera.Queued);
                if (i % 2 == 0) capture.GiveBack();
            }
            Assert.Equal(0, capture.Lost);
            Assert.False(capture.TryTake(0));
            Assert.Equal(4, camera.Queued);
        }
        AssertNothingLeft(camera);
    }

    [Fact]
    public void Pictures_That_Nobody_Took_Are_Counted_By_The_Devices_Numbers()
    {
        var camera = new ScriptedCamera();
        using VideoCapture capture = VideoCapture.Open(Request(), camera);
        foreach (uint sequence in (uint[])[5, 6, 9, 10, 2, 3])
        {
            camera.Shoot(1, sequence);
            Assert.True(capture.TryTake(1));
        }
        // 7 and 8; the first number and a numbering that begins anew say nothing.
        Assert.Equal(2, capture.Lost);
    }

    [Theory]
    [InlineData("YUYV 640 480 30, MJPG 640 480 30", 640, 480, 30, "YUYV 640x480 at 30 frames/s")]
    [InlineData("YUYV 1280 720 10, MJPG 1280 720 30", 1280, 720, 30, "MJPG 1280x720 at 30 frames/s")]
    [InlineData("YUYV 1280 720 10, MJPG 1280 720 30", 1280, 720, 10, "YUYV 1280x720 at 10 frames/s")]
    [InlineData("YUYV 640 480 30, MJPG 1920 1080 30", 1920, 1080, 15, "MJPG 1920x1080 at 30 frames/s")]
    [InlineData("MJPG 640 480 30, NV12 320 240 30, NV12 640 480 30", 600, 500, 30, "NV12 640x480 at 30 frames/s")]
    [InlineData("BA81 640 480 30, YUYV 640 480 30", 640, 480, 30, "YUYV 640x480 at 30 frames/s")]
    public void The_Nearest_Size_Decides_Then_The_Rate_Then_The_Order_Of_Formats(string offered, int width, int height, int framesPerSecond, string expected)
    {
        var camera = new ScriptedCamera();
        camera.Sizes.Clear();
        foreach (string size in offered.Split(", "))
        {
            string[] parts = size.Split(' ');
            camera.Sizes.Add(new(parts[0], int.Parse(parts[1]), int.Parse(parts[2]), int.Parse(parts[3])));
        }
        using VideoCapture capture = VideoCapture.Open(Request(width, height, framesPerSecond), camera);
        Assert.Equal(expected, capture.Format.ToString());
    }

    [Fact]
    public void Formats_That_Cannot_Be_Read_Are_Named()
    {
        var camera = new ScriptedCamera();
        camera.Sizes.Clear();
        camera.Sizes.Add(new("BA81", 640, 480, 30));
        Assert.Equal("/dev/video0 (Scripted) offers BA81; NV12, YUYV, MJPG can be read", Assert.Throws<VideoException>(() => VideoCapture.Open(Request(), camera)).Message);
        AssertNothingLeft(camera);
    }

    [Fact]
    public void Controls_Are_Set_By_Name_In_Order()
    {
        var camera = new ScriptedCamera();
        camera.ControlRanges["Brightness"] = (0, 255, 0);
        camera.ControlRanges["Auto Exposure"] = (0, 3, 0);
        camera.ControlRanges["Exposure Time, Absolute"] = (1, 5000, 0);
        using VideoCapture capture = VideoCapture.Open(Request(controls: [("auto_exposure", 1), ("exposure_time_absolute", 250)]), camera);
        Assert.Equal(new Dictionary<string, int> { ["Auto Exposure"] = 1, ["Exposure Time, Absolute"] = 250 }, camera.ControlValues);
    }

    [Theory]
    [InlineData("contrast", 1, "/dev/video0 (Scripted) has no control contrast; it has brightness")]
    [InlineData("brightness", 256, "/dev/video0 (Scripted): control brightness = 256, expected 0 to 255")]
    [InlineData("privacy", 1, "/dev/video0 (Scripted) has no control privacy; it has brightness")]
    public void A_Control_That_Cannot_Be_Set_Is_Refused(string name, int value, string message)
    {
        var camera = new ScriptedCamera();
        camera.ControlRanges["Brightness"] = (0, 255, 0);
        camera.ControlRanges["Privacy"] = (0, 1, VideoAbi.ControlReadOnly);
        Assert.Equal(message, Assert.Throws<VideoException>(() => VideoCapture.Open(Request(controls: [(name, value)]), camera)).Message);
        AssertNothingLeft(camera);
    }

    [Theory]
    [InlineData(LinuxError.NoEntry, "no such camera")]
    [InlineData(LinuxError.NoDevice, "no such camera")]
    [InlineData(LinuxError.Access, "group")]
    [InlineData(LinuxError.Busy, "another program")]
    [InlineData(LinuxError.InputOutput, "opening failed")]
    public void A_Device_That_Does_Not_Open_Is_Explained(int error, string part)
    {
        var camera = new ScriptedCamera { OpenError = error };
        Assert.Contains(part, Assert.Throws<VideoException>(() => VideoCapture.Open(Request(), camera)).Message, StringComparison.Ordinal);
        AssertNothingLeft(camera);
    }

    [Theory]
    [InlineData(0u, "captures no video")]
    [InlineData(VideoAbi.CapabilityStreaming, "captures no video")]
    [InlineData(VideoAbi.CapabilityCaptureMultiplanar | VideoAbi.CapabilityStreaming, "several planes")]
    [InlineData(VideoAbi.CapabilityCapture, "cannot stream")]
    public void A_Device_Of_Another_Kind_Is_Explained(uint capabilities, string part)
    {
        var camera = new ScriptedCamera { Capabilities = capabilities };
        Assert.Contains(part, Assert.Throws<VideoException>(() => VideoCapture.Open(Request(), camera)).Message, StringComparison.Ordinal);
        AssertNothingLeft(camera);
    }

    /// <summary>Every request of the start, failing as an unplugged device makes it fail: an error, and nothing left open or mapped.</summary>
    [Theory]
    [InlineData(VideoAbi.QueryCapabilities)]
    [InlineData(VideoAbi.EnumerateFormats)]
    [InlineData(VideoAbi.SetFormat)]
    [InlineData(VideoAbi.RequestBuffers)]
    [InlineData(VideoAbi.QueryBuffer)]
    [InlineData(VideoAbi.QueueBuffer)]
    [InlineData(VideoAbi.StreamOn)]
    public void Unplugging_During_The_Start_Leaves_Nothing_Behind(uint request)
    {
        var camera = new ScriptedCamera { Failures = { [request] = LinuxError.NoDevice } };
        Assert.Equal("/dev/video0: the camera was unplugged", Assert.Throws<VideoException>(() => VideoCapture.Open(Request(), camera)).Message);
        AssertNothingLeft(camera);
    }

    /// <summary>Drivers need not be able to try a format, tell rates or set them.</summary>
    [Theory]
    [InlineData(VideoAbi.TryFormat)]
    [InlineData(VideoAbi.EnumerateIntervals)]
    [InlineData(VideoAbi.SetParameters)]
    public void What_A_Driver_May_Lack_Is_No_Failure(uint request)
    {
        var camera = new ScriptedCamera { Failures = { [request] = LinuxError.NotATerminal } };
        using VideoCapture capture = VideoCapture.Open(Request(), camera);
        Assert.Equal((640, 480), (capture.Format.Width, capture.Format.Height));
        camera.Shoot(3, 0);
        Assert.True(capture.TryTake(1));
    }

    [Theory]
    [InlineData(LinuxError.PollError)]
    [InlineData(LinuxError.PollHangUp)]
    [InlineData(LinuxError.PollInvalid)]
    [InlineData(-LinuxError.Invalid)]
    public void Unplugging_While_Waiting_Ends_The_Capture(int polled)
    {
        var camera = new ScriptedCamera();
        VideoCapture capture = VideoCapture.Open(Request(), camera);
        camera.PollResult = polled;
        Assert.Throws<VideoException>(() => capture.TryTake(1000));
        capture.Dispose();
        AssertNothingLeft(camera);
        Assert.Throws<ObjectDisposedException>(() => capture.TryTake(0));
    }

    [Theory]
    [InlineData(LinuxError.NoDevice, "unplugged")]
    [InlineData(LinuxError.InputOutput, "taking a picture failed")]
    public void Failing_To_Take_Ends_The_Capture(int error, string part)
    {
        var camera = new ScriptedCamera();
        VideoCapture capture = VideoCapture.Open(Request(), camera);
        camera.Shoot(1, 0);
        camera.Failures[VideoAbi.DequeueBuffer] = error;
        Assert.Contains(part, Assert.Throws<VideoException>(() => capture.TryTake(1000)).Message, StringComparison.Ordinal);
        capture.Dispose();
        AssertNothingLeft(camera);
    }

    [Fact]
    public void Damaged_And_Empty_Pictures_Are_Marked_And_The_Stream_Goes_On()
    {
        var camera = new ScriptedCamera();
        using VideoCapture capture = VideoCapture.Open(Request(), camera);
        foreach ((uint? bytes, uint flags, bool corrupt) in ((uint?, uint, bool)[])[(null, 0, false), (0, 0, true), (null, VideoAbi.BufferError, true), (100, 0, false)])
        {
            camera.Shoot(9, 0, bytes, flags);
            Assert.True(capture.TryTake(1));
            Assert.Equal(corrupt, capture.IsCorrupt);
            Assert.Equal((int)(bytes ?? 640 * 480 * 2), capture.Picture.Length);
        }
    }

    [Fact]
    public void What_A_Broken_Driver_Says_Is_Not_Believed()
    {
        var camera = new ScriptedCamera();
        using (VideoCapture capture = VideoCapture.Open(Request(), camera))
        {
            camera.Shoot(9, 0, bytes: (640 * 480 * 2) + 1);
            Assert.Throws<VideoException>(() => capture.TryTake(1));
        }
        camera = new ScriptedCamera { ForeignIndex = 4 };
        using (VideoCapture capture = VideoCapture.Open(Request(), camera))
        {
            camera.Shoot(9, 0);
            Assert.Throws<VideoException>(() => capture.TryTake(1));
        }
        foreach (uint count in (uint[])[0, 1, 33])
        {
            camera = new ScriptedCamera { BufferCount = count };
            Assert.Throws<VideoException>(() => VideoCapture.Open(Request(), camera));
            AssertNothingLeft(camera);
        }
        camera = new ScriptedCamera();
        camera.Sizes[0] = new("YUYV", 16000, 16000, 30);
        Assert.Throws<VideoException>(() => VideoCapture.Open(Request(), camera));
        AssertNothingLeft(camera);
    }

    [Fact]
    public void Waking_Ends_A_Wait()
    {
        var camera = new ScriptedCamera();
        using VideoCapture capture = VideoCapture.Open(Request(), camera);
        camera.Shoot(1, 0);
        capture.Wake();
        Assert.False(capture.TryTake(60_000));
    }

    [Fact]
    public void The_Kernels_Calls_Refuse_What_Is_No_Camera()
    {
        Assert.Contains("no such camera", Assert.Throws<VideoException>(() => VideoCapture.Open(Request() with { Path = "/dev/there-is-none" })).Message, StringComparison.Ordinal);
        Assert.Equal("/dev/null is no video device", Assert.Throws<VideoException>(() => VideoCapture.Open(Request() with { Path = "/dev/null" })).Message);
    }

    [Fact]
    public void The_Kernels_Wait_Is_Ended_From_Another_Thread()
    {
        using var system = new LinuxVideoSystem();
        var waker = new Thread(system.Wake);
        waker.Start();
        // /dev/null cannot be waited for with events, so the wait is on nothing but the waking.
        Assert.Equal(0, system.Poll(-1, 60_000));
        waker.Join();
    }

    private static void AssertNothingLeft(ScriptedCamera camera)
    {
        Assert.Equal((0, 0, false, true), (camera.OpenDescriptors, camera.Mapped, camera.Streaming, camera.Disposed));
    }
}
