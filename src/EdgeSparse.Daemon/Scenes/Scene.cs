using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Scenes;

/// <summary>
/// What goes on before a camera over time: objects followed and zones counted. Detections of low score continue a track and are then left out of the results.
/// Used by the camera's processing thread; counts may be read by others.
/// </summary>
internal sealed class Scene : IDisposable
{
    private readonly Tracker _tracker;
    private SequenceStore _ids;
    private readonly float _scoreThreshold;
    private int _tracked;

    /// <param name="options">Tracking is on.</param>
    /// <param name="camera">Name of the camera, for messages.</param>
    /// <param name="model">Names the labels.</param>
    /// <param name="decoder">Its threshold is lowered to what tracking needs; see <see cref="Update"/>.</param>
    /// <param name="ids">Numbers the objects; disposed with the scene.</param>
    public Scene(SceneOptions options, string camera, ModelIdentity model, OutputDecoder decoder, SequenceStore ids)
    {
        _scoreThreshold = decoder.ScoreThreshold;
        _ids = ids;
        Zones = new ZoneCounter([.. options.Zones.Select(zone => Resolve(zone, camera, model, decoder.ClassCount))], decoder.ClassCount);
        decoder.ScoreThreshold = Math.Min(decoder.ScoreThreshold, (float)options.LowScore);
        _tracker = new Tracker(new TrackerOptions { HighScore = _scoreThreshold, LowScore = (float)options.LowScore, KeepSeconds = options.KeepSeconds, NextId = () => _ids.Next() });
    }

    public ZoneCounter Zones { get; }

    /// <summary>Objects followed now.</summary>
    public int Tracked => Volatile.Read(ref _tracked);

    /// <summary>Objects followed since the start.</summary>
    public long TrackedEver => _tracker.Confirmed;

    /// <summary>Changes when an object comes, goes, or enters or leaves a zone.</summary>
    public long Fingerprint { get; private set; }

    /// <summary>Gives the detections of the next frame, highest score first, their ids, counts zones, and removes detections below the score threshold.</summary>
    public void Update(DetectionList detections, double seconds)
    {
        _tracker.Update(detections, seconds);
        Zones.Update(_tracker.Tracks, seconds);
        int tracked = 0;
        long fingerprint = 0;
        foreach (ref readonly Track track in _tracker.Tracks)
        {
            if (!track.IsConfirmed) continue;
            tracked++;
            fingerprint += unchecked((track.Id + 1) * (long)0x9E3779B97F4A7C15 ^ (Zones.ZonesOf(track.Id) + 1L) * (long)0xC2B2AE3D27D4EB4F);
        }
        Fingerprint = fingerprint;
        Volatile.Write(ref _tracked, tracked);
        int kept = detections.Count;
        while (kept > 0 && !(detections[kept - 1].Score >= _scoreThreshold)) kept--;
        detections.Truncate(kept);
    }

    /// <summary>Goes on with the numbers of the scene that this one takes the place of, so that no object gets the number of another.</summary>
    public void ExchangeIds(Scene other) => (_ids, other._ids) = (other._ids, _ids);

    public void Dispose() => _ids.Dispose();

    private static Zone Resolve(ZoneOptions zone, string camera, ModelIdentity model, int classes)
    {
        HashSet<int>? labels = null;
        foreach (string label in zone.Labels) (labels ??= []).Add(model.RequireLabel(label, classes, $"cameras:{camera}:zones:{zone.Name}:labels"));
        return new Zone(zone.Name, zone.Area, zone.Anchor, (float)zone.Margin) { Labels = labels };
    }
}
