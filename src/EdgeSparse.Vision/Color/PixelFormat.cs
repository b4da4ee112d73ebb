namespace EdgeSparse.Vision;

/// <summary>How cameras and ffmpeg lay out a picture in memory. Names are ffmpeg's and V4L2's.</summary>
public enum PixelFormat
{
    /// <summary>R, G, B for each pixel (rgb24, V4L2 RGB3).</summary>
    Rgb24,
    /// <summary>B, G, R for each pixel (bgr24, V4L2 BGR3).</summary>
    Bgr24,
    /// <summary>One byte of brightness, full range (gray, V4L2 GREY).</summary>
    Gray8,
    /// <summary>Y0, U, Y1, V for two pixels (yuyv422, V4L2 YUYV).</summary>
    Yuyv,
    /// <summary>A plane of Y, then one of U, V pairs for 2×2 pixels (nv12, V4L2 NV12).</summary>
    Nv12,
    /// <summary>A plane of Y, then one of U and one of V for 2×2 pixels (yuv420p, V4L2 YU12).</summary>
    I420,
}
