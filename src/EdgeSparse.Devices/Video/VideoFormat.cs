namespace EdgeSparse.Devices;

/// <summary>A pixel layout as the kernel names it: four characters.</summary>
public readonly record struct FourCc(uint Value)
{
    public static FourCc Nv12 { get; } = Of("NV12");

    public static FourCc Yu12 { get; } = Of("YU12");

    public static FourCc Yuyv { get; } = Of("YUYV");

    public static FourCc Rgb3 { get; } = Of("RGB3");

    public static FourCc Bgr3 { get; } = Of("BGR3");

    public static FourCc Grey { get; } = Of("GREY");

    /// <summary>A JPEG a picture.</summary>
    public static FourCc Mjpg { get; } = Of("MJPG");

    public static FourCc Of(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length != 4) throw new ArgumentException($"'{text}', expected four characters", nameof(text));
        return new((uint)(text[0] | text[1] << 8 | text[2] << 16 | text[3] << 24));
    }

    public override string ToString()
    {
        Span<char> text = stackalloc char[4];
        for (int i = 0; i < 4; i++)
        {
            var character = (char)(byte)(Value >> (8 * i));
            text[i] = char.IsAsciiLetterOrDigit(character) ? character : '.';
        }
        return new string(text);
    }
}

/// <summary>What a capture device gives.</summary>
/// <param name="PixelFormat">Layout of a picture.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="StrideBytes">From one row of the first plane to the next; 0 for compressed pictures.</param>
/// <param name="SizeBytes">Most bytes of a picture.</param>
/// <param name="FramesPerSecond">0 = the device does not say.</param>
public readonly record struct VideoFormat(FourCc PixelFormat, int Width, int Height, int StrideBytes, int SizeBytes, double FramesPerSecond)
{
    public override string ToString() => FormattableString.Invariant($"{PixelFormat} {Width}x{Height}{(FramesPerSecond > 0 ? $" at {FramesPerSecond:0.##} frames/s" : "")}");
}

/// <summary>What is asked of a capture device; it may give something near it.</summary>
/// <param name="Path">The device's node, best one of /dev/v4l/by-id, which stays with the camera when it is plugged in again.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="FramesPerSecond">Pictures a second.</param>
/// <param name="PixelFormats">The layouts that can be used, the best first.</param>
/// <param name="Controls">Controls to set, by the names that <c>v4l2-ctl --list-ctrls</c> prints: <c>brightness</c>, <c>exposure_time_absolute</c>; in this order.</param>
public sealed record VideoRequest(string Path, int Width, int Height, double FramesPerSecond, IReadOnlyList<FourCc> PixelFormats, IReadOnlyList<KeyValuePair<string, int>> Controls);

/// <summary>A capture device that does not do what is needed; the message says why and what to do.</summary>
public sealed class VideoException(string message) : IOException(message);
