using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;
using EdgeSparse.Daemon.Mqtt;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Scenes;

/// <summary>
/// A zone's messages: how many objects of each label are inside, came in and went out, retained, whenever that changes; and an event for every object that comes or goes, as
/// schema/zone-events-1.json. For one thread at a time; nothing is allocated once the buffer has grown.
/// </summary>
internal sealed class ZonePublisher : IResultSink, IDisposable
{
    private readonly IMessagePublisher _publisher;
    private readonly ZoneCounter _counter;
    private readonly Counted[] _counted;
    private readonly string[] _eventTopics;
    private readonly JsonEncodedText[] _zones;
    private readonly JsonEncodedText[] _labels;
    private readonly JsonEncodedText _device;
    private readonly JsonEncodedText _camera;
    private readonly ArrayBufferWriter<byte> _buffer = new(512);
    private readonly Utf8JsonWriter _json;

    private sealed record Counted(int Zone, int Label, string[] Topics)
    {
        public long[] Published { get; } = [-1, -1, -1];
    }

    /// <param name="publisher">Where messages go.</param>
    /// <param name="topics">The device's.</param>
    /// <param name="device">Its name.</param>
    /// <param name="camera">The camera's name.</param>
    /// <param name="model">Names the labels.</param>
    /// <param name="levels">Each label as a topic level; without any there are events only.</param>
    /// <param name="counter">The zones.</param>
    public ZonePublisher(IMessagePublisher publisher, Topics topics, string device, string camera, ModelIdentity model, IReadOnlyList<string> levels, ZoneCounter counter)
    {
        _publisher = publisher;
        _counter = counter;
        _json = new Utf8JsonWriter(_buffer, new JsonWriterOptions { SkipValidation = true });
        _device = JsonEncodedText.Encode(device);
        _camera = JsonEncodedText.Encode(camera);
        _zones = [.. counter.Zones.Select(zone => JsonEncodedText.Encode(zone.Name))];
        _labels = [.. Enumerable.Range(0, counter.Classes).Select(id => JsonEncodedText.Encode(model.Label(id)))];
        _eventTopics = [.. counter.Zones.Select(zone => topics.ZoneEvents(camera, zone.Name))];
        var counted = new List<Counted>();
        for (int zone = 0; zone < counter.Zones.Count; zone++)
        {
            string name = counter.Zones[zone].Name;
            foreach (int label in Labels(counter.Zones[zone], levels.Count))
                counted.Add(new Counted(zone, label, [topics.ZoneCount(camera, name, "counts", levels[label]), topics.ZoneCount(camera, name, "entered", levels[label]), topics.ZoneCount(camera, name, "left", levels[label])]));
        }
        _counted = [.. counted];
    }

    /// <summary>The label ids that a zone counts.</summary>
    public static IEnumerable<int> Labels(Zone zone, int count) => Enumerable.Range(0, count).Where(label => zone.Labels is null || zone.Labels.Contains(label));

    public void Publish(FrameResult result)
    {
        foreach (ref readonly ZoneCrossing crossing in _counter.Crossings)
            _publisher.Publish(_eventTopics[crossing.Zone], Write(result, crossing), qualityOfService: 1, retain: false);
        foreach (Counted counted in _counted)
        {
            PublishCount(counted, 0, _counter.Now(counted.Zone, counted.Label));
            PublishCount(counted, 1, _counter.Entered(counted.Zone, counted.Label));
            PublishCount(counted, 2, _counter.Left(counted.Zone, counted.Label));
        }
    }

    public void Dispose() => _json.Dispose();

    private void PublishCount(Counted counted, int which, long value)
    {
        if (counted.Published[which] == value) return;
        counted.Published[which] = value;
        Span<byte> text = stackalloc byte[20];
        Utf8Formatter.TryFormat(value, text, out int length);
        _publisher.Publish(counted.Topics[which], text[..length], qualityOfService: 1, retain: true);
    }

    private ReadOnlySpan<byte> Write(FrameResult result, in ZoneCrossing crossing)
    {
        _buffer.ResetWrittenCount();
        _json.Reset();
        _json.WriteStartObject();
        _json.WriteString("schema"u8, "edgesparse.zone-events/1"u8);
        _json.WriteString("device"u8, _device);
        _json.WriteString("camera"u8, _camera);
        _json.WriteString("zone"u8, _zones[crossing.Zone]);
        ResultWriter.WriteTime(_json, "time"u8, result.Frame.CaptureTimeUtc);
        _json.WriteString("event"u8, crossing.Entered ? "entered"u8 : "left"u8);
        _json.WriteString("label"u8, _labels[crossing.LabelId]);
        _json.WriteNumber("label_id"u8, crossing.LabelId);
        _json.WriteNumber("track_id"u8, crossing.TrackId);
        _json.WriteNumber("score"u8, (decimal)Math.Round(Math.Clamp(crossing.Score, 0, 1), 4));
        if (!crossing.Entered) _json.WriteNumber("inside_seconds"u8, (decimal)Math.Round(crossing.Seconds, 3));
        _json.WriteBoolean("historical"u8, false);
        _json.WriteEndObject();
        _json.Flush();
        return _buffer.WrittenSpan;
    }
}
