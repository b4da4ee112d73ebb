using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Devices;

namespace EdgeSparse.Daemon;

/// <summary>
/// Feeds systemd's watchdog for as long as every camera's threads get on: each has made progress since the last time, or waits for what is known to take its time (a
/// picture, an unplugged camera's return, a pause). One that hangs is told to the log and to <c>systemctl status</c>, the watchdog goes hungry, and systemd starts the daemon anew.
/// </summary>
internal sealed class Watchdog(SystemdNotifier systemd, IReadOnlyList<CameraPipeline> cameras, TimeProvider time, Log log)
{
    /// <summary>Looked at least so often, so that a hang ends soon after systemd's interval is over.</summary>
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(2);

    private long _fed = time.GetTimestamp();
    private string _reported = "";

    /// <summary>Looks until <paramref name="stop"/>; returns at once where systemd keeps no watchdog.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        if (systemd.WatchdogInterval is not { } interval) return;
        TimeSpan look = interval / 4 < LongestLook ? interval / 4 : LongestLook;
        using var timer = new PeriodicTimer(look, time);
        try
        {
            do Look();
            while (await timer.WaitForNextTickAsync(stop));
        }
        catch (OperationCanceledException)
        {
            // The daemon stops.
        }
    }

    /// <summary>Feeds the watchdog where nothing hangs; true where it did.</summary>
    internal bool Look()
    {
        string hanging = string.Join(" and ", cameras.SelectMany(camera => camera.Heartbeats).Where(beat => beat.Heartbeat.Hangs).Select(beat => beat.Name));
        // A slow frame is no news; one that takes half of the time that there is, is.
        if (hanging.Length > 0 && hanging != _reported && time.GetElapsedTime(_fed) >= systemd.WatchdogInterval / 2)
        {
            log.Error($"{hanging} hangs: the watchdog is not fed");
            systemd.Status($"{hanging} hangs");
            _reported = hanging;
        }
        if (hanging.Length > 0) return false;
        foreach (CameraPipeline camera in cameras)
            foreach ((_, Heartbeat heartbeat) in camera.Heartbeats) heartbeat.MarkSeen();
        if (_reported.Length > 0) log.Warning($"{_reported} works again");
        _reported = "";
        _fed = time.GetTimestamp();
        systemd.FeedWatchdog();
        return true;
    }
}
