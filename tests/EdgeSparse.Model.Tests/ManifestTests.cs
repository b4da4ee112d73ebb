using System.Text;
using EdgeSparse.Model;

namespace EdgeSparse.Model.Tests;

public class ManifestTests
{
    private static Manifest Parse(string json) => ManifestJson.Parse(Encoding.UTF8.GetBytes(json), "model.json");

    [Fact]
    public void Members_are_in_snake_case_and_have_defaults()
    {
        Manifest manifest = Parse("""
            { "name": "person-vehicle", "version": "1.0.0-rc.1", "preprocess": { "resize": "center-crop", "crop_ratio": 0.875, "pad_value": 0, "letterbox_centered": true, "mean": [1, 2, 3] },
              "decoder": { "type": "yolox", "strides": [8, 16], "iou_threshold": 0.5, "max_detections": 7 }, "labels": ["a"], "licence": "MIT" }
            """);
        Assert.Equal("person-vehicle", manifest.Name);
        Assert.Equal(ResizeMode.CenterCrop, manifest.Preprocess!.Resize);
        Assert.Equal(0.875f, manifest.Preprocess.CropRatio);
        Assert.True(manifest.Preprocess.LetterboxCentered);
        Assert.Equal(1, manifest.Preprocess.Scale);
        Assert.Equal(DecoderKind.Yolox, manifest.Decoder!.Type);
        Assert.Equal([8, 16], manifest.Decoder.Strides);
        Assert.Equal(0.3f, manifest.Decoder.ScoreThreshold);
        Assert.Equal(7, manifest.Decoder.MaxDetections);
    }

    [Theory]
    [InlineData("", "model.json: line 1: The input does not contain any JSON tokens")]
    [InlineData("null", "model.json: null, expected an object")]
    [InlineData("{", "model.json: line 1: ")]
    [InlineData("{\"labls\": []}", "'labls'")]
    [InlineData("{\"labels\": null}", "labels")]
    [InlineData("{\"labels\": [null]}", "model.json: labels[0] is null")]
    [InlineData("{\"labels\": [1]}", "labels[0]: The JSON value could not be converted")]
    [InlineData("{\"labels\": [\"a\\nb\"]}", "labels[0] contains control characters")]
    [InlineData("{\"name\": \"A b\"}", "name 'A b', expected 1 to 64 of a-z, 0-9 and -")]
    [InlineData("{\"version\": \"\"}", "version ''")]
    [InlineData("{\"source_sha256\": \"abc\"}", "source_sha256")]
    [InlineData("{\"preprocess\": {\"resize\": \"squash\"}}", "preprocess.resize")]
    [InlineData("{\"preprocess\": {\"resize\": 9}}", "preprocess.resize is 9")]
    [InlineData("{\"preprocess\": {\"std\": [1, 0, 1]}}", "preprocess.std contains 0")]
    [InlineData("{\"preprocess\": {\"mean\": [1, 2]}}", "preprocess.mean has 2 values, expected 3 or none")]
    [InlineData("{\"preprocess\": {\"crop_ratio\": 1.5}}", "preprocess.crop_ratio is 1.5, expected 0.01 to 1")]
    [InlineData("{\"preprocess\": {\"scale\": 1e999}}", "preprocess.scale")]
    [InlineData("{\"preprocess\": {\"scale\": \"1\"}}", "preprocess.scale")]
    [InlineData("{\"decoder\": {\"type\": \"yolov3\"}}", "decoder.type")]
    [InlineData("{\"decoder\": {\"strides\": [0]}}", "decoder.strides")]
    [InlineData("{\"decoder\": {\"score_threshold\": 2}}", "decoder.score_threshold is 2")]
    [InlineData("{\"decoder\": {\"anchors\": [{\"stride\": 8, \"sizes\": []}]}}", "decoder.anchors[0].sizes")]
    [InlineData("{\"decoder\": {\"variances\": [0.1]}}", "decoder.variances")]
    [InlineData("[]", "The JSON value could not be converted")]
    [InlineData("{} // comment", "model.json: line 1: ")]
    public void What_is_wrong_is_said_on_one_line(string json, string message)
    {
        var error = Assert.Throws<ModelFormatException>(() => Parse(json));
        Assert.StartsWith("model.json: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(error.Message, char.IsControl);
    }

    [Fact]
    public void Too_many_labels_are_refused()
    {
        var manifest = new Manifest { Labels = [.. Enumerable.Repeat("x", Limits.Labels + 1)] };
        Assert.Contains("100001 labels", Assert.Throws<ModelFormatException>(() => ManifestJson.Write(manifest)).Message, StringComparison.Ordinal);
    }
}
