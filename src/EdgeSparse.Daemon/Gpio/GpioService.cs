using System.Globalization;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Devices;

namespace EdgeSparse.Daemon.Gpio;

/// <summary>
/// Inputs that arm or trigger cameras and outputs that rules switch, all by one thread. A line that is not there or busy is tried again every while, and health says so; until then
/// its cameras stay armed. Outputs are off when the daemon starts and when it ends.
/// </summary>
internal sealed class GpioService : IDisposable
{
    /// <summary>As other programs see who uses a line.</summary>
    private const string Consumer = "edgesparsed";

    private static readonly TimeSpan RetryTime = TimeSpan.FromSeconds(10);

    /// <summary>How often inputs whose chip reports no edges are read.</summary>
    private static readonly TimeSpan ReadTime = TimeSpan.FromMilliseconds(20);

    private readonly GpioBoard _board;
    private readonly GpioInput[] _inputs;
    private readonly GpioOutput[] _outputs;
    private readonly IReadOnlyList<CameraPipeline> _cameras;
    private readonly TimeProvider _time;
    private readonly Log _log;
    private readonly Thread _thread;
    private readonly List<GpioLine> _waiting = [];
    private volatile bool _stop;
    private bool _started;

    /// <param name="options">Lines and what they are for.</param>
    /// <param name="board">The lines; disposed with the service.</param>
    /// <param name="cameras">All that run.</param>
    /// <param name="outputs">Made before the cameras, whose results switch them.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Told of every change.</param>
    public GpioService(GpioOptions options, GpioBoard board, IReadOnlyList<CameraPipeline> cameras, IReadOnlyList<GpioOutput> outputs, TimeProvider time, Log log)
    {
        _board = board;
        _cameras = cameras;
        _time = time;
        _log = log;
        _inputs = [.. options.Inputs.Select(input => new GpioInput(input, time))];
        _outputs = [.. outputs];
        foreach (GpioOutput output in _outputs) output.Wake = board.Wake;
        foreach (CameraPipeline camera in cameras) Adopt(camera);
        _thread = new Thread(Run) { IsBackground = true, Name = "gpio" };
    }

    /// <summary>Inputs, then outputs.</summary>
    public IEnumerable<GpioPort> Ports => [.. _inputs, .. _outputs];

    /// <summary>Called by the thread of the service after a port changed. Set before <see cref="Start"/>.</summary>
    public Action<GpioPort>? Changed { get; set; }

    public void Start()
    {
        _started = true;
        _thread.Start();
    }

    /// <summary>Turns the outputs off and releases all lines.</summary>
    public void Stop()
    {
        _stop = true;
        _board.Wake();
        if (_started && !_thread.Join(TimeSpan.FromSeconds(5))) _log.Warning("gpio: a line does not answer; given up");
    }

    public void Dispose()
    {
        Stop();
        if (!_started || !_thread.IsAlive) _board.Dispose();
    }

    /// <summary>One line for each configured line: what was found, or what is wrong with it.</summary>
    public static IEnumerable<string> Check(GpioOptions options, GpioBoard board)
    {
        foreach ((string key, string line) in options.Inputs.Select(input => ($"gpio:inputs:{input.Name}", input.Line)).Concat(options.Outputs.Select(output => ($"gpio:outputs:{output.Name}", output.Line))))
        {
            string text;
            try
            {
                text = $"found {board.Find(line)}";
            }
            catch (GpioException e)
            {
                text = $"not now: {e.Message}";
            }
            yield return $"{key}: {text}";
        }
    }

    /// <summary>A supervision boundary: whatever a line does, the others and the cameras go on.</summary>
    private void Run()
    {
        while (!_stop)
        {
            try
            {
                foreach (GpioInput input in _inputs) Attend(input, Serve);
                foreach (GpioOutput output in _outputs) Attend(output, Serve);
                _waiting.Clear();
                foreach (GpioInput input in _inputs)
                    if (input.Line is { ReportsEdges: true } line) _waiting.Add(line);
                _board.Wait(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_waiting), UntilNext());
            }
            catch (Exception e)
            {
                _log.Error($"gpio: {e.GetType().Name}: {e.Message}");
                Thread.Sleep(RetryTime);
            }
        }
        foreach (GpioOutput output in _outputs) Attend(output, port => Switch(port, false));
        foreach (GpioPort port in Ports) port.Release();
    }

    private void Attend<T>(T port, Action<T> serve)
        where T : GpioPort
    {
        try
        {
            if (port.Line is null)
            {
                if (_stop || _time.GetTimestamp() < port.RetryAt) return;
                port.Open(_board, Consumer);
                _log.Info($"gpio {port.Name}: {port.Line!.Info}{(port.IsInput ? $", {(port.Line.ReportsEdges ? "reports changes" : "is read every 20 ms, as its chip reports no changes")}" : ", output")}");
                Changed?.Invoke(port);
            }
            serve(port);
        }
        catch (GpioException e)
        {
            bool news = port.Trouble != e.Message;
            port.Fail(e.Message, _time.GetTimestamp() + Ticks(RetryTime));
            if (!news) return;
            _log.Warning($"gpio {port.Name}: {e.Message}; trying again every {RetryTime.TotalSeconds:0} s");
            Changed?.Invoke(port);
        }
    }

    /// <summary>Sets a new camera's gate as the inputs are now.</summary>
    public void Adopt(CameraPipeline camera)
    {
        camera.Gate.WaitsForTrigger = Array.Exists(_inputs, input => input.Options.Use == GpioInputUse.Trigger && GpioOptionsReader.IsFor(input.Options.Cameras, camera.Name));
        Arm(camera);
    }

    private void Arm(CameraPipeline camera) =>
        camera.Gate.IsArmed = Array.TrueForAll(_inputs, input => input.Options.Use != GpioInputUse.Arm || input.IsOn != false || !GpioOptionsReader.IsFor(input.Options.Cameras, camera.Name));

    private void Serve(GpioInput input)
    {
        while (input.TryTakeChange(out bool on))
        {
            if (input.Options.Use == GpioInputUse.Trigger)
            {
                if (on)
                    foreach (CameraPipeline camera in CamerasOf(input)) camera.Gate.Trigger(input.Options.Seconds);
            }
            else
            {
                foreach (CameraPipeline camera in CamerasOf(input)) Arm(camera);
                _log.Info($"gpio {input.Name}: {(on ? "armed" : "disarmed")}");
            }
            Changed?.Invoke(input);
        }
    }

    private void Serve(GpioOutput output)
    {
        bool on = _time.GetTimestamp() < output.OnUntil;
        if (output.IsOn != on) Switch(output, on);
    }

    private void Switch(GpioOutput output, bool on)
    {
        if (output.Line is null || output.IsOn == on) return;
        output.Write(on);
        _log.Debug($"gpio {output.Name}: {(on ? "on" : "off")}");
        Changed?.Invoke(output);
    }

    /// <summary>Milliseconds until something is due.</summary>
    private int UntilNext()
    {
        long now = _time.GetTimestamp(), next = now + Ticks(RetryTime);
        foreach (GpioPort port in _inputs)
            next = Math.Min(next, port.Line is null ? port.RetryAt : port.Line.ReportsEdges ? long.MaxValue : now + Ticks(ReadTime));
        foreach (GpioOutput output in _outputs)
            next = Math.Min(next, output.Line is null ? output.RetryAt : output.OnUntil > now ? output.OnUntil : long.MaxValue);
        return (int)Math.Clamp(((next - now) * 1000 / _time.TimestampFrequency) + 1, 1, 60_000);
    }

    private IEnumerable<CameraPipeline> CamerasOf(GpioInput input) => _cameras.Where(camera => GpioOptionsReader.IsFor(input.Options.Cameras, camera.Name));

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * _time.TimestampFrequency);
}
