using System.Globalization;
using System.Numerics;

namespace EdgeSparse.Vision;

/// <summary>
/// Draws results into a frame: for each detection its box, label and score in the colour of its class; a classifier's results (box = whole frame) as lines of
/// text at the top left. Lines and text grow with the frame. Allocates nothing.
/// </summary>
public sealed class Annotator
{
    private const int MaxTextLength = 64;

    private readonly string[] _labels;

    /// <param name="labels">Label of class 0, 1, …; a class beyond them is drawn as its number.</param>
    public Annotator(IReadOnlyList<string> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        _labels = [.. labels];
    }

    /// <summary>The colour of a class: hues a golden angle apart, so that neighbouring classes differ most.</summary>
    public static Rgb ColorOf(int labelId)
    {
        float hue = ((labelId * 0.61803398875f) + 0.02f) % 1 * 6;
        float x = 1 - Math.Abs((hue % 2) - 1);
        (float r, float g, float b) = (int)hue switch { 0 => (1f, x, 0f), 1 => (x, 1f, 0f), 2 => (0f, 1f, x), 3 => (0f, x, 1f), 4 => (x, 0f, 1f), _ => (1f, 0f, x) };
        static byte Channel(float v) => (byte)(50 + (205 * v));
        return new Rgb(Channel(r), Channel(g), Channel(b));
    }

    /// <summary>Frame pixels for one pixel of the font at a frame's size: 1 at 320×240, 2 at 640×480 and 1280×720.</summary>
    public static int TextScale(Frame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        return Math.Max(1, (Math.Min(frame.Width, frame.Height) + 150) / 300);
    }

    /// <summary>Draws all boxes, then all labels over them, the lowest score first, so that the best lies on top.</summary>
    public void Draw(Frame frame, DetectionList detections)
    {
        ArgumentNullException.ThrowIfNull(frame);
        ArgumentNullException.ThrowIfNull(detections);
        int scale = TextScale(frame), lineHeight = (BitmapFont.Rows + 3) * scale;
        for (int i = detections.Count - 1; i >= 0; i--)
            if (!IsWholeFrame(detections[i])) DrawBox(frame, detections[i], scale);
        for (int i = detections.Count - 1; i >= 0; i--)
        {
            ref readonly Detection detection = ref detections[i];
            if (IsWholeFrame(detection))
            {
                DrawLabel(frame, detection, scale, 2 * scale, (2 * scale) + (i * lineHeight));
                continue;
            }
            int top = Row(detection.YMin, frame), labelHeight = (BitmapFont.Rows + 2) * scale;
            DrawLabel(frame, detection, scale, Column(detection.XMin, frame), top >= labelHeight ? top - labelHeight : top);
        }
    }

    /// <summary>Draws a zone's outline and its name at its topmost corner; thicker while something is in it.</summary>
    public static void DrawZone(Frame frame, Polygon area, ReadOnlySpan<char> name, bool occupied)
    {
        ArgumentNullException.ThrowIfNull(frame);
        ArgumentNullException.ThrowIfNull(area);
        int scale = TextScale(frame);
        var color = new Rgb(255, 255, 255);
        var canvas = new Canvas(frame) { Opacity = occupied ? 0.9f : 0.6f };
        float radius = scale * (occupied ? 1f : 0.5f);
        var size = new Vector2(frame.Width - 1, frame.Height - 1);
        Vector2 from = area.Points[^1] * size, top = from;
        foreach (Vector2 corner in area.Points)
        {
            Vector2 to = corner * size;
            canvas.FillCapsule(from, to, radius, radius, color);
            if (to.Y < top.Y) top = to;
            from = to;
        }
        int width = ((name.Length * BitmapFont.Advance) + 1) * scale, height = (BitmapFont.Rows + 2) * scale;
        int x = Math.Clamp((int)top.X, 0, Math.Max(0, frame.Width - width)), y = Math.Clamp((int)top.Y, 0, Math.Max(0, frame.Height - height));
        Fill(frame, x, y, width, height, color);
        DrawText(frame, x + scale, y + scale, name, scale, new Rgb(0, 0, 0));
    }

    /// <summary>Writes a line of text with its top left corner at (x, y), clipped to the frame; characters beyond ASCII become '?'.</summary>
    public static void DrawText(Frame frame, int x, int y, ReadOnlySpan<char> text, int scale, Rgb color)
    {
        ArgumentNullException.ThrowIfNull(frame);
        foreach (char character in text)
        {
            ReadOnlySpan<byte> glyph = BitmapFont.Glyph(character);
            for (int column = 0; column < BitmapFont.Columns; column++)
            {
                for (int row = 0; row < BitmapFont.Rows; row++)
                {
                    if ((glyph[column] >> row & 1) == 0) continue;
                    Fill(frame, x + (column * scale), y + (row * scale), scale, scale, color);
                }
            }
            x += BitmapFont.Advance * scale;
        }
    }

    private static bool IsWholeFrame(in Detection detection) => detection is { XMin: 0, YMin: 0, XMax: 1, YMax: 1 };

    private static int Column(float x, Frame frame) => (int)MathF.Round(x * frame.Width);

    private static int Row(float y, Frame frame) => (int)MathF.Round(y * frame.Height);

    private static void DrawBox(Frame frame, in Detection detection, int scale)
    {
        Rgb color = ColorOf(detection.LabelId);
        (int left, int top, int right, int bottom) = (Column(detection.XMin, frame), Row(detection.YMin, frame), Column(detection.XMax, frame), Row(detection.YMax, frame));
        Outline(frame, left - 1, top - 1, right + 1, bottom + 1, 1, color.Scale(0.25f));
        Outline(frame, left, top, right, bottom, scale, color);
    }

    private void DrawLabel(Frame frame, in Detection detection, int scale, int x, int y)
    {
        Span<char> buffer = stackalloc char[MaxTextLength];
        ReadOnlySpan<char> text = buffer[..Format(detection, buffer)];
        Rgb color = ColorOf(detection.LabelId);
        int width = ((text.Length * BitmapFont.Advance) + 1) * scale;
        x = Math.Max(0, Math.Min(x, frame.Width - width));
        Fill(frame, x, y, width, (BitmapFont.Rows + 2) * scale, color);
        bool bright = (color.R * 299) + (color.G * 587) + (color.B * 114) > 120_000;
        DrawText(frame, x + scale, y + scale, text, scale, bright ? new Rgb(0, 0, 0) : new Rgb(255, 255, 255));
    }

    /// <summary>"#12 label 87%", the number where the object is followed, the label cut where it does not fit.</summary>
    private int Format(in Detection detection, Span<char> whole)
    {
        const int scoreRoom = 6;
        int length, before = 0;
        if (detection.TrackId != 0)
        {
            whole[0] = '#';
            detection.TrackId.TryFormat(whole[1..], out int idDigits, default, CultureInfo.InvariantCulture);
            before = idDigits + 2;
            whole[before - 1] = ' ';
        }
        Span<char> buffer = whole[before..];
        if ((uint)detection.LabelId < (uint)_labels.Length)
        {
            ReadOnlySpan<char> label = _labels[detection.LabelId].AsSpan();
            label = label[..Math.Min(label.Length, buffer.Length - scoreRoom)];
            label.CopyTo(buffer);
            length = label.Length;
        }
        else
        {
            detection.LabelId.TryFormat(buffer, out length, default, CultureInfo.InvariantCulture);
        }
        buffer[length++] = ' ';
        ((int)MathF.Round(detection.Score * 100)).TryFormat(buffer[length..], out int digits, default, CultureInfo.InvariantCulture);
        length += digits;
        buffer[length++] = '%';
        return before + length;
    }

    private static void Outline(Frame frame, int left, int top, int right, int bottom, int thickness, Rgb color)
    {
        Fill(frame, left, top, right - left, thickness, color);
        Fill(frame, left, bottom - thickness, right - left, thickness, color);
        Fill(frame, left, top, thickness, bottom - top, color);
        Fill(frame, right - thickness, top, thickness, bottom - top, color);
    }

    private static void Fill(Frame frame, int x, int y, int width, int height, Rgb color)
    {
        int left = Math.Clamp(x, 0, frame.Width), right = Math.Clamp(x + width, 0, frame.Width);
        int bottom = Math.Min(y + height, frame.Height);
        if (left >= right) return;
        for (int row = Math.Max(y, 0); row < bottom; row++)
        {
            Span<byte> pixels = frame.Row(row)[(left * 3)..(right * 3)];
            for (int i = 0; i < pixels.Length; i += 3) (pixels[i], pixels[i + 1], pixels[i + 2]) = (color.R, color.G, color.B);
        }
    }
}
