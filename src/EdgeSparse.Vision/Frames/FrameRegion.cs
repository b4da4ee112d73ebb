namespace EdgeSparse.Vision;

/// <summary>A rectangle of a picture, as shares of its width and height, origin at the top left; the minimum lies below the maximum.</summary>
public readonly record struct FrameRegion(float XMin, float YMin, float XMax, float YMax)
{
    public static FrameRegion Whole { get; } = new(0, 0, 1, 1);

    /// <summary>True for corners in order, inside the picture.</summary>
    public bool IsValid => XMin >= 0 && YMin >= 0 && XMax <= 1 && YMax <= 1 && XMin < XMax && YMin < YMax;

    /// <summary>The nearest whole pixels of a picture of that size; one at least each way.</summary>
    public (int X, int Y, int Width, int Height) Pixels(int width, int height)
    {
        (int left, int right) = Span(XMin, XMax, width);
        (int top, int bottom) = Span(YMin, YMax, height);
        return (left, top, right - left, bottom - top);

        static (int, int) Span(float from, float to, int length)
        {
            int first = Math.Clamp((int)MathF.Round(from * length), 0, length - 1);
            return (first, Math.Clamp((int)MathF.Round(to * length), first + 1, length));
        }
    }
}
