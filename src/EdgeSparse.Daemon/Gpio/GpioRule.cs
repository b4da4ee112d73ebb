using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Gpio;

/// <summary>
/// Switches an output when a camera sees what the output is for: a label, in a zone, with a score. Where objects are followed only those with an id count, so that a flash does
/// not ring the bell.
/// </summary>
internal sealed class GpioRule : IResultSink
{
    private readonly GpioOutput _output;
    private readonly bool[] _labels;
    private readonly uint _zone;
    private readonly float _minimumScore;

    /// <summary>Throws <see cref="DaemonException"/> where the model has not a label that is asked for.</summary>
    /// <param name="output">What is switched.</param>
    /// <param name="model">Names the labels.</param>
    /// <param name="classes">How many there are.</param>
    /// <param name="zones">The camera's; null without any.</param>
    public GpioRule(GpioOutput output, ModelIdentity model, int classes, ZoneCounter? zones)
    {
        _output = output;
        _labels = new bool[classes];
        if (output.Options.Labels.Count == 0) Array.Fill(_labels, true);
        foreach (string label in output.Options.Labels) _labels[model.RequireLabel(label, classes, $"gpio:outputs:{output.Name}:labels")] = true;
        _minimumScore = (float)output.Options.MinimumScore;
        if (output.Options.Zone.Length == 0) return;
        for (int i = 0; i < (zones?.Zones.Count ?? 0); i++)
            if (zones!.Zones[i].Name == output.Options.Zone) _zone = 1u << i;
    }

    /// <summary>Whether the camera can ever switch it: its zone is one of the camera's.</summary>
    public bool CanMatch => _output.Options.Zone.Length == 0 || _zone != 0;

    public void Publish(FrameResult result)
    {
        foreach (ref readonly Detection detection in result.Detections.Items)
        {
            if (!(detection.Score >= _minimumScore) || (uint)detection.LabelId >= (uint)_labels.Length || !_labels[detection.LabelId]) continue;
            if (result.Scene is { } scene && (detection.TrackId == 0 || (_zone != 0 && (scene.Zones.ZonesOf(detection.TrackId) & _zone) == 0))) continue;
            _output.Match();
            return;
        }
    }
}
