namespace EdgeSparse.Daemon.Control;

/// <summary>What came of something that the running daemon was asked to do.</summary>
/// <param name="Done">False where everything is as it was.</param>
/// <param name="Message">One line for logs and answers: what changed, or why nothing did.</param>
internal sealed record ControlOutcome(bool Done, string Message);

/// <summary>
/// What signals and commands may ask of the running daemon. Requests are carried out one after the other; none throws, and one that fails leaves everything as it was.
/// Safe for use by several threads.
/// </summary>
internal interface IDaemonControl
{
    /// <summary>Reads the configuration again and takes over what can change without a restart.</summary>
    Task<ControlOutcome> ReloadAsync();

    /// <summary>Chooses among the stored versions of a model, for every camera that runs it, between two frames.</summary>
    /// <param name="model">The name in its manifest.</param>
    /// <param name="version">A version as the manifest says it, <c>previous</c> for the one before, or <c>configured</c> for the package that the configuration names.</param>
    Task<ControlOutcome> SelectModelAsync(string model, string version);
}
