using EdgeSparse.Daemon.Scenes;
using EdgeSparse.Model;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Pipelines;

/// <summary>Which model computed a result.</summary>
/// <param name="Name">The manifest's name.</param>
/// <param name="Version">The manifest's version.</param>
/// <param name="Sha256">Of the package file, lower-case hexadecimal.</param>
/// <param name="Backend">Who computes: <c>native</c>, <c>onnxruntime/cpu</c>, …</param>
/// <param name="Decoder">What kind of results come out.</param>
/// <param name="Labels">Label of class 0, 1, …; may be shorter than the classes.</param>
internal sealed record ModelIdentity(string Name, string Version, string Sha256, string Backend, DecoderKind Decoder, IReadOnlyList<string> Labels)
{
    /// <summary>The release number of a believed signature; 0 without.</summary>
    public long Release { get; init; }

    /// <summary>The key that signed the package; empty where nobody that is believed did.</summary>
    public string KeyId { get; init; } = "";

    /// <summary>The label of a class, or its number where the package names none.</summary>
    public string Label(int id) => (uint)id < (uint)Labels.Count ? Labels[id] : id.ToString();

    /// <summary>The class of a label, in any case of letters. Throws <see cref="DaemonException"/> where the model has none of it.</summary>
    /// <param name="label">As configured.</param>
    /// <param name="classes">How many there are.</param>
    /// <param name="key">Where it is configured.</param>
    public int RequireLabel(string label, int classes, string key)
    {
        for (int id = 0; id < classes; id++)
            if (string.Equals(Label(id), label, StringComparison.OrdinalIgnoreCase)) return id;
        throw new DaemonException(ExitCode.Configuration, $"{key}: model {Name} has no label '{label}'; it has {string.Join(", ", Enumerable.Range(0, Math.Min(classes, 30)).Select(Label))}");
    }
}

/// <summary>One frame's results on their way out; reused for the next frame, so keep nothing of it.</summary>
internal sealed class FrameResult
{
    /// <summary>False for a result that is counted and drawn but sends no message of its own.</summary>
    public bool IsMessage { get; set; } = true;

    /// <summary>Objects and zones; null where nothing is followed.</summary>
    public Scene? Scene { get; set; }

    public bool IsClassification { get; set; }

    /// <summary>Number of the message within its camera, from 1, without gaps.</summary>
    public long Sequence { get; set; }

    /// <summary>The picture; valid until the call returns.</summary>
    public Frame Frame { get; set; } = null!;

    /// <summary>Highest score first.</summary>
    public DetectionList Detections { get; } = new();

    public double InferenceSeconds { get; set; }

    /// <summary>Tokens that the model ended with, where that follows from the picture; −1 where it does not.</summary>
    public int Tokens { get; set; } = -1;
}

/// <summary>Takes a camera's results; called by the camera's processing thread.</summary>
internal interface IResultSink
{
    void Publish(FrameResult result);
}
