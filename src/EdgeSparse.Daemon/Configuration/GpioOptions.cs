using EdgeSparse.Devices;

namespace EdgeSparse.Daemon.Configuration;

internal sealed class GpioOptions
{
    public const int MostLines = 32;

    /// <summary>In order of name.</summary>
    public List<GpioInputOptions> Inputs { get; } = [];

    /// <summary>In order of name.</summary>
    public List<GpioOutputOptions> Outputs { get; } = [];
}

internal enum GpioInputUse
{
    /// <summary>Cameras work while it is on.</summary>
    Arm,
    /// <summary>Cameras work for a while after it turns on.</summary>
    Trigger,
}

internal sealed class GpioInputOptions
{
    /// <summary>[a-z0-9-]+, its level in topics and its label in metrics.</summary>
    public required string Name { get; init; }

    /// <summary>As <see cref="GpioBoard.Find"/> takes it.</summary>
    public string Line { get; init; } = "";

    public GpioInputUse Use { get; init; }

    /// <summary>Empty = all.</summary>
    public IReadOnlyList<string> Cameras { get; init; } = [];

    public bool ActiveLow { get; init; }

    public GpioBias Bias { get; init; }

    public int DebounceMilliseconds { get; init; }

    /// <summary>How long a trigger lasts; 0 = one frame.</summary>
    public double Seconds { get; init; }
}

internal sealed class GpioOutputOptions
{
    /// <summary>[a-z0-9-]+, its level in topics and its label in metrics.</summary>
    public required string Name { get; init; }

    public string Line { get; init; } = "";

    public bool ActiveLow { get; init; }

    /// <summary>Empty = all.</summary>
    public IReadOnlyList<string> Cameras { get; init; } = [];

    /// <summary>Empty = all.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>Empty = anywhere.</summary>
    public string Zone { get; init; } = "";

    public double MinimumScore { get; init; }

    /// <summary>On for so long after the last match.</summary>
    public double HoldSeconds { get; init; }
}
