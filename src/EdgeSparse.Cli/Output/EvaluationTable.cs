using Spectre.Console;

namespace EdgeSparse.Cli.Output;

/// <summary>Models judged, a row each: the columns of metrics that any of them has follow the caller's own.</summary>
internal static class EvaluationTable
{
    private static readonly (string Header, Func<EvaluationMetrics, double?> Value, Func<double, string> Text)[] s_columns =
    [
        ("agreement", metrics => metrics.Agreement, Percent),
        ("accuracy", metrics => metrics.Accuracy, Percent),
        ("mAP@.5", metrics => metrics.MeanAveragePrecision, Percent),
        ("logit error", metrics => metrics.LogitRelativeError, value => Format.Number(value, "0.0000")),
        ("max", metrics => metrics.LogitMaxError, value => Format.Number(value, "0.000")),
        ("KL", metrics => metrics.KlDivergence, value => Format.Number(value, "0.0000")),
        ("calibration error", metrics => metrics.CalibrationError, value => Format.Number(value, "0.000")),
    ];

    /// <param name="textColumns">How many of the caller's columns are text.</param>
    /// <param name="headers">The caller's columns.</param>
    /// <param name="rows">The caller's cells, and what was measured; null leaves the metrics empty.</param>
    public static Table Create(int textColumns, string[] headers, IReadOnlyList<(string[] Cells, EvaluationMetrics? Metrics)> rows)
    {
        var columns = s_columns.Where(column => rows.Any(row => row.Metrics is { } metrics && column.Value(metrics) is not null)).ToArray();
        Table table = Terminal.Table(textColumns, [.. headers, .. columns.Select(column => column.Header)]);
        foreach ((string[] cells, EvaluationMetrics? metrics) in rows)
            Terminal.AddRow(table, [.. cells, .. columns.Select(column => metrics is null || column.Value(metrics) is not { } value ? "" : column.Text(value))]);
        return table;
    }

    private static string Percent(double share) => Format.Number(100 * share, "0.0") + " %";
}
