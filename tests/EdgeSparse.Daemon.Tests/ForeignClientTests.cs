using System.Diagnostics;
using EdgeSparse.Testing;

namespace EdgeSparse.Daemon.Tests;

/// <summary>The local broker against clients that we did not write: over TLS, and python3-paho-mqtt.</summary>
public sealed class ForeignClientTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => _folder.Delete(recursive: true);

    private RunningDaemon WithTls(TestCertificates authority, bool clients)
    {
        (string certificate, string key) = authority.Issue("localhost");
        return new RunningDaemon(_folder.FullName, options =>
        {
            options.Mqtt.TlsListen = "127.0.0.1:0";
            options.Mqtt.Tls.CertificateFile = certificate;
            options.Mqtt.Tls.KeyFile = key;
            if (clients) options.Mqtt.Tls.ClientCaFile = authority.AuthorityFile;
        });
    }

    [ProgramFact("mosquitto_sub")]
    public async Task Mosquitto_Talks_Over_Tls_In_Both_Versions_And_The_Authority_Counts()
    {
        var authority = new TestCertificates(_folder.FullName, "ours");
        await using RunningDaemon daemon = WithTls(authority, clients: false);
        string[] server = ["-h", "localhost", "-p", $"{daemon.Daemon.MqttTlsEndPoint!.Port}"];
        foreach (string version in (string[])["311", "5"])
        {
            (int code, string output, string error) = await RunAsync("mosquitto_sub", [.. server, "--cafile", authority.AuthorityFile, "-V", version, "-q", "1", "-C", "3", "-W", "60", "-t", "edgesparse/gate-01/cameras/street/detections"]);
            Assert.True(code == 0, error);
            Assert.Equal(3, output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
            (code, _, error) = await RunAsync("mosquitto_pub", [.. server, "--cafile", authority.AuthorityFile, "-V", version, "-q", "2", "-t", "shop/door", "-m", "open"]);
            Assert.True(code == 0, error);
        }
        var stranger = new TestCertificates(_folder.FullName, "theirs");
        (int refused, _, _) = await RunAsync("mosquitto_pub", [.. server, "--cafile", stranger.AuthorityFile, "-t", "shop/door", "-m", "open"]);
        Assert.NotEqual(0, refused);
    }

    [ProgramFact("mosquitto_pub")]
    public async Task With_Client_Certificates_Only_Their_Owners_Connect()
    {
        var authority = new TestCertificates(_folder.FullName, "ours");
        await using RunningDaemon daemon = WithTls(authority, clients: true);
        string[] publish = ["-h", "localhost", "-p", $"{daemon.Daemon.MqttTlsEndPoint!.Port}", "--cafile", authority.AuthorityFile, "-q", "1", "-t", "shop/door", "-m", "open"];
        (string certificate, string key) = authority.Issue("client");
        (int code, _, string error) = await RunAsync("mosquitto_pub", [.. publish, "--cert", certificate, "--key", key]);
        Assert.True(code == 0, error);
        (string Certificate, string Key) stranger = new TestCertificates(_folder.FullName, "theirs").Issue("client");
        (code, _, _) = await RunAsync("mosquitto_pub", [.. publish, "--cert", stranger.Certificate, "--key", stranger.Key]);
        Assert.NotEqual(0, code);
        (code, _, _) = await RunAsync("mosquitto_pub", publish);
        Assert.NotEqual(0, code);
    }

    /// <summary>Eclipse Paho 1.6 (Debian python3-paho-mqtt): every QoS there and back, retained state, a topic alias, a will, a session that is kept.</summary>
    private const string Paho = """
        import queue, ssl, sys
        import paho.mqtt.client as mqtt
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        host, port, tls_port, ca = "localhost", int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]

        class Client:
            def __init__(self, name, version, tls=False, clean=True, will=None):
                self.events, self.messages = queue.Queue(), queue.Queue()
                if version == mqtt.MQTTv5: self.c = mqtt.Client(name, protocol=version)
                else: self.c = mqtt.Client(name, clean_session=clean, protocol=version)
                if will: self.c.will_set(will, "gone", qos=1, retain=True)
                if tls: self.c.tls_set(ca_certs=ca)
                self.c.on_connect = lambda c, u, flags, rc, *p: self.events.put(("connect", int(rc.value if hasattr(rc, "value") else rc), flags))
                self.c.on_subscribe = lambda c, u, mid, granted, *p: self.events.put(("subscribe", mid, granted))
                self.c.on_publish = lambda c, u, mid: self.events.put(("publish", mid))
                self.c.on_message = lambda c, u, m: self.messages.put((m.topic, m.payload.decode(), m.qos, m.retain))
                arguments = {}
                if version == mqtt.MQTTv5:
                    arguments["clean_start"] = clean
                    if not clean:
                        arguments["properties"] = Properties(PacketTypes.CONNECT)
                        arguments["properties"].SessionExpiryInterval = 600
                self.c.connect(host, tls_port if tls else port, 30, **arguments)
                self.c.loop_start()
                kind, rc, self.flags = self.wait()
                assert (kind, rc) == ("connect", 0), (kind, rc)

            def wait(self): return self.events.get(timeout=60)
            def next(self): return self.messages.get(timeout=60)

            def subscribe(self, topic, qos):
                self.c.subscribe(topic, qos)
                while self.wait()[0] != "subscribe": pass

            def publish(self, topic, text, qos, retain=False, properties=None):
                info = self.c.publish(topic, text, qos, retain, properties=properties) if properties else self.c.publish(topic, text, qos, retain)
                info.wait_for_publish(60)
                assert info.is_published(), (topic, qos)

            def close(self):
                self.c.disconnect()
                self.c.loop_stop()

        for version in (mqtt.MQTTv311, mqtt.MQTTv5):
            for tls in (False, True):
                tag = f"{version}-{int(tls)}"
                a, b = Client("a" + tag, version, tls), Client("b" + tag, version, tls)
                for qos in (0, 1, 2):
                    topic = f"t/{tag}/{qos}"
                    a.subscribe(topic, qos)
                    for i in range(20): b.publish(topic, str(i), qos)
                    assert [a.next() for _ in range(20)] == [(topic, str(i), qos, 0) for i in range(20)], topic
                b.publish(f"r/{tag}", "state", 1, retain=True)
                a.subscribe(f"r/{tag}", 2)
                assert a.next() == (f"r/{tag}", "state", 1, 1)
                if version == mqtt.MQTTv5:
                    topic, alias = f"alias/{tag}", Properties(PacketTypes.PUBLISH)
                    a.subscribe(topic, 1)
                    alias.TopicAlias = 1
                    b.publish(topic, "named", 1, properties=alias)
                    b.publish("", "by alias", 1, properties=alias)
                    assert [a.next(), a.next()] == [(topic, "named", 1, 0), (topic, "by alias", 1, 0)]
                kept = Client("kept" + tag, version, tls, clean=False)
                kept.subscribe(f"k/{tag}", 1)
                kept.close()
                b.publish(f"k/{tag}", "while away", 1)
                back = Client("kept" + tag, version, tls, clean=False)
                present = back.flags["session present"]
                assert present == 1, back.flags
                assert back.next() == (f"k/{tag}", "while away", 1, 0)
                back.close()
                dying = Client("dying" + tag, version, tls, will=f"w/{tag}")
                a.subscribe(f"w/{tag}", 1)
                dying.c._sock_close()
                assert a.next()[:2] == (f"w/{tag}", "gone")
                dying.c.loop_stop()
                a.close(); b.close()
        print("paho ok")
        """;

    [PahoFact]
    public async Task Paho_Is_Served_In_Both_Versions_With_Every_Qos_On_Tcp_And_Tls()
    {
        var authority = new TestCertificates(_folder.FullName, "ours");
        await using RunningDaemon daemon = WithTls(authority, clients: false);
        (int code, string output, string error) = await RunAsync(PahoFactAttribute.Python, ["-c", Paho, $"{daemon.Mqtt.Port}", $"{daemon.Daemon.MqttTlsEndPoint!.Port}", authority.AuthorityFile]);
        Assert.True(code == 0, error);
        Assert.Contains("paho ok", output, StringComparison.Ordinal);
    }

    /// <summary>Paho 2 on the Unix socket; Debian 12's 1.6 has no such transport, and mosquitto_pub and mosquitto_sub stand for it in MosquittoTests.</summary>
    private const string PahoUnix = """
        import queue, sys
        import paho.mqtt.client as mqtt

        for version in (mqtt.MQTTv311, mqtt.MQTTv5):
            messages, ready = queue.Queue(), queue.Queue()
            c = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, f"unix{version}", protocol=version, transport="unix")
            c.on_connect = lambda c, u, f, rc, p: c.subscribe([(f"u/{version}/{qos}", qos) for qos in (0, 1, 2)])
            c.on_subscribe = lambda c, u, m, rc, p: ready.put([int(r.value) for r in rc])
            c.on_message = lambda c, u, m: messages.put((m.topic, m.payload.decode(), m.qos))
            c.connect(sys.argv[1])
            c.loop_start()
            assert ready.get(timeout=60) == [0, 1, 2]
            for qos in (0, 1, 2):
                for i in range(20): c.publish(f"u/{version}/{qos}", str(i), qos).wait_for_publish(60)
                assert [messages.get(timeout=60) for _ in range(20)] == [(f"u/{version}/{qos}", str(i), qos) for i in range(20)]
            c.disconnect()
            c.loop_stop()
        print("paho ok")
        """;

    [PahoFact(leastMajor: 2)]
    public async Task Paho_Is_Served_On_The_Unix_Socket()
    {
        await using var daemon = new RunningDaemon(_folder.FullName);
        (int code, string output, string error) = await RunAsync(PahoFactAttribute.Python, ["-c", PahoUnix, daemon.Socket]);
        Assert.True(code == 0, error);
        Assert.Contains("paho ok", output, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(string program, string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> error = process.StandardError.ReadToEndAsync(), output = process.StandardOutput.ReadToEndAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await error);
    }
}

/// <summary>A fact that needs python3-paho-mqtt, of a version where that matters, and is skipped, with the reason, where it is absent.</summary>
internal sealed class PahoFactAttribute : FactAttribute
{
    /// <summary>Debian's, which sees Debian's packages.</summary>
    public const string Python = "/usr/bin/python3";

    private static readonly Lazy<Version?> s_version = new(Find);

    public PahoFactAttribute(int leastMajor = 1)
    {
        if (s_version.Value is not { } version) Skip = "skipped: no python3-paho-mqtt";
        else if (version.Major < leastMajor) Skip = $"skipped: python3-paho-mqtt {version} is here, version {leastMajor} or later is needed";
    }

    private static Version? Find()
    {
        if (!File.Exists(Python)) return null;
        using Process process = Process.Start(new ProcessStartInfo(Python, ["-c", "import paho.mqtt; print(paho.mqtt.__version__)"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 && Version.TryParse(text.Trim(), out Version? version) ? version : null;
    }
}
