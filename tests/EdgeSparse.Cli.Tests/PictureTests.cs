using System.Text.Json;
using EdgeSparse.Testing;
using EdgeSparse.Vision;

namespace EdgeSparse.Cli.Tests;

/// <summary>A real detector on real pictures, through <c>run</c>.</summary>
public class PictureTests
{
    private const string Manifest = """
        { "name": "yolox-nano", "preprocess": { "resize": "letterbox", "color": "bgr", "pad_value": 114 },
          "decoder": { "type": "yolox", "strides": [8, 16, 32], "score_threshold": 0.3, "iou_threshold": 0.45 } }
        """;

    /// <summary>The data's README states precision .70 and recall .41 for this model, score ≥ .3, IoU ≥ .5.</summary>
    [DataFact]
    public void Yolox_finds_what_is_in_coco128()
    {
        using var work = new WorkFolder();
        File.WriteAllText(work["model.json"], Manifest);
        Cli.Run("compile", TestData.Path("models", "yolox_nano_coco.onnx"), "-o", work["m.esm"], "--manifest", work["model.json"]).Succeeded();
        string pictures = TestData.Path("images", "coco128");
        Cli.Run("run", work["m.esm"], pictures, "--backend", "native", "--save", work["r.jsonl"]).Succeeded();
        var evaluation = new DetectionEvaluation();
        foreach (string line in File.ReadLines(work["r.jsonl"]))
        {
            JsonElement picture = JsonDocument.Parse(line).RootElement;
            Detection[] found = [.. picture.GetProperty("detections").EnumerateArray().Select(Found)];
            string truth = Path.ChangeExtension(picture.GetProperty("file").GetString()!, ".txt");
            evaluation.Add(File.Exists(truth) ? YoloLabelFile.Read(truth) : [], found);
        }
        Assert.Equal(128, evaluation.FrameCount);
        Assert.Equal(929, evaluation.TruthCount);
        PrecisionRecall result = evaluation.At(0.3f);
        Assert.True(result.Precision >= 0.68 && result.Recall >= 0.39, $"precision {result.Precision:0.000}, recall {result.Recall:0.000}");
    }

    private static Detection Found(JsonElement detection)
    {
        JsonElement box = detection.GetProperty("box");
        return new Detection(detection.GetProperty("label_id").GetInt32(), detection.GetProperty("score").GetSingle(), box.GetProperty("x_min").GetSingle(), box.GetProperty("y_min").GetSingle(),
            box.GetProperty("x_max").GetSingle(), box.GetProperty("y_max").GetSingle());
    }
}
