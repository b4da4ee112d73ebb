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
}
