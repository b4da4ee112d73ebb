namespace EdgeSparse.Vision;

/// <summary>One result: a labelled box, or, from a classifier, a label with the whole frame as its box. Coordinates are 0…1 of the frame, origin at the top left.</summary>
public readonly record struct Detection(int LabelId, float Score, float XMin, float YMin, float XMax, float YMax)
{
    /// <summary>Which object it is over time; 0 = not known. See <see cref="Tracker"/>.</summary>
    public long TrackId { get; init; }

    public float Width => XMax - XMin;

    public float Height => YMax - YMin;

    public float Area => Math.Max(0, Width) * Math.Max(0, Height);

    /// <summary>Intersection over union of two boxes, 0…1; 0 where both are empty.</summary>
    public static float Iou(in Detection a, in Detection b)
    {
        float width = Math.Min(a.XMax, b.XMax) - Math.Max(a.XMin, b.XMin);
        float height = Math.Min(a.YMax, b.YMax) - Math.Max(a.YMin, b.YMin);
        if (width <= 0 || height <= 0) return 0;
        float intersection = width * height;
        return intersection / (a.Area + b.Area - intersection);
    }
}

/// <summary>Results of one frame, highest score first. A list that is filled anew for every frame and grows only while it has to.</summary>
public sealed class DetectionList
{
    private Detection[] _items;

    public DetectionList(int capacity = 128) => _items = new Detection[capacity];

    public int Count { get; private set; }

    public ref readonly Detection this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            return ref _items[index];
        }
    }

    public ReadOnlySpan<Detection> Items => _items.AsSpan(0, Count);

    public ReadOnlySpan<Detection>.Enumerator GetEnumerator() => Items.GetEnumerator();

    public void Add(in Detection detection)
    {
        if (Count == _items.Length) Array.Resize(ref _items, Math.Max(16, Count * 2));
        _items[Count++] = detection;
    }

    public void Clear() => Count = 0;

    /// <summary>Says which object a detection is.</summary>
    public void SetTrackId(int index, long trackId)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        _items[index] = _items[index] with { TrackId = trackId };
    }

    /// <summary>Forgets all but the first <paramref name="count"/>.</summary>
    public void Truncate(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Count);
        Count = count;
    }

    public void CopyFrom(DetectionList source)
    {
        ArgumentNullException.ThrowIfNull(source);
        Clear();
        foreach (ref readonly Detection detection in source.Items) Add(detection);
    }
}
