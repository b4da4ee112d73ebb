namespace EdgeSparse.Vision.Tests;

public sealed class FrameTests
{
    [Fact]
    public unsafe void Rows_follow_without_gaps_and_memory_is_kept()
    {
        using var frame = new Frame(7, 5);
        Assert.Equal((21, 105), (frame.StrideBytes, frame.SizeBytes));
        nint address = (nint)frame.Data;
        Assert.Equal(0, address % 64);
        frame.Row(4)[20] = 9;
        Assert.Equal(9, frame.Pixels[104]);
        frame.Resize(5, 7);
        Assert.Equal(address, (nint)frame.Data);
        frame.Resize(70, 50);
        frame.Fill(1, 2, 3);
        Assert.Equal((1, 2, 3), frame[69, 49]);
    }

    [Fact]
    public void Sizes_and_places_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Frame(0, 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Frame(int.MaxValue, int.MaxValue));
        using var frame = new Frame(4, 4);
        Assert.Throws<ArgumentOutOfRangeException>(() => frame.Row(4)[0]);
        Assert.Throws<ArgumentOutOfRangeException>(() => frame[4, 0]);
        frame.Dispose();
        Assert.Throws<ObjectDisposedException>(() => frame.Row(0)[0]);
        Assert.Throws<ObjectDisposedException>(() => frame.Resize(2, 2));
    }

    [Fact]
    public void A_pool_lends_each_frame_once()
    {
        using var pool = new FramePool(2, 8, 8);
        Assert.True(pool.TryTake(out Frame? a));
        Assert.True(pool.TryTake(out Frame? b));
        Assert.NotSame(a, b);
        Assert.False(pool.TryTake(out _));
        pool.Return(a);
        Assert.Equal(1, pool.Available);
        Assert.Throws<InvalidOperationException>(() => pool.Return(a));
        Assert.True(pool.TryTake(out Frame? again));
        Assert.Same(a, again);
        pool.Dispose();
        pool.Return(b);
        Assert.Throws<ObjectDisposedException>(() => b.Row(0)[0]);
    }

    [Fact]
    public void Text_and_boxes_stay_inside_the_frame()
    {
        var annotator = new Annotator(["person", "a label that is much longer than any picture is wide, and goes on and on and on"]);
        foreach ((int width, int height) in new[] { (1, 1), (20, 9), (320, 240), (1280, 720) })
        {
            using var frame = new Frame(width, height);
            frame.Fill(10, 10, 10);
            var detections = new DetectionList();
            detections.Add(new Detection(0, 0.5f, -1, -1, 2, 2));
            detections.Add(new Detection(1, 1, 0.9f, 0.9f, 1, 1));
            detections.Add(new Detection(-7, 0.123f, 0.2f, 0.2f, 0.2f, 0.2f));
            detections.Add(new Detection(5, 0.3f, 0, 0, 1, 1));
            annotator.Draw(frame, detections);
            Annotator.DrawText(frame, -3, -3, "Hello, wörld ~", 3, new Rgb(1, 2, 3));
            Assert.Contains(frame.Pixels.ToArray(), value => value != 10);
        }
    }

    [Fact]
    public void A_box_is_drawn_in_the_colour_of_its_class()
    {
        using var frame = new Frame(100, 100);
        frame.Fill(0, 0, 0);
        var detections = new DetectionList();
        detections.Add(new Detection(3, 0.5f, 0.2f, 0.5f, 0.6f, 0.9f));
        new Annotator([]).Draw(frame, detections);
        Rgb color = Annotator.ColorOf(3);
        Assert.Equal((color.R, color.G, color.B), frame[40, 89]);
        Assert.Equal((color.R, color.G, color.B), frame[20, 70]);
        Assert.Equal((0, 0, 0), frame[40, 70]);
        Assert.Equal(12, Enumerable.Range(0, 12).Select(Annotator.ColorOf).Distinct().Count());
    }

    [Fact]
    public void A_letter_is_drawn_as_the_font_has_it()
    {
        using var frame = new Frame(6, 8);
        frame.Fill(0, 0, 0);
        Annotator.DrawText(frame, 0, 0, "L", 1, new Rgb(255, 255, 255));
        for (int y = 0; y < 8; y++)
            for (int x = 0; x < 6; x++) Assert.Equal(y < 7 && x < 5 && (x == 0 || y == 6) ? 255 : 0, frame[x, y].R);
    }
}
