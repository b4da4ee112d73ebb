using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Pipelines;

/// <summary>Says which results become messages. For one thread at a time.</summary>
internal sealed class ResultThinning(PublishWhen when, double seconds, TimeProvider time)
{
    private readonly long _interval = (long)(seconds * time.TimestampFrequency);
    private long _last;
    private long _fingerprint;
    private bool _any;

    public bool Wants(FrameResult result)
    {
        if (when == PublishWhen.Every) return true;
        long now = time.GetTimestamp();
        bool due = !_any || (_interval > 0 && now - _last >= _interval);
        if (when == PublishWhen.OnChange)
        {
            long fingerprint = Fingerprint(result);
            due |= fingerprint != _fingerprint;
            _fingerprint = fingerprint;
        }
        if (!due) return false;
        // In step with the interval, so that a message late by a frame does not shift those after it; from now on where it was later than that.
        _last = when == PublishWhen.OnChange || !_any || now - _last >= 2 * _interval ? now : _last + _interval;
        _any = true;
        return true;
    }

    /// <summary>Objects and their zones where they are followed; else how many of each label, of a classifier the best label.</summary>
    private static long Fingerprint(FrameResult result)
    {
        if (result.Scene is { } scene) return scene.Fingerprint;
        long sum = 0;
        foreach (ref readonly Detection detection in result.Detections.Items)
        {
            sum += unchecked((detection.LabelId + 1) * (long)0x9E3779B97F4A7C15);
            if (result.IsClassification) break;
        }
        return sum;
    }
}
