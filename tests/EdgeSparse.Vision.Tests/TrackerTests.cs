namespace EdgeSparse.Vision.Tests;

public sealed class TrackerTests
{
    private static DetectionList List(params Detection[] detections)
    {
        var list = new DetectionList();
        foreach (Detection detection in detections) list.Add(detection);
        return list;
    }

    private static Detection At(float x, float y, float score = 0.9f, int label = 0, float width = 0.1f, float height = 0.2f) =>
        new(label, score, x - (width / 2), y - (height / 2), x + (width / 2), y + (height / 2));

    private static long[] Ids(DetectionList list) => [.. list.Items.ToArray().Select(detection => detection.TrackId)];

    /// <summary>What a tracker did to objects whose identity is known.</summary>
    private sealed class Score
    {
        private readonly Dictionary<long, long> _idOf = [];
        private readonly Dictionary<long, long> _objectOf = [];

        /// <summary>Frames in which an object has another id than when it was seen last.</summary>
        public int Switches { get; private set; }

        /// <summary>Frames in which an id is at another object than when it was seen last.</summary>
        public int Stolen { get; private set; }

        public int Objects => _idOf.Count;

        public int Boxes { get; private set; }

        public int Unnamed { get; private set; }

        public void Add(ReadOnlySpan<long> objects, DetectionList tracked)
        {
            for (int i = 0; i < objects.Length; i++)
            {
                if (objects[i] == 0) continue;
                Boxes++;
                long id = tracked[i].TrackId;
                if (id == 0)
                {
                    Unnamed++;
                    continue;
                }
                if (_idOf.TryGetValue(objects[i], out long before) && before != id) Switches++;
                if (_objectOf.TryGetValue(id, out long other) && other != objects[i]) Stolen++;
                _idOf[objects[i]] = id;
                _objectOf[id] = objects[i];
            }
        }
    }

    /// <summary>The street's true boxes through the tracker, made as bad as detectors make them.</summary>
    /// <param name="jitter">Standard deviation of each side, as a share of the box.</param>
    /// <param name="missed">Share of boxes that are not there.</param>
    /// <param name="low">Share of boxes with a low score.</param>
    /// <param name="invented">Boxes for each frame that are no object.</param>
    /// <param name="every">Each so many frames of the street's 15 a second.</param>
    private static Score Street(float jitter, float missed, float low, float invented, int every)
    {
        var score = new Score();
        using var frame = new Frame(1, 1);
        long next = 1;
        for (ulong seed = 1; seed <= 3; seed++)
        {
            var tracker = new Tracker(new TrackerOptions { NextId = () => next++ });
            var random = new Random((int)seed);
            using var scene = new SyntheticScene(96, 72, seed);
            DetectionList truth = new(), seen = new();
            var objects = new List<long>();
            float Noise() => (random.NextSingle() + random.NextSingle() + random.NextSingle() - 1.5f) * 2 * jitter;
            for (int i = 0; i < 900; i += every)
            {
                scene.Render(i, frame, truth);
                seen.Clear();
                objects.Clear();
                foreach (Detection box in truth)
                {
                    if (random.NextSingle() < missed) continue;
                    objects.Add(box.TrackId);
                    float confidence = random.NextSingle() < low ? 0.2f : 0.5f + (0.4f * random.NextSingle());
                    seen.Add(new Detection(box.LabelId, confidence, box.XMin + (Noise() * box.Width), box.YMin + (Noise() * box.Height), box.XMax + (Noise() * box.Width), box.YMax + (Noise() * box.Height)));
                }
                if (random.NextSingle() < invented)
                {
                    objects.Add(0);
                    seen.Add(At(random.NextSingle(), random.NextSingle(), 0.5f, random.Next(5)));
                }
                tracker.Update(seen, i / SyntheticScene.FramesPerSecond);
                score.Add(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(objects), seen);
            }
        }
        return score;
    }

    [Theory]
    [InlineData(0f, 0f, 0f, 0f, 1, 0.0035)]
    [InlineData(0.03f, 0.1f, 0.1f, 0.2f, 1, 0.006)]
    [InlineData(0.03f, 0.1f, 0.1f, 0.2f, 3, 0.02)]
    public void On_the_street_objects_keep_their_ids(float jitter, float missed, float low, float invented, int every, double mostExchanged)
    {
        Score score = Street(jitter, missed, low, invented, every);
        string figures = $"{score.Objects} objects, {score.Boxes} boxes, {score.Switches} switches, {score.Stolen} stolen, {score.Unnamed} unnamed";
        Assert.True(score.Objects > 100 && score.Boxes > 2000, figures);
        Assert.True(score.Switches <= mostExchanged * score.Boxes, figures);
        Assert.True(score.Unnamed <= 0.08 * score.Boxes, figures);
        Assert.True(score.Stolen <= mostExchanged * score.Boxes, figures);
    }

    [Fact]
    public void An_object_gets_its_id_when_it_is_seen_again_and_keeps_it_through_a_gap()
    {
        var tracker = new Tracker(new TrackerOptions { KeepSeconds = 1 });
        DetectionList list = List(At(0.2f, 0.5f));
        tracker.Update(list, 0);
        Assert.Equal([0L], Ids(list));
        for (int i = 1; i < 10; i++)
        {
            list = List(At(0.2f + (0.02f * i), 0.5f));
            tracker.Update(list, i * 0.1);
            Assert.Equal([1L], Ids(list));
        }
        // Hidden for 0.8 seconds; where it comes out is where it would have gone.
        for (int i = 10; i < 17; i++) tracker.Update(List(), i * 0.1);
        Assert.Equal(1, tracker.Tracks.Length);
        Assert.InRange(tracker.Tracks[0].VelocityX, 0.05f, 0.25f);
        list = List(At(0.2f + (0.02f * 15), 0.5f));
        tracker.Update(list, 1.7);
        Assert.Equal([1L], Ids(list));
        // Gone for good: the next one is another.
        tracker.Update(List(), 1.8);
        tracker.Update(List(), 3);
        Assert.Equal(0, tracker.Tracks.Length);
        tracker.Update(List(At(0.5f, 0.5f)), 3.1);
        list = List(At(0.5f, 0.5f));
        tracker.Update(list, 3.2);
        Assert.Equal([2L], Ids(list));
    }

    [Fact]
    public void Low_scores_continue_a_track_and_begin_none()
    {
        var tracker = new Tracker(new TrackerOptions { HighScore = 0.5f, LowScore = 0.1f });
        for (int i = 0; i < 5; i++) tracker.Update(List(At(0.5f, 0.5f, 0.3f)), i);
        Assert.Equal(0, tracker.Tracks.Length);
        tracker.Update(List(At(0.5f, 0.5f)), 5);
        tracker.Update(List(At(0.5f, 0.5f)), 5.1);
        DetectionList list = List(At(0.5f, 0.5f, 0.3f), At(0.8f, 0.5f, 0.05f));
        tracker.Update(list, 5.2);
        Assert.Equal([1L, 0L], Ids(list));
    }

    [Fact]
    public void Two_who_pass_each_other_are_not_exchanged_and_labels_are_not_mixed()
    {
        var tracker = new Tracker(new TrackerOptions());
        long[] ids = [];
        for (int i = 0; i < 40; i++)
        {
            DetectionList list = List(At(0.1f + (0.02f * i), 0.5f), At(0.9f - (0.02f * i), 0.52f), At(0.5f, 0.5f, label: 1));
            tracker.Update(list, i / 15.0);
            if (i == 1) ids = Ids(list);
            if (i >= 1) Assert.Equal(ids, Ids(list));
        }
        Assert.Equal(3, tracker.Confirmed);
    }

    [Fact]
    public void A_flash_gets_no_id()
    {
        var tracker = new Tracker(new TrackerOptions());
        for (int i = 0; i < 20; i++)
        {
            DetectionList list = i % 2 == 0 ? List(At(0.5f, 0.5f)) : List();
            tracker.Update(list, i / 15.0);
            Assert.All(Ids(list), id => Assert.Equal(0, id));
        }
        Assert.Equal(0, tracker.Confirmed);
    }

    [Fact]
    public void Ids_come_from_outside_where_they_must_outlive_the_tracker()
    {
        long next = 1000;
        var tracker = new Tracker(new TrackerOptions { NextId = () => next++, ConfirmFrames = 1 });
        DetectionList list = List(At(0.2f, 0.2f), At(0.8f, 0.8f));
        tracker.Update(list, 0);
        Assert.Equal([1000L, 1001L], Ids(list));
        tracker.Clear();
        tracker.Update(list, 1);
        Assert.Equal([1002L, 1003L], Ids(list));
    }

    [Fact]
    public void Hostile_detections_and_times_do_no_harm()
    {
        var tracker = new Tracker(new TrackerOptions { MaximumTracks = 64 });
        float[] odd = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, -float.MaxValue, float.Epsilon, 0, -0f, 1, 0.5f];
        double[] times = [double.NaN, 0, 1, -5, double.PositiveInfinity, 1.1, double.NegativeInfinity, 1.2, 1e300, 1.3];
        var random = new Random(1);
        var given = new HashSet<long>();
        var list = new DetectionList();
        for (int i = 0; i < 2000; i++)
        {
            list.Clear();
            // None, few, and many more than there may be tracks.
            int count = (i % 3) switch { 0 => 0, 1 => 5, _ => 300 };
            float Value() => random.Next(4) == 0 ? odd[random.Next(odd.Length)] : random.NextSingle();
            for (int j = 0; j < count; j++) list.Add(new Detection(random.Next(-1, 3), Value(), Value(), Value(), Value(), Value()) { TrackId = 77 });
            tracker.Update(list, i % 7 == 0 ? times[i / 7 % times.Length] : i * 0.05);
            Assert.InRange(tracker.Tracks.Length, 0, 64);
            long[] ids = [.. Ids(list).Where(id => id != 0)];
            Assert.Equal(ids.Length, ids.Distinct().Count());
            for (int j = 0; j < list.Count; j++)
                if (!float.IsFinite(list[j].Score) || list[j].Score < 0.1f) Assert.Equal(0, list[j].TrackId);
            given.UnionWith(ids);
        }
        Assert.All(given, id => Assert.InRange(id, 1, tracker.Confirmed));
        // And works on afterwards.
        tracker.Clear();
        tracker.Update(List(At(0.5f, 0.5f)), 2e300);
        DetectionList good = List(At(0.5f, 0.5f));
        tracker.Update(good, 2e300);
        Assert.NotEqual(0, good[0].TrackId);
    }

    [Fact]
    public void When_all_places_are_taken_the_one_not_seen_longest_gives_way()
    {
        var tracker = new Tracker(new TrackerOptions { MaximumTracks = 2, ConfirmFrames = 1, KeepSeconds = 100 });
        tracker.Update(List(At(0.1f, 0.5f)), 0);
        tracker.Update(List(At(0.5f, 0.5f)), 1);
        DetectionList list = List(At(0.5f, 0.5f), At(0.9f, 0.5f));
        tracker.Update(list, 2);
        Assert.Equal([2L, 3L], Ids(list));
        // All are seen: a third has no place, and nobody loses theirs.
        list = List(At(0.1f, 0.5f), At(0.5f, 0.5f), At(0.9f, 0.5f));
        tracker.Update(list, 3);
        Assert.Equal([0L, 2L, 3L], Ids(list));
    }

    [Fact]
    public void Nothing_is_allocated_for_a_frame()
    {
        var tracker = new Tracker(new TrackerOptions());
        Assert.True(Polygon.TryParse("0,0.4 1,0.4 1,0.7 0,0.7", out Polygon? area));
        var zones = new ZoneCounter([new Zone("road", area)], 5);
        using var scene = new SyntheticScene(96, 72, 4);
        using var frame = new Frame(96, 72);
        var truth = new DetectionList();
        long inside = 0;
        void Step(int i)
        {
            scene.Render(i, frame, truth);
            tracker.Update(truth, i / 15.0);
            zones.Update(tracker.Tracks, i / 15.0);
            foreach (ref readonly Detection box in truth.Items) inside += zones.ZonesOf(box.TrackId);
        }
        for (int i = 0; i < 300; i++) Step(i);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 300; i < 600; i++) Step(i);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(inside > 100);
    }
}
