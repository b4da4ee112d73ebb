namespace EdgeSparse.Vision;

/// <summary>
/// Which tracked objects are in which zone, and how many came and went. An object that appears within a zone has entered it and one whose track ends within has left, so for every
/// zone and label entered − left = now. Nothing is allocated for a frame once the lists have grown. Update is for one thread; counts may be read by others.
/// </summary>
public sealed class ZoneCounter
{
    /// <summary>Zones of one camera, a bit each.</summary>
    public const int MaximumZones = 32;

    private readonly Zone[] _zones;
    private readonly int _classes;
    private readonly long[] _entered;
    private readonly long[] _left;
    private Member[] _members = new Member[64];
    /// <summary>When each member entered each zone.</summary>
    private double[] _since = new double[64 * MaximumZones];
    private ZoneCrossing[] _crossings = new ZoneCrossing[16];
    private int _memberCount;
    private int _crossingCount;
    private uint _turn;

    /// <param name="zones">At most <see cref="MaximumZones"/>.</param>
    /// <param name="classes">Label ids are below it; others are not counted.</param>
    public ZoneCounter(IReadOnlyList<Zone> zones, int classes)
    {
        ArgumentNullException.ThrowIfNull(zones);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(zones.Count, MaximumZones);
        _zones = [.. zones];
        _classes = classes;
        _entered = new long[zones.Count * classes];
        _left = new long[zones.Count * classes];
    }

    public IReadOnlyList<Zone> Zones => _zones;

    public int Classes => _classes;

    /// <summary>What happened in the latest frame.</summary>
    public ReadOnlySpan<ZoneCrossing> Crossings => _crossings.AsSpan(0, _crossingCount);

    /// <summary>Objects that came in since the start.</summary>
    public long Entered(int zone, int label) => Volatile.Read(ref _entered[(zone * _classes) + label]);

    /// <summary>Objects that went out since the start.</summary>
    public long Left(int zone, int label) => Volatile.Read(ref _left[(zone * _classes) + label]);

    /// <summary>Objects inside now.</summary>
    public int Now(int zone, int label)
    {
        long left = Left(zone, label);
        return (int)Math.Max(0, Entered(zone, label) - left);
    }

    /// <summary>The zones an object is in, a bit each; 0 for ids that are not tracked.</summary>
    public uint ZonesOf(long trackId)
    {
        if (trackId == 0) return 0;
        int at = Find(trackId);
        return at < 0 ? 0 : _members[at].Inside;
    }

    /// <summary>Takes the tracks of the next frame; those without an id are passed over.</summary>
    /// <param name="tracks">All that are followed, seen in this frame or not.</param>
    /// <param name="seconds">When the frame was captured.</param>
    public void Update(ReadOnlySpan<Track> tracks, double seconds)
    {
        _crossingCount = 0;
        _turn++;
        foreach (ref readonly Track track in tracks)
        {
            if (!track.IsConfirmed || (uint)track.LabelId >= (uint)_classes) continue;
            int at = Find(track.Id);
            if (at < 0) at = Add(track);
            ref Member member = ref _members[at];
            member.Turn = _turn;
            member.Score = track.Score;
            // Where an unseen object would be is a guess; it stays where it was seen last.
            if (track.IsSeen) Place(ref member, at, track, seconds);
        }
        int kept = 0;
        for (int i = 0; i < _memberCount; i++)
        {
            if (_members[i].Turn != _turn)
            {
                for (int zone = 0; zone < _zones.Length; zone++)
                    if ((_members[i].Inside >> zone & 1) != 0) Leave(ref _members[i], i, zone, seconds);
                continue;
            }
            if (kept != i)
            {
                _members[kept] = _members[i];
                _since.AsSpan(i * MaximumZones, MaximumZones).CopyTo(_since.AsSpan(kept * MaximumZones));
            }
            kept++;
        }
        _memberCount = kept;
    }

    private void Place(ref Member member, int at, in Track track, double seconds)
    {
        for (int zone = 0; zone < _zones.Length; zone++)
        {
            Zone area = _zones[zone];
            if (area.Labels is not null && !area.Labels.Contains(track.LabelId)) continue;
            float depth = area.Area.Depth(area.PointOf(track));
            bool inside = (member.Inside >> zone & 1) != 0;
            if (!inside && depth >= 0) Enter(ref member, at, zone, seconds);
            else if (inside && depth < -area.Margin) Leave(ref member, at, zone, seconds);
        }
    }

    private void Enter(ref Member member, int at, int zone, double seconds)
    {
        member.Inside |= 1u << zone;
        _since[(at * MaximumZones) + zone] = seconds;
        Volatile.Write(ref _entered[(zone * _classes) + member.LabelId], _entered[(zone * _classes) + member.LabelId] + 1);
        Add(new ZoneCrossing(zone, true, member.Id, member.LabelId, member.Score, 0));
    }

    private void Leave(ref Member member, int at, int zone, double seconds)
    {
        member.Inside &= ~(1u << zone);
        Volatile.Write(ref _left[(zone * _classes) + member.LabelId], _left[(zone * _classes) + member.LabelId] + 1);
        Add(new ZoneCrossing(zone, false, member.Id, member.LabelId, member.Score, Math.Max(0, seconds - _since[(at * MaximumZones) + zone])));
    }

    private void Add(in ZoneCrossing crossing)
    {
        if (_crossingCount == _crossings.Length) Array.Resize(ref _crossings, _crossingCount * 2);
        _crossings[_crossingCount++] = crossing;
    }

    private int Add(in Track track)
    {
        if (_memberCount == _members.Length)
        {
            Array.Resize(ref _members, _memberCount * 2);
            Array.Resize(ref _since, _members.Length * MaximumZones);
        }
        _members[_memberCount] = new Member { Id = track.Id, LabelId = track.LabelId };
        return _memberCount++;
    }

    private int Find(long trackId)
    {
        for (int i = 0; i < _memberCount; i++)
            if (_members[i].Id == trackId) return i;
        return -1;
    }

    private struct Member
    {
        public long Id;
        public int LabelId;
        public float Score;
        public uint Inside;
        public uint Turn;
    }
}
