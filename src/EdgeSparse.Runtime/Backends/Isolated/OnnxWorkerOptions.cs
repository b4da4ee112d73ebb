namespace EdgeSparse.Runtime.Backends.Isolated;

/// <summary>How the process is started and watched in which ONNX Runtime computes apart from this one.</summary>
public sealed record OnnxWorkerOptions
{
    /// <summary>
    /// Program and arguments of the worker; one more argument is added, which the program hands to <see cref="OnnxWorker.Serve"/>. Empty = this program again, with the argument
    /// <see cref="OnnxWorker.Argument"/>.
    /// </summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary>A worker that takes longer for a frame is killed.</summary>
    public TimeSpan FrameTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A worker that takes longer to load the model is killed. TensorRT builds engines for minutes.</summary>
    public TimeSpan LoadTimeout { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a frame whose worker died waits for the next worker; after that it is given up as failed.</summary>
    public TimeSpan RetryWait { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Wait before the fourth restart within a minute; it doubles with each more. The first three come at once.</summary>
    public TimeSpan FirstBackOff { get; init; } = TimeSpan.FromMilliseconds(250);

    public TimeSpan LongestBackOff { get; init; } = TimeSpan.FromSeconds(30);
}
