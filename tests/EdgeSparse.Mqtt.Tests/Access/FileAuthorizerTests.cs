using System.Text;
using EdgeSparse.Mqtt.Tests.Support;

namespace EdgeSparse.Mqtt.Tests.Access;

public sealed class FileAuthorizerTests : IDisposable
{
    private const string OldHash = "E491yrR9AdCoE7rbOPYS3EZgSuZpVE65AD9xko08s6floNesY/Zpe9zMVvLix4S2FiQSJ99RIkNvhHomNO9uLw==";
    private const string NewHash = "lglU+YRSbsK8iJnc9aVV1jvqwTd4RoolA9tWETkTIMhEUud408nnVvAbzHp6ZeoGKaJ3VXv8jpUAEjCc8o2JJg==";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => folder.Delete(recursive: true);

    private static MqttIdentity Client(string? user, string id = "c1") => new(id, user, "test");

    private static MqttReasonCode Connect(MqttFileAuthorizer authorizer, string? user, string password) => authorizer.AuthorizeConnect(Client(user), Encoding.UTF8.GetBytes(password));

    private static MqttFileAuthorizer Rules(string text) => new(null, text.Split('\n'), allowAnonymous: true);

    private static bool Write(MqttFileAuthorizer authorizer, MqttIdentity client, string topic) => authorizer.AuthorizePublish(client, Encoding.UTF8.GetBytes(topic), MqttQos.AtMostOnce, false);

    [Fact]
    public void Passwords_Are_Those_Whose_Hashes_Are_In_The_File()
    {
        // SHA-512 of password and salt: sha512("secret" + "salt"), and PBKDF2 with one iteration, each computed with Python's hashlib.
        string[] lines =
        [
            "# users", "",
            "old:$6$c2FsdA==$" + OldHash,
            "new:$7$1$c2FsdA==$" + NewHash,
        ];
        var authorizer = new MqttFileAuthorizer(lines, null, allowAnonymous: false);
        foreach (string user in (string[])["old", "new"])
        {
            Assert.Equal(MqttReasonCode.Success, Connect(authorizer, user, "secret"));
            Assert.Equal(MqttReasonCode.BadUserNameOrPassword, Connect(authorizer, user, "Secret"));
            Assert.Equal(MqttReasonCode.BadUserNameOrPassword, Connect(authorizer, user, ""));
        }
        Assert.Equal(MqttReasonCode.BadUserNameOrPassword, Connect(authorizer, "nobody", "secret"));
        Assert.Equal(MqttReasonCode.NotAuthorized, Connect(authorizer, null, ""));
        Assert.Equal(MqttReasonCode.Success, Connect(new MqttFileAuthorizer(lines, null, allowAnonymous: true), null, ""));
        Assert.Equal(MqttReasonCode.BadUserNameOrPassword, Connect(new MqttFileAuthorizer([], null, allowAnonymous: false), "anna", ""));
    }

    [Theory]
    [InlineData("anna:secret")]
    [InlineData("anna")]
    [InlineData(":$7$101$c2FsdA==$AAAA")]
    [InlineData("anna:$7$0$c2FsdA==$AAAA")]
    [InlineData("anna:$7$99999999$c2FsdA==$AAAA")]
    [InlineData("anna:$7$101$c2FsdA==$AAAA")]
    [InlineData("anna:$7$101$!$!")]
    [InlineData("anna:$5$c2FsdA==$AAAA")]
    [InlineData("anna:$7$101$ThE1AzI0Ne0hTTSv$")]
    public void A_Wrong_Password_Line_Is_Named_By_Number_And_Not_Repeated(string line)
    {
        FormatException e = Assert.Throws<FormatException>(() => new MqttFileAuthorizer(["# first", line], null, false));
        Assert.StartsWith("password file, line 2: expected user:$7$", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(line, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rules_Allow_What_They_Name_And_A_Denial_Wins()
    {
        MqttFileAuthorizer rules = Rules("""
            # clients without a name
            topic read public/#
            user anna
            topic plant/+/level
            topic write orders/#
            topic deny orders/secret/#
            user bert
            topic readwrite #
            topic deny $SYS/#
            pattern write clients/%c/state
            pattern read clients/%u/inbox
            """);
        MqttIdentity anna = Client("anna"), bert = Client("bert"), nobody = Client(null), carl = Client("carl");
        Assert.True(Write(rules, anna, "plant/1/level"));
        Assert.True(rules.AuthorizeSubscribe(anna, "plant/+/level"));
        Assert.True(rules.AuthorizeSubscribe(anna, "plant/7/level"));
        Assert.False(rules.AuthorizeSubscribe(anna, "plant/#"));
        Assert.True(Write(rules, anna, "orders/a"));
        Assert.False(rules.AuthorizeSubscribe(anna, "orders/a"));
        Assert.False(Write(rules, anna, "orders/secret/a"));
        Assert.False(Write(rules, anna, "public/a"));
        Assert.True(rules.AuthorizeSubscribe(nobody, "public/a/b"));
        Assert.False(Write(rules, nobody, "public/a"));
        Assert.True(rules.AuthorizeSubscribe(bert, "#"));
        Assert.False(rules.AuthorizeSubscribe(bert, "$SYS/broker"));
        Assert.True(Write(rules, carl, "clients/c1/state"));
        Assert.False(Write(rules, carl, "clients/c2/state"));
        Assert.True(rules.AuthorizeSubscribe(carl, "clients/carl/inbox"));
        Assert.False(rules.AuthorizeSubscribe(carl, "clients/anna/inbox"));
        Assert.False(rules.AuthorizeSubscribe(nobody, "clients//inbox"));
        // A name that would widen a pattern gets nothing.
        Assert.False(Write(rules, Client("carl", "+"), "clients/+/state"));
        Assert.False(rules.AuthorizeSubscribe(Client("#"), "clients/anna/inbox"));
    }

    [Theory]
    [InlineData("topics a", "found 'topics a', expected user NAME")]
    [InlineData("user", "found 'user', expected user NAME")]
    [InlineData("topic read a/#/b", "found 'a/#/b', expected a topic filter")]
    [InlineData("topic", "found '', expected a topic filter")]
    public void A_Wrong_Rule_Is_Named(string line, string expected)
    {
        FormatException e = Assert.Throws<FormatException>(() => Rules("# first\n" + line));
        Assert.Equal($"access rules, line 2: {expected}", e.Message[..($"access rules, line 2: {expected}".Length)]);
    }

    [Theory]
    [InlineData("#", "a/b", true, true)]
    [InlineData("#", "#", true, true)]
    [InlineData("a/#", "a", true, true)]
    [InlineData("a/#", "a/+/c", true, true)]
    [InlineData("a/+", "a/#", false, true)]
    [InlineData("a/+", "a/b", true, true)]
    [InlineData("a/b", "a/+", false, true)]
    [InlineData("a/+/c", "a/b/+", false, true)]
    [InlineData("a/+", "a", false, false)]
    [InlineData("a/+", "a/b/c", false, false)]
    [InlineData("a", "a/#", false, true)]
    [InlineData("a/b", "b/#", false, false)]
    [InlineData("#", "$SYS/a", false, false)]
    [InlineData("+/a", "$SYS/a", false, false)]
    [InlineData("$SYS/#", "$SYS/a", true, true)]
    [InlineData("$SYS/#", "#", false, false)]
    public void Filters_Cover_And_Overlap(string outer, string inner, bool covers, bool overlap)
    {
        byte[] a = Encoding.UTF8.GetBytes(outer), b = Encoding.UTF8.GetBytes(inner);
        Assert.Equal(covers, TopicName.Covers(a, b));
        Assert.Equal(overlap, TopicName.Overlap(a, b));
        Assert.Equal(overlap, TopicName.Overlap(b, a));
    }

    [MosquittoBrokerTheory]
    [InlineData("mqttv311")]
    [InlineData("mqttv5")]
    public async Task Mosquittos_Clients_Are_Admitted_By_Mosquittos_Password_File(string version)
    {
        string passwords = Path.Combine(folder.FullName, "passwords");
        using (System.Diagnostics.Process maker = System.Diagnostics.Process.Start(Mosquitto.Find("mosquitto_passwd")!, ["-b", "-c", passwords, "anna", "s3cret"])) maker.WaitForExit();
        var broker = new MqttBroker(new MqttBrokerOptions { Authorizer = new MqttFileAuthorizer(File.ReadAllLines(passwords), ["user anna", "topic a/#"], allowAnonymous: false) });
        await using SocketHost host = SocketHost.Tcp(broker);
        string[] publish = ["-h", "127.0.0.1", "-p", $"{host.Port}", "-V", version, "-q", "1", "-m", "x"];
        Assert.Equal(0, Mosquitto.Publish([.. publish, "-t", "a/b", "-u", "anna", "-P", "s3cret"]).ExitCode);
        Assert.NotEqual(0, Mosquitto.Publish([.. publish, "-t", "a/b", "-u", "anna", "-P", "guess"]).ExitCode);
        Assert.NotEqual(0, Mosquitto.Publish([.. publish, "-t", "a/b"]).ExitCode);
        Mosquitto.Publish([.. publish, "-t", "b", "-u", "anna", "-P", "s3cret"]);
        Assert.Equal((1, 2), (broker.Statistics.Dropped(MqttDropReason.NotAuthorized), broker.Statistics.RefusedConnections));
        await broker.DisposeAsync();
    }
}
