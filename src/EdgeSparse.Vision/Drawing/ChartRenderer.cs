using System.Numerics;

namespace EdgeSparse.Vision;

/// <summary>Lays a chart out and draws it. Rectangles of texts already placed are kept, so that labels of points do not cover each other.</summary>
internal sealed class ChartRenderer
{
    private const int Scale = 2, SmallScale = 1, Margin = 14, TickLength = 6, LegendMarker = 20;
    private const float MarkerRadius = 5;

    private static readonly Rgb s_paper = new(255, 255, 255), s_ink = new(40, 40, 40), s_grid = new(228, 228, 228), s_faint = new(110, 110, 110);

    /// <summary>Okabe and Ito's colours, told apart with any colour vision ("Color Universal Design", 2008), without their yellow, which is faint on white.</summary>
    private static readonly Rgb[] s_colors =
        [new(0, 114, 178), new(213, 94, 0), new(0, 158, 115), new(204, 121, 167), new(230, 159, 0), new(86, 180, 233), new(0, 0, 0), new(140, 86, 75)];

    private readonly Frame _frame;
    private readonly ChartAxis _x;
    private readonly ChartAxis _y;
    private readonly int _left;
    private readonly int _top;
    private readonly int _right;
    private readonly int _bottom;
    private readonly List<(float Left, float Top, float Right, float Bottom)> _taken = [];
    private Canvas _canvas;

    private ChartRenderer(Chart chart, Frame frame, ChartAxis x, ChartAxis y)
    {
        (_frame, _x, _y) = (frame, x, y);
        _canvas = new Canvas(frame);
        int lineHeight = TextHeight(Scale), widestTick = Enumerable.Range(0, y.TickCount).Max(i => Width(y.Text(i), Scale));
        int legend = chart.Series.Max(series => Width(series.Name, Scale)) + LegendMarker + Margin;
        _left = Margin + lineHeight + Margin + widestTick + TickLength + 4;
        _top = Margin + (chart.Title.Length > 0 ? lineHeight + Margin : Margin);
        _right = Math.Max(frame.Width - Margin - legend, _left + 50);
        _bottom = Math.Max(frame.Height - (2 * Margin) - (2 * lineHeight) - TickLength - 4, _top + 50);
    }

    public static Frame Render(Chart chart, int width, int height)
    {
        ArgumentNullException.ThrowIfNull(chart);
        ChartPoint[] points = [.. chart.Series.SelectMany(series => series.Points).Where(IsFinite)];
        if (points.Length == 0) throw new ArgumentException("no finite point to draw", nameof(chart));
        ChartAxis x = ChartAxis.Over(points.Select(point => point.X), width / 120), y = ChartAxis.Over(points.Select(point => point.Y), height / 70);
        var frame = new Frame(width, height);
        frame.Fill(s_paper.R, s_paper.G, s_paper.B);
        var renderer = new ChartRenderer(chart, frame, x, y);
        renderer.Axes(chart);
        for (int i = 0; i < chart.Series.Count; i++) renderer.Lines(chart.Series[i], i);
        for (int i = 0; i < chart.Series.Count; i++) renderer.Markers(chart.Series[i], i);
        for (int i = 0; i < chart.Series.Count; i++) renderer.Labels(chart.Series[i], i);
        renderer.Legend(chart);
        return frame;
    }

    private static bool IsFinite(ChartPoint point) => double.IsFinite(point.X) && double.IsFinite(point.Y);

    private static int Width(string text, int scale) => Math.Max(0, (text.Length * BitmapFont.Advance) - 1) * scale;

    private static int TextHeight(int scale) => BitmapFont.Rows * scale;

    private static Rgb Color(int series) => s_colors[series % s_colors.Length];

    private Vector2 Place(ChartPoint point) =>
        new((float)(_left + (_x.Share(point.X) * (_right - _left))), (float)(_bottom - (_y.Share(point.Y) * (_bottom - _top))));

    private void Axes(Chart chart)
    {
        for (int i = 0; i < _x.TickCount; i++)
        {
            float x = MathF.Round(_left + (float)(_x.Share(_x.Tick(i)) * (_right - _left)));
            _canvas.FillRectangle(x, _top, x + 1, _bottom, s_grid);
            _canvas.FillRectangle(x, _bottom, x + 1, _bottom + TickLength, s_ink);
            string text = _x.Text(i);
            Annotator.DrawText(_frame, (int)x - (Width(text, Scale) / 2), _bottom + TickLength + 4, text, Scale, s_ink);
        }
        for (int i = 0; i < _y.TickCount; i++)
        {
            float y = MathF.Round(_bottom - (float)(_y.Share(_y.Tick(i)) * (_bottom - _top)));
            _canvas.FillRectangle(_left, y, _right, y + 1, s_grid);
            _canvas.FillRectangle(_left - TickLength, y, _left, y + 1, s_ink);
            string text = _y.Text(i);
            Annotator.DrawText(_frame, _left - TickLength - 4 - Width(text, Scale), (int)y - (TextHeight(Scale) / 2) + 1, text, Scale, s_ink);
        }
        _canvas.FillRectangle(_left, _top, _left + 1, _bottom + 1, s_ink);
        _canvas.FillRectangle(_left, _bottom, _right + 1, _bottom + 1, s_ink);
        Annotator.DrawText(_frame, _left, Margin, chart.Title, Scale, s_ink);
        Annotator.DrawText(_frame, (_left + _right - Width(chart.XLabel, Scale)) / 2, _frame.Height - Margin - TextHeight(Scale), chart.XLabel, Scale, s_ink);
        DrawUpward(Margin, (_top + _bottom + Width(chart.YLabel, Scale)) / 2, chart.YLabel);
    }

    /// <summary>Text that reads from bottom to top, beginning at (x, y).</summary>
    private void DrawUpward(int x, int y, string text)
    {
        if (text.Length == 0) return;
        using var line = new Frame(Width(text, Scale), TextHeight(Scale));
        line.Fill(s_paper.R, s_paper.G, s_paper.B);
        Annotator.DrawText(line, 0, 0, text, Scale, s_ink);
        for (int row = 0; row < line.Height; row++)
        {
            for (int column = 0; column < line.Width; column++)
                if (x + row < _frame.Width && (uint)(y - column) < (uint)_frame.Height) _frame[x + row, y - column] = line[column, row];
        }
    }

    private void Lines(ChartSeries series, int index)
    {
        if (!series.Line) return;
        Vector2? last = null;
        foreach (ChartPoint point in series.Points.Where(IsFinite))
        {
            Vector2 place = Place(point);
            if (last is { } from) _canvas.FillCapsule(from, place, 1, 1, Color(index));
            last = place;
        }
    }

    private void Markers(ChartSeries series, int index)
    {
        foreach (ChartPoint point in series.Points.Where(IsFinite))
        {
            Vector2 place = Place(point);
            Marker(place, index);
            if (point.Emphasized) _canvas.DrawRing(place, 2.2f * MarkerRadius, 2.5f, s_ink);
            float reach = point.Emphasized ? 2.4f * MarkerRadius : MarkerRadius + 1;
            _taken.Add((place.X - reach, place.Y - reach, place.X + reach, place.Y + reach));
        }
    }

    /// <summary>Disc, square, diamond, triangle up, triangle down, ring, cross, and again.</summary>
    private void Marker(Vector2 at, int series)
    {
        Rgb color = Color(series);
        const float r = MarkerRadius;
        switch (series % 7)
        {
            case 0: _canvas.FillEllipse(at.X, at.Y, r, r, color); break;
            case 1: _canvas.FillRectangle(at.X - 0.85f * r, at.Y - 0.85f * r, at.X + 0.85f * r, at.Y + 0.85f * r, color); break;
            case 2: _canvas.FillConvex([at + new Vector2(0, -1.25f * r), at + new Vector2(1.25f * r, 0), at + new Vector2(0, 1.25f * r), at + new Vector2(-1.25f * r, 0)], color); break;
            case 3: _canvas.FillConvex([at + new Vector2(0, -1.15f * r), at + new Vector2(1.1f * r, 0.85f * r), at + new Vector2(-1.1f * r, 0.85f * r)], color); break;
            case 4: _canvas.FillConvex([at + new Vector2(0, 1.15f * r), at + new Vector2(1.1f * r, -0.85f * r), at + new Vector2(-1.1f * r, -0.85f * r)], color); break;
            case 5: _canvas.DrawRing(at, 0.8f * r, 2.2f, color); break;
            default:
                _canvas.FillCapsule(at + new Vector2(-0.8f * r, -0.8f * r), at + new Vector2(0.8f * r, 0.8f * r), 1.3f, 1.3f, color);
                _canvas.FillCapsule(at + new Vector2(-0.8f * r, 0.8f * r), at + new Vector2(0.8f * r, -0.8f * r), 1.3f, 1.3f, color);
                break;
        }
    }

    /// <summary>Writes the points' names beside them, each at the first of eight places that is free; a name without a free place is left out, unless its point is emphasized.</summary>
    private void Labels(ChartSeries series, int index)
    {
        foreach (ChartPoint point in series.Points.Where(IsFinite).OrderByDescending(point => point.Emphasized))
        {
            if (string.IsNullOrEmpty(point.Label)) continue;
            int scale = point.Emphasized ? Scale : SmallScale;
            float width = Width(point.Label, scale), height = TextHeight(scale), gap = point.Emphasized ? 2.8f * MarkerRadius : MarkerRadius + 4;
            Vector2 at = Place(point);
            ReadOnlySpan<(float X, float Y)> places =
            [
                (gap, -height / 2), (-gap - width, -height / 2), (-width / 2, -gap - height), (-width / 2, gap),
                (gap, -gap - height), (gap, gap), (-gap - width, -gap - height), (-gap - width, gap),
            ];
            bool placed = false;
            foreach ((float x, float y) in places)
            {
                (float Left, float Top, float Right, float Bottom) room = (at.X + x, at.Y + y, at.X + x + width, at.Y + y + height);
                if (!IsFree(room)) continue;
                Write(point.Label, room.Left, room.Top, scale, index);
                _taken.Add(room);
                placed = true;
                break;
            }
            if (!placed && point.Emphasized) Write(point.Label, at.X + gap, at.Y - gap - height, scale, index);
        }
    }

    /// <summary>Names dim the lines and grid below them.</summary>
    private void Write(string text, float x, float y, int scale, int series)
    {
        _canvas.Opacity = 0.7f;
        _canvas.FillRectangle(x - 1, y, x + Width(text, scale) + 1, y + TextHeight(scale), s_paper);
        _canvas.Opacity = 1;
        Annotator.DrawText(_frame, (int)MathF.Round(x), (int)MathF.Round(y), text, scale, scale == Scale ? s_ink : Color(series).Mix(s_faint, 0.4f));
    }

    private bool IsFree((float Left, float Top, float Right, float Bottom) room)
    {
        if (room.Left < _left + 2 || room.Right > _right + (Margin / 2) || room.Top < _top - Margin || room.Bottom > _bottom - 1) return false;
        foreach ((float left, float top, float right, float bottom) in _taken)
            if (room.Left < right && room.Right > left && room.Top < bottom && room.Bottom > top) return false;
        return true;
    }

    private void Legend(Chart chart)
    {
        int x = _right + Margin, y = _top;
        for (int i = 0; i < chart.Series.Count; i++)
        {
            if (chart.Series[i].Name.Length == 0) continue;
            float middle = y + (TextHeight(Scale) / 2f);
            if (chart.Series[i].Line) _canvas.FillCapsule(new Vector2(x, middle), new Vector2(x + LegendMarker - 6, middle), 1, 1, Color(i));
            Marker(new Vector2(x + ((LegendMarker - 6) / 2f), middle), i);
            Annotator.DrawText(_frame, x + LegendMarker, y, chart.Series[i].Name, Scale, s_ink);
            y += TextHeight(Scale) + 8;
        }
    }
}
