using System.Globalization;

namespace EdgeSparse.Arm64;

/// <summary>One inference of a whole model: the regions of its steps, joined with the plan's steps (kind, kernel of the layer, multiply-adds, layer; tab-separated).</summary>
internal sealed class ModelCounts
{
    private readonly List<(string Kind, Region Region)> steps = [];

    public ModelCounts(string counts, string stepsFile)
    {
        string[][] lines = [.. File.ReadLines(stepsFile).Select(line => line.Split('\t'))];
        foreach (Region region in Region.Read(counts)) steps.Add((lines[region.Number][0], region));
    }

    public long Instructions => steps.Sum(step => step.Region.Instructions);

    public long Fmla => steps.Sum(step => step.Region.Fmla);

    /// <summary>Instructions by the kind of the step, the largest first.</summary>
    public IEnumerable<(string Kind, int Steps, long Instructions, long Fmla)> Kinds =>
        from step in steps
        group step.Region by step.Kind into kind
        orderby kind.Sum(region => region.Instructions) descending
        select (kind.Key, kind.Count(), kind.Sum(region => region.Instructions), kind.Sum(region => region.Fmla));

    /// <summary>Instructions by function, the largest first; a step's functions of under a hundredth are not among them.</summary>
    public IEnumerable<FunctionShare> Functions =>
        from function in steps.SelectMany(step => step.Region.Functions)
        group function by function.Method into method
        let share = new FunctionShare(method.Key, method.Sum(f => f.Instructions), method.Sum(f => f.Fmla))
        orderby share.Instructions descending
        select share;

    /// <summary>The models' counts on one processor in a folder that models.sh filled, by name.</summary>
    public static SortedDictionary<string, ModelCounts> ReadFolder(string folder, string processor)
    {
        var models = new SortedDictionary<string, ModelCounts>(StringComparer.Ordinal);
        string suffix = $".{processor}.counts";
        foreach (string path in Directory.EnumerateFiles(folder, $"*{suffix}"))
            models[Path.GetFileName(path)[..^suffix.Length]] = new ModelCounts(path, $"{path[..^suffix.Length]}.plan.steps");
        return models;
    }

    public static string Millions(long count) => (count / 1e6).ToString("F1", CultureInfo.InvariantCulture);
}
