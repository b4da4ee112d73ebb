namespace EdgeSparse.Vision;

/// <summary>
/// From a model's input back to the picture it was made from: frame = input·scale + offset, in pixels, edge coordinates (0 is the left edge of the first pixel).
/// </summary>
public readonly record struct FrameTransform(float ScaleX, float ScaleY, float OffsetX, float OffsetY, int FrameWidth, int FrameHeight)
{
    /// <summary>Input pixels to the frame's width as 0…1; not clipped.</summary>
    public float NormalizedX(float inputX) => ((inputX * ScaleX) + OffsetX) / FrameWidth;

    /// <summary>Input pixels to the frame's height as 0…1; not clipped.</summary>
    public float NormalizedY(float inputY) => ((inputY * ScaleY) + OffsetY) / FrameHeight;
}
