using System.Diagnostics;
using EdgeSparse.Devices;

namespace EdgeSparse.Devices.Tests;

public sealed class GpioTests
{
    private static (ScriptedGpio Chips, GpioBoard Board) RaspberryPi()
    {
        var chips = new ScriptedGpio();
        chips.AddChip("pinctrl-bcm2711", "ID_SDA", "GPIO17", "", "GPIO27");
        chips.AddChip("raspberrypi-exp-gpio", "BT_ON", "WL_ON", "TWICE");
        chips.AddChip("pca9555", "TWICE", "with:colon");
        return (chips, new GpioBoard(chips));
    }

    /// <summary>Sizes, offsets and request numbers as the C compiler has them from the kernel's header.</summary>
    [CompilerFact]
    public unsafe void Structures_Are_The_Kernels()
    {
        (string Expression, long Value)[] expected =
        [
            ("sizeof(struct gpiochip_info)", sizeof(GpioChipInfo)), ("offsetof(struct gpiochip_info, label)", Offset<GpioChipInfo>(nameof(GpioChipInfo.Label))), ("offsetof(struct gpiochip_info, lines)", Offset<GpioChipInfo>(nameof(GpioChipInfo.Lines))),
            ("sizeof(struct gpio_v2_line_info)", sizeof(GpioLineInformation)), ("offsetof(struct gpio_v2_line_info, consumer)", Offset<GpioLineInformation>(nameof(GpioLineInformation.Consumer))),
            ("offsetof(struct gpio_v2_line_info, offset)", Offset<GpioLineInformation>(nameof(GpioLineInformation.Offset))), ("offsetof(struct gpio_v2_line_info, flags)", Offset<GpioLineInformation>(nameof(GpioLineInformation.Flags))),
            ("sizeof(struct gpio_v2_line_request)", sizeof(GpioLineRequest)), ("offsetof(struct gpio_v2_line_request, consumer)", Offset<GpioLineRequest>(nameof(GpioLineRequest.Consumer))),
            ("offsetof(struct gpio_v2_line_request, config.flags)", Offset<GpioLineRequest>(nameof(GpioLineRequest.Flags))), ("offsetof(struct gpio_v2_line_request, config.num_attrs)", Offset<GpioLineRequest>(nameof(GpioLineRequest.AttributeCount))),
            ("offsetof(struct gpio_v2_line_request, config.attrs[0].attr.id)", Offset<GpioLineRequest>(nameof(GpioLineRequest.AttributeId))), ("offsetof(struct gpio_v2_line_request, config.attrs[0].attr.values)", Offset<GpioLineRequest>(nameof(GpioLineRequest.AttributeValue))),
            ("offsetof(struct gpio_v2_line_request, config.attrs[0].attr.debounce_period_us)", Offset<GpioLineRequest>(nameof(GpioLineRequest.AttributeValue))), ("offsetof(struct gpio_v2_line_request, config.attrs[0].mask)", Offset<GpioLineRequest>(nameof(GpioLineRequest.AttributeMask))),
            ("offsetof(struct gpio_v2_line_request, num_lines)", Offset<GpioLineRequest>(nameof(GpioLineRequest.LineCount))), ("offsetof(struct gpio_v2_line_request, fd)", Offset<GpioLineRequest>(nameof(GpioLineRequest.Descriptor))),
            ("sizeof(struct gpio_v2_line_values)", sizeof(GpioLineValues)), ("offsetof(struct gpio_v2_line_values, mask)", Offset<GpioLineValues>(nameof(GpioLineValues.Mask))),
            ("sizeof(struct gpio_v2_line_event)", sizeof(GpioLineEvent)), ("offsetof(struct gpio_v2_line_event, id)", Offset<GpioLineEvent>(nameof(GpioLineEvent.Id))),
            ("GPIO_GET_CHIPINFO_IOCTL", GpioAbi.GetChipInfo), ("GPIO_V2_GET_LINEINFO_IOCTL", GpioAbi.GetLineInfo), ("GPIO_V2_GET_LINE_IOCTL", GpioAbi.GetLine),
            ("GPIO_V2_LINE_GET_VALUES_IOCTL", GpioAbi.GetValues), ("GPIO_V2_LINE_SET_VALUES_IOCTL", GpioAbi.SetValues),
            ("GPIO_V2_LINE_FLAG_USED", (long)GpioAbi.FlagUsed), ("GPIO_V2_LINE_FLAG_ACTIVE_LOW", (long)GpioAbi.FlagActiveLow), ("GPIO_V2_LINE_FLAG_INPUT", (long)GpioAbi.FlagInput), ("GPIO_V2_LINE_FLAG_OUTPUT", (long)GpioAbi.FlagOutput),
            ("GPIO_V2_LINE_FLAG_EDGE_RISING", (long)GpioAbi.FlagEdgeRising), ("GPIO_V2_LINE_FLAG_EDGE_FALLING", (long)GpioAbi.FlagEdgeFalling), ("GPIO_V2_LINE_FLAG_BIAS_PULL_UP", (long)GpioAbi.FlagBiasPullUp),
            ("GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN", (long)GpioAbi.FlagBiasPullDown), ("GPIO_V2_LINE_FLAG_BIAS_DISABLED", (long)GpioAbi.FlagBiasDisabled),
            ("GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES", GpioAbi.AttributeOutputValues), ("GPIO_V2_LINE_ATTR_ID_DEBOUNCE", GpioAbi.AttributeDebounce), ("GPIO_V2_LINE_EVENT_RISING_EDGE", GpioAbi.EventRising),
            ("GPIO_MAX_NAME_SIZE", GpioAbi.NameBytes),
        ];
        DirectoryInfo folder = Directory.CreateTempSubdirectory("es-");
        string source = Path.Combine(folder.FullName, "abi.c"), program = Path.Combine(folder.FullName, "abi");
        File.WriteAllText(source, "#include <stddef.h>\n#include <stdio.h>\n#include <sys/ioctl.h>\n#include <linux/gpio.h>\nint main(void) {\n"
            + string.Concat(expected.Select(line => $"printf(\"%lld\\n\", (long long)({line.Expression}));\n")) + "return 0; }\n");
        Run("gcc", source, "-o", program);
        string[] values = Run(program).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        folder.Delete(recursive: true);
        Assert.Equal(expected.Select(line => $"{line.Expression} = {line.Value}"), expected.Zip(values, (line, value) => $"{line.Expression} = {value}"));
    }

    private static long Offset<T>(string field) => System.Runtime.InteropServices.Marshal.OffsetOf<T>(field);

    private static string Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program}: {error.Result}");
        return output;
    }

    [Theory]
    [InlineData("GPIO17", "GPIO17 = gpiochip0:1 (pinctrl-bcm2711)")]
    [InlineData("WL_ON", "WL_ON = gpiochip1:1 (raspberrypi-exp-gpio)")]
    [InlineData("gpiochip0:2", "gpiochip0:2 (pinctrl-bcm2711)")]
    [InlineData("/dev/gpiochip2:0", "TWICE = gpiochip2:0 (pca9555)")]
    [InlineData("raspberrypi-exp-gpio:0", "BT_ON = gpiochip1:0 (raspberrypi-exp-gpio)")]
    [InlineData("with:colon", "with:colon = gpiochip2:1 (pca9555)")]
    public void A_Line_Is_Found_By_Name_Or_Address(string line, string expected)
    {
        (ScriptedGpio chips, GpioBoard board) = RaspberryPi();
        Assert.Equal(expected, board.Find(line).ToString());
        Assert.Equal(0, chips.OpenDescriptors);
    }

    [Theory]
    [InlineData("GPIO99", "GPIO line GPIO99: there is none on gpiochip0 (pinctrl-bcm2711), gpiochip1 (raspberrypi-exp-gpio), gpiochip2 (pca9555); names are ID_SDA, GPIO17, GPIO27, BT_ON, WL_ON, TWICE, with:colon")]
    [InlineData("gpiochip0:4", "GPIO line gpiochip0:4: there is none on")]
    [InlineData("gpiochip7:0", "GPIO line gpiochip7:0: there is none on")]
    [InlineData("gpiochip0:-1", "GPIO line gpiochip0:-1: there is none on")]
    [InlineData("TWICE", "GPIO line TWICE: there are 2: TWICE = gpiochip1:2 (raspberrypi-exp-gpio), TWICE = gpiochip2:0 (pca9555); name one by chip and number, as gpiochip1:2")]
    public void A_Line_That_Is_Not_There_Or_Not_One_Is_Said_So(string line, string expected)
    {
        (ScriptedGpio chips, GpioBoard board) = RaspberryPi();
        Assert.StartsWith(expected, Assert.Throws<GpioException>(() => board.Find(line)).Message, StringComparison.Ordinal);
        Assert.Equal(0, chips.OpenDescriptors);
    }

    [Fact]
    public void No_Chip_No_Permission_And_A_Busy_Line_Are_Said_Plainly()
    {
        var chips = new ScriptedGpio();
        var board = new GpioBoard(chips);
        Assert.Equal("GPIO line GPIO17: this machine has no GPIO chip (/dev/gpiochip*)", Assert.Throws<GpioException>(() => board.Find("GPIO17")).Message);
        ScriptedGpio.Chip chip = chips.AddChip("pinctrl-bcm2711", "GPIO17");
        chip.OpenError = LinuxError.Access;
        Assert.Equal("GPIO line GPIO17: /dev/gpiochip0: no permission; the daemon's user must be in the group of the device (usually gpio)", Assert.Throws<GpioException>(() => board.Find("GPIO17")).Message);
        chip.OpenError = 0;
        (chip.Lines[0].IsUsed, chip.Lines[0].Consumer) = (true, "sysfs");
        Assert.Equal("GPIO line GPIO17 = gpiochip0:0 (pinctrl-bcm2711), used by sysfs: it is busy; free it, or name another", Assert.Throws<GpioException>(() => board.RequestOutput("GPIO17", "test", false, false)).Message);
        Assert.Equal(0, chips.OpenDescriptors);
    }

    [Fact]
    public void An_Input_Reports_Its_Edges()
    {
        (ScriptedGpio chips, GpioBoard board) = RaspberryPi();
        ScriptedGpio.Line wire = FindLine(chips, board, "GPIO17");
        using (GpioLine line = board.RequestInput("GPIO17", "edgesparsed", activeLow: true, GpioBias.PullUp, TimeSpan.FromMilliseconds(20)))
        {
            Assert.True(line.ReportsEdges);
            Assert.Equal(("edgesparsed", 20_000u), (wire.Consumer, wire.DebounceMicroseconds));
            Assert.Equal(GpioAbi.FlagBiasPullUp, wire.Flags & (GpioAbi.FlagBiasPullUp | GpioAbi.FlagBiasPullDown | GpioAbi.FlagBiasDisabled));
            // Low means on.
            Assert.True(line.Read());
            Assert.False(line.TryTakeEdge(out _));
            chips.Drive(wire, true);
            Assert.False(line.Read());
            board.Wait([line], 60_000);
            Assert.True(line.TryTakeEdge(out bool on));
            Assert.False(on);
            chips.Drive(wire, false);
            Assert.True(line.TryTakeEdge(out on));
            Assert.True(on);
            Assert.False(line.TryTakeEdge(out _));
            board.Wake();
            board.Wait([line], 60_000);
            chips.Unplug(wire.Chip);
            board.Wait([line], 60_000);
            Assert.Equal("GPIO line GPIO17 = gpiochip0:1 (pinctrl-bcm2711): its chip is gone", Assert.Throws<GpioException>(() => line.TryTakeEdge(out _)).Message);
        }
        Assert.Equal(0, chips.OpenDescriptors);
    }

    [Fact]
    public void A_Chip_Without_Interrupts_Gives_Its_Level()
    {
        var chips = new ScriptedGpio();
        ScriptedGpio.Chip chip = chips.AddChip("mcp2221", "GP0");
        chip.HasInterrupts = false;
        using GpioLine line = new GpioBoard(chips).RequestInput("GP0", "test", false, GpioBias.AsIs, TimeSpan.FromMilliseconds(5));
        Assert.False(line.ReportsEdges);
        Assert.False(line.Read());
        chips.Drive(chip.Lines[0], true);
        Assert.True(line.Read());
    }

    [Fact]
    public void An_Output_Is_Set_From_The_Start_And_Released()
    {
        (ScriptedGpio chips, GpioBoard board) = RaspberryPi();
        ScriptedGpio.Line wire = FindLine(chips, board, "GPIO27");
        GpioLine line = board.RequestOutput("GPIO27", "test", activeLow: true, value: false);
        Assert.True(wire.Level);
        line.Write(true);
        Assert.False(wire.Level);
        Assert.Equal([false, true], wire.Written);
        Assert.Contains("used by test", Assert.Throws<GpioException>(() => board.RequestInput("GPIO27", "other", false, GpioBias.AsIs, TimeSpan.Zero)).Message, StringComparison.Ordinal);
        line.Dispose();
        line.Dispose();
        Assert.False(wire.IsUsed);
        Assert.Equal(0, chips.OpenDescriptors);
    }

    /// <summary>On a machine without chips the kernel's own way says so; with chips it lists them.</summary>
    [Fact]
    public void The_Kernels_Way_Answers()
    {
        using var board = new GpioBoard();
        Assert.StartsWith("GPIO line no such line: ", Assert.Throws<GpioException>(() => board.Find("no such line")).Message, StringComparison.Ordinal);
        board.Wake();
        board.Wait([], 60_000);
        board.Wait([], 0);
    }

    private static ScriptedGpio.Line FindLine(ScriptedGpio chips, GpioBoard board, string name)
    {
        GpioLineInfo info = board.Find(name);
        return chips.LineAt(info.Path, info.Offset);
    }

    private sealed class CompilerFactAttribute : FactAttribute
    {
        public CompilerFactAttribute()
        {
            if (!File.Exists("/usr/bin/gcc") || !File.Exists("/usr/include/linux/gpio.h")) Skip = "skipped: no gcc or no linux/gpio.h";
        }
    }
}
