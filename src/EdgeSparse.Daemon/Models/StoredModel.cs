namespace EdgeSparse.Daemon.Models;

/// <summary>A version of a model that is kept in the state folder.</summary>
/// <param name="Sha256">Of the package, which is also its file's name.</param>
/// <param name="Version">The manifest's.</param>
/// <param name="Release">As signed; 0 where it is not signed.</param>
/// <param name="KeyId">Who signed; empty where nobody did.</param>
internal sealed record StoredModel(string Sha256, string Version, long Release, string KeyId);

/// <summary>What is known about one model, by the name in its manifest. A null model stands for the package that the configuration names. Immutable.</summary>
internal sealed record ModelSlot
{
    public StoredModel? Current { get; init; }

    /// <summary>What was at work before; meaningful where <see cref="HasPrevious"/>.</summary>
    public StoredModel? Previous { get; init; }

    public bool HasPrevious { get; init; }

    /// <summary>The current one has not yet shown that it works.</summary>
    public bool OnTrial { get; init; }

    /// <summary>Starts of the daemon since then that did not end well.</summary>
    public int Starts { get; init; }

    /// <summary>Greatest release that was ever at work.</summary>
    public long HighestRelease { get; init; }

    /// <summary>The configured package when the current one was installed.</summary>
    public string ConfiguredSha256 { get; init; } = "";

    /// <summary>The package that is being tried out; there still where that ended the process.</summary>
    public string AttemptSha256 { get; init; } = "";

    public int Attempts { get; init; }

    /// <summary>Those that failed here, newest last.</summary>
    public IReadOnlyList<string> Failed { get; init; } = [];

    /// <summary>The same without the current model: back to the one before, which is remembered as no alternative.</summary>
    public ModelSlot RolledBack() => this with
    {
        Current = HasPrevious ? Previous : null,
        Previous = null,
        HasPrevious = false,
        OnTrial = false,
        Starts = 0,
        Failed = Current is null ? Failed : [.. Failed.Where(sha256 => sha256 != Current.Sha256).TakeLast(15), Current.Sha256],
    };
}

internal enum UpdateOutcome
{
    /// <summary>A new model is at work.</summary>
    Installed,
    /// <summary>It was not taken; the old model goes on.</summary>
    Rejected,
    /// <summary>It was at work and failed; the one before is at work again.</summary>
    RolledBack,
}

/// <summary>How the last update ended.</summary>
internal sealed record UpdateReport(DateTimeOffset Time, string File, string Model, string Version, string Sha256, long Release, string KeyId, UpdateOutcome Outcome, string Message)
{
    public string Word => Outcome switch { UpdateOutcome.Installed => "installed", UpdateOutcome.RolledBack => "rolled-back", _ => "rejected" };
}
