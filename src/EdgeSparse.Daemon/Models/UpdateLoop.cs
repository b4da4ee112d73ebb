using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Control;

namespace EdgeSparse.Daemon.Models;

/// <summary>Takes packages from the inbox one after the other, between other requests. A supervision boundary: nothing that a package does ends the daemon.</summary>
internal sealed class UpdateLoop(ModelUpdates updates, ModelUpdateOptions options, RequestGate gate, Log log, TimeProvider time)
{
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            await gate.RunAsync(async () =>
            {
                await updates.FinishTrialsAsync(stop);
                return true;
            }, stop);
            if (!options.Updates || options.Inbox.Length == 0) return;
            using var inbox = new ModelInbox(options.Inbox, options.RequireSignature || options.TrustedKeys.Length > 0, log, time);
            log.Info($"models: packages are taken from {options.Inbox}{(options.RequireSignature ? ", with a trusted signature only" : "")}");
            while (true)
            {
                string path = await inbox.NextAsync(stop);
                try
                {
                    await gate.RunAsync(() => updates.InstallAsync(path, stop), stop);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    log.Error($"model update {Path.GetFileName(path)}: internal error: {e.GetType().Name}: {e.Message}; the old model goes on");
                    ModelInbox.Remove(path);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The daemon stops.
        }
        catch (Exception e)
        {
            log.Error($"models: no more updates are taken: {e.GetType().Name}: {e.Message}");
        }
    }
}
