using System.Net;
using EdgeSparse.Daemon.Sources;
using EdgeSparse.Devices;
using EdgeSparse.Runtime;

namespace EdgeSparse.Daemon.Configuration;

/// <summary>The merged configuration as <see cref="DaemonOptions"/>, strictly: every problem is found and none is guessed around.</summary>
internal static class OptionsReader
{
    /// <summary>Reads and validates; throws <see cref="ConfigurationException"/> with all problems.</summary>
    /// <param name="environment">Where RUNTIME_DIRECTORY, STATE_DIRECTORY and CREDENTIALS_DIRECTORY are looked up.</param>
    public static DaemonOptions Read(ConfigurationLayers layers, Func<string, string?> environment)
    {
        var reader = new ConfigurationReader(layers);
        DaemonOptions options = Read(reader, environment);
        FileCheck.Check(reader, options);
        return reader.Problems.Count == 0 ? options : throw new ConfigurationException(reader.Problems);
    }

    /// <summary>Reads without looking at the files that the options name.</summary>
    public static DaemonOptions Read(ConfigurationReader reader, Func<string, string?> environment)
    {
        var options = new DaemonOptions();
        options.Device = Identifier(reader, "device", HostName());
        options.Model = reader.FilePath("model", "");
        options.Backend = reader.Choice("backend", options.Backend, ("auto", BackendChoice.Auto), ("native", BackendChoice.Native), ("onnxruntime", BackendChoice.OnnxRuntime), ("mixed", BackendChoice.Mixed));
        options.Threads = reader.Integer("threads", options.Threads, 0, SessionOptions.MaximumThreads);
        string cpus = reader.Text("cpus", options.Cpus);
        options.Cpus = cpus.Length == 0 || CpuSet.Parse(cpus) is not null ? cpus : reader.Refuse("cpus", cpus, "processors, none twice, as 2-3 or 0,2", options.Cpus);
        options.ExitAtEnd = reader.Flag("exitAtEnd", options.ExitAtEnd);
        options.StateFolder = reader.FilePath("stateFolder", SystemdFolder(environment("STATE_DIRECTORY")));
        ModelUpdateOptionsReader.Read(reader, options.Models, options.StateFolder);
        ReadOnnxRuntime(reader, options.OnnxRuntime);
        ReadCameras(reader, options.Cameras);
        ReadMqtt(reader, options.Mqtt, environment);
        BridgeOptionsReader.Read(reader, options.Bridge, options.StateFolder, environment);
        GpioOptionsReader.Read(reader, options.Gpio, options.Cameras);
        ThermalOptionsReader.Read(reader, options.Thermal);
        CommandOptionsReader.Read(reader, options);
        ReadHttp(reader, options.Http, environment);
        ReadLog(reader, options.Log);
        reader.RejectUnknown();
        return options;
    }

    private static void ReadOnnxRuntime(ConfigurationReader reader, OnnxRuntimeOptions options)
    {
        reader.Section("onnxruntime");
        options.Library = reader.FilePath("onnxruntime:library", options.Library);
        options.Providers = reader.Choices("onnxruntime:providers", options.Providers, "cpu", "cuda", "tensorrt");
        options.DeviceId = reader.Integer("onnxruntime:deviceId", options.DeviceId, 0, 63);
        options.MemoryLimitMebibytes = reader.Integer("onnxruntime:memoryLimitMebibytes", options.MemoryLimitMebibytes, 0, 1 << 20);
        options.Fp16 = reader.Flag("onnxruntime:fp16", options.Fp16);
        options.Isolated = reader.Flag("onnxruntime:isolated", options.Isolated);
        options.WorkerTimeoutSeconds = reader.Number("onnxruntime:workerTimeoutSeconds", options.WorkerTimeoutSeconds, 0.1, 3600);
    }

    private static void ReadCameras(ConfigurationReader reader, List<CameraOptions> cameras)
    {
        foreach (string name in reader.Names("cameras"))
        {
            string key = $"cameras:{name}";
            reader.Section(key);
            if (!IsIdentifier(name)) reader.Report(key, $"the name of a camera is 1 to 64 of a-z, 0-9 and '-', not '{name}'");
            cameras.Add(ReadCamera(reader, key, name));
        }
        if (cameras.Count == 0) cameras.Add(new CameraOptions { Name = "street" });
        if (!cameras.Exists(camera => camera.Enabled)) reader.Report("cameras", "every camera is disabled; enable at least one");
    }

    private static CameraOptions ReadCamera(ConfigurationReader reader, string key, string name)
    {
        var camera = new CameraOptions { Name = name };
        camera.Enabled = reader.Flag($"{key}:enabled", camera.Enabled);
        camera.Source = ReadSource(reader, $"{key}:source");
        camera.Model = reader.FilePath($"{key}:model", camera.Model);
        camera.Width = reader.Integer($"{key}:width", camera.Width, 64, 8192);
        camera.Height = reader.Integer($"{key}:height", camera.Height, 64, 8192);
        camera.FramesPerSecond = reader.Number($"{key}:fps", camera.FramesPerSecond, 0.01, 1000);
        camera.CredentialsFile = reader.FilePath($"{key}:credentialsFile", camera.CredentialsFile);
        camera.Format = reader.Choice($"{key}:format", camera.Format, [("auto", ""), .. CameraSource.FormatNames.Select(format => (format, format))]);
        foreach (string control in reader.Names($"{key}:controls"))
            camera.Controls.Add(new KeyValuePair<string, int>(control, reader.Integer($"{key}:controls:{control}", 0, int.MinValue, int.MaxValue)));
        camera.Seed = reader.Integer($"{key}:seed", camera.Seed, 0, int.MaxValue);
        camera.Loop = reader.Flag($"{key}:loop", camera.Loop);
        camera.Pace = reader.Choice($"{key}:pace", camera.Pace, ("real-time", Pace.RealTime), ("every-frame", Pace.EveryFrame));
        camera.ScoreThreshold = reader.Number($"{key}:scoreThreshold", camera.ScoreThreshold, 0, 1);
        camera.QualityOfService = reader.Integer($"{key}:qos", camera.QualityOfService, 0, 1);
        SceneOptionsReader.Read(reader, key, camera);
        if (camera.Source.Kind != SourceKind.Camera && (camera.Format.Length > 0 || camera.Controls.Count > 0))
            reader.Report(key, "format and controls are options of v4l2: sources only");
        if (camera.Source.Kind != SourceKind.Rtsp && camera.CredentialsFile.Length > 0)
            reader.Report($"{key}:credentialsFile", "credentials are for rtsp:// sources only");
        if (camera.Source.Kind is SourceKind.Camera or SourceKind.Rtsp && camera.Pace == Pace.EveryFrame)
            reader.Report($"{key}:pace", "a camera cannot wait for the processing; leave pace at real-time");
        return camera;
    }

    private static SourceOptions ReadSource(ConfigurationReader reader, string key)
    {
        string text = reader.Text(key, "synthetic:");
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string kind = colon < 0 ? "" : text[..colon];
        string path = text[(colon + 1)..];
        switch (kind)
        {
            case "synthetic" when path.Length == 0:
                return SourceOptions.Synthetic;
            case "images" when path.Length > 0:
                return new SourceOptions(SourceKind.Images, Path.GetFullPath(path, reader.Layers.BaseFolder(key)));
            case "file" when path.Length > 0:
                return new SourceOptions(SourceKind.File, Path.GetFullPath(path, reader.Layers.BaseFolder(key)));
            case "v4l2" when path.Length > 0:
                return new SourceOptions(SourceKind.Camera, Path.GetFullPath(path, "/dev"));
            case "rtsp" or "rtsps" when Uri.TryCreate(text, UriKind.Absolute, out Uri? address) && address.Host.Length > 0 && !text.Any(char.IsWhiteSpace):
                if (address.UserInfo.Length == 0) return new SourceOptions(SourceKind.Rtsp, text);
                reader.Report(key, "the address holds a user or password; put user:password into a file that only the daemon may read and name it in credentialsFile");
                return SourceOptions.Synthetic;
            default:
                return reader.Refuse(key, text, "synthetic: or images:FOLDER or file:VIDEO or v4l2:DEVICE or rtsp://HOST/PATH", SourceOptions.Synthetic);
        }
    }

    private static void ReadMqtt(ConfigurationReader reader, MqttOptions options, Func<string, string?> environment)
    {
        reader.Section("mqtt");
        options.Enabled = reader.Flag("mqtt:enabled", options.Enabled);
        options.Tcp = Address(reader, "mqtt:tcp", options.Tcp, mayBeEmpty: true);
        string runtime = SystemdFolder(environment("RUNTIME_DIRECTORY"));
        options.Socket = reader.FilePath("mqtt:socket", runtime.Length == 0 ? "" : Path.Combine(runtime, "mqtt.sock"));
        string mode = reader.Text("mqtt:socketMode", "660");
        options.SocketMode = mode.Length is 3 or 4 && mode.All(digit => digit is >= '0' and <= '7') && mode[^3] >= '6'
            ? (UnixFileMode)(Convert.ToInt32(mode, 8) & 0x1FF)
            : reader.Refuse("mqtt:socketMode", mode, "permission bits as 660 or 600, readable and writable by the owner", options.SocketMode);
        ServerTlsOptionsReader.Read(reader, "mqtt:tls", options.Tls);
        options.TlsListen = Address(reader, "mqtt:tls:listen", options.TlsListen, mayBeEmpty: true);
        if (options.TlsListen.Length > 0 && !options.Tls.IsEnabled) reader.Report("mqtt:tls:certificateFile", "found nothing; mqtt:tls:listen needs mqtt:tls:certificateFile and mqtt:tls:keyFile");
        options.PasswordFile = reader.FilePath("mqtt:passwordFile", options.PasswordFile);
        options.AclFile = reader.FilePath("mqtt:aclFile", options.AclFile);
        options.AllowAnonymous = reader.OptionalFlag("mqtt:allowAnonymous");
        options.MaximumConnections = reader.Integer("mqtt:maximumConnections", options.MaximumConnections, 1, 10_000);
        options.MaximumSessions = reader.Integer("mqtt:maximumSessions", options.MaximumSessions, 1, 100_000);
        options.MaximumPacketBytes = reader.Integer("mqtt:maximumPacketBytes", options.MaximumPacketBytes, 1024, 16 << 20);
        options.MaximumQueuedMessages = reader.Integer("mqtt:maximumQueuedMessages", options.MaximumQueuedMessages, 1, 1_000_000);
        options.StatsIntervalSeconds = reader.Number("mqtt:statsIntervalSeconds", options.StatsIntervalSeconds, 0.1, 86_400);
        if (options.Enabled && options.Tcp.Length == 0 && options.Socket.Length == 0 && options.TlsListen.Length == 0)
            reader.Report("mqtt", "the broker has neither a TCP address nor a Unix socket; give mqtt:tcp, mqtt:socket or mqtt:tls:listen, or set mqtt:enabled to false");
    }

    /// <summary>systemd gives several folders separated by colons; the first is ours.</summary>
    private static string SystemdFolder(string? variable) => variable?.Split(':')[0] ?? "";

    private static void ReadHttp(ConfigurationReader reader, HttpOptions options, Func<string, string?> environment)
    {
        reader.Section("http");
        options.Enabled = reader.Flag("http:enabled", options.Enabled);
        options.Listen = Address(reader, "http:listen", options.Listen, mayBeEmpty: false);
        options.Page = reader.Flag("http:page", options.Page);
        options.TokenFile = reader.FilePath("http:tokenFile", BridgeOptionsReader.Credential(environment, "http.token"));
        ServerTlsOptionsReader.Read(reader, "http:tls", options.Tls);
        if (options.Enabled && TryParseAddress(options.Listen, out IPEndPoint address) && !IPAddress.IsLoopback(address.Address) && options.TokenFile.Length == 0 && !options.Tls.NeedsClientCertificate)
            reader.Report("http:listen", $"{options.Listen} can be reached from other machines, and anybody there could watch the cameras; give http:tokenFile, or http:tls with clientCaFile, or listen on 127.0.0.1");
    }

    private static void ReadLog(ConfigurationReader reader, LogOptions options)
    {
        reader.Section("log");
        options.Level = reader.Choice("log:level", options.Level,
            ("debug", LogLevel.Debug), ("info", LogLevel.Info), ("warning", LogLevel.Warning), ("error", LogLevel.Error));
        options.Format = reader.Choice("log:format", options.Format, ("text", LogFormat.Text), ("json", LogFormat.Json));
    }

    private static string Address(ConfigurationReader reader, string key, string absent, bool mayBeEmpty)
    {
        string text = reader.Text(key, absent);
        if (text.Length == 0 && mayBeEmpty) return text;
        return TryParseAddress(text, out _) ? text : reader.Refuse(key, text, "a numeric address and port as 127.0.0.1:1883 or [::1]:1883", absent);
    }

    public static bool TryParseAddress(string text, out IPEndPoint endPoint)
    {
        endPoint = new IPEndPoint(IPAddress.Loopback, 0);
        // IPEndPoint.TryParse takes a bare address for one with port 0.
        int colon = text.LastIndexOf(':');
        if (colon <= 0 || colon == text.Length - 1 || text[(colon + 1)..].Any(c => !char.IsAsciiDigit(c))) return false;
        if (text.IndexOf(':', StringComparison.Ordinal) != colon && text[colon - 1] != ']') return false;
        if (!IPEndPoint.TryParse(text, out IPEndPoint? parsed)) return false;
        endPoint = parsed;
        return true;
    }

    private static string Identifier(ConfigurationReader reader, string key, string absent)
    {
        string text = reader.Text(key, "");
        if (text.Length == 0) return absent;
        return IsIdentifier(text) ? text : reader.Refuse(key, text, "1 to 64 of a-z, 0-9 and '-'", absent);
    }

    public static bool IsIdentifier(string text) =>
        text.Length is > 0 and <= 64 && text.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-');

    /// <summary>The host's name, made an identifier: what a fleet's operator calls the box.</summary>
    private static string HostName()
    {
        string name = new([.. Environment.MachineName.ToLowerInvariant().Split('.')[0].Where(c => IsIdentifier(c.ToString()))]);
        return name.Length is > 0 and <= 64 ? name : "edgesparse";
    }
}
