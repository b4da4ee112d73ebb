using System.Globalization;
using System.Text;

namespace EdgeSparse.Daemon.Metrics;

/// <summary>Prometheus text exposition format 0.0.4: HELP and TYPE once a family, then its samples.</summary>
internal sealed class PrometheusWriter
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new(16 << 10);

    public override string ToString() => _text.ToString();

    /// <summary>Begins a family; its samples follow.</summary>
    public void Family(string name, string type, string help) =>
        _text.Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n').Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    public void Sample(string name, double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        _text.Append(name);
        Labels(labels, null);
        Value(value);
    }

    public void Sample(string name, Histogram histogram, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        Span<long> cumulative = stackalloc long[Histogram.BoundsSeconds.Length + 1];
        double sum = histogram.SumSeconds;
        histogram.Read(cumulative);
        for (int i = 0; i < cumulative.Length; i++)
        {
            _text.Append(name).Append("_bucket");
            Labels(labels, i < Histogram.BoundsSeconds.Length ? Number(Histogram.BoundsSeconds[i]) : "+Inf");
            Value(cumulative[i]);
        }
        _text.Append(name).Append("_sum");
        Labels(labels, null);
        Value(sum);
        _text.Append(name).Append("_count");
        Labels(labels, null);
        Value(cumulative[^1]);
    }

    private void Labels(ReadOnlySpan<(string Name, string Value)> labels, string? upperBound)
    {
        if (labels.Length == 0 && upperBound is null) return;
        _text.Append('{');
        foreach ((string name, string value) in labels) Label(name, value);
        if (upperBound is not null) Label("le", upperBound);
        _text.Append('}');
    }

    private void Label(string name, string value)
    {
        if (_text[^1] != '{') _text.Append(',');
        _text.Append(name).Append("=\"");
        foreach (char c in value)
        {
            _ = c switch
            {
                '\\' => _text.Append("\\\\"),
                '"' => _text.Append("\\\""),
                '\n' => _text.Append("\\n"),
                _ => _text.Append(c),
            };
        }
        _text.Append('"');
    }

    private void Value(double value) => _text.Append(' ').Append(Number(value)).Append('\n');

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
