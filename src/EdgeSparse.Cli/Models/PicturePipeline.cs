using System.Diagnostics;
using EdgeSparse.Cli.Output;
using EdgeSparse.Runtime;
using EdgeSparse.Vision;

namespace EdgeSparse.Cli.Models;

/// <summary>Picture → input → outputs → classes or detections, as the manifest says.</summary>
internal sealed class PicturePipeline : IDisposable
{
    private const int DefaultClasses = 5;

    private readonly OpenedModel _model;
    private readonly IInferenceSession _session;
    private readonly PictureInput _input;
    private readonly ResultDecoder _decoder;
    private readonly int _limit;
    private readonly DetectionList _detections = new();
    private readonly DetectionList _shown = new();
    private readonly Annotator _annotator;

    public PicturePipeline(OpenedModel model, IInferenceSession session, int top, float? threshold)
    {
        _model = model;
        _session = session;
        _input = new PictureInput(model.Name.File, model.Manifest, session.Inputs);
        _decoder = new ResultDecoder(model.Name.File, model.Manifest, session);
        _limit = top > 0 ? top : _decoder.FindsBoxes ? int.MaxValue : DefaultClasses;
        _annotator = new Annotator(model.Manifest.Labels);
        if (threshold is { } least) _decoder.ScoreThreshold = least;
        else if (!_decoder.FindsBoxes) _decoder.ScoreThreshold = 0;
    }

    /// <summary>Loads and processes one picture.</summary>
    public PictureResult Run(string path)
    {
        Frame frame = _input.Frame;
        ImageFile.Load(path, frame);
        long start = Stopwatch.GetTimestamp();
        FrameTransform transform = _input.Run(_session.Input(0));
        double preprocess = Stopwatch.GetElapsedTime(start).TotalSeconds;
        start = Stopwatch.GetTimestamp();
        _session.Run();
        double inference = Stopwatch.GetElapsedTime(start).TotalSeconds;
        start = Stopwatch.GetTimestamp();
        _decoder.Decode(_session, transform, _detections);
        double decode = Stopwatch.GetElapsedTime(start).TotalSeconds;
        _shown.Clear();
        var results = new ResultReport[Math.Min(_detections.Count, _limit)];
        for (int i = 0; i < results.Length; i++)
        {
            ref readonly Detection found = ref _detections[i];
            _shown.Add(found);
            results[i] = new ResultReport(Label(found.LabelId), found.LabelId, found.Score, _decoder.FindsBoxes ? new BoxReport(found.XMin, found.YMin, found.XMax, found.YMax) : null);
        }
        return new PictureResult("edgesparse.picture/1", path, new FrameSize(frame.Width, frame.Height), _model.Name, new LatencyReport(preprocess, inference, decode), results);
    }

    /// <summary>Draws the last results into the last picture and writes it as PNG or JPEG by the extension.</summary>
    public void SaveAnnotated(string path)
    {
        _annotator.Draw(_input.Frame, _shown);
        ImageFile.Save(path, _input.Frame);
    }

    public void Dispose() => _input.Dispose();

    private string Label(int id) => id < _model.Manifest.Labels.Count ? _model.Manifest.Labels[id] : $"class {id}";
}
