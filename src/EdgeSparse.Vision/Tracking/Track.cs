namespace EdgeSparse.Vision;

/// <summary>One object followed over time. Coordinates are shares of the frame, velocities shares of the frame for each second.</summary>
public struct Track
{
    /// <summary>Never given to another object; 0 until the object has been seen often enough.</summary>
    public long Id { get; internal set; }

    public int LabelId { get; internal set; }

    /// <summary>Of the detection seen last.</summary>
    public float Score { get; internal set; }

    /// <summary>Centre, as measured and smoothed, or as predicted while the object is not seen.</summary>
    public float X { get; internal set; }

    public float Y { get; internal set; }

    public float Width { get; internal set; }

    public float Height { get; internal set; }

    public float VelocityX { get; internal set; }

    public float VelocityY { get; internal set; }

    /// <summary>When it was seen first and last, in the seconds given to <see cref="Tracker.Update"/>.</summary>
    public double FirstSeconds { get; internal set; }

    public double LastSeconds { get; internal set; }

    /// <summary>Frames in which it was seen.</summary>
    public int Hits { get; internal set; }

    /// <summary>Place of its detection in the list of this frame; −1 where it was not seen in it.</summary>
    public int Detection { get; internal set; }

    public readonly bool IsConfirmed => Id != 0;

    public readonly bool IsSeen => Detection >= 0;

    /// <summary>The box as a detection of this frame.</summary>
    public readonly Detection Box => new(LabelId, Score, X - (Width / 2), Y - (Height / 2), X + (Width / 2), Y + (Height / 2)) { TrackId = Id };
}
