using System.Device.Gpio;
using EdgeSparse.Devices;
using EdgeSparse.Devices.Tests;

namespace EdgeSparse.Iot.Tests;

/// <summary>System.Device.Gpio's controller on the lines of a board in memory.</summary>
public sealed class BoardGpioDriverTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly ScriptedGpio _gpio = new();
    private readonly ScriptedGpio.Chip _chip;
    private readonly GpioController _controller;

    public BoardGpioDriverTests()
    {
        _chip = _gpio.AddChip("pinctrl", "GPIO0", "GPIO1", "GPIO2", "GPIO3");
        _controller = new GpioController(new BoardGpioDriver(new GpioBoard(_gpio), "GPIO2", "gpiochip0:1", "GPIO9"));
    }

    public void Dispose() => _controller.Dispose();

    [Fact]
    public void Levels_Go_In_And_Out_By_The_Names_Of_Lines()
    {
        _controller.OpenPin(0, PinMode.Output, PinValue.High);
        Assert.True(_chip.Lines[2].Level);
        _controller.Write(0, PinValue.Low);
        Assert.False(_chip.Lines[2].Level);
        _controller.OpenPin(1, PinMode.InputPullUp);
        Assert.NotEqual(0UL, _chip.Lines[1].Flags & GpioAbi.FlagBiasPullUp);
        Assert.Equal(PinValue.Low, _controller.Read(1));
        _gpio.Drive(_chip.Lines[1], true);
        Assert.Equal((PinValue.High, PinMode.InputPullUp), (_controller.Read(1), _controller.GetPinMode(1)));
        // What was an input that is on becomes an output that is on.
        _controller.SetPinMode(1, PinMode.Output);
        Assert.Equal([true], _chip.Lines[1].Written.DefaultIfEmpty(_chip.Lines[1].Level).Distinct());
        Assert.Contains("GPIO9", Assert.Throws<GpioException>(() => _controller.OpenPin(2, PinMode.Input)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Changes_Are_Told_Once_Each_Whether_Or_Not_The_Chip_Reports_Them(bool interrupts)
    {
        _chip.HasInterrupts = interrupts;
        var told = new SemaphoreSlim(0);
        var changes = new List<(int, PinEventTypes)>();
        void OnChange(object sender, PinValueChangedEventArgs change)
        {
            lock (changes) changes.Add((change.PinNumber, change.ChangeType));
            told.Release();
        }
        _controller.OpenPin(0, PinMode.Input);
        _controller.OpenPin(1, PinMode.Input);
        _controller.RegisterCallbackForPinValueChangedEvent(0, PinEventTypes.Rising | PinEventTypes.Falling, OnChange);
        _controller.RegisterCallbackForPinValueChangedEvent(1, PinEventTypes.Falling, OnChange);
        foreach ((int line, bool level, bool expected) in ((int, bool, bool)[])[(2, true, true), (1, true, false), (2, false, true), (1, false, true)])
        {
            // A chip that is read now and then shows what lasts: the next change comes when this one was told.
            _gpio.Drive(_chip.Lines[line], level);
            if (expected) Assert.True(told.Wait(Patience));
            else if (!interrupts) Assert.True(SpinWait.SpinUntil(() => _controller.Read(1) == PinValue.High, Patience));
        }
        Assert.Contains((0, PinEventTypes.Rising), changes);
        Assert.Contains((0, PinEventTypes.Falling), changes);
        if (interrupts) Assert.Equal([(0, PinEventTypes.Rising), (0, PinEventTypes.Falling), (1, PinEventTypes.Falling)], changes);
        _controller.UnregisterCallbackForPinValueChangedEvent(0, OnChange);
        int before = changes.Count;
        _gpio.Drive(_chip.Lines[2], true);
        _gpio.Drive(_chip.Lines[1], true);
        _gpio.Drive(_chip.Lines[1], false);
        if (interrupts)
        {
            Assert.True(told.Wait(Patience));
            Assert.Equal((1, PinEventTypes.Falling), changes[^1]);
            Assert.Equal(before + 1, changes.Count);
        }
    }

    [Fact]
    public async Task Waiting_Ends_By_The_Change_By_Cancellation_And_By_The_Loss_Of_The_Chip()
    {
        _controller.OpenPin(0, PinMode.Input);
        using (var cancelled = new CancellationTokenSource())
        {
            cancelled.Cancel();
            Assert.True(_controller.WaitForEvent(0, PinEventTypes.Rising, cancelled.Token).TimedOut);
        }
        using var limit = new CancellationTokenSource(Patience);
        Task<WaitForEventResult> waiting = Task.Run(() => _controller.WaitForEvent(0, PinEventTypes.Rising, limit.Token));
        while (!waiting.IsCompleted)
        {
            _gpio.Drive(_chip.Lines[2], !_chip.Lines[2].Level);
            Thread.Yield();
        }
        WaitForEventResult result = await waiting;
        Assert.Equal((false, PinEventTypes.Rising), (result.TimedOut, result.EventTypes));
        Task<WaitForEventResult> lost = Task.Run(() => _controller.WaitForEvent(0, PinEventTypes.Falling, limit.Token));
        _gpio.Unplug(_chip);
        await Assert.ThrowsAsync<GpioException>(() => lost);
    }

    [Fact]
    public void Lines_Are_Given_Back_When_Pins_Are_Closed_And_At_The_End()
    {
        _controller.OpenPin(0, PinMode.Input);
        _controller.OpenPin(1, PinMode.Output);
        _controller.RegisterCallbackForPinValueChangedEvent(0, PinEventTypes.Rising, (_, _) => { });
        Assert.Equal(2, _gpio.OpenDescriptors);
        _controller.ClosePin(0);
        Assert.Equal(1, _gpio.OpenDescriptors);
        Assert.False(_chip.Lines[2].IsUsed);
        _controller.Dispose();
        Assert.Equal((0, true), (_gpio.OpenDescriptors, _gpio.IsDisposed));
    }
}
