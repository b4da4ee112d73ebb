namespace EdgeSparse.Mqtt;

/// <summary>Rules for topic names and topic filters (MQTT 5, section 4.7). Texts are UTF-8 already known to be well formed.</summary>
internal static class TopicName
{
    public const byte Separator = (byte)'/';

    /// <summary>A topic a message can be published to: not empty, no wildcard.</summary>
    public static bool IsValid(ReadOnlySpan<byte> topic) =>
        topic.Length is > 0 and <= ushort.MaxValue && topic.IndexOfAny((byte)'+', (byte)'#', (byte)0) < 0;

    /// <summary>A filter: wildcards stand alone in their level and # only in the last.</summary>
    public static bool IsValidFilter(ReadOnlySpan<byte> filter)
    {
        if (filter.Length is 0 or > ushort.MaxValue || filter.Contains((byte)0)) return false;
        while (true)
        {
            int end = filter.IndexOf(Separator);
            ReadOnlySpan<byte> level = end < 0 ? filter : filter[..end];
            if (level.IndexOfAny((byte)'+', (byte)'#') >= 0 && (level.Length != 1 || level[0] == '#' && end >= 0)) return false;
            if (end < 0) return true;
            filter = filter[(end + 1)..];
        }
    }

    private const string SharePrefix = "$share/";

    /// <summary>A subscription that several sessions share: "$share/NAME/FILTER" (MQTT 5, section 4.8.2).</summary>
    public static bool IsShared(string filter) => filter.StartsWith(SharePrefix, StringComparison.Ordinal);

    /// <summary>
    /// The filter that topics are matched with: of a shared subscription what follows the name of the share, else the filter itself. Empty where a shared one has no name, a wildcard in its
    /// name, or nothing behind it; no valid filter is empty.
    /// </summary>
    public static string WithoutShare(string filter)
    {
        if (!IsShared(filter)) return filter;
        int end = filter.IndexOf('/', SharePrefix.Length);
        return end <= SharePrefix.Length || filter.AsSpan(SharePrefix.Length, end - SharePrefix.Length).IndexOfAny('+', '#') >= 0 ? "" : filter[(end + 1)..];
    }

    public static int Levels(ReadOnlySpan<byte> topic) => topic.Count(Separator) + 1;

    public static bool HasWildcard(ReadOnlySpan<byte> filter) => filter.IndexOfAny((byte)'+', (byte)'#') >= 0;

    /// <summary>Whether a topic matches a valid filter. A filter that begins with a wildcard matches no topic that begins with $.</summary>
    public static bool Matches(ReadOnlySpan<byte> filter, ReadOnlySpan<byte> topic)
    {
        if (topic[0] == '$' && filter[0] is (byte)'+' or (byte)'#') return false;
        while (true)
        {
            int filterEnd = filter.IndexOf(Separator);
            ReadOnlySpan<byte> filterLevel = filterEnd < 0 ? filter : filter[..filterEnd];
            if (filterLevel is [(byte)'#']) return true;
            int topicEnd = topic.IndexOf(Separator);
            ReadOnlySpan<byte> topicLevel = topicEnd < 0 ? topic : topic[..topicEnd];
            if (filterLevel is not [(byte)'+'] && !filterLevel.SequenceEqual(topicLevel)) return false;
            if (topicEnd < 0) return filterEnd < 0 || filter[(filterEnd + 1)..] is [(byte)'#'];
            if (filterEnd < 0) return false;
            filter = filter[(filterEnd + 1)..];
            topic = topic[(topicEnd + 1)..];
        }
    }

    /// <summary>Whether every topic that matches <paramref name="inner"/> matches <paramref name="outer"/>; both are valid filters.</summary>
    public static bool Covers(ReadOnlySpan<byte> outer, ReadOnlySpan<byte> inner)
    {
        // A leading wildcard does not match what begins with $.
        if (inner[0] == '$' && outer[0] is (byte)'+' or (byte)'#') return false;
        while (true)
        {
            (ReadOnlySpan<byte> outerLevel, bool outerLast) = FirstLevel(outer);
            (ReadOnlySpan<byte> innerLevel, bool innerLast) = FirstLevel(inner);
            if (outerLevel is [(byte)'#']) return true;
            if (innerLevel is [(byte)'#'] || outerLevel is not [(byte)'+'] && !outerLevel.SequenceEqual(innerLevel)) return false;
            if (innerLast) return outerLast || outer[(outerLevel.Length + 1)..] is [(byte)'#'];
            if (outerLast) return false;
            outer = outer[(outerLevel.Length + 1)..];
            inner = inner[(innerLevel.Length + 1)..];
        }
    }

    /// <summary>Whether some topic matches both filters; both are valid.</summary>
    public static bool Overlap(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        if (a[0] == '$' && b[0] is (byte)'+' or (byte)'#') return false;
        if (b[0] == '$' && a[0] is (byte)'+' or (byte)'#') return false;
        while (true)
        {
            (ReadOnlySpan<byte> aLevel, bool aLast) = FirstLevel(a);
            (ReadOnlySpan<byte> bLevel, bool bLast) = FirstLevel(b);
            if (aLevel is [(byte)'#'] || bLevel is [(byte)'#']) return true;
            if (aLevel is not [(byte)'+'] && bLevel is not [(byte)'+'] && !aLevel.SequenceEqual(bLevel)) return false;
            if (aLast) return bLast || b[(bLevel.Length + 1)..] is [(byte)'#'];
            if (bLast) return a[(aLevel.Length + 1)..] is [(byte)'#'];
            a = a[(aLevel.Length + 1)..];
            b = b[(bLevel.Length + 1)..];
        }
    }

    private static FilterLevel FirstLevel(ReadOnlySpan<byte> filter)
    {
        int end = filter.IndexOf(Separator);
        return end < 0 ? new FilterLevel(filter, true) : new FilterLevel(filter[..end], false);
    }

    /// <summary>The first level of a filter, and whether it is the only one.</summary>
    private readonly ref struct FilterLevel(ReadOnlySpan<byte> text, bool isLast)
    {
        private readonly ReadOnlySpan<byte> text = text;

        public void Deconstruct(out ReadOnlySpan<byte> level, out bool last)
        {
            level = text;
            last = isLast;
        }
    }
}
