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
