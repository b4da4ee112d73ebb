using System.Diagnostics;
using System.Runtime.InteropServices;
using EdgeSparse.Cli.Output;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Vision;

namespace EdgeSparse.Cli.Models;

/// <summary>Picture → input → outputs → classes or detections, as the manifest says.</summary>
internal sealed class PicturePipeline : IDisposable
{
    private const int DefaultClasses = 5;

    private readonly OpenedModel _model;
    private readonly IInferenceSession _session;
    private readonly Preprocessor _preprocessor;
    private readonly OutputDecoder _decoder;
    private readonly bool _boxes;
    private readonly int _limit;
    private readonly DetectionList _detections = new();
    private readonly DetectionList _shown = new();
    private readonly Frame _frame = new(1, 1);
    private readonly Annotator _annotator;

    public PicturePipeline(OpenedModel model, IInferenceSession session, int top, float? threshold)
    {
        _model = model;
        _session = session;
        Manifest manifest = model.Manifest;
        if (manifest.Preprocess is null) throw new CliException(ExitCode.Data, $"{model.Name.File}: its manifest has no 'preprocess': say in model.json how pictures become the input");
        if (session.Inputs.Count != 1 || session.Inputs[0].Type != ElementType.Float32)
            throw new CliException(ExitCode.Data, $"{model.Name.File}: pictures need a model with one float32 input, this one has {string.Join(", ", session.Inputs)}");
        DecoderManifest decoder = manifest.Decoder ?? throw new CliException(ExitCode.Data, $"{model.Name.File}: its manifest has no 'decoder': say in model.json what the outputs mean");
        _preprocessor = new Preprocessor(manifest.Preprocess, session.Inputs[0].Shape);
        _decoder = OutputDecoder.Create(decoder, session.Inputs[0].Shape, [.. session.Outputs.Select(output => (output.Name, output.Shape))]);
        _boxes = decoder.Type != DecoderKind.Classification;
        _limit = top > 0 ? top : _boxes ? int.MaxValue : DefaultClasses;
        _annotator = new Annotator(manifest.Labels);
        if (threshold is { } least) _decoder.ScoreThreshold = least;
        else if (!_boxes) _decoder.ScoreThreshold = 0;
    }

    /// <summary>Loads and processes one picture.</summary>
    public PictureResult Run(string path)
    {
        ImageFile.Load(path, _frame);
        long start = Stopwatch.GetTimestamp();
        FrameTransform transform = _preprocessor.Run(_frame, MemoryMarshal.Cast<byte, float>(_session.Input(0)));
        double preprocess = Stopwatch.GetElapsedTime(start).TotalSeconds;
        start = Stopwatch.GetTimestamp();
        _session.Run();
        double inference = Stopwatch.GetElapsedTime(start).TotalSeconds;
        start = Stopwatch.GetTimestamp();
        _decoder.Decode(Output(_decoder.FirstOutput), _decoder.SecondOutput < 0 ? default : Output(_decoder.SecondOutput), transform, _detections);
        double decode = Stopwatch.GetElapsedTime(start).TotalSeconds;
        _shown.Clear();
        var results = new ResultReport[Math.Min(_detections.Count, _limit)];
        for (int i = 0; i < results.Length; i++)
        {
            ref readonly Detection found = ref _detections[i];
            _shown.Add(found);
            results[i] = new ResultReport(Label(found.LabelId), found.LabelId, found.Score, _boxes ? new BoxReport(found.XMin, found.YMin, found.XMax, found.YMax) : null);
        }
        return new PictureResult("edgesparse.picture/1", path, new FrameSize(_frame.Width, _frame.Height), _model.Name, new LatencyReport(preprocess, inference, decode), results);
    }

    /// <summary>Draws the last results into the last picture and writes it as PNG or JPEG by the extension.</summary>
    public void SaveAnnotated(string path)
    {
        _annotator.Draw(_frame, _shown);
        ImageFile.Save(path, _frame);
    }

    public void Dispose() => _frame.Dispose();

    private ReadOnlySpan<float> Output(int index) => _session.Outputs[index].Type == ElementType.Float32 ? MemoryMarshal.Cast<byte, float>(_session.Output(index))
        : throw new CliException(ExitCode.Data, $"{_model.Name.File}: output '{_session.Outputs[index].Name}' is {_session.Outputs[index].Type}, the decoder needs float32");

    private string Label(int id) => id < _model.Manifest.Labels.Count ? _model.Manifest.Labels[id] : $"class {id}";
}
