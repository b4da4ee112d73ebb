using System.Runtime.InteropServices;
using System.Text;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Mqtt;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Daemon.Scenes;
using EdgeSparse.Daemon.Sources;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Tests;

/// <summary>A clock that moves only when told; timers are not needed by what uses it.</summary>
internal sealed class ManualTime : TimeProvider
{
    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref _ticks);

    public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 11, 22, 3, 10, 11, TimeSpan.Zero).AddTicks(GetTimestamp());

    public void Advance(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);
}

/// <summary>A source driven by the test: each call of <see cref="Step"/> lets it deliver one frame, and returns when the pipeline asks for the next.</summary>
internal sealed class SteppedSource : FrameSource
{
    private readonly SemaphoreSlim _allowed = new(0);
    private readonly SemaphoreSlim _asked = new(0);
    private volatile bool _end;

    public int Opened { get; private set; }

    public int Closed { get; private set; }

    /// <summary>What the next calls of Open throw, in order; null = they succeed.</summary>
    public Queue<Exception?> OpenFailures { get; } = new();

    /// <summary>What Fill does instead of filling, by number of the frame.</summary>
    public Func<int, FillResult> OnFill { get; set; } = _ => FillResult.Filled;

    public int Filled { get; private set; }

    public override (int Width, int Height) ExpectedSize => (64, 64);

    public override void Open(CancellationToken stop)
    {
        Opened++;
        if (OpenFailures.TryDequeue(out Exception? failure) && failure is not null) throw failure;
    }

    public override bool WaitNext(CancellationToken stop)
    {
        _asked.Release();
        try
        {
            _allowed.Wait(stop);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        return !_end;
    }

    public override FillResult Fill(Frame frame)
    {
        frame.Resize(64, 64);
        frame.Fill((byte)Filled, 0, 0);
        return OnFill(Filled++);
    }

    public override void Close() => Closed++;

    /// <summary>Waits until the pipeline waits for a frame.</summary>
    public void AwaitAsked() => Assert.True(_asked.Wait(TimeSpan.FromSeconds(60)), "the pipeline never asked for a frame");

    /// <summary>Lets one frame pass and waits until the next is asked for.</summary>
    public void Step()
    {
        _allowed.Release();
        AwaitAsked();
    }

    /// <summary>Lets one frame pass without waiting.</summary>
    public void Release() => _allowed.Release();

    public void End()
    {
        _end = true;
        _allowed.Release();
    }
}

/// <summary>A source that always has a frame.</summary>
internal sealed class EndlessSource(int frames = int.MaxValue) : FrameSource
{
    private int _given;

    public override (int Width, int Height) ExpectedSize => (96, 64);

    public override void Open(CancellationToken stop)
    {
    }

    public override bool WaitNext(CancellationToken stop) => _given < frames && !stop.IsCancellationRequested;

    public override FillResult Fill(Frame frame)
    {
        frame.Resize(96, 64);
        frame.Pixels[0] = (byte)_given++;
        return FillResult.Filled;
    }

    public override void Close()
    {
    }
}

/// <summary>Pictures of noise, each another, some hundred in a second, as from a camera.</summary>
internal sealed class NoiseSource : FrameSource
{
    private uint _state = 1;

    public override (int Width, int Height) ExpectedSize => (32, 32);

    public override void Open(CancellationToken stop)
    {
    }

    public override bool WaitNext(CancellationToken stop) => !stop.WaitHandle.WaitOne(3);

    public override FillResult Fill(Frame frame)
    {
        frame.Resize(32, 32);
        foreach (ref byte pixel in frame.Pixels[..(32 * 32 * 3)])
        {
            _state = _state * 1664525 + 1013904223;
            pixel = (byte)(_state >> 24);
        }
        return FillResult.Filled;
    }

    public override void Close()
    {
    }
}

/// <summary>
/// A detector that always sees one object: SSD with one box and two classes. With <see cref="Gate"/> every run waits to be let through.
/// </summary>
internal sealed class StubSession : IInferenceSession
{
    public const int Side = 32;

    private readonly byte[] _input = new byte[3 * Side * Side * sizeof(float)];
    private readonly byte[] _scores = MemoryMarshal.AsBytes<float>([0.1f, 0.9f]).ToArray();
    private readonly byte[] _boxes = MemoryMarshal.AsBytes<float>([0.25f, 0.25f, 0.5f, 0.75f]).ToArray();

    public string Backend => "native";

    public BackendHealth? Health { get; set; }

    public IReadOnlyList<TensorInfo> Inputs { get; } = [new TensorInfo("image", ElementType.Float32, new Shape(1, 3, Side, Side))];

    public IReadOnlyList<TensorInfo> Outputs { get; init; } =
        [new TensorInfo("scores", ElementType.Float32, new Shape(1, 1, 2)), new TensorInfo("boxes", ElementType.Float32, new Shape(1, 1, 4))];

    /// <summary>Released once for each run that may go on.</summary>
    public SemaphoreSlim? Gate { get; init; }

    /// <summary>Released when a run has begun.</summary>
    public SemaphoreSlim Entered { get; } = new(0);

    public Action<int>? OnRun { get; init; }

    public int Runs { get; private set; }

    public bool IsDisposed { get; private set; }

    public Span<byte> Input(int index) => _input;

    /// <summary>What a third output says: as many as runs.</summary>
    public ReadOnlySpan<byte> Output(int index) => index switch { 0 => _scores, 1 => _boxes, _ => BitConverter.GetBytes(Runs) };

    public void Run()
    {
        int run = Runs++;
        if (Gate is not null)
        {
            Entered.Release();
            Gate.Wait();
        }
        OnRun?.Invoke(run);
    }

    public void Dispose() => IsDisposed = true;

    public static Manifest Manifest() => new()
    {
        Name = "stub",
        Version = "1.2.3",
        Labels = ["person", "say \"ä\""],
        Preprocess = new PreprocessManifest(),
        Decoder = new DecoderManifest { Type = DecoderKind.Ssd, BoxesDecoded = true, ScoresOutput = "scores", BoxesOutput = "boxes" },
    };
}

/// <summary>Keeps what was published.</summary>
internal sealed class RecordingPublisher : IMessagePublisher
{
    private readonly List<(string Topic, string Payload, int QualityOfService, bool Retain)> _messages = [];

    public void Publish(string topic, ReadOnlySpan<byte> payload, int qualityOfService, bool retain)
    {
        lock (_messages) _messages.Add((topic, Encoding.UTF8.GetString(payload), qualityOfService, retain));
    }

    public List<(string Topic, string Payload, int QualityOfService, bool Retain)> Messages
    {
        get
        {
            lock (_messages) return [.. _messages];
        }
    }
}

/// <summary>Keeps the red value of the first pixel of every processed frame, with its numbers.</summary>
internal sealed class RecordingSink : IResultSink
{
    private readonly List<(long Sequence, long Frame, byte Red)> _results = [];
    private readonly List<int> _tokens = [];

    public List<(long Sequence, long Frame, byte Red)> Results
    {
        get
        {
            lock (_results) return [.. _results];
        }
    }

    public List<int> Tokens
    {
        get
        {
            lock (_results) return [.. _tokens];
        }
    }

    public void Publish(FrameResult result)
    {
        lock (_results)
        {
            _results.Add((result.Sequence, result.Frame.Sequence, result.Frame.Pixels[0]));
            _tokens.Add(result.Tokens);
        }
    }
}

/// <summary>Pipelines put together from stubs.</summary>
internal static class Rig
{
    public static readonly string Sha256 = new('a', 64);

    public static ModelIdentity Model { get; } = new("stub", "1.2.3", Sha256, "native", DecoderKind.Ssd, StubSession.Manifest().Labels);

    public static Log Quiet { get; } = new(TextWriter.Null, new LogOptions(), journal: false, TimeProvider.System);

    public static CameraPipeline Pipeline(FrameSource source, IInferenceSession session, IReadOnlyList<IResultSink> sinks, Pace pace = Pace.RealTime, TimeProvider? time = null, Log? log = null, Manifest? manifest = null, SequenceStore? sequence = null, bool tracking = false) =>
        Pipeline(source, session, sinks, new CameraOptions { Name = "front", Pace = pace }, time, log, manifest, sequence, tracking);

    public static CameraPipeline Pipeline(FrameSource source, IInferenceSession session, IReadOnlyList<IResultSink> sinks, CameraOptions options, TimeProvider? time = null, Log? log = null, Manifest? manifest = null, SequenceStore? sequence = null, bool tracking = false)
    {
        return new CameraPipeline(new PipelineParts(options, source, PipelineModel(session, sinks, manifest, scene: tracking ? options.Scene : null),
            sequence ?? new SequenceStore("", "front", Quiet), time ?? TimeProvider.System, log ?? Quiet)
        {
            FirstRetry = TimeSpan.FromMilliseconds(1),
            LongestRetry = TimeSpan.FromMilliseconds(4),
        });
    }

    public static PipelineModel PipelineModel(IInferenceSession session, IReadOnlyList<IResultSink> sinks, Manifest? manifest = null, int probationFrames = 0, SceneOptions? scene = null)
    {
        manifest ??= StubSession.Manifest();
        OutputDecoder decoder = OutputDecoder.Create(manifest.Decoder!, session.Inputs[0].Shape, [.. session.Outputs.Select(output => (output.Name, output.Shape))]);
        return new PipelineModel(session, Model, new Preprocessor(manifest.Preprocess!, session.Inputs[0].Shape), decoder, sinks, probationFrames)
        {
            Scene = scene is null ? null : new Scene(scene, "front", Model, decoder, new SequenceStore("", "front", Quiet, "track")),
        };
    }
}
