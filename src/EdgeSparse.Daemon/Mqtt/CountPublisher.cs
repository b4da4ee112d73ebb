using System.Buffers.Text;
using System.Text;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Mqtt;

/// <summary>How many objects of each label a camera sees, retained, on a topic for each label, whenever the number changes. For one thread at a time.</summary>
internal sealed class CountPublisher : IResultSink
{
    /// <summary>A model with more labels is no detector of things one counts, and would flood the broker with topics.</summary>
    public const int MaximumLabels = 100;

    private readonly IMessagePublisher _publisher;
    private readonly string[] _topics;
    private readonly int[] _counts;
    private readonly int[] _published;

    public CountPublisher(IMessagePublisher publisher, Topics topics, string camera, IReadOnlyList<string> levels)
    {
        _publisher = publisher;
        _topics = [.. levels.Select(level => topics.Count(camera, level))];
        _counts = new int[levels.Count];
        _published = new int[levels.Count];
        Array.Fill(_published, -1);
    }

    /// <summary>Each label as a topic level, a-z, 0-9 and '-', none twice; empty where there are too many.</summary>
    public static IReadOnlyList<string> Levels(ModelIdentity model, int classes)
    {
        var levels = new List<string>();
        if (classes > MaximumLabels) return levels;
        for (int id = 0; id < classes; id++)
        {
            var text = new StringBuilder();
            foreach (char c in model.Label(id).ToLowerInvariant()) text.Append(char.IsAsciiLetterOrDigit(c) ? c : '-');
            string level = text.ToString().Trim('-');
            levels.Add(level.Length == 0 || levels.Contains(level) ? $"{(level.Length == 0 ? "label" : level)}-{id}" : level);
        }
        return levels;
    }

    public void Publish(FrameResult result)
    {
        Array.Clear(_counts);
        foreach (ref readonly Detection detection in result.Detections.Items)
            if ((uint)detection.LabelId < (uint)_counts.Length) _counts[detection.LabelId]++;
        Span<byte> text = stackalloc byte[11];
        for (int id = 0; id < _counts.Length; id++)
        {
            if (_counts[id] == _published[id]) continue;
            _published[id] = _counts[id];
            Utf8Formatter.TryFormat(_counts[id], text, out int length);
            _publisher.Publish(_topics[id], text[..length], qualityOfService: 1, retain: true);
        }
    }
}
