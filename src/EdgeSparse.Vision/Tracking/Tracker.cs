namespace EdgeSparse.Vision;

/// <summary>
/// Gives the detections of one camera ids that stay with the object. Each track moves on with constant velocity; detections of high score are matched to it first, then those of
/// low score to what is left, so that an object half hidden keeps its id (ByteTrack, Zhang et al., ECCV 2022, arXiv:2110.06864). Two boxes of the same label are alike by their intersection
/// over union less the squared distance of their centres over the squared diagonal around both (distance-IoU, Zheng et al., AAAI 2020), which also tells small and fast objects apart that do not
/// overlap; the best pairs are taken first. Nothing is allocated for a frame once the lists have grown. For one thread at a time.
/// </summary>
public sealed class Tracker
{
    /// <summary>Alike enough for a detection of high score: neighbours, with or without overlap.</summary>
    private const float HighGate = -0.35f;

    /// <summary>Alike enough for a track that was not seen in the frame before: where it would be is less certain, and so whose detection that is.</summary>
    private const float LostGate = -0.1f;

    /// <summary>Alike enough for one of low score, which is less trusted.</summary>
    private const float LowGate = 0.15f;

    /// <summary>Boxes whose sides differ by a larger factor are not the same object.</summary>
    private const float MostGrowth = 2.2f;

    /// <summary>Share of a measurement that goes into the position (alpha) and, at last, into the velocity (beta) of the alpha-beta filter.</summary>
    private const float PositionGain = 0.75f;
    private const float VelocityGain = 0.25f;
    private const float SizeGain = 0.5f;

    /// <summary>Velocity fades with this time constant while an object is not seen: it may have stopped.</summary>
    private const double FadeSeconds = 1.0;

    /// <summary>Nothing is predicted further than this.</summary>
    private const double LongestStepSeconds = 10;

    private readonly TrackerOptions _options;
    private readonly Track[] _tracks;
    private readonly int[] _matched;
    private int[] _taken = new int[128];
    private Pair[] _pairs = new Pair[512];
    private int _count;
    private int _pairCount;
    private long _lastId;
    private double _seconds = double.MinValue;

    public Tracker(TrackerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaximumTracks, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.ConfirmFrames, 1);
        _options = options;
        _tracks = new Track[options.MaximumTracks];
        _matched = new int[options.MaximumTracks];
    }

    /// <summary>All tracks, those not yet confirmed and those not seen in this frame included, oldest first.</summary>
    public ReadOnlySpan<Track> Tracks => _tracks.AsSpan(0, _count);

    /// <summary>Ids given so far.</summary>
    public long Confirmed { get; private set; }

    /// <summary>Takes the detections of the next frame and writes the ids of confirmed tracks into them; other detections get 0.</summary>
    /// <param name="detections">In any order; one with a score or coordinate that is not finite, or without area, is passed over.</param>
    /// <param name="seconds">When the frame was captured, by any clock that does not go back; a step back counts as no time.</param>
    public void Update(DetectionList detections, double seconds)
    {
        ArgumentNullException.ThrowIfNull(detections);
        Predict(seconds);
        if (_taken.Length < detections.Count) _taken = new int[Math.Max(detections.Count, _taken.Length * 2)];
        for (int i = 0; i < detections.Count; i++)
        {
            _taken[i] = IsUsable(detections[i]) ? 0 : 1;
            detections.SetTrackId(i, 0);
        }
        Match(detections.Items, _options.HighScore, float.PositiveInfinity, HighGate, confirmedOnly: false);
        Match(detections.Items, _options.LowScore, _options.HighScore, LowGate, confirmedOnly: true);
        Forget();
        Begin(detections.Items);
        for (int i = 0; i < _count; i++)
            if (_tracks[i] is { IsSeen: true, IsConfirmed: true }) detections.SetTrackId(_tracks[i].Detection, _tracks[i].Id);
    }

    /// <summary>Forgets all tracks, as after a change of the scene. Ids are not given again.</summary>
    public void Clear() => _count = 0;

    private static bool IsUsable(in Detection box) =>
        float.IsFinite(box.Score) && float.IsFinite(box.XMin) && float.IsFinite(box.YMin) && float.IsFinite(box.XMax) && float.IsFinite(box.YMax) && box.Width > 0 && box.Height > 0;

    private void Predict(double seconds)
    {
        double elapsed = double.IsFinite(seconds) ? Math.Clamp(seconds - _seconds, 0, LongestStepSeconds) : 0;
        if (double.IsFinite(seconds)) _seconds = Math.Max(_seconds, seconds);
        float step = (float)elapsed, fade = (float)Math.Exp(-elapsed / FadeSeconds);
        for (int i = 0; i < _count; i++)
        {
            ref Track track = ref _tracks[i];
            if (!track.IsSeen)
            {
                track.VelocityX *= fade;
                track.VelocityY *= fade;
            }
            track.X += track.VelocityX * step;
            track.Y += track.VelocityY * step;
            _matched[i] = -1;
        }
    }

    /// <summary>Pairs the detections whose score is in [from, below) with tracks that have none, best pairs first.</summary>
    private void Match(ReadOnlySpan<Detection> detections, float from, float below, float gate, bool confirmedOnly)
    {
        _pairCount = 0;
        for (int track = 0; track < _count; track++)
        {
            if (_matched[track] >= 0 || (confirmedOnly && !_tracks[track].IsConfirmed)) continue;
            Detection predicted = _tracks[track].Box;
            float least = _tracks[track].IsSeen ? gate : Math.Max(gate, LostGate);
            for (int i = 0; i < detections.Length; i++)
            {
                ref readonly Detection detection = ref detections[i];
                if (_taken[i] != 0 || detection.LabelId != predicted.LabelId || !(detection.Score >= from) || detection.Score >= below) continue;
                float alike = Likeness(predicted, detection);
                if (alike >= least) AddPair(new Pair(alike, track, i));
            }
        }
        Span<Pair> sorted = _pairs.AsSpan(0, _pairCount);
        sorted.Sort();
        foreach (ref readonly Pair pair in sorted)
        {
            if (_matched[pair.Track] >= 0 || _taken[pair.Detection] != 0) continue;
            _matched[pair.Track] = pair.Detection;
            _taken[pair.Detection] = 1;
            Correct(ref _tracks[pair.Track], detections[pair.Detection], pair.Detection);
        }
    }

    /// <summary>Distance-IoU, −1…1; −1 for boxes of too different size.</summary>
    private static float Likeness(in Detection a, in Detection b)
    {
        if (Differs(a.Width, b.Width) && Differs(a.Height, b.Height)) return -1;
        float dx = ((a.XMin + a.XMax) - (b.XMin + b.XMax)) / 2, dy = ((a.YMin + a.YMax) - (b.YMin + b.YMax)) / 2;
        float width = Math.Max(a.XMax, b.XMax) - Math.Min(a.XMin, b.XMin), height = Math.Max(a.YMax, b.YMax) - Math.Min(a.YMin, b.YMin);
        float likeness = Detection.Iou(a, b) - (((dx * dx) + (dy * dy)) / ((width * width) + (height * height)));
        return float.IsFinite(likeness) ? likeness : -1;
    }

    private static bool Differs(float a, float b) => a > b * MostGrowth || b > a * MostGrowth;

    private void AddPair(in Pair pair)
    {
        if (_pairCount == _pairs.Length) Array.Resize(ref _pairs, _pairCount * 2);
        _pairs[_pairCount++] = pair;
    }

    private void Correct(ref Track track, in Detection detection, int index)
    {
        float x = (detection.XMin + detection.XMax) / 2, y = (detection.YMin + detection.YMax) / 2;
        float elapsed = (float)(_seconds - track.LastSeconds);
        track.Hits++;
        if (elapsed > 0)
        {
            // The first measurements say all there is to know of the velocity.
            float gain = Math.Max(VelocityGain, 1f / (track.Hits - 1)) / elapsed;
            track.VelocityX += gain * (x - track.X);
            track.VelocityY += gain * (y - track.Y);
        }
        track.X += PositionGain * (x - track.X);
        track.Y += PositionGain * (y - track.Y);
        track.Width += SizeGain * (detection.Width - track.Width);
        track.Height += SizeGain * (detection.Height - track.Height);
        track.Score = detection.Score;
        track.LastSeconds = _seconds;
        track.Detection = index;
        if (!track.IsConfirmed && track.Hits >= _options.ConfirmFrames) Confirm(ref track);
    }

    private void Confirm(ref Track track)
    {
        track.Id = _options.NextId?.Invoke() ?? ++_lastId;
        Confirmed++;
    }

    /// <summary>Ends tracks that were not seen for too long, and at once those that were never confirmed or would be outside the frame by now.</summary>
    private void Forget()
    {
        int kept = 0;
        for (int i = 0; i < _count; i++)
        {
            ref Track track = ref _tracks[i];
            if (_matched[i] < 0)
            {
                track.Detection = -1;
                if (!track.IsConfirmed || _seconds - track.LastSeconds > _options.KeepSeconds || !(track is { X: > 0 and < 1, Y: > 0 and < 1 })) continue;
            }
            _tracks[kept++] = track;
        }
        _count = kept;
    }

    private void Begin(ReadOnlySpan<Detection> detections)
    {
        for (int i = 0; i < detections.Length; i++)
        {
            ref readonly Detection detection = ref detections[i];
            if (_taken[i] != 0 || !(detection.Score >= _options.HighScore)) continue;
            if (_count == _tracks.Length && !MakeRoom()) return;
            ref Track track = ref _tracks[_count++];
            track = new Track
            {
                LabelId = detection.LabelId,
                Score = detection.Score,
                X = (detection.XMin + detection.XMax) / 2,
                Y = (detection.YMin + detection.YMax) / 2,
                Width = detection.Width,
                Height = detection.Height,
                FirstSeconds = _seconds,
                LastSeconds = _seconds,
                Hits = 1,
                Detection = i,
            };
            if (_options.ConfirmFrames == 1) Confirm(ref track);
        }
    }

    /// <summary>Ends the track that was not seen for longest; false where all were seen in this frame.</summary>
    private bool MakeRoom()
    {
        int oldest = -1;
        for (int i = 0; i < _count; i++)
            if (!_tracks[i].IsSeen && (oldest < 0 || _tracks[i].LastSeconds < _tracks[oldest].LastSeconds)) oldest = i;
        if (oldest < 0) return false;
        _tracks.AsSpan(oldest + 1, _count - oldest - 1).CopyTo(_tracks.AsSpan(oldest));
        _count--;
        return true;
    }

    private readonly record struct Pair(float Likeness, int Track, int Detection) : IComparable<Pair>
    {
        public int CompareTo(Pair other) => Likeness != other.Likeness ? other.Likeness.CompareTo(Likeness) : Track != other.Track ? Track.CompareTo(other.Track) : Detection.CompareTo(other.Detection);
    }
}
