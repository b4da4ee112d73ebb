using System.Text;
using EdgeSparse.Mqtt.Broker;

namespace EdgeSparse.Mqtt.Tests;

public sealed class TopicTests
{
    [Theory]
    [InlineData("a", true)]
    [InlineData("/", true)]
    [InlineData("a//b", true)]
    [InlineData("é/水", true)]
    [InlineData("", false)]
    [InlineData("a/+", false)]
    [InlineData("a+", false)]
    [InlineData("#", false)]
    [InlineData("a\0", false)]
    public void Topic_names(string topic, bool valid) => Assert.Equal(valid, TopicName.IsValid(Encoding.UTF8.GetBytes(topic)));

    [Theory]
    [InlineData("#", true)]
    [InlineData("+", true)]
    [InlineData("/", true)]
    [InlineData("+/+", true)]
    [InlineData("/+", true)]
    [InlineData("a/+/b/#", true)]
    [InlineData("+/#", true)]
    [InlineData("", false)]
    [InlineData("a#", false)]
    [InlineData("a/#/b", false)]
    [InlineData("#/a", false)]
    [InlineData("#/", false)]
    [InlineData("a+", false)]
    [InlineData("+a/b", false)]
    [InlineData("++", false)]
    [InlineData("a/b+/c", false)]
    [InlineData("a\0", false)]
    public void Topic_filters(string filter, bool valid) => Assert.Equal(valid, TopicName.IsValidFilter(Encoding.UTF8.GetBytes(filter)));

    // The examples of MQTT 5, section 4.7, and the corners beside them.
    public static TheoryData<string, string, bool> Matches => new()
    {
        { "sport/tennis/player1/#", "sport/tennis/player1", true },
        { "sport/tennis/player1/#", "sport/tennis/player1/ranking", true },
        { "sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true },
        { "sport/tennis/player1/#", "sport/tennis/player2", false },
        { "sport/#", "sport", true },
        { "sport/#", "sports", false },
        { "#", "sport", true },
        { "#", "/", true },
        { "sport/tennis/+", "sport/tennis/player1", true },
        { "sport/tennis/+", "sport/tennis/player1/ranking", false },
        { "sport/+", "sport", false },
        { "sport/+", "sport/", true },
        { "+", "sport", true },
        { "+", "/finance", false },
        { "+/+", "/finance", true },
        { "/+", "/finance", true },
        { "+/tennis/#", "sport/tennis", true },
        { "a/+/c", "a/b/c", true },
        { "a/+/c", "a//c", true },
        { "a/+/c", "a/b/d", false },
        { "a/b", "a/b/c", false },
        { "a/b/c", "a/b", false },
        { "A/b", "a/b", false },
        { "#", "$SYS/uptime", false },
        { "+/uptime", "$SYS/uptime", false },
        { "$SYS/#", "$SYS/uptime", true },
        { "$SYS/+", "$SYS/uptime", true },
        { "a/#", "a/$b", true },
        { "a/+", "a/$b", true },
        { "+/+/#", "a", false },
        { "+/#", "a", true },
        { "+/#", "$a", false },
    };

    [Theory]
    [MemberData(nameof(Matches))]
    public void A_filter_matches(string filter, string topic, bool expected)
    {
        Assert.Equal(expected, TopicName.Matches(Encoding.UTF8.GetBytes(filter), Encoding.UTF8.GetBytes(topic)));
        Assert.Equal(expected ? [filter] : [], MatchTree([filter], topic));
    }

    [Fact]
    public void The_tree_agrees_with_the_definition_while_filters_come_and_go()
    {
        var random = new Random(20260705);
        string[] levels = ["a", "b", "", "$x", "水"];
        string Topic() => string.Join('/', Enumerable.Range(0, random.Next(1, 5)).Select(_ => levels[random.Next(levels.Length)]));
        string Filter()
        {
            string[] parts = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(3) == 0 ? "+" : levels[random.Next(levels.Length)])];
            if (random.Next(4) == 0) parts[^1] = "#";
            return string.Join('/', parts);
        }

        var tree = new TopicTree();
        Session session = NewSession();
        var present = new List<Subscription>();
        var found = new List<Subscription>();
        for (int step = 0; step < 4000; step++)
        {
            if (present.Count > 0 && random.Next(5) < 2)
            {
                Subscription gone = present[random.Next(present.Count)];
                present.Remove(gone);
                tree.Remove(gone);
            }
            else if (Filter() is { Length: > 0 } filter)
            {
                var added = new Subscription(session, filter);
                present.Add(added);
                tree.Add(added);
            }
            string topic = Topic();
            if (topic.Length == 0) continue;
            byte[] bytes = Encoding.UTF8.GetBytes(topic);
            found.Clear();
            tree.Match(bytes, found);
            Assert.Equal(
                present.Where(s => TopicName.Matches(Encoding.UTF8.GetBytes(s.Filter), bytes)).Select(s => s.Filter).Order(StringComparer.Ordinal),
                found.Select(s => s.Filter).Order(StringComparer.Ordinal));
        }
    }

    private static List<string> MatchTree(string[] filters, string topic)
    {
        var tree = new TopicTree();
        Session session = NewSession();
        foreach (string filter in filters) tree.Add(new Subscription(session, filter));
        var found = new List<Subscription>();
        tree.Match(Encoding.UTF8.GetBytes(topic), found);
        return [.. found.Select(s => s.Filter)];
    }

    private static Session NewSession() => new("c", null, new MqttBrokerOptions(), new MqttBrokerStatistics());
}
