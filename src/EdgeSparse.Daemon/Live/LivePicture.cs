using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Live;

/// <summary>Annotated JPEG pictures of one camera, made when asked for and shared by all who ask at the same time.</summary>
internal sealed class LivePicture : IDisposable
{
    private const int Quality = 80;

    private readonly LiveView _view;
    private readonly Func<IReadOnlyList<string>> _labels;
    private readonly Func<ZoneCounter?>? _zones;
    private readonly SemaphoreSlim _gate = new(1);
    private readonly Frame _frame = new(64, 64);
    private readonly DetectionList _detections = new();
    private IReadOnlyList<string>? _annotated;
    private Annotator? _annotator;
    private JpegEncoder? _encoder;
    private long _number;
    private byte[] _jpeg = [];

    /// <param name="view">The camera's newest frame.</param>
    /// <param name="labels">By class, those of the model that is at work.</param>
    /// <param name="zones">Drawn with how many objects are in each; null = none.</param>
    public LivePicture(LiveView view, Func<IReadOnlyList<string>> labels, Func<ZoneCounter?>? zones = null)
    {
        _zones = zones;
        _view = view;
        _labels = labels;
    }

    /// <summary>The first picture newer than number <paramref name="after"/>, with its number; number 0 where none comes in time.</summary>
    public async Task<(long Number, byte[] Jpeg)> NextAsync(long after, TimeSpan timeout, CancellationToken cancel)
    {
        await _gate.WaitAsync(cancel);
        try
        {
            // Somebody else may have made it while this one waited. Without a number, what was made a moment ago may be old.
            if (after > 0 && _number > after) return (_number, _jpeg);
            long number = await _view.NextAsync(after == 0 ? _number : after, _frame, _detections, timeout, cancel);
            if (number == 0) return (0, []);
            _jpeg = Encode();
            _number = number;
            return (_number, _jpeg);
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose()
    {
        _encoder?.Dispose();
        _frame.Dispose();
        _gate.Dispose();
    }

    private byte[] Encode()
    {
        ZoneCounter? zones = _zones?.Invoke();
        for (int zone = 0; zone < (zones?.Zones.Count ?? 0); zone++)
        {
            int now = 0;
            for (int label = 0; label < zones!.Classes; label++) now += zones.Now(zone, label);
            Annotator.DrawZone(_frame, zones.Zones[zone].Area, $"{zones.Zones[zone].Name} {now}", occupied: now > 0);
        }
        IReadOnlyList<string> labels = _labels();
        if (_annotator is null || !ReferenceEquals(labels, _annotated)) _annotator = new Annotator(_annotated = labels);
        _annotator.Draw(_frame, _detections);
        _encoder ??= new JpegEncoder();
        return _encoder.Encode(_frame, Quality).ToArray();
    }
}
