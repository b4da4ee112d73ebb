namespace EdgeSparse.Mqtt.Client;

/// <summary>Waits that double from the first to the longest, each spread by ±20 % so that a fleet does not come back as one.</summary>
internal sealed class Backoff
{
    private const double Spread = 0.2;

    private readonly TimeSpan first;
    private readonly TimeSpan longest;
    private readonly Random random;
    private TimeSpan next;

    public Backoff(TimeSpan first, TimeSpan longest, Random random)
    {
        this.first = first;
        this.longest = longest;
        this.random = random;
        next = first;
    }

    public TimeSpan Next()
    {
        TimeSpan wait = next;
        next = next * 2 < longest ? next * 2 : longest;
        return Spreaded(wait);
    }

    /// <summary>The longest at once, for a broker that says it does not want us.</summary>
    public TimeSpan Longest()
    {
        next = longest;
        return Spreaded(longest);
    }

    public void Reset() => next = first;

    private TimeSpan Spreaded(TimeSpan wait) => wait * (1 - Spread + 2 * Spread * random.NextDouble());
}
