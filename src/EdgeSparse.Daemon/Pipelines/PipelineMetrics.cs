using EdgeSparse.Daemon.Metrics;

namespace EdgeSparse.Daemon.Pipelines;

/// <summary>What a camera counts and times. Captured = processed + dropped + skipped + corrupt + the few under way.</summary>
internal sealed class PipelineMetrics
{
    /// <param name="classes">How many classes the model tells apart.</param>
    public PipelineMetrics(int classes)
    {
        DetectionsByLabel = [];
        ResetLabels(classes);
    }

    /// <summary>Pictures that the source gave.</summary>
    public Counter Captured { get; } = new();

    public Counter Processed { get; } = new();

    /// <summary>Dropped because a newer frame came first.</summary>
    public Counter DroppedSuperseded { get; } = new();

    /// <summary>Dropped because the daemon stops.</summary>
    public Counter DroppedStopping { get; } = new();

    /// <summary>Dropped because processing it failed.</summary>
    public Counter DroppedFailed { get; } = new();

    /// <summary>Pictures that could not be decoded.</summary>
    public Counter Corrupt { get; } = new();

    /// <summary>Pictures that the camera made while nothing took them; not among the captured.</summary>
    public Counter Lost { get; } = new();

    /// <summary>How often the source was opened again after a failure.</summary>
    public Counter SourceFailures { get; } = new();

    /// <summary>Left out on purpose, by reason.</summary>
    public Counter[] Skipped { get; } = [.. Enum.GetValues<SkipReason>().Select(_ => new Counter())];

    public long SkippedInAll => Skipped.Sum(counter => counter.Value);

    /// <summary>Results that sent no message, as configured.</summary>
    public Counter Thinned { get; } = new();

    public long Dropped => DroppedSuperseded.Value + DroppedStopping.Value + DroppedFailed.Value;

    public Counter[] DetectionsByLabel { get; private set; }

    /// <summary>Counts labels anew, for a model with others.</summary>
    public void ResetLabels(int classes)
    {
        var counters = new Counter[classes];
        for (int i = 0; i < classes; i++) counters[i] = new Counter();
        DetectionsByLabel = counters;
    }

    /// <summary>Making the picture: reading, decoding or rendering, not waiting for it.</summary>
    public Histogram Capture { get; } = new();

    /// <summary>From captured to taken by the processing thread.</summary>
    public Histogram Queue { get; } = new();

    public Histogram Preprocess { get; } = new();

    public Histogram Inference { get; } = new();

    public Histogram Decode { get; } = new();

    /// <summary>Following objects and counting zones.</summary>
    public Histogram Track { get; } = new();

    public Histogram Publish { get; } = new();

    /// <summary>From captured to handed to the broker.</summary>
    public Histogram CaptureToPublish { get; } = new();

    /// <summary>The stages in the order of the frame's way.</summary>
    public IEnumerable<(string Name, Histogram Seconds)> Stages =>
        [("capture", Capture), ("queue", Queue), ("preprocess", Preprocess), ("inference", Inference), ("decode", Decode), ("track", Track), ("publish", Publish)];
}
