using System.Text;
using System.Text.Json;
using EdgeSparse.Daemon.Mqtt;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Model;
using EdgeSparse.Testing;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Tests;

public sealed class ResultMessageTests
{
    internal static JsonSchema Schema(string name) => JsonSchema.Load(Path.Combine(TestData.RepositoryRoot, "src", "EdgeSparse.Daemon", "schema", name));

    private static (JsonElement Document, string Text) Write(DecoderKind decoder, params Detection[] detections)
    {
        var time = new ManualTime();
        using var writer = new ResultWriter("gate-01", "front", Rig.Model with { Decoder = decoder }, 2, time);
        using var frame = new Frame(1280, 720) { Sequence = 7, CaptureTimestamp = time.GetTimestamp(), CaptureTimeUtc = new DateTime(2026, 11, 22, 3, 10, 11, DateTimeKind.Utc).AddTicks(1_234_560) };
        time.Advance(TimeSpan.FromMilliseconds(41));
        var result = new FrameResult { Sequence = 184467, Frame = frame, InferenceSeconds = 0.023 };
        foreach (Detection detection in detections) result.Detections.Add(detection);
        string text = Encoding.UTF8.GetString(writer.Write(result));
        // Once more: the buffer is reused, not added to.
        Assert.Equal(text, Encoding.UTF8.GetString(writer.Write(result)));
        return (JsonDocument.Parse(text).RootElement, text);
    }

    [Fact]
    public void A_Detection_Message_Is_What_The_Conventions_Say()
    {
        (JsonElement document, string text) = Write(DecoderKind.Ssd, new Detection(0, 0.91f, 0.31f, 0.22f, 0.44f, 0.87f));
        Assert.Empty(Schema("detections-1.json").Errors(document));
        string expected = $$$"""
            {"schema":"edgesparse.detections/1","device":"gate-01","camera":"front","seq":184467,"time":"2026-11-22T03:10:11.123456Z",
            "frame":{"width":1280,"height":720,"number":7},"model":{"name":"stub","version":"1.2.3","sha256":"{{{Rig.Sha256}}}","backend":"native"},
            "latency_seconds":{"capture_to_publish":0.041,"inference":0.023},
            "detections":[{"label":"person","label_id":0,"score":0.91,"box":{"x_min":0.31,"y_min":0.22,"x_max":0.44,"y_max":0.87},"track_id":null}],"historical":false}
            """.ReplaceLineEndings("");
        Assert.Equal(expected, text);
    }

    [Fact]
    public void Boxes_Are_Cut_At_The_Frame_And_Labels_Escaped()
    {
        (JsonElement document, _) = Write(DecoderKind.Ssd, new Detection(1, 1.5f, -0.2f, -1, 1.3f, 2), new Detection(0, 0.5f, 0, 0, 1, 1));
        Assert.Empty(Schema("detections-1.json").Errors(document));
        JsonElement first = document.GetProperty("detections")[0];
        Assert.Equal("say \"ä\"", first.GetProperty("label").GetString());
        Assert.Equal(0, first.GetProperty("box").GetProperty("x_min").GetDouble());
        Assert.Equal(1, first.GetProperty("box").GetProperty("y_max").GetDouble());
        Assert.Equal(2, document.GetProperty("detections").GetArrayLength());
    }

    [Fact]
    public void An_Empty_Frame_Is_A_Message_Too()
    {
        (JsonElement document, _) = Write(DecoderKind.Yolox);
        Assert.Empty(Schema("detections-1.json").Errors(document));
        Assert.Equal(0, document.GetProperty("detections").GetArrayLength());
    }

    [Fact]
    public void The_Number_Of_Tokens_Is_Said_Where_It_Varies()
    {
        var time = new ManualTime();
        using var writer = new ResultWriter("gate-01", "front", Rig.Model with { Decoder = DecoderKind.Classification }, 2, time);
        using var frame = new Frame(64, 48) { Sequence = 1, CaptureTimestamp = time.GetTimestamp() };
        var result = new FrameResult { Sequence = 1, Frame = frame, Tokens = 41 };
        JsonElement document = JsonDocument.Parse(Encoding.UTF8.GetString(writer.Write(result))).RootElement;
        Assert.Empty(Schema("classifications-1.json").Errors(document));
        Assert.Equal(41, document.GetProperty("tokens").GetInt32());
        result.Tokens = -1;
        Assert.False(JsonDocument.Parse(Encoding.UTF8.GetString(writer.Write(result))).RootElement.TryGetProperty("tokens", out _));
    }

    [Fact]
    public void A_Classifier_Gives_Classes_Without_Boxes()
    {
        (JsonElement document, _) = Write(DecoderKind.Classification, new Detection(0, 0.75f, 0, 0, 1, 1));
        Assert.Empty(Schema("classifications-1.json").Errors(document));
        Assert.NotEmpty(Schema("detections-1.json").Errors(document));
        Assert.Equal("person", document.GetProperty("classifications")[0].GetProperty("label").GetString());
    }

    [Theory]
    [InlineData("\"seq\":184467", "\"seq\":0", "$.seq: 0 is below 1")]
    [InlineData("\"seq\":184467", "\"seq\":\"1\"", "$.seq: String, expected integer")]
    [InlineData("\"historical\":false", "\"other\":1", "$.other: not described")]
    [InlineData("\"historical\":false", "\"other\":1", "$: historical is missing")]
    [InlineData("\"x_max\":0.44", "\"x_max\":1.44", "$.detections[0].box.x_max: 1.44 is above 1")]
    [InlineData("03:10:11.123456Z", "03:10:11Z", "does not match")]
    [InlineData("detections/1", "detections/2", "$.schema: edgesparse.detections/2, expected edgesparse.detections/1")]
    public void The_Checker_Finds_What_Is_Wrong(string right, string wrong, string error)
    {
        (_, string text) = Write(DecoderKind.Ssd, new Detection(0, 0.91f, 0.31f, 0.22f, 0.44f, 0.87f));
        Assert.Contains(right, text, StringComparison.Ordinal);
        JsonElement damaged = JsonDocument.Parse(text.Replace(right, wrong, StringComparison.Ordinal)).RootElement;
        Assert.Contains(Schema("detections-1.json").Errors(damaged), found => found.Contains(error, StringComparison.Ordinal));
    }
}
