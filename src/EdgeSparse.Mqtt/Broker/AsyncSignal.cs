using System.Threading.Tasks.Sources;

namespace EdgeSparse.Mqtt.Broker;

/// <summary>
/// Wakes one waiting loop from any thread. Signals between two waits count once. The waiter continues on a pool thread, never on the
/// signalling one, and neither side allocates.
/// </summary>
internal sealed class AsyncSignal : IValueTaskSource, IThreadPoolWorkItem
{
    private const int Idle = 0, Waiting = 1, Signalled = 2;

    private ManualResetValueTaskSourceCore<bool> core;
    private int state;

    public void Set()
    {
        while (true)
        {
            int seen = Volatile.Read(ref state);
            if (seen == Signalled) return;
            int next = seen == Waiting ? Idle : Signalled;
            if (Interlocked.CompareExchange(ref state, next, seen) != seen) continue;
            if (seen == Waiting) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            return;
        }
    }

    /// <summary>Completes with the next signal, at once where one came since the last wait. One waiter at a time.</summary>
    public ValueTask WaitAsync()
    {
        if (Interlocked.CompareExchange(ref state, Idle, Signalled) == Signalled) return ValueTask.CompletedTask;
        core.Reset();
        if (Interlocked.CompareExchange(ref state, Waiting, Idle) == Idle) return new ValueTask(this, core.Version);
        Volatile.Write(ref state, Idle);
        return ValueTask.CompletedTask;
    }

    void IThreadPoolWorkItem.Execute() => core.SetResult(true);

    void IValueTaskSource.GetResult(short token) => core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        core.OnCompleted(continuation, state, token, flags);
}
