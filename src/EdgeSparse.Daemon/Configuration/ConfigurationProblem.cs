namespace EdgeSparse.Daemon.Configuration;

/// <summary>One thing wrong with the configuration.</summary>
/// <param name="Origin">Where it is: <c>/etc/edgesparse/edgesparse.json:12:5</c>, <c>environment EDGESPARSE__HTTP__LISTEN</c>, <c>command line --http:listen</c>.</param>
/// <param name="Key">The option as <c>http:listen</c>; empty where the whole file is meant.</param>
/// <param name="Message">What was found and what was expected.</param>
internal sealed record ConfigurationProblem(string Origin, string Key, string Message)
{
    public override string ToString() => Key.Length == 0 ? $"{Origin}: {Message}" : $"{Origin}: {Key}: {Message}";
}

/// <summary>A configuration with at least one problem; the message lists them all, one a line.</summary>
internal sealed class ConfigurationException(IReadOnlyList<ConfigurationProblem> problems)
    : Exception(string.Join('\n', problems))
{
    public IReadOnlyList<ConfigurationProblem> Problems { get; } = problems;
}
