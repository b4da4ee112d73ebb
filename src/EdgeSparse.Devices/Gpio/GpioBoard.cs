using System.Runtime.InteropServices;
using System.Text;

namespace EdgeSparse.Devices;

/// <summary>
/// The GPIO lines of this board, on all its chips. A line is called by its name, as GPIO17, or by chip and number, as gpiochip0:17 or pinctrl-bcm2711:17. Finding and requesting
/// are for one thread; <see cref="Wake"/> is for any. Failures are <see cref="GpioException"/>.
/// </summary>
public sealed unsafe class GpioBoard : IDisposable
{
    private const int MostLines = 4096;
    private const int MostListedNames = 12;

    private readonly GpioSystem _system;

    public GpioBoard()
        : this(new LinuxGpioSystem())
    {
    }

    internal GpioBoard(GpioSystem system) => _system = system;

    /// <summary>The one line of that name or address.</summary>
    public GpioLineInfo Find(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        IReadOnlyList<string> chips = _system.Chips();
        if (chips.Count == 0) throw new GpioException($"GPIO line {line}: this machine has no GPIO chip (/dev/gpiochip*)");
        var found = new List<GpioLineInfo>();
        var all = new List<GpioLineInfo>();
        string? refused = null;
        foreach (string chip in chips)
        {
            try
            {
                all.AddRange(Lines(chip));
            }
            catch (GpioException e)
            {
                refused ??= e.Message;
            }
        }
        found.AddRange(all.Where(info => info.Name == line));
        if (found.Count == 0 && line.LastIndexOf(':') is > 0 and int colon && int.TryParse(line.AsSpan(colon + 1), out int offset))
            found.AddRange(all.Where(info => info.Offset == offset && (Path.GetFileName(info.Path) == line[..colon] || info.Path == line[..colon] || info.Label == line[..colon])));
        if (found.Count == 1) return found[0];
        if (found.Count > 1) throw new GpioException($"GPIO line {line}: there are {found.Count}: {string.Join(", ", found)}; name one by chip and number, as {found[0].Address}");
        if (refused is not null) throw new GpioException($"GPIO line {line}: {refused}");
        string[] names = [.. all.Where(info => info.Name.Length > 0).Select(info => info.Name).Distinct()];
        string known = names.Length == 0 ? "their lines have no names, so name one by chip and number, as gpiochip0:17" : $"names are {string.Join(", ", names.Take(MostListedNames))}{(names.Length > MostListedNames ? $" and {names.Length - MostListedNames} more" : "")}";
        throw new GpioException($"GPIO line {line}: there is none on {string.Join(", ", all.Select(info => $"{Path.GetFileName(info.Path)} ({info.Label})").Distinct())}; {known}");
    }

    /// <summary>All lines of a chip.</summary>
    private List<GpioLineInfo> Lines(string path)
    {
        int chip = OpenChip(path);
        try
        {
            GpioChipInfo info = default;
            int result = _system.Control(chip, GpioAbi.GetChipInfo, &info);
            if (result < 0) throw new GpioException($"{path} is no GPIO chip: {Error(result)}");
            string label = Text(info.Label);
            var lines = new List<GpioLineInfo>();
            for (uint offset = 0; offset < Math.Min(info.Lines, MostLines); offset++)
            {
                GpioLineInformation line = new() { Offset = offset };
                result = _system.Control(chip, GpioAbi.GetLineInfo, &line);
                if (result is -LinuxError.NotATerminal or -LinuxError.Invalid) throw new GpioException($"{path}: this kernel has no GPIO interface of version 2; Linux 5.10 has");
                if (result < 0) throw new GpioException($"{path}: asking for line {offset} failed: {Error(result)}");
                lines.Add(new GpioLineInfo(path, label, (int)offset, Text(line.Name), Text(line.Consumer), (line.Flags & GpioAbi.FlagUsed) != 0));
            }
            return lines;
        }
        finally
        {
            _system.Close(chip);
        }
    }

    /// <summary>Takes a line as an input that reports its edges; where the chip cannot, <see cref="GpioLine.ReportsEdges"/> is false and it must be read now and then.</summary>
    /// <param name="line">Name or address.</param>
    /// <param name="consumer">Who takes it, as other programs see it.</param>
    /// <param name="activeLow">True where a low level means on.</param>
    /// <param name="bias">Pull.</param>
    /// <param name="debounce">Changes that last shorter are not reported; zero = all are.</param>
    public GpioLine RequestInput(string line, string consumer, bool activeLow, GpioBias bias, TimeSpan debounce)
    {
        GpioLineInfo info = Find(line);
        GpioLineRequest request = default;
        request.Flags = GpioAbi.FlagInput | (activeLow ? GpioAbi.FlagActiveLow : 0) | bias switch
        {
            GpioBias.PullUp => GpioAbi.FlagBiasPullUp,
            GpioBias.PullDown => GpioAbi.FlagBiasPullDown,
            GpioBias.None => GpioAbi.FlagBiasDisabled,
            _ => 0,
        };
        GpioLineRequest edges = request;
        edges.Flags |= GpioAbi.FlagEdgeRising | GpioAbi.FlagEdgeFalling;
        if (debounce > TimeSpan.Zero)
        {
            edges.AttributeCount = 1;
            edges.AttributeId = GpioAbi.AttributeDebounce;
            edges.AttributeValue = (uint)Math.Clamp(debounce.TotalMicroseconds, 1, uint.MaxValue);
            edges.AttributeMask = 1;
        }
        int descriptor = Request(info, consumer, ref edges);
        if (descriptor >= 0) return new GpioLine(_system, info, descriptor, reportsEdges: true);
        // A chip without interrupts, as many on I2C and USB are.
        if (descriptor is -LinuxError.NoDeviceOrAddress or -LinuxError.NotSupported or -LinuxError.Invalid) descriptor = Request(info, consumer, ref request);
        return descriptor >= 0 ? new GpioLine(_system, info, descriptor, reportsEdges: false) : throw Failure(info, descriptor);
    }

    /// <summary>Takes a line as an output and sets it; it is released, and keeps its level or not as the chip has it, when the line is disposed.</summary>
    public GpioLine RequestOutput(string line, string consumer, bool activeLow, bool value)
    {
        GpioLineInfo info = Find(line);
        GpioLineRequest request = default;
        request.Flags = GpioAbi.FlagOutput | (activeLow ? GpioAbi.FlagActiveLow : 0);
        request.AttributeCount = 1;
        request.AttributeId = GpioAbi.AttributeOutputValues;
        request.AttributeValue = value ? 1u : 0;
        request.AttributeMask = 1;
        int descriptor = Request(info, consumer, ref request);
        return descriptor >= 0 ? new GpioLine(_system, info, descriptor, reportsEdges: false) : throw Failure(info, descriptor);
    }

    /// <summary>Waits until a line that reports edges has some, or is gone, or <see cref="Wake"/>.</summary>
    public void Wait(ReadOnlySpan<GpioLine> lines, int milliseconds)
    {
        Span<int> descriptors = stackalloc int[Math.Min(lines.Length, 64)];
        Span<short> returned = stackalloc short[descriptors.Length];
        for (int i = 0; i < descriptors.Length; i++) descriptors[i] = lines[i].Descriptor;
        int result = _system.Poll(descriptors, returned, milliseconds);
        if (result < 0) throw new GpioException($"waiting for GPIO lines failed: {Error(result)}");
    }

    public void Wake() => _system.Wake();

    public void Dispose() => _system.Dispose();

    /// <summary>The line's descriptor, or a negative error number.</summary>
    private int Request(GpioLineInfo info, string consumer, ref GpioLineRequest request)
    {
        int chip = OpenChip(info.Path);
        try
        {
            request.Offset = (uint)info.Offset;
            request.LineCount = 1;
            fixed (GpioLineRequest* pointer = &request)
            {
                Encoding.ASCII.GetBytes(consumer.AsSpan(0, Math.Min(consumer.Length, GpioAbi.NameBytes - 1)), new Span<byte>(pointer->Consumer, GpioAbi.NameBytes - 1));
                int result = _system.Control(chip, GpioAbi.GetLine, pointer);
                return result < 0 ? result : pointer->Descriptor;
            }
        }
        finally
        {
            _system.Close(chip);
        }
    }

    private int OpenChip(string path)
    {
        int chip = _system.Open(path);
        if (chip >= 0) return chip;
        throw new GpioException(-chip is LinuxError.Access or LinuxError.NotPermitted
            ? $"{path}: no permission; the daemon's user must be in the group of the device (usually gpio)"
            : $"{path} cannot be opened: {Error(chip)}");
    }

    private GpioException Failure(GpioLineInfo info, int result)
    {
        if (result != -LinuxError.Busy) return new GpioException($"GPIO line {info}: taking it failed: {Error(result)}");
        GpioLineInfo now = Lines(info.Path).Find(line => line.Offset == info.Offset) ?? info;
        return new GpioException($"GPIO line {now}{(now.IsUsed ? "" : ", used by somebody")}: it is busy; free it, or name another");
    }

    internal static string Error(int result) => Marshal.GetPInvokeErrorMessage(-result);

    private static string Text(byte* text)
    {
        var bytes = new ReadOnlySpan<byte>(text, GpioAbi.NameBytes);
        int length = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(length < 0 ? bytes : bytes[..length]);
    }
}
