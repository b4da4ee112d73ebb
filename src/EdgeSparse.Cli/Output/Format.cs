using System.Globalization;
using EdgeSparse.Model;

namespace EdgeSparse.Cli.Output;

/// <summary>Numbers and shapes as tables show them.</summary>
internal static class Format
{
    public static string Count(long value) => value switch
    {
        < 10_000 => value.ToString(CultureInfo.InvariantCulture),
        < 10_000_000 => Number(value / 1e3, "0.0") + "k",
        < 10_000_000_000 => Number(value / 1e6, "0.0") + "M",
        _ => Number(value / 1e9, "0.0") + "G",
    };

    public static string Bytes(long value) => value switch
    {
        < 1 << 10 => $"{value} B",
        < 1 << 20 => Number(value / 1024.0, "0.0") + " KiB",
        < 1L << 30 => Number(value / 1048576.0, "0.0") + " MiB",
        _ => Number(value / 1073741824.0, "0.00") + " GiB",
    };

    public static string Percent(long part, long whole) => whole == 0 ? "" : Number(100.0 * part / whole, "0.0") + " %";

    public static string Milliseconds(double value) => Number(value, value < 10 ? "0.000" : value < 100 ? "0.00" : "0.0");

    public static string Error(double value) => value == 0 ? "0" : Number(value, "0.00E+0");

    public static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>What calibration saw of its pictures besides themselves; empty where nothing.</summary>
    public static string AndViews(int views) => views == 0 ? "" : $" and {views} part{(views == 1 ? "" : "s")} of each";

    public static string Shapes(IReadOnlyList<Shape> shapes) => string.Join(' ', shapes);

    public static int[] Dimensions(Shape shape) => shape.Dimensions.ToArray();
}
