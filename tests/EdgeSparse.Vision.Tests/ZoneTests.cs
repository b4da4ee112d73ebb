using System.Numerics;

namespace EdgeSparse.Vision.Tests;

public sealed class ZoneTests
{
    private static Polygon Area(string text)
    {
        Assert.True(Polygon.TryParse(text, out Polygon? polygon), text);
        return polygon;
    }

    [Theory]
    [InlineData("0.1,0.1 0.9,0.1")]
    [InlineData("0.1,0.1 0.9,0.1 0.5,1.1")]
    [InlineData("0.1,0.1 0.9,0.1 0.5,NaN")]
    [InlineData("0.1,0.1 0.9,0.1 0.5")]
    [InlineData("0.1,0.1 0.5,0.5 0.9,0.9")]
    [InlineData("0.1 0.1 0.9 0.1 0.5 0.5")]
    [InlineData("")]
    public void What_is_no_polygon_is_refused(string text) => Assert.False(Polygon.TryParse(text, out _));

    [Fact]
    public void Depth_is_the_distance_to_the_nearest_edge()
    {
        Polygon square = Area("0.2,0.2 0.8,0.2 0.8,0.8 0.2,0.8");
        Assert.Equal(0.3f, square.Depth(new Vector2(0.5f, 0.5f)), 5);
        Assert.Equal(0.1f, square.Depth(new Vector2(0.3f, 0.5f)), 5);
        Assert.Equal(-0.1f, square.Depth(new Vector2(0.1f, 0.5f)), 5);
        Assert.Equal(-MathF.Sqrt(0.02f), square.Depth(new Vector2(0.9f, 0.9f)), 5);
        Assert.True(square.Contains(new Vector2(0.2f, 0.2f)));
        Assert.True(square.Contains(new Vector2(0.8f, 0.5f)));
        Assert.True(square.Contains(new Vector2(0.5f, 0.8f)));
        Assert.False(square.Contains(new Vector2(float.NaN, 0.5f)));
        Assert.False(square.Contains(new Vector2(float.PositiveInfinity, 0.5f)));
    }

    /// <summary>Points on a grid that lies on the corners, where rays meet them, against a count of crossings in exact arithmetic.</summary>
    [Theory]
    [InlineData("0,0 1,0 1,1 0,1")]
    [InlineData("0.125,0.125 0.875,0.125 0.875,0.875 0.5,0.5 0.125,0.875")]
    [InlineData("0.5,0 1,0.5 0.5,1 0,0.5")]
    [InlineData("0,0 0.25,0.75 0.5,0 0.75,0.75 1,0 1,1 0,1")]
    [InlineData("0.125,0.25 0.875,0.25 0.875,0.25 0.875,0.75 0.125,0.75 0.125,0.5")]
    public void Inside_is_what_exact_arithmetic_says(string text)
    {
        Polygon polygon = Area(text);
        Vector2[] points = polygon.Points.ToArray();
        for (int row = -2; row <= 34; row++)
        {
            for (int column = -2; column <= 34; column++)
            {
                decimal x = column / 32m, y = row / 32m;
                bool inside = false, onEdge = false;
                for (int i = 0, j = points.Length - 1; i < points.Length; j = i++)
                {
                    (decimal ax, decimal ay, decimal bx, decimal by) = ((decimal)points[j].X, (decimal)points[j].Y, (decimal)points[i].X, (decimal)points[i].Y);
                    decimal cross = ((bx - ax) * (y - ay)) - ((by - ay) * (x - ax));
                    onEdge |= cross == 0 && x >= Math.Min(ax, bx) && x <= Math.Max(ax, bx) && y >= Math.Min(ay, by) && y <= Math.Max(ay, by);
                    if (ay > y != by > y && x < ax + ((bx - ax) * (y - ay) / (by - ay))) inside = !inside;
                }
                Assert.True((inside || onEdge) == polygon.Contains(new Vector2((float)x, (float)y)), $"{x},{y} in {text}: {inside} {onEdge}");
            }
        }
    }

    /// <summary>A tracker and a counter fed with one walker's foot point.</summary>
    private sealed class Walk
    {
        private readonly Tracker _tracker = new(new TrackerOptions { KeepSeconds = 0.5 });
        private int _frame;

        public Walk(Zone zone, int classes = 2) => Counter = new ZoneCounter([zone], classes);

        public ZoneCounter Counter { get; }

        public List<ZoneCrossing> Crossings { get; } = [];

        public void Step(params (float X, float Y)[] feet)
        {
            var list = new DetectionList();
            foreach ((float x, float y) in feet) list.Add(new Detection(0, 0.9f, x - 0.03f, y - 0.2f, x + 0.03f, y));
            _tracker.Update(list, _frame * 0.1);
            Counter.Update(_tracker.Tracks, _frame++ * 0.1);
            Crossings.AddRange(Counter.Crossings);
            Assert.Equal(Counter.Entered(0, 0) - Counter.Left(0, 0), Counter.Now(0, 0));
        }
    }

    [Fact]
    public void Who_crosses_is_counted_once_each_way()
    {
        var walk = new Walk(new Zone("door", Area("0.4,0 0.6,0 0.6,1 0.4,1")));
        for (int i = 0; i <= 50; i++) walk.Step((0.1f + (0.016f * i), 0.7f));
        Assert.Equal((1, 1, 0), (walk.Counter.Entered(0, 0), walk.Counter.Left(0, 0), walk.Counter.Now(0, 0)));
        Assert.Equal([true, false], walk.Crossings.Select(crossing => crossing.Entered));
        Assert.All(walk.Crossings, crossing => Assert.Equal((1L, 0), (crossing.TrackId, crossing.LabelId)));
        Assert.InRange(walk.Crossings[1].Seconds, 1.0, 1.7);
        Assert.Equal(0, walk.Counter.Entered(0, 1));
    }

    [Fact]
    public void Who_stands_on_the_line_is_not_counted_again_and_again()
    {
        var random = new Random(3);
        var walk = new Walk(new Zone("door", Area("0.5,0 1,0 1,1 0.5,1"), Margin: 0.03f));
        for (int i = 0; i < 500; i++) walk.Step((0.5f + ((random.NextSingle() - 0.5f) * 0.02f), 0.7f));
        Assert.Equal((1, 0, 1), (walk.Counter.Entered(0, 0), walk.Counter.Left(0, 0), walk.Counter.Now(0, 0)));

        // Without the margin it would be.
        walk = new Walk(new Zone("door", Area("0.5,0 1,0 1,1 0.5,1"), Margin: 0));
        for (int i = 0; i < 500; i++) walk.Step((0.5f + ((random.NextSingle() - 0.5f) * 0.02f), 0.7f));
        Assert.True(walk.Counter.Entered(0, 0) > 20);
    }

    [Fact]
    public void The_foot_or_the_middle_of_a_box_decides()
    {
        var low = new Walk(new Zone("floor", Area("0,0.6 1,0.6 1,1 0,1")));
        var high = new Walk(new Zone("wall", Area("0,0 1,0 1,0.6 0,0.6"), ZoneAnchor.Center));
        for (int i = 0; i < 5; i++)
        {
            low.Step((0.5f, 0.65f));
            high.Step((0.5f, 0.65f));
        }
        Assert.Equal(1, low.Counter.Now(0, 0));
        Assert.Equal(1, high.Counter.Now(0, 0));
    }

    [Fact]
    public void Who_disappears_inside_has_left_when_the_track_ends()
    {
        var walk = new Walk(new Zone("all", Area("0,0 1,0 1,1 0,1")));
        for (int i = 0; i < 4; i++) walk.Step((0.2f, 0.5f), (0.8f, 0.5f));
        Assert.Equal(2, walk.Counter.Now(0, 0));
        walk.Step((0.8f, 0.5f));
        Assert.Equal(2, walk.Counter.Now(0, 0));
        for (int i = 0; i < 8; i++) walk.Step((0.8f, 0.5f));
        Assert.Equal((2, 1, 1), (walk.Counter.Entered(0, 0), walk.Counter.Left(0, 0), walk.Counter.Now(0, 0)));
        Assert.Equal(0u, walk.Counter.ZonesOf(1));
        Assert.Equal(1u, walk.Counter.ZonesOf(2));
        Assert.Equal(0u, walk.Counter.ZonesOf(0));
    }

    [Fact]
    public void Labels_that_are_not_asked_for_are_passed_over()
    {
        var walk = new Walk(new Zone("dogs", Area("0,0 1,0 1,1 0,1")) { Labels = new HashSet<int> { 1 } });
        for (int i = 0; i < 4; i++) walk.Step((0.5f, 0.5f));
        Assert.Equal(0, walk.Counter.Entered(0, 0));
    }

    [Fact]
    public void Many_objects_in_many_zones_add_up()
    {
        var zones = Enumerable.Range(0, ZoneCounter.MaximumZones).Select(i => new Zone($"z{i}", Area($"{i / 40f:0.###},0 {(i + 6) / 40f:0.###},0 {(i + 6) / 40f:0.###},1 {i / 40f:0.###},1"))).ToList();
        var counter = new ZoneCounter(zones, 3);
        var tracker = new Tracker(new TrackerOptions { KeepSeconds = 0.3 });
        var random = new Random(5);
        var list = new DetectionList();
        for (int frame = 0; frame < 400; frame++)
        {
            list.Clear();
            for (int i = 0; i < 90; i++)
            {
                if (random.Next(10) == 0) continue;
                float x = ((i * 0.011f) + (frame * 0.002f)) % 1, y = 0.1f + (0.8f * (i % 7) / 7);
                list.Add(new Detection(i % 4, 0.9f, x - 0.005f, y - 0.02f, x + 0.005f, y));
            }
            tracker.Update(list, frame / 15.0);
            counter.Update(tracker.Tracks, frame / 15.0);
            for (int zone = 0; zone < zones.Count; zone++)
            {
                for (int label = 0; label < 3; label++)
                {
                    int inside = 0;
                    foreach (Track track in tracker.Tracks)
                        if (track.LabelId == label && (counter.ZonesOf(track.Id) >> zone & 1) != 0) inside++;
                    Assert.Equal(inside, counter.Now(zone, label));
                }
            }
        }
        Assert.True(Enumerable.Range(0, zones.Count).Sum(zone => counter.Entered(zone, 0)) > 100);
        Assert.Throws<ArgumentOutOfRangeException>(() => new ZoneCounter([.. zones, zones[0]], 1));
    }
}
