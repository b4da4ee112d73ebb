namespace EdgeSparse.Vision.Tests;

public sealed class SceneTests
{
    [Fact]
    public void A_frame_depends_on_size_seed_and_index_only()
    {
        using var first = new SyntheticScene(160, 120, 5);
        using var second = new SyntheticScene(160, 120, 5);
        using Frame a = new(1, 1), b = new(1, 1);
        DetectionList truthA = new(), truthB = new();
        for (int i = 0; i < 20; i++) first.Render(i * 17, a, truthA);
        foreach (long index in new[] { 323L, 0, 7, 1_000_000_000_000, -40 })
        {
            first.Render(index, a, truthA);
            second.Render(index, b, truthB);
            Assert.True(a.Pixels.SequenceEqual(b.Pixels));
            Assert.True(truthA.Items.SequenceEqual(truthB.Items));
        }
        using var other = new SyntheticScene(160, 120, 6);
        other.Render(-40, b, truthB);
        Assert.False(a.Pixels.SequenceEqual(b.Pixels));
    }

    [Fact]
    public void All_classes_appear_with_boxes_inside_the_frame()
    {
        var seen = new int[SyntheticScene.Labels.Count];
        var truth = new DetectionList();
        using var frame = new Frame(1, 1);
        for (ulong seed = 0; seed < 6; seed++)
        {
            using var scene = new SyntheticScene(320, 240, seed);
            for (int i = 0; i < 40; i++)
            {
                scene.Render(i * 31, frame, truth);
                foreach (Detection box in truth)
                {
                    seen[box.LabelId]++;
                    Assert.True(box.XMin >= 0 && box.YMin >= 0 && box.XMax <= 1 && box.YMax <= 1 && box.XMin < box.XMax && box.YMin < box.YMax);
                }
            }
        }
        Assert.All(seen, count => Assert.InRange(count, 20, int.MaxValue));
    }

    /// <summary>What moves from one frame to the next is inside true boxes of either, but for noise, shadows on the ground and objects too hidden or small to count.</summary>
    [Fact]
    public void Boxes_lie_where_the_picture_moves()
    {
        using var scene = new SyntheticScene(320, 240, 21);
        using Frame a = new(1, 1), b = new(1, 1);
        DetectionList before = new(), after = new();
        int inside = 0, outside = 0;
        for (int i = 0; i < 60; i++)
        {
            scene.Render(i * 13, a, before);
            scene.Render((i * 13) + 1, b, after);
            for (int y = 0; y < 240; y++)
            {
                for (int x = 0; x < 320; x++)
                {
                    (byte r0, byte g0, byte b0) = a[x, y];
                    (byte r1, byte g1, byte b1) = b[x, y];
                    if (Math.Abs(r0 - r1) + Math.Abs(g0 - g1) + Math.Abs(b0 - b1) < 90) continue;
                    if (Covers(before, x / 320f, y / 240f) || Covers(after, x / 320f, y / 240f)) inside++;
                    else outside++;
                }
            }
        }
        Assert.InRange(inside, 5000, int.MaxValue);
        Assert.True(outside < 0.06 * inside, $"{outside} moving pixels outside boxes, {inside} inside");
    }

    [Theory]
    [InlineData(16, 16)]
    [InlineData(17, 4096)]
    [InlineData(4095, 19)]
    [InlineData(641, 479)]
    public void Any_size_can_be_rendered(int width, int height)
    {
        using var scene = new SyntheticScene(width, height, 3);
        using var frame = new Frame(1, 1);
        for (int i = 0; i < 5; i++) scene.Render(i * 100, frame, null);
        Assert.Equal((width, height), (frame.Width, frame.Height));
    }

    [Fact]
    public void Sizes_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new SyntheticScene(15, 100, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SyntheticScene(100, 4097, 1));
    }

    private static bool Covers(DetectionList boxes, float x, float y)
    {
        foreach (Detection box in boxes)
            if (x >= box.XMin - 0.01f && x <= box.XMax + 0.01f && y >= box.YMin - 0.01f && y <= box.YMax + 0.012f) return true;
        return false;
    }
}
