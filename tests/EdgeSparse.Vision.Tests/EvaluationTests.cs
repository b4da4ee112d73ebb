namespace EdgeSparse.Vision.Tests;

public sealed class EvaluationTests
{
    [Fact]
    public void Overlap_of_known_boxes()
    {
        var a = new Detection(0, 1, 0, 0, 0.4f, 0.4f);
        Assert.Equal(1, Detection.Iou(a, a), 1e-6f);
        Assert.Equal(1 / 7f, Detection.Iou(a, new Detection(0, 1, 0.2f, 0.2f, 0.6f, 0.6f)), 1e-6f);
        Assert.Equal(0, Detection.Iou(a, new Detection(0, 1, 0.4f, 0, 0.8f, 0.4f)));
    }

    [Fact]
    public void A_case_worked_out_by_hand()
    {
        var evaluation = new DetectionEvaluation();
        Detection first = new(0, 1, 0, 0, 0.2f, 0.2f), second = new(0, 1, 0.5f, 0.5f, 0.7f, 0.7f), third = new(1, 1, 0.8f, 0.8f, 1, 1);
        // Frame 1: 0.9 right; 0.8 the same box again, wrong; 0.7 right; class 1 found as class 0 (0.6), wrong.
        evaluation.Add([first, second, third], [first with { Score = 0.8f }, first with { Score = 0.9f }, second with { Score = 0.7f }, third with { LabelId = 0, Score = 0.6f }]);
        // Frame 2: one more of class 0 that nobody finds.
        evaluation.Add([first], []);
        PrecisionRecall all = evaluation.At(0);
        Assert.Equal((2, 2, 4), (all.TruePositives, all.FalsePositives, all.TruthCount));
        Assert.Equal(0.5, all.Precision);
        Assert.Equal(0.5, all.Recall);
        Assert.Equal((2, 1), (evaluation.At(0.7f).TruePositives, evaluation.At(0.7f).FalsePositives));
        // Class 0: precision 1, 1/2, 2/3, 1/2 at recall 1/3, 1/3, 2/3, 2/3; area 1·1/3 + 2/3·1/3 = 5/9. Class 1: 0.
        Assert.Equal(5 / 9.0, evaluation.AveragePrecision(0), 1e-9);
        Assert.Equal(0, evaluation.AveragePrecision(1));
        Assert.True(double.IsNaN(evaluation.AveragePrecision(2)));
        Assert.Equal(5 / 18.0, evaluation.MeanAveragePrecision(), 1e-9);
        Assert.Equal(2, evaluation.FrameCount);
    }

    [Fact]
    public void Perfect_detections_have_average_precision_one()
    {
        var evaluation = new DetectionEvaluation();
        using var scene = new SyntheticScene(160, 120, 4);
        using var frame = new Frame(1, 1);
        var truth = new DetectionList();
        for (int i = 0; i < 10; i++)
        {
            scene.Render(i * 20, frame, truth);
            evaluation.Add(truth.Items, truth.Items);
        }
        Assert.Equal(1, evaluation.MeanAveragePrecision(), 1e-9);
        Assert.Equal((1, 1), (evaluation.At(0.5f).Precision, evaluation.At(0.5f).Recall));
    }

    [Fact]
    public void A_detection_takes_the_box_it_overlaps_most()
    {
        var evaluation = new DetectionEvaluation(0.3f);
        Detection near = new(0, 1, 0, 0, 0.5f, 0.5f), shifted = new(0, 1, 0.1f, 0, 0.6f, 0.5f);
        evaluation.Add([near, shifted], [shifted with { Score = 0.9f }, near with { Score = 0.8f }]);
        Assert.Equal(2, evaluation.At(0).TruePositives);
    }
}

public sealed class YoloLabelFileTests
{
    [Fact]
    public void Lines_become_boxes()
    {
        Detection[] boxes = YoloLabelFile.Parse("0 0.5 0.5 0.2 0.4\r\n\n17\t0.1 0.9 0.2 0.2 \n", "x.txt");
        Assert.Equal(2, boxes.Length);
        Assert.Equal((0, 0.4f, 0.3f, 0.6f, 0.7f), (boxes[0].LabelId, boxes[0].XMin, boxes[0].YMin, boxes[0].XMax, boxes[0].YMax), (a, b) =>
            a.Item1 == b.Item1 && Math.Abs(a.Item2 - b.Item2) + Math.Abs(a.Item3 - b.Item3) + Math.Abs(a.Item4 - b.Item4) + Math.Abs(a.Item5 - b.Item5) < 1e-6);
        Assert.Equal((17, 0f, 1f), (boxes[1].LabelId, boxes[1].XMin, boxes[1].YMax));
    }

    [Theory]
    [InlineData("0 0.5 0.5 0.2")]
    [InlineData("0 0.5 0.5 0.2 0.4 0.9")]
    [InlineData("cat 0.5 0.5 0.2 0.4")]
    [InlineData("-1 0.5 0.5 0.2 0.4")]
    [InlineData("999999 0.5 0.5 0.2 0.4")]
    [InlineData("0 0.5 0.5 1.2 0.4")]
    [InlineData("0 0.5 0.5 NaN 0.4")]
    [InlineData("0 320 240 100 100")]
    public void Anything_else_is_named_with_its_line(string line)
    {
        var error = Assert.Throws<EdgeSparse.Model.ModelFormatException>(() => YoloLabelFile.Parse("1 0.5 0.5 0.1 0.1\n" + line, "x.txt"));
        Assert.Contains("x.txt", error.Message, StringComparison.Ordinal);
        Assert.Contains("line 2", error.Message, StringComparison.Ordinal);
        Assert.Contains(line, error.Message, StringComparison.Ordinal);
    }
}
