using System.Text;
using System.Text.Json;
using EdgeSparse.Daemon.Bridge;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Mqtt;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Devices.Spooling;
using EdgeSparse.Mqtt;
using EdgeSparse.Testing;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Tests.Bridge;

public sealed class BridgePartsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => _folder.Delete(recursive: true);

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    private static List<string> TakeAll(RetainedTopics topics, bool settle)
    {
        var taken = new List<string>();
        while (topics.TryTake(out MqttOutgoingMessage? message))
        {
            Assert.True(message.Retain);
            taken.Add($"{Text(message.Topic)}={Text(message.Payload)}");
            if (settle) Assert.True(topics.Settle(message));
        }
        return taken;
    }

    [Fact]
    public void Of_Retained_Messages_The_Newest_Of_Each_Topic_Is_Sent()
    {
        var topics = new RetainedTopics();
        topics.Set("status", "starting"u8);
        topics.Set("count", "1"u8);
        topics.Set("status", "online"u8);
        Assert.False(topics.AllSettled);
        Assert.Equal(["status=online", "count=1"], TakeAll(topics, settle: true));
        Assert.True(topics.AllSettled);
        Assert.Empty(TakeAll(topics, settle: true));
        topics.SendAll();
        Assert.Equal(["status=online", "count=1"], TakeAll(topics, settle: true));
    }

    [Fact]
    public void A_Topic_That_Changes_While_It_Is_Under_Way_Is_Sent_Once_More_And_Only_The_Newest()
    {
        var topics = new RetainedTopics();
        topics.Set("count", "1"u8);
        Assert.True(topics.TryTake(out MqttOutgoingMessage? first));
        topics.Set("count", "2"u8);
        topics.Set("count", "3"u8);
        Assert.Empty(TakeAll(topics, settle: true));
        topics.Settle(first);
        Assert.False(topics.AllSettled);
        Assert.Equal(["count=3"], TakeAll(topics, settle: true));
        Assert.True(topics.AllSettled);
        Assert.False(topics.Settle(new MqttOutgoingMessage { Topic = "x"u8.ToArray() }));
    }

    [Fact]
    public void Results_Are_Acknowledged_To_The_Spool_In_An_Unbroken_Row()
    {
        using var spool = new Spool(new SpoolOptions { Folder = Path.Combine(_folder.FullName, "spool") });
        byte[] record = new byte[SpoolRecord.Length("edgesparse/d/x", "{\"seq\":1,\"historical\":false}"u8)];
        SpoolRecord.Write(record, "edgesparse/d/x", "{\"seq\":1,\"historical\":false}"u8);
        for (int i = 0; i < 3; i++) spool.Append(record);
        spool.Append([9]);
        var outbox = new SpoolOutbox(spool, "plant/", Rig.Quiet);
        outbox.Connected();
        spool.Append(record);
        var taken = new List<MqttOutgoingMessage>();
        while (outbox.TryTake(out MqttOutgoingMessage? message)) taken.Add(message);
        Assert.Equal(4, taken.Count);
        Assert.All(taken, message => Assert.Equal(("plant/edgesparse/d/x", MqttQos.AtLeastOnce, false), (Text(message.Topic), message.Qos, message.Retain)));
        // What was there before the connection has waited for it.
        Assert.Equal([true, true, true, false], taken.Select(message => Text(message.Payload) == "{\"seq\":1,\"historical\":true}"));
        Assert.Equal("{\"seq\":1,\"historical\":false}", Text(taken[3].Payload));

        outbox.Settle(taken[1]);
        outbox.Settle(taken[2]);
        Assert.Equal(0, spool.AcknowledgedSequence);
        outbox.Settle(taken[0]);
        Assert.Equal(3, spool.AcknowledgedSequence);
        outbox.Settle(taken[0]);
        Assert.False(outbox.IsEmpty);
        outbox.Settle(taken[3]);
        // The one that is no result goes with the rest.
        Assert.Equal(5, spool.AcknowledgedSequence);
        Assert.True(outbox.IsEmpty);
    }

    [Fact]
    public void Home_Assistant_Gets_A_Sensor_For_Each_Label()
    {
        IReadOnlyList<string> levels = CountPublisher.Levels(Rig.Model, 3);
        Assert.Equal(["person", "say", "2"], levels);
        JsonElement document = JsonDocument.Parse(HomeAssistantDiscovery.Payload("gate-01", "front", Rig.Model, levels, null, topic => "plant/" + topic)).RootElement;
        Assert.Equal("device/edgesparse_gate-01_front/config", HomeAssistantDiscovery.Topic("gate-01", "front"));
        Assert.Equal("edgesparse_gate-01_front", document.GetProperty("device").GetProperty("identifiers")[0].GetString());
        Assert.Equal("EdgeSparse", document.GetProperty("origin").GetProperty("name").GetString());
        JsonElement person = document.GetProperty("components").GetProperty("person");
        Assert.Equal("sensor", person.GetProperty("platform").GetString());
        Assert.Equal("plant/edgesparse/gate-01/cameras/front/counts/person", person.GetProperty("state_topic").GetString());
        Assert.Equal("edgesparse_gate-01_front_person", person.GetProperty("unique_id").GetString());
        Assert.Equal(["plant/edgesparse/gate-01/status", "plant/edgesparse/gate-01/cameras/front/status"],
            person.GetProperty("availability").EnumerateArray().Select(each => each.GetProperty("topic").GetString()));
        Assert.Equal("say \"ä\"", document.GetProperty("components").GetProperty("say").GetProperty("name").GetString());
    }

    [Fact]
    public void Counts_Are_Published_When_They_Change_And_Not_For_A_Thousand_Classes()
    {
        var publisher = new RecordingPublisher();
        var counts = new CountPublisher(publisher, new Topics("d"), "front", ["person", "car"]);
        var result = new FrameResult();
        counts.Publish(result);
        counts.Publish(result);
        result.Detections.Add(new Detection(0, 1, 0, 0, 1, 1));
        result.Detections.Add(new Detection(0, 1, 0, 0, 1, 1));
        result.Detections.Add(new Detection(7, 1, 0, 0, 1, 1));
        counts.Publish(result);
        Assert.Equal(["person=0", "car=0", "person=2"], publisher.Messages.Select(message => $"{message.Topic.Split('/')[^1]}={message.Payload}"));
        Assert.All(publisher.Messages, message => Assert.True(message.Retain && message.QualityOfService == 1));
        Assert.Empty(CountPublisher.Levels(Rig.Model, 1000));
        Assert.Equal(["a-b", "a-b-1", "label-2"], CountPublisher.Levels(Rig.Model with { Labels = ["A b", "a.b", "ä"] }, 3));
    }

    [Fact]
    public void Secrets_Come_From_Files_And_Do_Not_Reach_The_Log()
    {
        string password = Path.Combine(_folder.FullName, "password");
        File.WriteAllText(password, "s3cret\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(password, (UnixFileMode)0b110_100_100);
        var text = new LogText();
        var log = text.CreateLog(new LogOptions { Level = LogLevel.Debug });
        var options = new BridgeOptions { Host = "broker.example", UserName = "anna", PasswordFile = password };
        MqttClientOptions client = BridgeConnection.Create(options, "gate-01", log);
        Assert.Equal("s3cret", Encoding.UTF8.GetString(client.Password!));
        Assert.Equal(("edgesparse-gate-01", 1883), (client.ClientId, client.Port));
        Assert.Contains("chmod 600", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("without TLS", text.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", text.ToString(), StringComparison.Ordinal);

        options.Tls.Enabled = true;
        options.Tls.CaFile = password;
        DaemonException e = Assert.Throws<DaemonException>(() => BridgeConnection.Create(options, "gate-01", log));
        Assert.Equal(ExitCode.Configuration, e.ExitCode);
        Assert.StartsWith("bridge:tls:caFile", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", e.Message, StringComparison.Ordinal);

        var certificates = new TestCertificates(_folder.FullName, "ca");
        options.Tls.CaFile = certificates.AuthorityFile;
        (options.Tls.CertificateFile, options.Tls.KeyFile) = certificates.Issue("gate-01");
        client = BridgeConnection.Create(options, "gate-01", log);
        Assert.Equal(8883, client.Port);
        Assert.Single(client.Tls!.Authorities!);
        Assert.True(client.Tls.ClientCertificate!.HasPrivateKey);
    }
}
