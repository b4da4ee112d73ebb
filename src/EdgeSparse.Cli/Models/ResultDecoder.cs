using System.Runtime.InteropServices;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Vision;

namespace EdgeSparse.Cli.Models;

/// <summary>A session's outputs to classes or boxes, as the model's manifest says.</summary>
internal sealed class ResultDecoder
{
    private readonly OutputDecoder _decoder;
    private readonly string _file;

    /// <param name="file">The model's file, named in errors.</param>
    /// <param name="manifest">Says what the outputs mean.</param>
    /// <param name="session">Any session of the model: its shapes count.</param>
    public ResultDecoder(string file, Manifest manifest, IInferenceSession session)
    {
        DecoderManifest decoder = manifest.Decoder ?? throw new CliException(ExitCode.Data, $"{file}: its manifest has no 'decoder': say in model.json what the outputs mean");
        _file = file;
        _decoder = OutputDecoder.Create(decoder, session.Inputs[0].Shape, [.. session.Outputs.Select(output => (output.Name, output.Shape))]);
        FindsBoxes = decoder.Type != DecoderKind.Classification;
    }

    /// <summary>True for a detector, false for a classifier.</summary>
    public bool FindsBoxes { get; }

    /// <summary>Index of the output that holds scores.</summary>
    public int ScoresOutput => _decoder.FirstOutput;

    /// <summary>Results with a score of at least this are given. Starts as the manifest's.</summary>
    public float ScoreThreshold
    {
        get => _decoder.ScoreThreshold;
        set => _decoder.ScoreThreshold = value;
    }

    /// <summary>Replaces <paramref name="results"/> by those of the session's last run, highest score first.</summary>
    public void Decode(IInferenceSession session, in FrameTransform transform, DetectionList results) =>
        _decoder.Decode(Output(session, _decoder.FirstOutput), _decoder.SecondOutput < 0 ? default : Output(session, _decoder.SecondOutput),
            _decoder.ThirdOutput < 0 ? default : session.Output(_decoder.ThirdOutput), _decoder.ThirdOutput < 0 ? ElementType.Undefined : session.Outputs[_decoder.ThirdOutput].Type, transform, results);

    private ReadOnlySpan<float> Output(IInferenceSession session, int index) => session.Outputs[index].Type == ElementType.Float32 ? MemoryMarshal.Cast<byte, float>(session.Output(index))
        : throw new CliException(ExitCode.Data, $"{_file}: output '{session.Outputs[index].Name}' is {session.Outputs[index].Type}, the decoder needs float32");
}
