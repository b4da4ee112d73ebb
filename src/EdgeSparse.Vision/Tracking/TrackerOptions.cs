namespace EdgeSparse.Vision;

/// <summary>How a <see cref="Tracker"/> decides.</summary>
public sealed class TrackerOptions
{
    /// <summary>Detections of at least this score begin tracks; those below only continue one.</summary>
    public float HighScore { get; set; } = 0.4f;

    /// <summary>Detections below this score are not looked at.</summary>
    public float LowScore { get; set; } = 0.1f;

    /// <summary>A track that is not seen for longer ends.</summary>
    public double KeepSeconds { get; set; } = 2;

    /// <summary>Frames in which an object must be seen, one after the other, before it is given an id.</summary>
    public int ConfirmFrames { get; set; } = 2;

    /// <summary>Tracks kept at a time; beyond it the one that was not seen for longest gives way.</summary>
    public int MaximumTracks { get; set; } = 256;

    /// <summary>The next id, never one given before; null = counted from 1.</summary>
    public Func<long>? NextId { get; set; }
}
