namespace EdgeSparse.Daemon.Control;

/// <summary>Carries out what changes the running daemon one request after the other.</summary>
internal sealed class RequestGate : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1);

    public async Task<T> RunAsync<T>(Func<Task<T>> request, CancellationToken stop)
    {
        await _gate.WaitAsync(stop);
        try
        {
            return await request();
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();
}
