namespace EdgeSparse.Runtime;

/// <summary>The threads that compute: the workers of this process, and those that call <see cref="NativeSession.Run"/>.</summary>
public static class InferenceThreads
{
    /// <summary>What each worker does first, such as to bind itself to some processors; set it before the first session with several threads is made.</summary>
    public static Action? Starting { get; set; }

    /// <summary>Does the same on the calling thread, which is about to run sessions.</summary>
    public static void Enter() => Starting?.Invoke();
}
