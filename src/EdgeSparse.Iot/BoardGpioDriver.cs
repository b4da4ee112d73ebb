using System.Device.Gpio;
using EdgeSparse.Devices;

namespace EdgeSparse.Iot;

/// <summary>
/// The lines of a <see cref="GpioBoard"/> for System.Device.Gpio, so that its users, as the sensors and displays of Iot.Device.Bindings, find lines by name and share the kernel interface of the
/// daemon. Pin number N is the Nth line that was named. Any thread; failures are <see cref="GpioException"/>. Disposing it disposes the board.
/// </summary>
public sealed class BoardGpioDriver : GpioDriver
{
    private const string Consumer = "edgesparse";

    /// <summary>How often a line that reports no edges is read while somebody waits for them.</summary>
    private const int ReadMilliseconds = 20;

    /// <summary>Ends a wait that a wake has missed.</summary>
    private const int LongestWaitMilliseconds = 1000;

    private readonly object _gate = new();
    private readonly GpioBoard _board;
    private readonly Pin[] _pins;
    private Thread? _watcher;
    private bool _isWaiting, _isDisposed;

    /// <param name="board">Owned from now on.</param>
    /// <param name="lines">Names or addresses, as GPIO17 or gpiochip0:17; each is taken when its pin's mode is set.</param>
    public BoardGpioDriver(GpioBoard board, params IEnumerable<string> lines)
    {
        ArgumentNullException.ThrowIfNull(board);
        ArgumentNullException.ThrowIfNull(lines);
        _board = board;
        _pins = [.. lines.Select((line, number) => new Pin(number, line))];
    }

    protected override int PinCount => _pins.Length;

    protected override void OpenPin(int pinNumber)
    {
        lock (_gate) Find(pinNumber).IsOpen = true;
    }

    protected override void ClosePin(int pinNumber)
    {
        lock (_gate)
        {
            Pin pin = Find(pinNumber);
            pin.Rising = pin.Falling = null;
            Release(pin);
            pin.IsOpen = false;
        }
    }

    protected override bool IsPinModeSupported(int pinNumber, PinMode mode) => mode is PinMode.Input or PinMode.InputPullDown or PinMode.InputPullUp or PinMode.Output;

    protected override PinMode GetPinMode(int pinNumber)
    {
        lock (_gate) return Find(pinNumber).Mode;
    }

    /// <summary>An output begins with the level that the pin has had, or low.</summary>
    protected override void SetPinMode(int pinNumber, PinMode mode)
    {
        lock (_gate)
        {
            Pin pin = Find(pinNumber);
            Take(pin, mode, mode == PinMode.Output && pin.Line is { } line && line.Read());
        }
    }

    protected override void SetPinMode(int pinNumber, PinMode mode, PinValue initialValue)
    {
        lock (_gate) Take(Find(pinNumber), mode, initialValue == PinValue.High);
    }

    protected override PinValue Read(int pinNumber)
    {
        lock (_gate) return Taken(pinNumber).Read() ? PinValue.High : PinValue.Low;
    }

    protected override void Write(int pinNumber, PinValue value)
    {
        lock (_gate)
        {
            Pin pin = Find(pinNumber);
            if (pin.Mode != PinMode.Output) throw new InvalidOperationException($"GPIO line {pin.Name} is an input; set its mode to output first");
            Taken(pinNumber).Write(value == PinValue.High);
        }
    }

    protected override void AddCallbackForPinValueChangedEvent(int pinNumber, PinEventTypes eventTypes, PinChangeEventHandler callback)
    {
        lock (_gate)
        {
            GpioLine line = Taken(pinNumber);
            Pin pin = Find(pinNumber);
            if (pin.Mode == PinMode.Output) throw new InvalidOperationException($"GPIO line {pin.Name} is an output; only inputs report changes");
            if (!pin.IsWatched) pin.Last = line.Read();
            if (eventTypes.HasFlag(PinEventTypes.Rising)) pin.Rising += callback;
            if (eventTypes.HasFlag(PinEventTypes.Falling)) pin.Falling += callback;
            if (_watcher is null)
            {
                _watcher = new Thread(Watch) { IsBackground = true, Name = "gpio" };
                _watcher.Start();
            }
            _board.Wake();
        }
    }

    protected override void RemoveCallbackForPinValueChangedEvent(int pinNumber, PinChangeEventHandler callback)
    {
        lock (_gate)
        {
            Pin pin = Find(pinNumber);
            pin.Rising -= callback;
            pin.Falling -= callback;
        }
        _board.Wake();
    }

    protected override WaitForEventResult WaitForEvent(int pinNumber, PinEventTypes eventTypes, CancellationToken cancellationToken)
    {
        // The watcher may be about to tell when this has ended, so nothing here can be disposed.
        var happened = new TaskCompletionSource<PinEventTypes>(TaskCreationOptions.RunContinuationsAsynchronously);
        void OnChange(object sender, PinValueChangedEventArgs change) => happened.TrySetResult(change.ChangeType);
        AddCallbackForPinValueChangedEvent(pinNumber, eventTypes, OnChange);
        try
        {
            while (!happened.Task.Wait(LongestWaitMilliseconds, cancellationToken))
            {
                lock (_gate)
                    if (Find(pinNumber).Fault is { } fault) throw new GpioException(fault);
            }
            return new WaitForEventResult { EventTypes = happened.Task.Result };
        }
        catch (OperationCanceledException)
        {
            return new WaitForEventResult { TimedOut = true };
        }
        finally
        {
            RemoveCallbackForPinValueChangedEvent(pinNumber, OnChange);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Thread? watcher;
            lock (_gate)
            {
                if (_isDisposed) return;
                _isDisposed = true;
                watcher = _watcher;
            }
            _board.Wake();
            watcher?.Join();
            foreach (Pin pin in _pins) pin.Line?.Dispose();
            _board.Dispose();
        }
        base.Dispose(disposing);
    }

    private Pin Find(int number)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return (uint)number < (uint)_pins.Length ? _pins[number] : throw new ArgumentOutOfRangeException(nameof(number), $"pin {number}, expected 0 to {_pins.Length - 1}: the lines that the driver was made with");
    }

    private GpioLine Taken(int number)
    {
        Pin pin = Find(number);
        if (pin.Line is null) Take(pin, PinMode.Input, false);
        return pin.Line!;
    }

    private void Take(Pin pin, PinMode mode, bool value)
    {
        if (!pin.IsOpen) throw new InvalidOperationException($"GPIO line {pin.Name} is not open");
        Release(pin);
        pin.Line = mode == PinMode.Output
            ? _board.RequestOutput(pin.Name, Consumer, activeLow: false, value)
            : _board.RequestInput(pin.Name, Consumer, activeLow: false, mode switch { PinMode.InputPullUp => GpioBias.PullUp, PinMode.InputPullDown => GpioBias.PullDown, _ => GpioBias.AsIs }, TimeSpan.Zero);
        pin.Mode = mode;
        pin.Fault = null;
    }

    /// <summary>Gives the line back, once the watcher does not wait for it.</summary>
    private void Release(Pin pin)
    {
        if (pin.Line is null) return;
        while (_isWaiting)
        {
            _board.Wake();
            Monitor.Wait(_gate, ReadMilliseconds);
        }
        pin.Line.Dispose();
        pin.Line = null;
    }

    /// <summary>Tells of changes, one after the other, on a thread of its own.</summary>
    private void Watch()
    {
        var changes = new List<(PinChangeEventHandler Handler, PinValueChangedEventArgs Change)>();
        while (true)
        {
            GpioLine[] lines;
            int milliseconds;
            lock (_gate)
            {
                if (_isDisposed) return;
                foreach (Pin pin in _pins) pin.Collect(changes);
                lines = [.. _pins.Where(pin => pin.IsWatched && pin.Line is { ReportsEdges: true }).Select(pin => pin.Line!)];
                milliseconds = _pins.Any(pin => pin.IsWatched && pin.Line is { ReportsEdges: false }) ? ReadMilliseconds : LongestWaitMilliseconds;
                _isWaiting = changes.Count == 0;
            }
            foreach ((PinChangeEventHandler handler, PinValueChangedEventArgs change) in changes) handler(this, change);
            if (changes.Count == 0) _board.Wait(lines, milliseconds);
            changes.Clear();
            lock (_gate)
            {
                _isWaiting = false;
                Monitor.PulseAll(_gate);
            }
        }
    }

    private sealed class Pin(int number, string name)
    {
        public string Name => name;

        public bool IsOpen { get; set; }

        public PinMode Mode { get; set; } = PinMode.Input;

        public GpioLine? Line { get; set; }

        /// <summary>Of a line that reports no edges: what was read last.</summary>
        public bool Last { get; set; }

        /// <summary>Why the line was lost; null where it is there, or was never taken.</summary>
        public string? Fault { get; set; }

        public PinChangeEventHandler? Rising { get; set; }

        public PinChangeEventHandler? Falling { get; set; }

        public bool IsWatched => Rising is not null || Falling is not null;

        public void Collect(List<(PinChangeEventHandler Handler, PinValueChangedEventArgs Change)> changes)
        {
            if (!IsWatched || Line is null) return;
            try
            {
                if (Line.ReportsEdges)
                {
                    while (Line.TryTakeEdge(out bool on)) Add(changes, on);
                    return;
                }
                bool now = Line.Read();
                if (now == Last) return;
                Last = now;
                Add(changes, now);
            }
            catch (GpioException e)
            {
                // Whoever uses the pin next takes the line anew, or is told why that fails.
                Fault = e.Message;
                Line.Dispose();
                Line = null;
            }
        }

        private void Add(List<(PinChangeEventHandler Handler, PinValueChangedEventArgs Change)> changes, bool on)
        {
            if ((on ? Rising : Falling) is { } handler) changes.Add((handler, new PinValueChangedEventArgs(on ? PinEventTypes.Rising : PinEventTypes.Falling, number)));
        }
    }
}
