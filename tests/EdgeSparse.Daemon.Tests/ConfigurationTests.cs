using System.Collections;
using System.Text;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Testing;

namespace EdgeSparse.Daemon.Tests;

public sealed class ConfigurationTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => _folder.Delete(recursive: true);

    private string At(string name, string? content = null)
    {
        string path = Path.Combine(_folder.FullName, name);
        if (content is not null)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, content);
        }
        return path;
    }

    private static (DaemonOptions Options, ConfigurationReader Reader) Read(ConfigurationLayers layers, string? runtimeDirectory = null)
    {
        var reader = new ConfigurationReader(layers);
        return (OptionsReader.Read(reader, name => name == "RUNTIME_DIRECTORY" ? runtimeDirectory : null), reader);
    }

    private static (DaemonOptions Options, ConfigurationReader Reader) ReadJson(string json)
    {
        var layers = new ConfigurationLayers();
        layers.AddJson("/etc/test.json", Encoding.UTF8.GetBytes(json));
        return Read(layers);
    }

    [Fact]
    public void Nothing_Configured_Is_The_Rendered_Street_On_Loopback()
    {
        (DaemonOptions options, ConfigurationReader reader) = Read(new ConfigurationLayers());
        Assert.Empty(reader.Problems);
        CameraOptions camera = Assert.Single(options.Cameras);
        Assert.Equal("street", camera.Name);
        Assert.Equal(SourceOptions.Synthetic, camera.Source);
        Assert.Equal("127.0.0.1:9464", options.Http.Listen);
        Assert.Equal("127.0.0.1:1883", options.Mqtt.Tcp);
        Assert.Equal("", options.Mqtt.Socket);
        Assert.Matches("^[a-z0-9-]+$", options.Device);
    }

    [Fact]
    public void The_Unix_Socket_Defaults_To_Systemds_Runtime_Directory()
    {
        (DaemonOptions options, _) = Read(new ConfigurationLayers(), "/run/edgesparse:/run/other");
        Assert.Equal("/run/edgesparse/mqtt.sock", options.Mqtt.Socket);
    }

    [Fact]
    public void The_Sample_Is_Accepted_Means_The_Defaults_And_Mentions_Every_Option()
    {
        string path = Path.Combine(TestData.RepositoryRoot, "firmware-config", "etc", "edgesparse", "edgesparse.json");
        var layers = new ConfigurationLayers();
        layers.AddFile(path);
        (DaemonOptions sample, ConfigurationReader reader) = Read(layers);
        Assert.Empty(reader.Problems);

        byte[] text = File.ReadAllBytes(path);
        Assert.True(reader.KnownKeys.Count >= 28);
        Assert.All(reader.KnownKeys, key => Assert.True(JsonPositions.Find(text, key) is not null, $"{key} is not in the sample"));

        (DaemonOptions absent, _) = Read(new ConfigurationLayers());
        Assert.Equivalent(absent, sample, strict: true);
    }

    [Fact]
    public void Checking_The_Installed_Configuration_By_Hand_Stands_Where_The_Service_Does()
    {
        Assert.Equal(CommandLine.ServiceStateFolder, State("--check-config"));
        Assert.Equal(CommandLine.ServiceStateFolder, State("--check-config", "--config", CommandLine.DefaultFile));
        Assert.Null(State());
        Assert.Null(State("--check-config", "--config", "other.json"));
        Assert.Null(CommandLine.Parse(["--check-config"]).Variable("STATE_DIRECTORY", _ => null, _ => false));
        Assert.Null(CommandLine.Parse(["--check-config"]).Variable("RUNTIME_DIRECTORY", _ => null, _ => true));
        Assert.Equal("/srv/state", CommandLine.Parse(["--check-config"]).Variable("STATE_DIRECTORY", _ => "/srv/state", _ => true));

        static string? State(params string[] arguments) => CommandLine.Parse(arguments).Variable("STATE_DIRECTORY", _ => null, folder => folder == CommandLine.ServiceStateFolder);
    }

    [Fact]
    public void Later_Layers_Win_Key_By_Key()
    {
        string file = At("edgesparse.json", """{ /* comment */ "device": "a", "threads": 1, "http": { "listen": "127.0.0.1:1" }, "log": { "level": "debug" }, }""");
        At("conf.d/20-b.json", """{ "device": "b", "mqtt": { "statsIntervalSeconds": 5 } }""");
        At("conf.d/10-a.json", """{ "device": "c", "threads": 2 }""");
        At("conf.d/90-ignored.txt", "not json");
        CommandLine line = CommandLine.Parse(["--config", file, "--http:listen=127.0.0.1:3"]);
        (DaemonOptions options, ConfigurationReader reader) = Read(line.Layers(new Hashtable { ["EDGESPARSE__HTTP__LISTEN"] = "127.0.0.1:2", ["EDGESPARSE__THREADS"] = "3", ["EDGESPARSE_OTHER"] = "x" }));
        Assert.Empty(reader.Problems);
        Assert.Equal("b", options.Device);
        Assert.Equal(3, options.Threads);
        Assert.Equal("127.0.0.1:3", options.Http.Listen);
        Assert.Equal(5, options.Mqtt.StatsIntervalSeconds);
        Assert.Equal(LogLevel.Debug, options.Log.Level);
    }

    [Fact]
    public void Lists_Replace_Each_Other()
    {
        string file = At("edgesparse.json", """{ "onnxruntime": { "providers": ["tensorrt", "cuda", "cpu"] } }""");
        At("conf.d/10.json", """{ "onnxruntime": { "providers": ["cuda"] } }""");
        Assert.Equal(["cuda"], Read(CommandLine.Parse(["--config", file]).Layers(new Hashtable())).Options.OnnxRuntime.Providers);
        Assert.Equal(["cpu", "cuda"], Read(CommandLine.Parse(["--config", file, "--onnxruntime:providers=cpu,cuda"]).Layers(new Hashtable())).Options.OnnxRuntime.Providers);
    }

    [Fact]
    public void Cameras_Are_Merged_By_Name_And_A_Configured_One_Replaces_The_Built_In()
    {
        string file = At("edgesparse.json", """{ "cameras": { "gate": { "fps": 5 }, "yard": { "enabled": false } } }""");
        CommandLine line = CommandLine.Parse(["--config", file, "--cameras:gate:seed", "9"]);
        (DaemonOptions options, ConfigurationReader reader) = Read(line.Layers(new Hashtable { ["EDGESPARSE__CAMERAS__GATE__WIDTH"] = "320" }));
        Assert.Empty(reader.Problems);
        Assert.Equal(["gate", "yard"], options.Cameras.Select(camera => camera.Name));
        Assert.Equal((5, 9, 320), (options.Cameras[0].FramesPerSecond, options.Cameras[0].Seed, options.Cameras[0].Width));
    }

    [Fact]
    public void A_Camera_Has_A_Region_Zones_And_Limits()
    {
        (DaemonOptions options, ConfigurationReader reader) = ReadJson("""
            { "cameras": { "gate": { "region": "0,0.25 1,1", "maximumFps": 4.5, "publish": "on-change", "publishSeconds": 0,
              "zones": { "yard": { "points": "0,0 1,0 1,1", "labels": ["person", "dog"], "anchor": "center", "margin": 0.05 }, "door": { "points": "0.1,0.1 0.2,0.1 0.2,0.2 0.1,0.2", "labels": "car" } } } } }
            """);
        Assert.Empty(reader.Problems);
        CameraOptions camera = options.Cameras[0];
        Assert.Equal(new Vision.FrameRegion(0, 0.25f, 1, 1), camera.Scene.Region);
        Assert.Equal((4.5, PublishWhen.OnChange, 0.0), (camera.MaximumFramesPerSecond, camera.Publish, camera.PublishSeconds));
        Assert.Equal(["door", "yard"], camera.Scene.Zones.Select(zone => zone.Name));
        Assert.Equal(["person", "dog"], camera.Scene.Zones[1].Labels);
        Assert.Equal((Vision.ZoneAnchor.Center, 0.05, 3), (camera.Scene.Zones[1].Anchor, camera.Scene.Zones[1].Margin, camera.Scene.Zones[1].Area.Points.Length));
        Assert.Equal(["car"], camera.Scene.Zones[0].Labels);
    }

    [Fact]
    public void A_Camera_Has_A_Device_A_Format_And_Controls()
    {
        (DaemonOptions options, ConfigurationReader reader) = ReadJson("""
            { "cameras": { "gate": { "source": "v4l2:v4l/by-id/usb-cam-video-index0", "format": "MJPEG", "controls": { "gain": -3, "brightness": 128 } }, "yard": { "source": "v4l2:/dev/video2" },
                           "zoo": { "source": "rtsp://camera:8554/stream?x=1" } } }
            """);
        Assert.Empty(reader.Problems);
        Assert.Equal(new SourceOptions(SourceKind.Camera, "/dev/v4l/by-id/usb-cam-video-index0"), options.Cameras[0].Source);
        Assert.Equal("mjpeg", options.Cameras[0].Format);
        Assert.Equal([new("brightness", 128), new("gain", -3)], options.Cameras[0].Controls);
        Assert.Equal(new SourceOptions(SourceKind.Camera, "/dev/video2"), options.Cameras[1].Source);
        Assert.Equal("rtsp://camera:8554/stream?x=1", options.Cameras[2].Source.ToString());
    }

    [Fact]
    public void Relative_Paths_Start_From_The_File_That_Names_Them()
    {
        string file = At("etc/edgesparse.json", """{ "model": "m/x.esm", "cameras": { "a": { "source": "file:clips/y.mp4" } } }""");
        (DaemonOptions options, _) = Read(CommandLine.Parse(["--config", file]).Layers(new Hashtable()));
        Assert.Equal(At("etc/m/x.esm"), options.Model);
        Assert.Equal(new SourceOptions(SourceKind.File, At("etc/clips/y.mp4")), options.Cameras[0].Source);
        (options, _) = Read(CommandLine.Parse(["--config", file, "--model=z.esm"]).Layers(new Hashtable()));
        Assert.Equal(Path.GetFullPath("z.esm"), options.Model);
    }

    [Theory]
    [InlineData("""{ "thread": 1 }""", "/etc/test.json:1:3: thread: unknown option; did you mean threads?")]
    [InlineData("""{ "http": { "port": 1 } }""", "/etc/test.json:1:13: http:port: unknown option")]
    [InlineData("{\n  \"cameras\": {\n    \"a\": {\n      \"fsp\": 1 } } }", "/etc/test.json:4:7: cameras:a:fsp: unknown option; did you mean cameras:a:fps?")]
    [InlineData("""{ "threads": "many" }""", "/etc/test.json:1:3: threads: found 'many', expected a whole number from 0 to 64")]
    [InlineData("""{ "cpus": "2-1" }""", "cpus: found '2-1', expected processors, none twice, as 2-3 or 0,2")]
    [InlineData("""{ "cpus": "all" }""", "cpus: found 'all', expected processors")]
    [InlineData("""{ "threads": 1.5 }""", "threads: found '1.5', expected a whole number from 0 to 64")]
    [InlineData("""{ "threads": -1 }""", "threads: found '-1', expected a whole number from 0 to 64")]
    [InlineData("""{ "threads": 99999999999 }""", "threads: found '99999999999', expected")]
    [InlineData("""{ "threads": { "a": 1 } }""", "threads: found an object or a list, expected a single value")]
    [InlineData("""{ "exitAtEnd": 1 }""", "exitAtEnd: found '1', expected true or false")]
    [InlineData("""{ "backend": "gpu" }""", "backend: found 'gpu', expected one of auto, native, onnxruntime")]
    [InlineData("""{ "http": "127.0.0.1:1" }""", "http: found '127.0.0.1:1', expected an object of options")]
    [InlineData("""{ "http": { "listen": "localhost:80" } }""", "http:listen: found 'localhost:80', expected a numeric address and port")]
    [InlineData("""{ "http": { "listen": "127.0.0.1" } }""", "http:listen: found '127.0.0.1', expected")]
    [InlineData("""{ "http": { "listen": "127.0.0.1:99999" } }""", "http:listen: found '127.0.0.1:99999', expected")]
    [InlineData("""{ "http": { "listen": "" } }""", "http:listen: found nothing, expected")]
    [InlineData("""{ "mqtt": { "tcp": "" } }""", "mqtt: the broker has neither a TCP address nor a Unix socket")]
    [InlineData("""{ "mqtt": { "socketMode": "9" } }""", "mqtt:socketMode: found '9', expected permission bits")]
    [InlineData("""{ "mqtt": { "socketMode": "060" } }""", "mqtt:socketMode: found '060', expected permission bits")]
    [InlineData("""{ "mqtt": { "allowAnonymous": "maybe" } }""", "mqtt:allowAnonymous: found 'maybe', expected true or false")]
    [InlineData("""{ "mqtt": { "maximumPacketBytes": 10 } }""", "mqtt:maximumPacketBytes: found '10', expected a whole number from 1024 to")]
    [InlineData("""{ "mqtt": { "maximumConnections": 0 } }""", "mqtt:maximumConnections: found '0', expected a whole number from 1 to 10000")]
    [InlineData("""{ "bridge": { "enabled": true }, "stateFolder": "/" }""", "bridge: it is enabled and has no broker; give bridge:host or bridge:socket")]
    [InlineData("""{ "bridge": { "host": "b:1883" } }""", "bridge:host: found 'b:1883', expected a host name or numeric address, without a port")]
    [InlineData("""{ "bridge": { "port": 70000 } }""", "bridge:port: found '70000', expected a whole number from 0 to 65535")]
    [InlineData("""{ "bridge": { "version": "4" } }""", "bridge:version: found '4', expected one of 5, 3.1.1")]
    [InlineData("""{ "bridge": { "password": "x" } }""", "bridge:password: unknown option")]
    [InlineData("""{ "bridge": { "prefix": "plant/#" } }""", "bridge:prefix: found 'plant/#', expected levels of a topic")]
    [InlineData("""{ "bridge": { "prefix": "plant/" } }""", "bridge:prefix: found 'plant/', expected levels of a topic")]
    [InlineData("""{ "bridge": { "enabled": true, "host": "b", "socket": "/s" }, "stateFolder": "/" }""", "bridge:socket: there is a bridge:host too; give one of them")]
    [InlineData("""{ "bridge": { "enabled": true, "host": "b" } }""", "bridge:spool:folder: found nothing, and there is no stateFolder")]
    [InlineData("""{ "bridge": { "enabled": true, "host": "b", "tls": { "caFile": "/ca" } }, "stateFolder": "/" }""", "bridge:tls: options are given and bridge:tls:enabled is false")]
    [InlineData("""{ "bridge": { "enabled": true, "host": "b", "tls": { "enabled": true, "certificateFile": "/c" } }, "stateFolder": "/" }""", "bridge:tls:keyFile: found nothing; a client certificate needs both")]
    [InlineData("""{ "bridge": { "enabled": true, "host": "b", "version": "3.1.1", "passwordFile": "/p" }, "stateFolder": "/" }""", "bridge:userName: found nothing; MQTT 3.1.1 takes no password without a user name")]
    [InlineData("""{ "bridge": { "spool": { "maximumBytes": 1000 } } }""", "bridge:spool:maximumBytes: found '1000', expected a whole number from 4194304 to")]
    [InlineData("""{ "bridge": { "homeAssistant": { "prefix": "" } } }""", "bridge:homeAssistant:prefix: found nothing")]
    [InlineData("""{ "device": "Gate 1" }""", "device: found 'Gate 1', expected 1 to 64 of a-z, 0-9 and '-'")]
    [InlineData("""{ "cameras": { "a/b": {} } }""", "cameras:a/b: the name of a camera is 1 to 64 of a-z, 0-9 and '-', not 'a/b'")]
    [InlineData("""{ "cameras": { "a": { "enabled": false } } }""", "cameras: every camera is disabled")]
    [InlineData("""{ "cameras": { "a": { "source": "http://x" } } }""", "cameras:a:source: found 'http://x', expected synthetic: or images:FOLDER or file:VIDEO")]
    [InlineData("""{ "cameras": { "a": { "source": "rtsp:///x" } } }""", "cameras:a:source: found 'rtsp:///x', expected")]
    [InlineData("""{ "cameras": { "a": { "source": "rtsp://user:secret@camera/1" } } }""", "cameras:a:source: the address holds a user or password")]
    [InlineData("""{ "cameras": { "a": { "source": "rtsp://camera/1", "pace": "every-frame" } } }""", "cameras:a:pace: a camera cannot wait")]
    [InlineData("""{ "cameras": { "a": { "source": "synthetic:", "credentialsFile": "c" } } }""", "cameras:a:credentialsFile: credentials are for rtsp:// sources only")]
    [InlineData("""{ "cameras": { "a": { "source": "v4l2:" } } }""", "cameras:a:source: found 'v4l2:', expected")]
    [InlineData("""{ "cameras": { "a": { "source": "v4l2:video0", "format": "h264" } } }""", "cameras:a:format: found 'h264', expected one of auto, nv12,")]
    [InlineData("""{ "cameras": { "a": { "source": "v4l2:video0", "pace": "every-frame" } } }""", "cameras:a:pace: a camera cannot wait")]
    [InlineData("""{ "cameras": { "a": { "source": "v4l2:video0", "controls": { "gain": "high" } } } }""", "cameras:a:controls:gain: found 'high', expected a whole number")]
    [InlineData("""{ "cameras": { "a": { "source": "synthetic:", "format": "nv12" } } }""", "cameras:a: format and controls are options of v4l2: sources only")]
    [InlineData("""{ "cameras": { "a": { "controls": { "gain": 1 } } } }""", "cameras:a: format and controls are options of v4l2: sources only")]
    [InlineData("""{ "cameras": { "a": { "source": "file:" } } }""", "cameras:a:source: found 'file:', expected")]
    [InlineData("""{ "cameras": { "a": { "source": "synthetic:x" } } }""", "cameras:a:source: found 'synthetic:x', expected")]
    [InlineData("""{ "cameras": { "a": { "qos": 2 } } }""", "cameras:a:qos: found '2', expected a whole number from 0 to 1")]
    [InlineData("""{ "cameras": { "a": { "scoreThreshold": 30 } } }""", "cameras:a:scoreThreshold: found '30', expected a number from 0 to 1")]
    [InlineData("""{ "cameras": { "a": { "fps": "NaN" } } }""", "cameras:a:fps: found 'NaN', expected a number from 0.01 to 1000")]
    [InlineData("""{ "cameras": { "a": { "pace": "slow" } } }""", "cameras:a:pace: found 'slow', expected one of real-time, every-frame")]
    [InlineData("""{ "cameras": { "a": { "region": "0.5,0.5 0.4,1" } } }""", "cameras:a:region: found '0.5,0.5 0.4,1', expected the upper left and lower right corner")]
    [InlineData("""{ "cameras": { "a": { "region": "0,0,1,1" } } }""", "cameras:a:region: found '0,0,1,1', expected")]
    [InlineData("""{ "cameras": { "a": { "zones": { "door": {} } } } }""", "cameras:a:zones:door:points: found nothing, expected 3 to 64 corners")]
    [InlineData("""{ "cameras": { "a": { "zones": { "door": { "points": "0,0 1,1" } } } } }""", "cameras:a:zones:door:points: found '0,0 1,1', expected 3 to 64 corners")]
    [InlineData("""{ "cameras": { "a": { "zones": { "The Door": { "points": "0,0 1,0 1,1" } } } } }""", "cameras:a:zones:the door: the name of a zone is 1 to 64 of a-z")]
    [InlineData("""{ "cameras": { "a": { "zones": { "door": { "points": "0,0 1,0 1,1", "anchor": "top" } } } } }""", "cameras:a:zones:door:anchor: found 'top', expected one of bottom, center")]
    [InlineData("""{ "cameras": { "a": { "zones": { "door": { "points": "0,0 1,0 1,1", "labels": ["person", ""] } } } } }""", "cameras:a:zones:door:labels: found 'person, ', expected a list of words")]
    [InlineData("""{ "cameras": { "a": { "tracking": { "enabled": false }, "zones": { "door": { "points": "0,0 1,0 1,1" } } } } }""", "cameras:a:zones: zones count objects that are followed")]
    [InlineData("""{ "cameras": { "a": { "publish": "sometimes" } } }""", "cameras:a:publish: found 'sometimes', expected one of every, on-change, interval")]
    [InlineData("""{ "cameras": { "a": { "publish": "interval", "publishSeconds": 0 } } }""", "cameras:a:publishSeconds: found 0, expected how many seconds lie between messages")]
    [InlineData("""{ "cameras": { "a": { "maximumFps": -1 } } }""", "cameras:a:maximumFps: found '-1', expected a number from 0 to 1000")]
    [InlineData("""{ "gpio": { "inputs": { "door": {} } } }""", "gpio:inputs:door:line: found nothing, expected the name of a GPIO line, as GPIO17")]
    [InlineData("""{ "gpio": { "inputs": { "door": { "line": "GPIO17", "use": "bell" } } } }""", "gpio:inputs:door:use: found 'bell', expected one of arm, trigger")]
    [InlineData("""{ "gpio": { "inputs": { "door": { "line": "GPIO17", "cameras": ["yard"] } } } }""", "gpio:inputs:door:cameras: there is no camera 'yard'; there are street")]
    [InlineData("""{ "gpio": { "inputs": { "Door 1": { "line": "GPIO17" } } } }""", "gpio:inputs:door 1: the name of a line's use is 1 to 64 of a-z")]
    [InlineData("""{ "gpio": { "outputs": { "lamp": { "line": "GPIO17", "zone": "door" } } } }""", "gpio:outputs:lamp:zone: found 'door', and none of its cameras has a zone of that name")]
    [InlineData("""{ "gpio": { "outputs": { "lamp": { "line": "GPIO17", "holdSeconds": 0 } } } }""", "gpio:outputs:lamp:holdSeconds: found '0', expected a number from 0.05 to")]
    [InlineData("""{ "gpio": { "inputs": { "a": { "line": "X" } }, "outputs": { "a": { "line": "Y" } } } }""", "gpio:outputs:a: there is an input of that name")]
    [InlineData("""{ "thermal": { "halfCelsius": 90, "quarterCelsius": 80 } }""", "thermal: halfCelsius 90, quarterCelsius 80, pauseCelsius 90: expected each at least as high")]
    [InlineData("""{ "thermal": { "intervalSeconds": 0 } }""", "thermal:intervalSeconds: found '0', expected a number from 0.05 to 600")]
    [InlineData("""{ "commands": { "verbs": ["shutdown"] } }""", "commands:verbs: found 'shutdown', expected a list of snapshot, set-rate, reload, select-model")]
    [InlineData("""{ "commands": { "enabled": true, "bridge": true } }""", "commands:bridge: there is no bridge; set bridge:enabled to true")]
    [InlineData("""{ "commands": { "enabled": true }, "mqtt": { "enabled": false } }""", "commands:enabled: there is no broker to take commands from")]
    [InlineData("""{ "onnxruntime": { "providers": ["cpu", "npu"] } }""", "onnxruntime:providers: found 'cpu, npu', expected a list of cpu, cuda, tensorrt, none twice")]
    [InlineData("""{ "onnxruntime": { "providers": ["cpu", "cpu"] } }""", "onnxruntime:providers: found 'cpu, cpu', expected")]
    [InlineData("{\n  \"threads\" 1\n}", "/etc/test.json:2:13: not valid JSON")]
    [InlineData("[]", "/etc/test.json: ")]
    [InlineData("", "/etc/test.json:1:1: not valid JSON")]
    [InlineData("""{ "threads": 1, "Threads": 2 }""", "/etc/test.json: ")]
    public void A_Bad_Option_Is_Named_With_Its_Place_And_What_Was_Expected(string json, string expected)
    {
        (_, ConfigurationReader reader) = ReadJson(json);
        ConfigurationProblem problem = Assert.Single(reader.Problems);
        Assert.Contains(expected, problem.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain('\n', problem.ToString());
    }

    [Fact]
    public void All_Problems_Are_Listed_With_Their_Origins()
    {
        string file = At("edgesparse.json", """{ "threads": "x" }""");
        At("conf.d/10.json", "{ ");
        CommandLine line = CommandLine.Parse(["--config", file, "--http:listen=here", "--mqtt:tpc", "1"]);
        ConfigurationLayers layers = line.Layers(new Hashtable { ["EDGESPARSE__LOG__LEVEL"] = "loud" });
        ConfigurationException e = Assert.Throws<ConfigurationException>(() => OptionsReader.Read(layers, _ => null));
        string[] lines = e.Message.Split('\n');
        Assert.Contains(lines, text => text.StartsWith(At("conf.d/10.json") + ":1:", StringComparison.Ordinal));
        Assert.Contains(lines, text => text.StartsWith(file + ":1:3: threads: found 'x'", StringComparison.Ordinal));
        Assert.Contains(lines, text => text.StartsWith("command line --http:listen: http:listen: found 'here'", StringComparison.Ordinal));
        Assert.Contains(lines, text => text.StartsWith("command line --mqtt:tpc: mqtt:tpc: unknown option; did you mean mqtt:tcp?", StringComparison.Ordinal));
        Assert.Contains(lines, text => text.StartsWith("environment EDGESPARSE__LOG__LEVEL: log:level: found 'loud'", StringComparison.Ordinal));
    }

    [Fact]
    public void Files_That_Are_Named_Must_Be_There()
    {
        Directory.CreateDirectory(At("empty"));
        At("m.onnx", "x");
        At("m.esm", "x");
        string json = $$"""
            { "stateFolder": "nowhere", "onnxruntime": { "library": "no.so" }, "mqtt": { "socket": "absent/mqtt.sock", "passwordFile": "users", "aclFile": "rules" },
              "cameras": { "a": { "source": "file:no.mp4", "model": "no.esm" }, "b": { "source": "images:no", "model": "m.onnx" },
                           "c": { "source": "images:empty", "model": "m.esm" }, "d": {"enabled": false, "source": "file:no.mp4" } } }
            """;
        ConfigurationException e = Assert.Throws<ConfigurationException>(() => OptionsReader.Read(CommandLine.Parse(["--config", At("c.json", json)]).Layers(new Hashtable()), _ => null));
        Assert.Equal(
        [
            $"cameras:a:model: no such file: {At("no.esm")}",
            $"cameras:a:source: no such file: {At("no.mp4")}",
            $"cameras:b:model: {At("m.onnx")} is not a package; make one with 'edgesparse compile m.onnx -o m.esm'",
            $"cameras:b:source: no such folder: {At("no")}",
            $"cameras:c:source: no pictures (.jpg, .jpeg, .png) in {At("empty")}",
            $"mqtt:aclFile: no such file: {At("rules")}",
            $"mqtt:passwordFile: no such file: {At("users")}",
            $"mqtt:socket: no such folder: {At("absent")}",
            $"onnxruntime:library: no such file: {At("no.so")}",
            $"stateFolder: no such folder: {At("nowhere")}",
        ], e.Problems.Select(problem => $"{problem.Key}: {problem.Message}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_Bridges_Files_Must_Be_There_And_Its_Password_May_Be_A_Credential()
    {
        At("m.esm", "x");
        At("credentials/mqtt.password", "secret");
        string json = """
            { "stateFolder": ".", "cameras": { "a": { "model": "m.esm" } },
              "bridge": { "enabled": true, "host": "broker", "userName": "anna", "tls": { "enabled": true, "caFile": "no.pem", "certificateFile": "no.crt", "keyFile": "no.key" }, "spool": { "folder": "absent/spool" } } }
            """;
        CommandLine line = CommandLine.Parse(["--config", At("c.json", json)]);
        ConfigurationException e = Assert.Throws<ConfigurationException>(() => OptionsReader.Read(line.Layers(new Hashtable()), name => name == "CREDENTIALS_DIRECTORY" ? At("nowhere") : null));
        Assert.Equal(
        [
            $"bridge:spool:folder: no such folder: {At("absent")}",
            $"bridge:tls:caFile: no such file: {At("no.pem")}",
            $"bridge:tls:certificateFile: no such file: {At("no.crt")}",
            $"bridge:tls:keyFile: no such file: {At("no.key")}",
        ], e.Problems.Select(problem => $"{problem.Key}: {problem.Message}").Order(StringComparer.Ordinal));

        line = CommandLine.Parse(["--config", At("c.json"), "--bridge:tls:caFile=", "--bridge:tls:certificateFile=", "--bridge:tls:keyFile=", "--bridge:spool:folder="]);
        DaemonOptions options = OptionsReader.Read(line.Layers(new Hashtable()), name => name == "CREDENTIALS_DIRECTORY" ? At("credentials") : null);
        Assert.Equal(At("credentials/mqtt.password"), options.Bridge.PasswordFile);
        Assert.Equal(At("spool"), options.Bridge.Spool.Folder);
    }

    [Fact]
    public void A_Socket_Path_Too_Long_Is_A_Configuration_Error()
    {
        string json = $$"""{ "mqtt": { "socket": "{{_folder.FullName}}/{{new string('s', 120)}}" }, "cameras": { "a": { "model": "m.esm" } } }""";
        At("m.esm", "x");
        ConfigurationException e = Assert.Throws<ConfigurationException>(() => OptionsReader.Read(CommandLine.Parse(["--config", At("c.json", json)]).Layers(new Hashtable()), _ => null));
        Assert.Contains("at most 107", Assert.Single(e.Problems).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_Absent_A_Huge_And_An_Unreadable_File_Are_Problems()
    {
        var layers = new ConfigurationLayers();
        layers.AddFile(At("absent.json"));
        layers.AddFile(_folder.FullName);
        layers.AddFile(At("huge.json", new string(' ', ConfigurationLayers.MaximumFileBytes + 1)));
        Assert.Equal(3, layers.Problems.Count);
        Assert.Contains("no such file", layers.Problems[0].Message, StringComparison.Ordinal);
        Assert.Contains("is a folder", layers.Problems[1].Message, StringComparison.Ordinal);
        Assert.Contains("at most 1048576", layers.Problems[2].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("clip.mp4")]
    [InlineData("--model")]
    [InlineData("--")]
    [InlineData("-v")]
    [InlineData("--threads=1", "--threads=2")]
    [InlineData("--config=a", "--config=b")]
    public void A_Wrong_Command_Line_Is_Usage(params string[] arguments) =>
        Assert.Equal(ExitCode.Usage, Assert.Throws<DaemonException>(() => CommandLine.Parse(arguments)).ExitCode);
}
