using EdgeSparse.Daemon.Sources;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Tests;

public sealed class RtspSourceTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");
    private readonly Frame _frame = new(64, 64);

    public void Dispose()
    {
        _frame.Dispose();
        _folder.Delete(recursive: true);
    }

    private void Take(RtspSource source, int frames)
    {
        for (int i = 0; i < frames; i++)
        {
            Assert.True(source.WaitNext(CancellationToken.None));
            Assert.Equal(FillResult.Filled, source.Fill(_frame));
            Assert.Equal((320, 240), (_frame.Width, _frame.Height));
        }
    }

    [ProgramFact("ffmpeg")]
    public void Pictures_Come_And_A_Dropped_Connection_Is_Opened_Again()
    {
        using var server = new RtspServer(_folder.FullName);
        using var source = new RtspSource(server.Address, "", RtspSource.StallTime);
        for (int round = 1; round <= 3; round++)
        {
            source.Open(CancellationToken.None);
            Take(source, 30);
            Assert.Equal(round, server.Clients);
            server.Drop();
            string message = Assert.Throws<SourceException>(() => Take(source, 100_000)).Message;
            Assert.Contains(server.Address, message, StringComparison.Ordinal);
            source.Close();
        }
    }

    [ProgramFact("ffmpeg")]
    public void A_Camera_That_Falls_Silent_Has_Stalled()
    {
        using var server = new RtspServer(_folder.FullName);
        using var source = new RtspSource(server.Address, "", TimeSpan.FromSeconds(1));
        source.Open(CancellationToken.None);
        Take(source, 5);
        server.FallSilent();
        string message = Assert.Throws<SourceException>(() => Take(source, 100_000)).Message;
        Assert.Contains(server.Address, message, StringComparison.Ordinal);
        source.Close();
        server.SpeakAgain();
        source.Open(CancellationToken.None);
        Take(source, 5);
    }

    [ProgramFact("ffmpeg")]
    public void Stopping_Ends_A_Wait_For_A_Silent_Camera()
    {
        using var server = new RtspServer(_folder.FullName);
        using var source = new RtspSource(server.Address, "", TimeSpan.FromMinutes(5));
        using var stop = new CancellationTokenSource();
        source.Open(stop.Token);
        Take(source, 5);
        server.FallSilent();
        var stopper = new Thread(stop.Cancel);
        stopper.Start();
        while (source.WaitNext(stop.Token)) source.Fill(_frame);
        stopper.Join();
    }

    [ProgramFact("ffmpeg")]
    public void Credentials_Come_From_A_File_And_Are_Never_Shown()
    {
        string file = Path.Combine(_folder.FullName, "credentials");
        File.WriteAllText(file, "admin:p@ss:w/rd\n");
        using (var server = new RtspServer(_folder.FullName) { Credentials = "admin:p@ss:w/rd" })
        using (var source = new RtspSource(server.Address, file, RtspSource.StallTime))
        {
            source.Open(CancellationToken.None);
            Take(source, 5);
        }
        using (var server = new RtspServer(_folder.FullName) { Credentials = "admin:other" })
        using (var source = new RtspSource(server.Address, file, RtspSource.StallTime))
        {
            source.Open(CancellationToken.None);
            string message = Assert.Throws<SourceException>(() => source.WaitNext(CancellationToken.None)).Message;
            Assert.Contains("401", message, StringComparison.Ordinal);
            Assert.DoesNotContain("w/rd", message, StringComparison.Ordinal);
            Assert.DoesNotContain("w%2Frd", message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(null, "cannot be read")]
    [InlineData("", "no user:password")]
    [InlineData("nobody", "no user:password")]
    [InlineData(":secret", "no user:password")]
    [InlineData("a:b\nc", "no user:password")]
    public void A_File_Without_Credentials_Is_Refused(string? content, string part)
    {
        string file = Path.Combine(_folder.FullName, "credentials");
        if (content is not null) File.WriteAllText(file, content);
        using var source = new RtspSource("rtsp://127.0.0.1/x", file, RtspSource.StallTime);
        Assert.Contains(part, Assert.Throws<SourceException>(() => source.Open(CancellationToken.None)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_File_Too_Large_For_Credentials_Is_Refused()
    {
        string file = Path.Combine(_folder.FullName, "credentials");
        File.WriteAllText(file, "a:" + new string('b', 2000));
        using var source = new RtspSource("rtsp://127.0.0.1/x", file, RtspSource.StallTime);
        Assert.Contains("more than 1024 bytes", Assert.Throws<SourceException>(() => source.Open(CancellationToken.None)).Message, StringComparison.Ordinal);
    }
}
