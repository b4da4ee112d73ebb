using EdgeSparse.Daemon.Models;

namespace EdgeSparse.Daemon.Control;

/// <summary>The requests of <see cref="IDaemonControl"/>, carried out in turn with model updates.</summary>
internal sealed class DaemonControl(RequestGate gate, ModelUpdates? updates, Func<CancellationToken, Task<ControlOutcome>> reload, Log log, CancellationToken stop) : IDaemonControl
{
    public Task<ControlOutcome> ReloadAsync() => Run("reload", () => reload(stop));

    public Task<ControlOutcome> SelectModelAsync(string model, string version) => Run("select model", () => updates is null
        ? Task.FromResult(new ControlOutcome(false, "there is no stateFolder, so no other version is kept"))
        : updates.SelectAsync(model, version, stop));

    /// <summary>A supervision boundary.</summary>
    private async Task<ControlOutcome> Run(string what, Func<Task<ControlOutcome>> request)
    {
        ControlOutcome outcome;
        try
        {
            outcome = await gate.RunAsync(request, stop);
        }
        catch (OperationCanceledException)
        {
            return new ControlOutcome(false, "the daemon stops");
        }
        catch (Exception e)
        {
            outcome = new ControlOutcome(false, $"internal error: {e.GetType().Name}: {e.Message}");
        }
        if (outcome.Done) log.Info($"{what}: {outcome.Message}");
        else log.Warning($"{what}: refused: {outcome.Message}");
        return outcome;
    }
}
