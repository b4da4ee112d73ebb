using EdgeSparse.Daemon.Live;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Tests;

public sealed class LiveViewTests
{
    private readonly ManualTime _time = new();

    private static Frame Picture(byte red)
    {
        var frame = new Frame(64, 48);
        frame.Fill(red, 0, 0);
        return frame;
    }

    private static DetectionList One()
    {
        var list = new DetectionList();
        list.Add(new Detection(0, 0.9f, 0.1f, 0.1f, 0.5f, 0.5f));
        return list;
    }

    [Fact]
    public async Task Frames_Are_Copied_Only_While_Somebody_Watches_And_Old_Ones_Are_Not_Shown()
    {
        using var view = new LiveView(_time);
        using Frame seen = new(1, 1), first = Picture(1), second = Picture(2), third = Picture(3);
        var detections = new DetectionList();
        Assert.False(view.IsWatched);
        view.Show(first, One());

        // Asked after that frame: it was not kept, so the next one is the answer.
        Task<long> asked = view.NextAsync(0, seen, detections, TimeSpan.FromHours(1), CancellationToken.None);
        Assert.False(asked.IsCompleted);
        Assert.True(view.IsWatched);
        view.Show(second, One());
        Assert.Equal(1, await asked);
        Assert.Equal(2, seen.Pixels[0]);
        Assert.Equal(1, detections.Count);

        // Nobody asks for a while: the frame that was copied last is old by then.
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.False(view.IsWatched);
        asked = view.NextAsync(0, seen, detections, TimeSpan.FromHours(1), CancellationToken.None);
        Assert.False(asked.IsCompleted);
        view.Show(third, One());
        Assert.Equal(2, await asked);
        Assert.Equal(3, seen.Pixels[0]);
    }

    [Fact]
    public async Task Watchers_Who_Ask_Together_Share_One_Encoded_Picture()
    {
        using var view = new LiveView(_time);
        using var picture = new LivePicture(view, () => ["person"]);
        using Frame frame = Picture(200);
        Task<(long Number, byte[] Jpeg)> a = picture.NextAsync(0, TimeSpan.FromHours(1), CancellationToken.None);
        view.Show(frame, One());
        (long number, byte[] jpeg) = await a;
        using Frame decoded = ImageFile.Load(jpeg);
        Assert.Equal((64, 48), (decoded.Width, decoded.Height));

        Task<(long Number, byte[] Jpeg)> b = picture.NextAsync(number, TimeSpan.FromHours(1), CancellationToken.None);
        Task<(long Number, byte[] Jpeg)> c = picture.NextAsync(number, TimeSpan.FromHours(1), CancellationToken.None);
        view.Show(frame, One());
        Assert.Equal(number + 1, (await b).Number);
        Assert.Same((await b).Jpeg, (await c).Jpeg);
    }

    [Fact]
    public async Task A_Watcher_Who_Leaves_Does_Not_Block_The_Next()
    {
        using var view = new LiveView(_time);
        using var picture = new LivePicture(view, () => ["person"]);
        using Frame frame = Picture(9);
        using var gone = new CancellationTokenSource();
        Task<(long, byte[])> left = picture.NextAsync(0, TimeSpan.FromHours(1), gone.Token);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        Task<(long Number, byte[] Jpeg)> next = picture.NextAsync(0, TimeSpan.FromHours(1), CancellationToken.None);
        view.Show(frame, One());
        Assert.NotEmpty((await next).Jpeg);
    }
}
