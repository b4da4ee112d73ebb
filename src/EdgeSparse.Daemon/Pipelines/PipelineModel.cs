using EdgeSparse.Daemon.Scenes;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Pipelines;

/// <summary>
/// All of a camera's pipeline that comes with its model: what prepares a frame, computes, decodes and publishes. Replaced as a whole, between two frames.
/// Owns the session and those sinks that must be disposed.
/// </summary>
internal sealed class PipelineModel : IDisposable
{
    private readonly TaskCompletionSource<string?> _probation = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _probationFrames;
    private int _good;

    /// <summary>Throws <see cref="ModelFormatException"/> where the model's first input or a decoded output is not float32.</summary>
    /// <param name="session">Runs the model.</param>
    /// <param name="identity">Which model it is.</param>
    /// <param name="preprocessor">Makes the first input.</param>
    /// <param name="decoder">Reads the outputs.</param>
    /// <param name="sinks">Take the results, in this order.</param>
    /// <param name="probationFrames">Frames that must go well until <see cref="Probation"/> is passed; 0 = it is passed already.</param>
    public PipelineModel(IInferenceSession session, ModelIdentity identity, Preprocessor preprocessor, OutputDecoder decoder, IReadOnlyList<IResultSink> sinks, int probationFrames = 0)
    {
        Session = session;
        Identity = identity;
        Preprocessor = preprocessor;
        Decoder = decoder;
        Sinks = [.. sinks];
        CheckTypes();
        TokenCountOutput = FindTokenCountOutput(session.Outputs);
        _probationFrames = probationFrames;
        if (probationFrames == 0) _probation.SetResult(null);
    }

    /// <summary>Follows objects; null = nothing is followed. Disposed with the model.</summary>
    public Scene? Scene { get; init; }

    public IInferenceSession Session { get; }

    public ModelIdentity Identity { get; }

    public Preprocessor Preprocessor { get; }

    public OutputDecoder Decoder { get; }

    public IResultSink[] Sinks { get; }

    /// <summary>The output that says how many tokens a picture took, or −1 for a model that takes as many of every picture.</summary>
    public int TokenCountOutput { get; }

    /// <summary>How the first frames went: null once enough went well, else what was wrong with the first that did not.</summary>
    public Task<string?> Probation => _probation.Task;

    /// <summary>True while the first frames are still looked at.</summary>
    public bool IsOnProbation => !_probation.Task.IsCompleted;

    /// <summary>Told by the processing thread after each frame.</summary>
    public void FrameDone(Exception? failure)
    {
        if (_probation.Task.IsCompleted) return;
        if (failure is not null) _probation.TrySetResult($"{failure.GetType().Name}: {failure.Message}");
        else if (++_good >= _probationFrames) _probation.TrySetResult(null);
    }

    public void Dispose()
    {
        Session.Dispose();
        Scene?.Dispose();
        foreach (IResultSink sink in Sinks) (sink as IDisposable)?.Dispose();
    }

    private static int FindTokenCountOutput(IReadOnlyList<TensorInfo> outputs)
    {
        for (int i = 0; i < outputs.Count; i++)
            if (outputs[i].Name == TokenCount.OutputName && outputs[i].Type == ElementType.Int32 && outputs[i].Shape.ElementCount == 1) return i;
        return -1;
    }

    private void CheckTypes()
    {
        Check(Session.Inputs[0], "input");
        Check(Session.Outputs[Decoder.FirstOutput], "output");
        if (Decoder.SecondOutput >= 0) Check(Session.Outputs[Decoder.SecondOutput], "output");

        void Check(TensorInfo tensor, string what)
        {
            if (tensor.Type != ElementType.Float32)
                throw new ModelFormatException($"model {Identity.Name}: {what} '{tensor.Name}' is {tensor.Type}, expected {ElementType.Float32}");
        }
    }
}
