using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Devices;

namespace EdgeSparse.Daemon.Gpio;

/// <summary>A configured line: its state may be asked by any thread, everything else is the service's thread's.</summary>
internal abstract class GpioPort(string name, string lineName)
{
    private const int Unknown = -1;

    private int _state = Unknown;
    private string _trouble = "not taken yet";
    private long _changes;

    public string Name => name;

    /// <summary>As configured.</summary>
    public string LineName => lineName;

    public abstract bool IsInput { get; }

    /// <summary>Null while it is not ours.</summary>
    public GpioLine? Line { get; protected set; }

    /// <summary>When it is tried again.</summary>
    public long RetryAt { get; private set; } = long.MinValue;

    /// <summary>Null while it is not known.</summary>
    public bool? IsOn => Volatile.Read(ref _state) switch { 0 => false, 1 => true, _ => null };

    /// <summary>Why the line is not ours; empty where it is.</summary>
    public string Trouble => Volatile.Read(ref _trouble);

    /// <summary>How often it turned on or off.</summary>
    public long Changes => Volatile.Read(ref _changes);

    /// <summary>on, off or failed.</summary>
    public string Word => Trouble.Length > 0 ? "failed" : IsOn == true ? "on" : "off";

    public void Open(GpioBoard board, string consumer)
    {
        Line = Request(board, consumer);
        Volatile.Write(ref _trouble, "");
    }

    /// <summary>The line is lost until it is opened again.</summary>
    public void Fail(string trouble, long retryAt)
    {
        Release();
        RetryAt = retryAt;
        Volatile.Write(ref _trouble, trouble);
    }

    public void Release()
    {
        Line?.Dispose();
        Line = null;
        Volatile.Write(ref _state, Unknown);
    }

    protected abstract GpioLine Request(GpioBoard board, string consumer);

    protected void Set(bool on)
    {
        if (IsOn is not null) Volatile.Write(ref _changes, _changes + 1);
        Volatile.Write(ref _state, on ? 1 : 0);
    }
}

/// <summary>An input. Its first reading counts as a change, so that a switch is known from the start; a trigger that is on already triggers once.</summary>
internal sealed class GpioInput(GpioInputOptions options, TimeProvider time) : GpioPort(options.Name, options.Line)
{
    private readonly long _debounce = options.DebounceMilliseconds * time.TimestampFrequency / 1000;
    private bool _candidate;
    private long _candidateSince;

    public GpioInputOptions Options => options;

    public override bool IsInput => true;

    /// <summary>The next change, if there is one.</summary>
    public bool TryTakeChange(out bool on)
    {
        GpioLine line = Line!;
        if (IsOn is null) return Take(_candidate = line.Read(), out on);
        if (line.ReportsEdges)
        {
            // Edges may have been lost where many came at once; only a change of what is known counts.
            while (line.TryTakeEdge(out bool edge))
                if (edge != IsOn) return Take(edge, out on);
            on = false;
            return false;
        }
        bool value = line.Read();
        if (value != _candidate) (_candidate, _candidateSince) = (value, time.GetTimestamp());
        if (value != IsOn && time.GetTimestamp() - _candidateSince >= _debounce) return Take(value, out on);
        on = false;
        return false;
    }

    protected override GpioLine Request(GpioBoard board, string consumer) =>
        board.RequestInput(options.Line, consumer, options.ActiveLow, options.Bias, TimeSpan.FromMilliseconds(options.DebounceMilliseconds));

    private bool Take(bool value, out bool on)
    {
        Set(value);
        on = value;
        return true;
    }
}

/// <summary>An output, switched on by results and off by time.</summary>
internal sealed class GpioOutput(GpioOutputOptions options, TimeProvider time) : GpioPort(options.Name, options.Line)
{
    private readonly long _hold = (long)(options.HoldSeconds * time.TimestampFrequency);
    private long _onUntil = long.MinValue;

    public GpioOutputOptions Options => options;

    public override bool IsInput => false;

    /// <summary>Ends the service's wait.</summary>
    public Action? Wake { get; set; }

    public long OnUntil => Volatile.Read(ref _onUntil);

    /// <summary>A result matches: on from now for the hold time. Called by cameras' threads; allocates nothing.</summary>
    public void Match()
    {
        long now = time.GetTimestamp(), before = Interlocked.Exchange(ref _onUntil, now + _hold);
        if (before <= now) Wake?.Invoke();
    }

    public void Write(bool on)
    {
        Line!.Write(on);
        Set(on);
    }

    protected override GpioLine Request(GpioBoard board, string consumer) => board.RequestOutput(options.Line, consumer, options.ActiveLow, value: false);
}
