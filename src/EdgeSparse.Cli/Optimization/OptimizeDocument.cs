using System.Globalization;
using System.Text;
using EdgeSparse.Cli.Output;
using EdgeSparse.Vision;

namespace EdgeSparse.Cli.Optimization;

/// <summary>The report's files: <c>optimize.json</c>, <c>optimize.md</c> with the tables, <c>optimize.png</c> with the front.</summary>
internal static class OptimizeDocument
{
    public static void Write(string folder, OptimizeReport report)
    {
        FileOutput.CreateFolder(folder);
        Json.Save(Path.Combine(folder, "optimize.json"), report, ReportContext.Default.OptimizeReport);
        FileOutput.Write(Path.Combine(folder, "optimize.png"), target =>
        {
            using Frame frame = Chart(report).Render(1100, 640);
            ImageFile.Save(target, frame);
        });
        FileOutput.Write(Path.Combine(folder, "optimize.md"), Encoding.UTF8.GetBytes(Markdown(report)));
    }

    /// <summary>What was found, in sentences.</summary>
    public static IEnumerable<string> Summary(OptimizeReport report)
    {
        OptimizeCandidate? chosen = Array.Find(report.Candidates, candidate => candidate.Chosen);
        string bound = $"{Number(report.MaxDropPoints)} points of {report.Metric}";
        if (report.Faster && chosen is not null)
            yield return $"{chosen.Recipe}: {Percent(chosen.TimeShare)} of the dense time ({Format.Milliseconds(chosen.Milliseconds!.Value)} of {Format.Milliseconds(chosen.DenseMilliseconds!.Value)} ms), {Number(chosen.LostPoints!.Value)} points of {report.Metric} lost ({Percent(chosen.Value)} of {Percent(report.DenseValue)})";
        else
            yield return $"no candidate is faster than the dense model at {bound} lost{(report.EndedBy == "complete" ? "" : " so far")}: {(report.Output is null ? "nothing was written" : "the package written is the dense model")}";
        yield return $"calibrated with {report.CalibrationPictures} pictures of {report.Calibrate}{Format.AndViews(report.CalibrationViews)}; judged by {report.JudgedPictures} {(report.Judge == report.Calibrate ? "others of them" : $"of {report.Judge}")} (seed {report.Seed}): one picture is {Number(100.0 / report.JudgedPictures)} points; bound {bound}";
        yield return $"{report.Processor}, {report.InstructionSet}, {report.Threads} thread{(report.Threads == 1 ? "" : "s")}, costs {report.Costs}; dense model {Format.Milliseconds(report.DenseMilliseconds)} ms; {report.Candidates.Length - 1} candidates in {Number(report.Seconds)} s, ended by: {report.EndedBy}";
    }

    public static string[] Headers(OptimizeReport report) => ["recipe", "verdict", "zeros", "predicted", "time", "ms", "dense ms", report.Metric, "lost", "front"];

    /// <summary>The dense model first, then the fastest candidates, then those that were not timed.</summary>
    public static IEnumerable<string[]> Rows(OptimizeReport report) => report.Candidates.Take(1).Concat(report.Candidates.Skip(1).OrderBy(candidate => candidate.TimeShare ?? double.MaxValue)).Select(candidate => (string[])
    [
        (candidate.Recipe.Length == 0 ? "dense" : candidate.Recipe) + (candidate.Chosen ? " (chosen)" : ""), candidate.Verdict, Percent(candidate.Sparsity), Percent(candidate.PredictedShare), Percent(candidate.TimeShare),
        candidate.Milliseconds is { } time ? Format.Milliseconds(time) : "", candidate.DenseMilliseconds is { } dense ? Format.Milliseconds(dense) : "", Percent(candidate.Value),
        candidate.LostPoints is { } lost ? Number(lost) : "", candidate.OnFront ? "yes" : "",
    ]);

    private static string Markdown(OptimizeReport report)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# {Path.GetFileName(report.Model.File)}: time against {report.Metric}\n\n");
        foreach (string sentence in Summary(report)) text.Append(CultureInfo.InvariantCulture, $"* {Cell(sentence)}\n");
        text.Append("\n![time against the metric](optimize.png)\n\n");
        Table(text, Headers(report), Rows(report));
        text.Append("\nTimes are medians, each candidate in turn with the dense model; shares are of the dense model's in the same turn. On the front is what no other candidate beats in both. Of many candidates the best on\n"
            + "these pictures was chosen, which flatters it a little: judge it once more on pictures of your own (`edgesparse compare`).\n\n");
        Table(text, ["family", "recipes", "tried", "ended because"], report.Families.Select(family => (string[])[family.Name, Format.Count(family.Recipes), Format.Count(family.Tried), family.Ended]));
        foreach (string note in report.Notes) text.Append(CultureInfo.InvariantCulture, $"\n* {Cell(note)}\n");
        return text.ToString();
    }

    private static void Table(StringBuilder text, string[] headers, IEnumerable<string[]> rows)
    {
        text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", headers)} |\n|{string.Concat(headers.Select(_ => " --- |"))}\n");
        foreach (string[] row in rows) text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", row.Select(Cell))} |\n");
    }

    private static string Cell(string text) => Terminal.Printable(text).Replace("|", "\\|", StringComparison.Ordinal);

    private static Chart Chart(OptimizeReport report)
    {
        OptimizeCandidate[] measured = [.. report.Candidates.Where(candidate => candidate is { TimeShare: not null, Value: not null })];
        var chart = new Chart
        {
            Title = $"{Path.GetFileNameWithoutExtension(report.Model.File)}: time against {report.Metric}, {report.JudgedPictures} pictures, {report.Threads} thread{(report.Threads == 1 ? "" : "s")}",
            XLabel = "time, % of the dense model's",
            YLabel = $"{report.Metric}, %",
        };
        ChartPoint Point(OptimizeCandidate candidate, bool emphasized) => new(100 * candidate.TimeShare!.Value, 100 * candidate.Value!.Value, emphasized ? candidate.Recipe.Length == 0 ? "dense" : candidate.Recipe : null, emphasized);
        chart.Series.Add(new ChartSeries("front", [.. measured.Where(candidate => candidate.OnFront).OrderBy(candidate => candidate.TimeShare).Select(candidate => Point(candidate, false))], Line: true));
        double bound = 100 * report.DenseValue - report.MaxDropPoints;
        chart.Series.Add(new ChartSeries("bound", [new ChartPoint(100 * measured.Min(candidate => candidate.TimeShare!.Value), bound), new ChartPoint(100 * measured.Max(candidate => candidate.TimeShare!.Value), bound)], Line: true));
        foreach (IGrouping<string, OptimizeCandidate> kind in measured.GroupBy(candidate => candidate.Pattern is null ? candidate.Tokens is null ? "dense" : "tokens" : candidate.Tokens is null ? candidate.Pattern.Contains(':', StringComparison.Ordinal) ? "N:M" : candidate.Pattern : "zeros and tokens"))
            chart.Series.Add(new ChartSeries(kind.Key, [.. kind.Select(candidate => Point(candidate, candidate.Chosen))]));
        return chart;
    }

    private static string Percent(double? share) => share is { } value ? Format.Number(100 * value, "0.0") + " %" : "";

    private static string Number(double value) => Format.Number(value, "0.##");
}
