using EdgeSparse.Runtime;

namespace EdgeSparse.Daemon.Configuration;

/// <summary>Everything that can be configured, with its built-in default. Each option is explained in firmware-config/etc/edgesparse/edgesparse.json.</summary>
internal sealed class DaemonOptions
{
    /// <summary>Second level of every topic; [a-z0-9-].</summary>
    public string Device { get; set; } = "";

    /// <summary>The model package (.esm) for cameras that name none; empty = the shipped one.</summary>
    public string Model { get; set; } = "";

    public BackendChoice Backend { get; set; } = BackendChoice.Auto;

    /// <summary>Threads for one inference; 0 = the processor's cores.</summary>
    public int Threads { get; set; }

    /// <summary>Processors that inference may use, as 2-3 or 0,2; empty = the fast cores where they are of several kinds, else all.</summary>
    public string Cpus { get; set; } = "";

    /// <summary>Leave with exit code 0 when every source has come to its end.</summary>
    public bool ExitAtEnd { get; set; }

    /// <summary>Folder where message numbers survive a restart; empty = the first of $STATE_DIRECTORY, else none.</summary>
    public string StateFolder { get; set; } = "";

    public OnnxRuntimeOptions OnnxRuntime { get; } = new();

    /// <summary>In order of name; never empty after loading.</summary>
    public List<CameraOptions> Cameras { get; } = [];

    public ModelUpdateOptions Models { get; } = new();

    public MqttOptions Mqtt { get; } = new();

    public BridgeOptions Bridge { get; } = new();

    public GpioOptions Gpio { get; } = new();

    public ThermalOptions Thermal { get; } = new();

    public CommandOptions Commands { get; } = new();

    public HttpOptions Http { get; } = new();

    public LogOptions Log { get; } = new();
}

internal sealed class OnnxRuntimeOptions
{
    /// <summary>Path of libonnxruntime.so; empty = beside the binary, then the system's.</summary>
    public string Library { get; set; } = "";

    /// <summary>Execution providers in order of preference: cpu, cuda, tensorrt.</summary>
    public IReadOnlyList<string> Providers { get; set; } = ["cpu"];

    /// <summary>Which GPU cuda and tensorrt use.</summary>
    public int DeviceId { get; set; }

    /// <summary>Most MiB of GPU memory that cuda's arena may take; 0 = no limit.</summary>
    public int MemoryLimitMebibytes { get; set; }

    /// <summary>TensorRT may compute in float16.</summary>
    public bool Fp16 { get; set; }

    /// <summary>A process of its own for each camera runs the model where ONNX Runtime is needed, so that the library cannot end the daemon.</summary>
    public bool Isolated { get; set; }

    /// <summary>Seconds after which an isolated worker that has not finished a frame is killed.</summary>
    public double WorkerTimeoutSeconds { get; set; } = 10;

    /// <summary>The same by ONNX Runtime's names; TensorRT's engines, which take minutes to build, are kept in the state folder.</summary>
    public Dictionary<string, IReadOnlyDictionary<string, string>> ByProvider(string stateFolder)
    {
        string device = DeviceId.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var cuda = new Dictionary<string, string> { ["device_id"] = device };
        if (MemoryLimitMebibytes > 0) cuda["gpu_mem_limit"] = ((long)MemoryLimitMebibytes << 20).ToString(System.Globalization.CultureInfo.InvariantCulture);
        var tensorRt = new Dictionary<string, string> { ["device_id"] = device, ["trt_fp16_enable"] = Fp16 ? "1" : "0" };
        if (stateFolder.Length > 0)
        {
            tensorRt["trt_engine_cache_enable"] = "1";
            tensorRt["trt_engine_cache_path"] = Path.Combine(stateFolder, "tensorrt");
        }
        return new Dictionary<string, IReadOnlyDictionary<string, string>> { ["cuda"] = cuda, ["tensorrt"] = tensorRt };
    }
}

internal sealed class CameraOptions
{
    /// <summary>[a-z0-9-]+, the camera's level in topics and its label in metrics.</summary>
    public required string Name { get; init; }

    public bool Enabled { get; set; } = true;

    public SourceOptions Source { get; set; } = SourceOptions.Synthetic;

    /// <summary>The camera's own model package; empty = the daemon's.</summary>
    public string Model { get; set; } = "";

    /// <summary>File with <c>user:password</c> for an rtsp source; empty = none.</summary>
    public string CredentialsFile { get; set; } = "";

    /// <summary>Layout that a v4l2 camera must give; empty = the cheapest of those that reach size and rate.</summary>
    public string Format { get; set; } = "";

    /// <summary>Controls of a v4l2 camera, in order of name.</summary>
    public List<KeyValuePair<string, int>> Controls { get; } = [];

    public int Width { get; set; } = 640;

    public int Height { get; set; } = 480;

    /// <summary>Frames per second that the source makes, and that a v4l2 camera is asked for; a file keeps its own timing.</summary>
    public double FramesPerSecond { get; set; } = 15;

    public int Seed { get; set; } = 1;

    public bool Loop { get; set; }

    public Pace Pace { get; set; } = Pace.RealTime;

    /// <summary>Replaces the package's score threshold; NaN = as the package says.</summary>
    public double ScoreThreshold { get; set; } = double.NaN;

    /// <summary>MQTT quality of service of the detections topic: 0 or 1.</summary>
    public int QualityOfService { get; set; }

    public SceneOptions Scene { get; } = new();

    /// <summary>Frames processed a second at most; 0 = as many as the processor can.</summary>
    public double MaximumFramesPerSecond { get; set; }

    public PublishWhen Publish { get; set; } = PublishWhen.Every;

    /// <summary>Seconds between messages for <see cref="PublishWhen.Interval"/>, and the longest silence for <see cref="PublishWhen.OnChange"/>, 0 = any.</summary>
    public double PublishSeconds { get; set; } = 10;
}

internal enum SourceKind
{
    Synthetic,
    Images,
    File,
    Camera,
    Rtsp,
}

/// <summary>Where frames come from; written <c>synthetic:</c>, <c>images:DIR</c>, <c>file:PATH</c>, <c>v4l2:DEVICE</c> or <c>rtsp://HOST/PATH</c>.</summary>
internal sealed record SourceOptions(SourceKind Kind, string Path)
{
    public static SourceOptions Synthetic { get; } = new(SourceKind.Synthetic, "");

    public override string ToString() => Kind switch
    {
        SourceKind.Synthetic => "synthetic:",
        SourceKind.Images => $"images:{Path}",
        SourceKind.Camera => $"v4l2:{Path}",
        SourceKind.Rtsp => Path,
        _ => $"file:{Path}",
    };
}

internal enum Pace
{
    /// <summary>Frames come when they are due; a frame not taken in time gives way to a newer one.</summary>
    RealTime,
    /// <summary>The source waits for the processing, so that every frame is processed. Not for cameras.</summary>
    EveryFrame,
}

internal sealed class MqttOptions
{
    public bool Enabled { get; set; } = true;

    /// <summary>Loopback address and port of the local broker; empty = none.</summary>
    public string Tcp { get; set; } = "127.0.0.1:1883";

    /// <summary>Path of the broker's Unix socket; empty = <c>mqtt.sock</c> in $RUNTIME_DIRECTORY where systemd gives one, else none.</summary>
    public string Socket { get; set; } = "";

    /// <summary>Permission bits of the Unix socket, as chmod takes them.</summary>
    public UnixFileMode SocketMode { get; set; } = (UnixFileMode)0b110_110_000;

    /// <summary>Address and port where the local broker speaks TLS; empty = none.</summary>
    public string TlsListen { get; set; } = "";

    public ServerTlsOptions Tls { get; } = new();

    /// <summary>Users and their hashes, as mosquitto_passwd makes it; empty = nobody is asked.</summary>
    public string PasswordFile { get; set; } = "";

    /// <summary>Who may read and write which topics, as mosquitto's acl_file; empty = everybody everything.</summary>
    public string AclFile { get; set; } = "";

    /// <summary>Whether clients without a user name are admitted; null = only where there is no password file.</summary>
    public bool? AllowAnonymous { get; set; }

    public int MaximumConnections { get; set; } = 256;

    /// <summary>Sessions, connected or kept for their client's return.</summary>
    public int MaximumSessions { get; set; } = 512;

    /// <summary>Largest packet taken from a client.</summary>
    public int MaximumPacketBytes { get; set; } = 64 << 10;

    /// <summary>Messages waiting for one session.</summary>
    public int MaximumQueuedMessages { get; set; } = 1000;

    /// <summary>Seconds between messages on the stats topic.</summary>
    public double StatsIntervalSeconds { get; set; } = 30;
}

internal sealed class HttpOptions
{
    public bool Enabled { get; set; } = true;

    /// <summary>Address and port of the page, health and metrics.</summary>
    public string Listen { get; set; } = "127.0.0.1:9464";

    /// <summary>File whose first line everybody must show; empty = nobody is asked.</summary>
    public string TokenFile { get; set; } = "";

    public ServerTlsOptions Tls { get; } = new();

    /// <summary>True where nobody is served without a token or certificate.</summary>
    public bool AsksWho => TokenFile.Length > 0 || Tls.NeedsClientCertificate;

    /// <summary>Serve the live page and the cameras' pictures; false leaves health, metrics and status.</summary>
    public bool Page { get; set; } = true;
}

internal sealed class LogOptions
{
    public LogLevel Level { get; set; } = LogLevel.Info;

    public LogFormat Format { get; set; } = LogFormat.Text;
}

internal enum LogLevel
{
    Debug,
    Info,
    Warning,
    Error,
}

internal enum LogFormat
{
    Text,
    Json,
}
