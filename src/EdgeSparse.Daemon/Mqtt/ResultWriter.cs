using System.Buffers;
using System.Globalization;
using System.Text.Json;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Model;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Mqtt;

/// <summary>
/// A camera's results as JSON, as schema/detections-1.json and schema/classifications-1.json say, into a buffer that is reused: nothing is allocated
/// once it has grown. For one thread at a time.
/// </summary>
internal sealed class ResultWriter : IDisposable
{
    private const int ScoreDigits = 4;
    private const int CoordinateDigits = 5;
    private const int SecondsDigits = 6;

    private readonly ArrayBufferWriter<byte> _buffer = new(4096);
    private readonly Utf8JsonWriter _json;
    private readonly JsonEncodedText _device;
    private readonly JsonEncodedText _camera;
    private readonly ModelIdentity _model;
    private readonly JsonEncodedText _modelName;
    private readonly JsonEncodedText _modelVersion;
    private readonly JsonEncodedText _modelSha256;
    private readonly JsonEncodedText _backend;
    private readonly JsonEncodedText[] _labels;
    private readonly TimeProvider _time;

    public ResultWriter(string device, string camera, ModelIdentity model, int classes, TimeProvider time)
    {
        _json = new Utf8JsonWriter(_buffer, new JsonWriterOptions { SkipValidation = true });
        _device = JsonEncodedText.Encode(device);
        _camera = JsonEncodedText.Encode(camera);
        _model = model;
        _modelName = JsonEncodedText.Encode(model.Name);
        _modelVersion = JsonEncodedText.Encode(model.Version);
        _modelSha256 = JsonEncodedText.Encode(model.Sha256);
        _backend = JsonEncodedText.Encode(model.Backend);
        _labels = new JsonEncodedText[classes];
        for (int i = 0; i < classes; i++) _labels[i] = JsonEncodedText.Encode(model.Label(i));
        _time = time;
    }

    /// <summary>The message; valid until the next call.</summary>
    public ReadOnlySpan<byte> Write(FrameResult result)
    {
        _buffer.ResetWrittenCount();
        _json.Reset();
        bool boxes = _model.Decoder != DecoderKind.Classification;
        _json.WriteStartObject();
        _json.WriteString("schema"u8, boxes ? "edgesparse.detections/1"u8 : "edgesparse.classifications/1"u8);
        _json.WriteString("device"u8, _device);
        _json.WriteString("camera"u8, _camera);
        _json.WriteNumber("seq"u8, result.Sequence);
        WriteTime(_json, "time"u8, result.Frame.CaptureTimeUtc);
        _json.WriteStartObject("frame"u8);
        _json.WriteNumber("width"u8, result.Frame.Width);
        _json.WriteNumber("height"u8, result.Frame.Height);
        _json.WriteNumber("number"u8, result.Frame.Sequence);
        _json.WriteEndObject();
        _json.WriteStartObject("model"u8);
        _json.WriteString("name"u8, _modelName);
        _json.WriteString("version"u8, _modelVersion);
        _json.WriteString("sha256"u8, _modelSha256);
        _json.WriteString("backend"u8, _backend);
        _json.WriteEndObject();
        _json.WriteStartObject("latency_seconds"u8);
        double elapsed = (_time.GetTimestamp() - result.Frame.CaptureTimestamp) / (double)_time.TimestampFrequency;
        WriteNumber("capture_to_publish"u8, elapsed, SecondsDigits);
        WriteNumber("inference"u8, result.InferenceSeconds, SecondsDigits);
        _json.WriteEndObject();
        _json.WriteStartArray(boxes ? "detections"u8 : "classifications"u8);
        foreach (ref readonly Detection detection in result.Detections.Items) WriteDetection(detection, boxes, result.Scene?.Zones);
        _json.WriteEndArray();
        if (result.Tokens >= 0) _json.WriteNumber("tokens"u8, result.Tokens);
        _json.WriteBoolean("historical"u8, false);
        _json.WriteEndObject();
        _json.Flush();
        return _buffer.WrittenSpan;
    }

    public void Dispose() => _json.Dispose();

    private void WriteDetection(in Detection detection, bool box, ZoneCounter? zones)
    {
        _json.WriteStartObject();
        _json.WriteString("label"u8, _labels[detection.LabelId]);
        _json.WriteNumber("label_id"u8, detection.LabelId);
        WriteNumber("score"u8, Math.Clamp(detection.Score, 0, 1), ScoreDigits);
        if (box)
        {
            _json.WriteStartObject("box"u8);
            WriteNumber("x_min"u8, Math.Clamp(detection.XMin, 0, 1), CoordinateDigits);
            WriteNumber("y_min"u8, Math.Clamp(detection.YMin, 0, 1), CoordinateDigits);
            WriteNumber("x_max"u8, Math.Clamp(detection.XMax, 0, 1), CoordinateDigits);
            WriteNumber("y_max"u8, Math.Clamp(detection.YMax, 0, 1), CoordinateDigits);
            _json.WriteEndObject();
            if (detection.TrackId != 0) _json.WriteNumber("track_id"u8, detection.TrackId);
            else _json.WriteNull("track_id"u8);
            if (zones is { Zones.Count: > 0 }) WriteZones(zones, detection.TrackId);
        }
        _json.WriteEndObject();
    }

    private void WriteZones(ZoneCounter zones, long trackId)
    {
        uint inside = zones.ZonesOf(trackId);
        _json.WriteStartArray("zones"u8);
        for (int zone = 0; inside != 0; zone++, inside >>= 1)
            if ((inside & 1) != 0) _json.WriteStringValue(zones.Zones[zone].Name);
        _json.WriteEndArray();
    }

    /// <summary>A decimal with at most so many digits: shorter to read and to send than all of a float.</summary>
    private void WriteNumber(ReadOnlySpan<byte> name, double value, int digits)
    {
        if (double.IsFinite(value)) _json.WriteNumber(name, (decimal)Math.Round(value, digits));
        else _json.WriteNull(name);
    }

    /// <summary>RFC 3339 with microseconds, UTC.</summary>
    public static void WriteTime(Utf8JsonWriter json, ReadOnlySpan<byte> name, DateTime utc)
    {
        Span<byte> text = stackalloc byte[32];
        if (!utc.TryFormat(text, out int length, "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture))
            throw new InvalidOperationException("a time did not fit its buffer");
        json.WriteString(name, text[..length]);
    }
}
