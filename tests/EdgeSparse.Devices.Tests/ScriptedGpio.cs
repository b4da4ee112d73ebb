using System.Text;
using EdgeSparse.Devices;

namespace EdgeSparse.Devices.Tests;

/// <summary>GPIO chips in memory that keep the kernel's rules. Levels are electrical; edges arise where they change. Safe for use by several threads. Counts what is left open.</summary>
internal sealed unsafe class ScriptedGpio : GpioSystem
{
    private const int FirstChipDescriptor = 100;
    private const int FirstLineDescriptor = 1000;

    private readonly object _gate = new();
    private readonly List<Chip> _chips = [];
    private readonly Dictionary<int, Line> _requested = [];
    private int _openChips;
    private int _nextLine = FirstLineDescriptor;
    private bool _woken;

    public sealed class Chip(string label)
    {
        public string Label => label;

        public List<Line> Lines { get; } = [];

        public int OpenError { get; set; }

        public int RequestError { get; set; }

        /// <summary>Whether lines can report edges.</summary>
        public bool HasInterrupts { get; set; } = true;

        public bool IsGone { get; set; }
    }

    public sealed class Line(string name)
    {
        public string Name => name;

        public string Consumer { get; set; } = "";

        public bool IsUsed { get; set; }

        public bool Level { get; set; }

        public ulong Flags { get; set; }

        public uint DebounceMicroseconds { get; set; }

        public Queue<uint> Edges { get; } = new();

        public List<bool> Written { get; } = [];

        public Chip Chip { get; set; } = null!;

        /// <summary>The level as its user sees it.</summary>
        public bool IsOn => Level != ((Flags & GpioAbi.FlagActiveLow) != 0);
    }

    public int OpenDescriptors
    {
        get
        {
            lock (_gate) return _openChips + _requested.Count;
        }
    }

    public bool IsDisposed { get; private set; }

    public Chip AddChip(string label, params string[] names)
    {
        lock (_gate)
        {
            var chip = new Chip(label);
            foreach (string name in names) chip.Lines.Add(new Line(name) { Chip = chip });
            _chips.Add(chip);
            return chip;
        }
    }

    public Line LineAt(string path, int offset)
    {
        lock (_gate) return _chips[int.Parse(path["/dev/gpiochip".Length..])].Lines[offset];
    }

    /// <summary>Something outside drives an input.</summary>
    public void Drive(Line line, bool level)
    {
        lock (_gate)
        {
            if (line.Level == level) return;
            line.Level = level;
            bool rising = line.IsOn;
            if ((line.Flags & (rising ? GpioAbi.FlagEdgeRising : GpioAbi.FlagEdgeFalling)) != 0) line.Edges.Enqueue(rising ? GpioAbi.EventRising : 2);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>The chip is unplugged.</summary>
    public void Unplug(Chip chip)
    {
        lock (_gate)
        {
            chip.IsGone = true;
            _chips.Remove(chip);
            Monitor.PulseAll(_gate);
        }
    }

    public override IReadOnlyList<string> Chips()
    {
        lock (_gate) return [.. _chips.Select((_, i) => $"/dev/gpiochip{i}")];
    }

    public override int Open(string path)
    {
        lock (_gate)
        {
            int index = int.Parse(path["/dev/gpiochip".Length..]);
            if (index >= _chips.Count) return -LinuxError.NoEntry;
            if (_chips[index].OpenError != 0) return -_chips[index].OpenError;
            _openChips++;
            return FirstChipDescriptor + index;
        }
    }

    public override int Control(int descriptor, uint request, void* argument)
    {
        lock (_gate)
        {
            if (descriptor >= FirstLineDescriptor) return ControlLine(_requested[descriptor], request, (GpioLineValues*)argument);
            if (descriptor - FirstChipDescriptor >= _chips.Count) return -LinuxError.NoDevice;
            Chip chip = _chips[descriptor - FirstChipDescriptor];
            switch (request)
            {
                case GpioAbi.GetChipInfo:
                    var info = (GpioChipInfo*)argument;
                    Put(chip.Label, info->Label);
                    info->Lines = (uint)chip.Lines.Count;
                    return 0;
                case GpioAbi.GetLineInfo:
                    var line = (GpioLineInformation*)argument;
                    if (line->Offset >= chip.Lines.Count) return -LinuxError.Invalid;
                    Line of = chip.Lines[(int)line->Offset];
                    Put(of.Name, line->Name);
                    Put(of.Consumer, line->Consumer);
                    line->Flags = of.IsUsed ? GpioAbi.FlagUsed : 0;
                    return 0;
                case GpioAbi.GetLine:
                    return Request(chip, (GpioLineRequest*)argument);
                default:
                    return -LinuxError.NotATerminal;
            }
        }
    }

    public override int ReadEvents(int descriptor, Span<GpioLineEvent> events)
    {
        lock (_gate)
        {
            Line line = _requested[descriptor];
            if (line.Chip.IsGone) return -LinuxError.NoDevice;
            int count = 0;
            while (count < events.Length && line.Edges.TryDequeue(out uint id)) events[count++] = new GpioLineEvent { Id = id };
            return count;
        }
    }

    public override int Poll(ReadOnlySpan<int> descriptors, Span<short> returned, int milliseconds)
    {
        lock (_gate)
        {
            long deadline = Environment.TickCount64 + milliseconds;
            while (true)
            {
                int ready = 0;
                for (int i = 0; i < descriptors.Length; i++)
                {
                    Line line = _requested[descriptors[i]];
                    returned[i] = line.Chip.IsGone ? LinuxError.PollHangUp : line.Edges.Count > 0 ? LinuxError.PollIn : (short)0;
                    if (returned[i] != 0) ready++;
                }
                long left = deadline - Environment.TickCount64;
                if (ready > 0 || _woken || left <= 0)
                {
                    _woken = false;
                    return ready;
                }
                Monitor.Wait(_gate, (int)left);
            }
        }
    }

    public override void Wake()
    {
        lock (_gate)
        {
            _woken = true;
            Monitor.PulseAll(_gate);
        }
    }

    public override void Close(int descriptor)
    {
        lock (_gate)
        {
            if (descriptor < FirstLineDescriptor)
            {
                _openChips--;
                return;
            }
            if (!_requested.Remove(descriptor, out Line? line)) throw new InvalidOperationException("closed twice");
            line.IsUsed = false;
            line.Consumer = "";
            line.Edges.Clear();
        }
    }

    public override void Dispose() => IsDisposed = true;

    private int Request(Chip chip, GpioLineRequest* request)
    {
        if (request->LineCount != 1 || request->Offset >= chip.Lines.Count) return -LinuxError.Invalid;
        if (chip.RequestError != 0) return -chip.RequestError;
        Line line = chip.Lines[(int)request->Offset];
        if (line.IsUsed) return -LinuxError.Busy;
        bool input = (request->Flags & GpioAbi.FlagInput) != 0, output = (request->Flags & GpioAbi.FlagOutput) != 0;
        bool edges = (request->Flags & (GpioAbi.FlagEdgeRising | GpioAbi.FlagEdgeFalling)) != 0;
        if (input == output || (output && edges)) return -LinuxError.Invalid;
        if (edges && !chip.HasInterrupts) return -LinuxError.NoDeviceOrAddress;
        line.Flags = request->Flags;
        line.IsUsed = true;
        line.Consumer = Encoding.ASCII.GetString(new ReadOnlySpan<byte>(request->Consumer, GpioAbi.NameBytes)).TrimEnd('\0');
        line.DebounceMicroseconds = 0;
        if (request->AttributeCount == 1 && request->AttributeMask == 1)
        {
            if (request->AttributeId == GpioAbi.AttributeDebounce) line.DebounceMicroseconds = (uint)request->AttributeValue;
            if (request->AttributeId == GpioAbi.AttributeOutputValues) Write(line, request->AttributeValue != 0);
        }
        request->Descriptor = _nextLine++;
        _requested.Add(request->Descriptor, line);
        return 0;
    }

    private static int ControlLine(Line line, uint request, GpioLineValues* values)
    {
        if (line.Chip.IsGone) return -LinuxError.NoDevice;
        if (values->Mask != 1) return -LinuxError.Invalid;
        if (request == GpioAbi.GetValues)
        {
            values->Bits = line.IsOn ? 1u : 0;
            return 0;
        }
        if (request != GpioAbi.SetValues) return -LinuxError.NotATerminal;
        if ((line.Flags & GpioAbi.FlagOutput) == 0) return -LinuxError.NotPermitted;
        Write(line, (values->Bits & 1) != 0);
        return 0;
    }

    private static void Write(Line line, bool on)
    {
        line.Level = on != ((line.Flags & GpioAbi.FlagActiveLow) != 0);
        line.Written.Add(on);
    }

    private static void Put(string text, byte* target) => Encoding.UTF8.GetBytes(text, new Span<byte>(target, GpioAbi.NameBytes - 1));
}
