using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Pipelines;

namespace EdgeSparse.Daemon.Control;

/// <summary>
/// Takes over a changed configuration while the daemon runs: cameras added, removed or changed, models and thresholds exchanged between two frames, the log's level. It is read,
/// validated and every model opened before anything changes; where anything is wrong the old configuration goes on. What cannot change without a restart is named.
/// </summary>
internal sealed class Reloader(LoadedConfiguration started, Func<LoadedConfiguration> read, DaemonState state, CameraFactory factory, Action<CameraPipeline> adopt, Log log)
{
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LongestFrame = TimeSpan.FromSeconds(20);

    private readonly LoadedConfiguration _started = started;
    private LoadedConfiguration _current = started;

    public ControlOutcome Reload()
    {
        LoadedConfiguration next;
        Plan plan;
        try
        {
            next = read();
            plan = Prepare(next);
        }
        catch (ConfigurationException e)
        {
            foreach (ConfigurationProblem problem in e.Problems) log.Error($"configuration: {problem}");
            return Refuse($"{e.Problems.Count} {(e.Problems.Count == 1 ? "problem" : "problems")}: {e.Problems[0]}");
        }
        catch (DaemonException e)
        {
            factory.Forget();
            return Refuse(e.Message);
        }
        List<string> changes = Apply(plan, next);
        factory.Forget();
        _current = next;
        IReadOnlyList<string> restart = _started.NeedingRestart(next);
        string needs = restart.Count == 0 ? "" : $"changed and not in force until a restart: {string.Join(", ", restart)}";
        state.ConfigurationTrouble = needs;
        string done = changes.Count == 0 ? "nothing to change" : string.Join("; ", changes);
        return new ControlOutcome(true, needs.Length == 0 ? done : $"{done}; {needs}");
    }

    /// <summary>What is to be done, with every model opened already.</summary>
    private sealed class Plan : IDisposable
    {
        public List<CameraPipeline> Ending { get; } = [];

        public List<(CameraOptions Camera, PipelineModel Model)> Beginning { get; } = [];

        public List<(CameraPipeline Camera, CameraOptions Options, PipelineModel Model)> Changing { get; } = [];

        public void Dispose()
        {
            foreach ((_, PipelineModel model) in Beginning) model.Dispose();
            foreach ((_, _, PipelineModel model) in Changing) model.Dispose();
        }
    }

    private Plan Prepare(LoadedConfiguration next)
    {
        var plan = new Plan();
        try
        {
            List<CameraOptions> wanted = next.Options.Cameras.FindAll(camera => camera.Enabled);
            foreach (CameraPipeline running in state.Cameras)
                if (!wanted.Exists(camera => camera.Name == running.Name) || !_current.SameSource(next, running.Name)) plan.Ending.Add(running);
            foreach (CameraOptions camera in wanted)
            {
                CameraPipeline? running = state.Cameras.Find(camera.Name);
                if (running is null || plan.Ending.Contains(running)) plan.Beginning.Add((camera, factory.ResolveModel(camera)));
                else if (running.Options.Model != camera.Model || !_current.Same(next, camera.Name)) plan.Changing.Add((running, camera, factory.ResolveModel(camera)));
            }
            return plan;
        }
        catch
        {
            plan.Dispose();
            throw;
        }
    }

    private List<string> Apply(Plan plan, LoadedConfiguration next)
    {
        var changes = new List<string>();
        foreach ((CameraPipeline camera, CameraOptions options, PipelineModel model) in plan.Changing)
        {
            PipelineModel? old = camera.ExchangeModel(model, LongestFrame, options);
            (old ?? model).Dispose();
            changes.Add(old is null ? $"camera {camera.Name} hangs in a frame and stays as it is" : $"camera {camera.Name} has changed");
        }
        foreach (CameraPipeline camera in plan.Ending) camera.RequestStop();
        foreach (CameraPipeline camera in plan.Ending)
        {
            if (!camera.Join(DrainTime)) log.Warning($"camera {camera.Name}: still busy after {DrainTime.TotalSeconds:0} s; given up");
            state.Cameras.Remove(camera);
            camera.Dispose();
            if (!plan.Beginning.Exists(other => other.Camera.Name == camera.Name)) changes.Add($"camera {camera.Name} is gone");
        }
        foreach ((CameraOptions options, PipelineModel model) in plan.Beginning)
        {
            CameraPipeline camera = factory.Create(options, model);
            state.Cameras.Add(camera);
            adopt(camera);
            changes.Add(plan.Ending.Exists(other => other.Name == options.Name) ? $"camera {options.Name} was made anew" : $"camera {options.Name} is new");
        }
        DaemonOptions inForce = state.Options;
        inForce.Cameras.Clear();
        inForce.Cameras.AddRange(next.Options.Cameras);
        if (inForce.Log.Level != next.Options.Log.Level) changes.Add($"log level {next.Options.Log.Level.ToString().ToLowerInvariant()}");
        inForce.Log.Level = next.Options.Log.Level;
        inForce.Log.Format = next.Options.Log.Format;
        return changes;
    }

    private ControlOutcome Refuse(string why)
    {
        state.ConfigurationTrouble = $"the changed configuration is not taken, the old one goes on: {why}";
        return new ControlOutcome(false, state.ConfigurationTrouble);
    }
}
