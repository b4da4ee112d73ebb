namespace EdgeSparse.Devices;

/// <summary>A GPIO line that is ours until it is disposed. Values are logical: true is on, whatever level that is. For one thread at a time; failures are <see cref="GpioException"/>.</summary>
public sealed unsafe class GpioLine : IDisposable
{
    private readonly GpioSystem _system;
    private int _descriptor;

    internal GpioLine(GpioSystem system, GpioLineInfo info, int descriptor, bool reportsEdges)
    {
        _system = system;
        _descriptor = descriptor;
        Info = info;
        ReportsEdges = reportsEdges;
    }

    public GpioLineInfo Info { get; }

    /// <summary>Whether <see cref="TryTakeEdge"/> gives edges; else only <see cref="Read"/> tells of a change.</summary>
    public bool ReportsEdges { get; }

    internal int Descriptor => _descriptor;

    public bool Read()
    {
        GpioLineValues values = new() { Mask = 1 };
        Require("reading", _system.Control(_descriptor, GpioAbi.GetValues, &values));
        return (values.Bits & 1) != 0;
    }

    public void Write(bool value)
    {
        GpioLineValues values = new() { Mask = 1, Bits = value ? 1u : 0 };
        Require("setting", _system.Control(_descriptor, GpioAbi.SetValues, &values));
    }

    /// <summary>The next edge that waits: true for one to on; false where none waits.</summary>
    public bool TryTakeEdge(out bool on)
    {
        Span<GpioLineEvent> events = stackalloc GpioLineEvent[1];
        int result = _system.ReadEvents(_descriptor, events);
        Require("reading edges", result);
        on = result > 0 && events[0].Id == GpioAbi.EventRising;
        return result > 0;
    }

    /// <summary>Releases the line.</summary>
    public void Dispose()
    {
        if (_descriptor >= 0) _system.Close(_descriptor);
        _descriptor = -1;
    }

    private void Require(string what, int result)
    {
        if (result < 0) throw new GpioException(-result is LinuxError.NoDevice or LinuxError.NoDeviceOrAddress ? $"GPIO line {Info}: its chip is gone" : $"GPIO line {Info}: {what} failed: {GpioBoard.Error(result)}");
    }
}
