namespace EdgeSparse.Devices;

/// <summary>A GPIO line cannot be used; the message says which, why, and what to do.</summary>
public sealed class GpioException(string message) : Exception(message);

/// <summary>A pull on an input while nothing drives it.</summary>
public enum GpioBias
{
    /// <summary>As it is, by the board's firmware.</summary>
    AsIs,
    None,
    PullUp,
    PullDown,
}

/// <summary>A line as the kernel describes it.</summary>
/// <param name="Path">Of its chip, as /dev/gpiochip0.</param>
/// <param name="Label">Of its chip, as pinctrl-bcm2711.</param>
/// <param name="Offset">Number within the chip.</param>
/// <param name="Name">As GPIO17; empty where the board names none.</param>
/// <param name="Consumer">Who uses it; empty where it is free or nobody says.</param>
/// <param name="IsUsed">Not free.</param>
public sealed record GpioLineInfo(string Path, string Label, int Offset, string Name, string Consumer, bool IsUsed)
{
    /// <summary>gpiochip0:17.</summary>
    public string Address => $"{System.IO.Path.GetFileName(Path)}:{Offset}";

    public override string ToString() => $"{(Name.Length > 0 ? $"{Name} = " : "")}{Address} ({Label}){(IsUsed ? $", used by {(Consumer.Length > 0 ? Consumer : "somebody")}" : "")}";
}
