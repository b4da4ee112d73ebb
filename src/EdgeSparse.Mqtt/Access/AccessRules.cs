using System.Text;

namespace EdgeSparse.Mqtt.Access;

/// <summary>
/// Who may read and write which topics, in the format of mosquitto's acl files. <c>topic [read|write|readwrite|deny] FILTER</c> is for the last <c>user NAME</c> before
/// it, or, before the first, for clients without a name; <c>pattern …</c> with %u and %c (user name and client identifier) is for all. What no line allows is forbidden,
/// and a denial wins.
/// </summary>
/// <remarks>
/// A subscription is judged as a whole: it must lie within one filter that may be read and touch none that is denied. (mosquitto admits it and holds messages back.)
/// </remarks>
internal sealed class AccessRules
{
    private readonly Dictionary<string, List<Rule>> users = new(StringComparer.Ordinal);
    private readonly List<Rule> anonymous = [];
    private readonly List<Rule> patterns = [];

    [Flags]
    private enum Access
    {
        Deny = 0,
        Read = 1,
        Write = 2,
        ReadWrite = Read | Write,
    }

    private sealed record Rule(Access Access, string Filter);

    /// <summary>Throws <see cref="FormatException"/> with the number of the line.</summary>
    public static AccessRules Parse(IEnumerable<string> lines)
    {
        var rules = new AccessRules();
        List<Rule> current = rules.anonymous;
        int number = 0;
        foreach (string line in lines)
        {
            number++;
            string text = line.Trim();
            if (text.Length == 0 || text[0] == '#') continue;
            string[] words = text.Split([' ', '\t'], 2, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            string rest = words.Length > 1 ? words[1] : "";
            switch (words[0])
            {
                case "user" when rest.Length > 0:
                    if (!rules.users.TryGetValue(rest, out List<Rule>? own)) rules.users.Add(rest, own = []);
                    current = own;
                    break;
                case "topic":
                    current.Add(ParseRule(rest, number));
                    break;
                case "pattern":
                    rules.patterns.Add(ParseRule(rest, number));
                    break;
                default:
                    throw new FormatException($"line {number}: found '{text}', expected user NAME, topic [read|write|readwrite|deny] FILTER or pattern …");
            }
        }
        return rules;
    }

    public bool MayWrite(MqttIdentity client, ReadOnlySpan<byte> topic)
    {
        bool allowed = false;
        foreach (List<Rule> rules in Applicable(client))
        {
            foreach (Rule rule in rules)
            {
                if (!TryFilter(rule, client, out byte[] own)) return false;
                if (own.Length == 0 || !TopicName.Matches(own, topic)) continue;
                if (rule.Access == Access.Deny) return false;
                allowed |= rule.Access.HasFlag(Access.Write);
            }
        }
        return allowed;
    }

    public bool MaySubscribe(MqttIdentity client, string filter)
    {
        byte[] wanted = Encoding.UTF8.GetBytes(filter);
        bool allowed = false;
        foreach (List<Rule> rules in Applicable(client))
        {
            foreach (Rule rule in rules)
            {
                if (!TryFilter(rule, client, out byte[] own)) return false;
                if (own.Length == 0) continue;
                if (rule.Access == Access.Deny && TopicName.Overlap(own, wanted)) return false;
                allowed |= rule.Access.HasFlag(Access.Read) && TopicName.Covers(own, wanted);
            }
        }
        return allowed;
    }

    private static Rule ParseRule(string text, int number)
    {
        int space = text.IndexOfAny([' ', '\t']);
        Access? named = (space < 0 ? "" : text[..space]) switch
        {
            "read" => Access.Read,
            "write" => Access.Write,
            "readwrite" => Access.ReadWrite,
            "deny" => Access.Deny,
            _ => null,
        };
        string filter = named is null ? text : text[(space + 1)..].Trim();
        if (!TopicName.IsValidFilter(Encoding.UTF8.GetBytes(filter))) throw new FormatException($"line {number}: found '{filter}', expected a topic filter");
        return new Rule(named ?? Access.ReadWrite, filter);
    }

    private IEnumerable<List<Rule>> Applicable(MqttIdentity client)
    {
        if (client.UserName is null) yield return anonymous;
        else if (users.TryGetValue(client.UserName, out List<Rule>? own)) yield return own;
        yield return patterns;
    }

    /// <summary>
    /// The rule's filter for this client; empty where it asks for a name that the client does not have. False where the name holds what would widen the filter:
    /// such a client gets nothing as soon as a pattern names it.
    /// </summary>
    private static bool TryFilter(Rule rule, MqttIdentity client, out byte[] filter)
    {
        string text = rule.Filter;
        foreach ((string place, string name) in (ReadOnlySpan<(string, string)>)[("%u", client.UserName ?? ""), ("%c", client.ClientId)])
        {
            if (!text.Contains(place, StringComparison.Ordinal)) continue;
            if (name.AsSpan().IndexOfAny("+#/%") >= 0)
            {
                filter = [];
                return false;
            }
            text = name.Length == 0 ? "" : text.Replace(place, name, StringComparison.Ordinal);
        }
        filter = Encoding.UTF8.GetBytes(text);
        return true;
    }
}
