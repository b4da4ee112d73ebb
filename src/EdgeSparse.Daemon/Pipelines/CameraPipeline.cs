using System.Runtime.InteropServices;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Live;
using EdgeSparse.Daemon.Scenes;
using EdgeSparse.Daemon.Sources;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Pipelines;

/// <summary>What a pipeline is made of; the pipeline owns the source, the session and the numbering.</summary>
internal sealed record PipelineParts(
    CameraOptions Options,
    FrameSource Source,
    IInferenceSession Session,
    ModelIdentity Model,
    Preprocessor Preprocessor,
    OutputDecoder Decoder,
    SequenceStore Sequence,
    IReadOnlyList<IResultSink> Sinks,
    TimeProvider Time,
    Log Log)
{
    /// <summary>Follows objects; null = nothing is followed. Disposed with the pipeline.</summary>
    public Scene? Scene { get; init; }

    /// <summary>First and longest wait before a failed source is opened again; each failure doubles it.</summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan LongestRetry { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>
/// One camera's way: a capturing thread that keeps the source alive and fills frames, and a processing thread that takes the newest, preprocesses, runs
/// the model, decodes and publishes. After the first few frames nothing is allocated on the managed heap from capture to decode.
/// </summary>
internal sealed class CameraPipeline : IDisposable
{
    private readonly PipelineParts _parts;
    private readonly FrameExchange _exchange;
    private readonly FrameResult _result;
    private readonly ResultThinning _thinning;
    private readonly IResultSink[] _sinks;
    private readonly int _tokenCountOutput;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenRegistration _wakeOnStop;
    private readonly Thread _capturing;
    private readonly Thread _processing;
    private readonly Heartbeat _capturingBeat;
    private readonly Heartbeat _processingBeat;
    private CameraStatus _status;
    private bool _started;
    private bool _failedBefore;
    private long _lastResultTimestamp;
    private long _processingSince;

    /// <summary>Throws <see cref="ModelFormatException"/> where the model's first input or a decoded output is not float32.</summary>
    public CameraPipeline(PipelineParts parts)
    {
        _parts = parts;
        _sinks = [.. parts.Sinks];
        _result = new FrameResult { Scene = parts.Scene, IsClassification = parts.Model.Decoder == DecoderKind.Classification };
        _thinning = new ResultThinning(parts.Options.Publish, parts.Options.PublishSeconds, parts.Time);
        Gate = new FrameGate(parts.Time, parts.Options.MaximumFramesPerSecond);
        CheckTypes(parts);
        (int width, int height) = parts.Source.ExpectedSize;
        _exchange = new FrameExchange(width, height);
        _status = new CameraStatus(CameraState.Starting, parts.Time.GetUtcNow(), "");
        Metrics = new PipelineMetrics(parts.Decoder.ClassCount);
        _tokenCountOutput = TokenCountOutput(parts.Session.Outputs);
        View = new LiveView(parts.Time);
        _wakeOnStop = _stop.Token.Register(_exchange.Wake);
        _capturingBeat = new Heartbeat(parts.Time);
        _processingBeat = new Heartbeat(parts.Time);
        Heartbeats = [($"camera {Name}: capturing", _capturingBeat), ($"camera {Name}: processing", _processingBeat)];
        _capturing = new Thread(Capture) { IsBackground = true, Name = $"{Name} capture" };
        _processing = new Thread(Process) { IsBackground = true, Name = $"{Name} process" };
    }

    public string Name => _parts.Options.Name;

    public CameraOptions Options => _parts.Options;

    public ModelIdentity Model => _parts.Model;

    public IInferenceSession Session => _parts.Session;

    public PipelineMetrics Metrics { get; }

    public LiveView View { get; }

    /// <summary>Which frames are processed.</summary>
    public FrameGate Gate { get; }

    /// <summary>Objects and zones; null where nothing is followed.</summary>
    public Scene? Scene => _parts.Scene;

    public CameraStatus Status => Volatile.Read(ref _status);

    /// <summary>When a result last came out, as a timestamp of the clock; 0 before the first.</summary>
    public long LastResultTimestamp => Volatile.Read(ref _lastResultTimestamp);

    /// <summary>Since when the frame in work has been so; 0 between frames.</summary>
    public long ProcessingSinceTimestamp => Volatile.Read(ref _processingSince);

    /// <summary>For the watchdog: how the two threads get on, and what to call each.</summary>
    public IReadOnlyList<(string Name, Heartbeat Heartbeat)> Heartbeats { get; }

    /// <summary>How the backend is doing, where it is one that may fail.</summary>
    public BackendHealth? Backend => _parts.Session.Health;

    /// <summary>Called, by a thread of the pipeline, after <see cref="Status"/> changed. Set before <see cref="Start"/>.</summary>
    public Action<CameraPipeline>? StatusChanged { get; set; }

    public void Start()
    {
        _started = true;
        _processing.Start();
        _capturing.Start();
    }

    /// <summary>No more frames are captured; those captured are still processed.</summary>
    public void RequestStop() => _stop.Cancel();

    /// <summary>Waits until both threads are done; false where that takes longer.</summary>
    public bool Join(TimeSpan timeout)
    {
        if (!_started) return true;
        long deadline = Environment.TickCount64 + (long)timeout.TotalMilliseconds;
        return _capturing.Join(timeout) && _processing.Join((int)Math.Max(0, deadline - Environment.TickCount64));
    }

    public void Dispose()
    {
        RequestStop();
        // A thread that hangs in a source or a model keeps what it uses; the process is about to end.
        if (!Join(TimeSpan.FromSeconds(10))) return;
        _wakeOnStop.Dispose();
        _parts.Source.Dispose();
        _parts.Session.Dispose();
        _parts.Sequence.Dispose();
        _parts.Scene?.Dispose();
        _exchange.Dispose();
        View.Dispose();
        _stop.Dispose();
    }

    /// <summary>The output that says how many tokens a picture took, or −1 for a model that takes as many of every picture.</summary>
    private static int TokenCountOutput(IReadOnlyList<TensorInfo> outputs)
    {
        for (int i = 0; i < outputs.Count; i++)
            if (outputs[i].Name == TokenCount.OutputName && outputs[i].Type == ElementType.Int32 && outputs[i].Shape.ElementCount == 1) return i;
        return -1;
    }

    private static void CheckTypes(PipelineParts parts)
    {
        Check(parts.Session.Inputs[0], "input");
        Check(parts.Session.Outputs[parts.Decoder.FirstOutput], "output");
        if (parts.Decoder.SecondOutput >= 0) Check(parts.Session.Outputs[parts.Decoder.SecondOutput], "output");

        void Check(TensorInfo tensor, string what)
        {
            if (tensor.Type != ElementType.Float32)
                throw new ModelFormatException($"model {parts.Model.Name}: {what} '{tensor.Name}' is {tensor.Type}, expected {ElementType.Float32}");
        }
    }

    // ---- capturing thread: a supervision boundary -------------------------------------------------------------

    private void Capture()
    {
        TimeSpan retry = _parts.FirstRetry;
        while (!_stop.IsCancellationRequested)
        {
            long before = Metrics.Captured.Value;
            _capturingBeat.Work();
            try
            {
                _parts.Source.Open(_stop.Token);
                CaptureFrames();
                if (!_stop.IsCancellationRequested) break;
            }
            catch (Exception e)
            {
                if (_stop.IsCancellationRequested) break;
                if (Metrics.Captured.Value > before) retry = _parts.FirstRetry;
                ReportFailure(e, retry);
            }
            finally
            {
                _parts.Source.Close();
            }
            _capturingBeat.Wait(retry + FrameSource.WaitMargin);
            if (_stop.Token.WaitHandle.WaitOne(retry)) break;
            retry = retry * 2 < _parts.LongestRetry ? retry * 2 : _parts.LongestRetry;
        }
        _capturingBeat.Wait();
        _exchange.Complete();
        _processing.Join();
        if (_stop.IsCancellationRequested) SetStatus(CameraState.Stopped, "the daemon stops");
        else SetStatus(CameraState.Ended, "the source came to its end");
        _parts.Log.Info($"camera {Name}: {Accounting()}");
    }

    private void CaptureFrames()
    {
        bool wait = _parts.Options.Pace == Pace.EveryFrame;
        while (WaitNext())
        {
            Metrics.Lost.Add(_parts.Source.Lost - Metrics.Lost.Value);
            SkipReason skip = Decide(wait);
            Frame frame = _exchange.Rent();
            bool handedOn = false;
            try
            {
                long begin = _parts.Time.GetTimestamp();
                if (skip != SkipReason.None)
                {
                    Skip(frame, skip);
                    continue;
                }
                if (_parts.Source.Fill(frame) == FillResult.Corrupt)
                {
                    Metrics.Captured.Add();
                    Metrics.Corrupt.Add();
                    continue;
                }
                frame.CaptureTimestamp = _parts.Time.GetTimestamp();
                frame.CaptureTimeUtc = _parts.Time.GetUtcNow().UtcDateTime;
                frame.Sequence = Metrics.Captured.Value;
                Metrics.Captured.Add();
                Metrics.Capture.Observe(Seconds(begin, frame.CaptureTimestamp));
                if (_status.State != CameraState.Running) ReportRunning(frame);
                handedOn = true;
                if (!wait)
                {
                    if (_exchange.Offer(frame)) Metrics.DroppedSuperseded.Add();
                }
                else
                {
                    _capturingBeat.Wait();
                    if (!_exchange.OfferWhenEmpty(frame, _stop.Token)) Metrics.DroppedStopping.Add();
                }
            }
            finally
            {
                if (!handedOn) _exchange.Return(frame);
            }
        }
    }

    private bool WaitNext()
    {
        _capturingBeat.Wait(_parts.Source.LongestWait);
        bool more = _parts.Source.WaitNext(_stop.Token);
        _capturingBeat.Work();
        return more;
    }

    /// <summary>Why the picture that is there is passed over; a source that can wait waits where it only came too early.</summary>
    private SkipReason Decide(bool wait)
    {
        SkipReason reason = Gate.Decide();
        if (!wait || reason is not (SkipReason.Limited or SkipReason.Heat)) return reason;
        _capturingBeat.Wait();
        while (reason is SkipReason.Limited or SkipReason.Heat && !_stop.Token.WaitHandle.WaitOne(Gate.UntilDue)) reason = Gate.Decide();
        _capturingBeat.Work();
        return reason;
    }

    private void Skip(Frame frame, SkipReason reason)
    {
        bool corrupt = _parts.Source.Skip(frame) == FillResult.Corrupt;
        Metrics.Captured.Add();
        if (corrupt) Metrics.Corrupt.Add();
        else Metrics.Skipped[(int)reason].Add();
        if (_status.State != CameraState.Running) ReportRunning(frame);
    }

    private void ReportRunning(Frame frame)
    {
        _parts.Log.Info($"camera {Name}: {frame.Width}x{frame.Height} from {_parts.Options.Source}");
        SetStatus(CameraState.Running, "");
    }

    private void ReportFailure(Exception e, TimeSpan retry)
    {
        Metrics.SourceFailures.Add();
        bool news = _status.State != CameraState.Failing || _status.Reason != e.Message;
        string line = $"camera {Name}: no frames: {e.Message}; trying again in {retry.TotalSeconds:0.#} s";
        if (news) _parts.Log.Warning(line);
        else _parts.Log.Debug(line);
        if (news) SetStatus(CameraState.Failing, e.Message);
    }

    private void SetStatus(CameraState state, string reason)
    {
        Volatile.Write(ref _status, new CameraStatus(state, _parts.Time.GetUtcNow(), reason));
        StatusChanged?.Invoke(this);
    }

    /// <summary>The sum that must come out at the end: every captured frame went somewhere.</summary>
    public string Accounting() =>
        $"{Metrics.Captured.Value} decoded, {Metrics.Processed.Value} processed, {Metrics.Dropped} dropped, {Metrics.Corrupt.Value} corrupt{(Metrics.SkippedInAll > 0 ? $", {Metrics.SkippedInAll} skipped" : "")}";

    // ---- processing thread: a supervision boundary ------------------------------------------------------------

    private void Process()
    {
        InferenceThreads.Enter();
        while (_exchange.Take(out Frame? frame))
        {
            Volatile.Write(ref _processingSince, _parts.Time.GetTimestamp());
            _processingBeat.Work();
            try
            {
                ProcessFrame(frame);
                Metrics.Processed.Add();
                Gate.Processed();
                _failedBefore = false;
            }
            catch (Exception e)
            {
                Metrics.DroppedFailed.Add();
                if (!_failedBefore) _parts.Log.Error($"camera {Name}: a frame could not be processed: {e.GetType().Name}: {e.Message}");
                _failedBefore = true;
            }
            Volatile.Write(ref _processingSince, 0);
            _processingBeat.Wait();
            _exchange.Return(frame);
        }
    }

    private void ProcessFrame(Frame frame)
    {
        TimeProvider time = _parts.Time;
        long taken = time.GetTimestamp();
        Metrics.Queue.Observe(Seconds(frame.CaptureTimestamp, taken));

        FrameTransform transform = _parts.Preprocessor.Run(frame, MemoryMarshal.Cast<byte, float>(_parts.Session.Input(0)));
        long prepared = time.GetTimestamp();
        Metrics.Preprocess.Observe(Seconds(taken, prepared));

        _parts.Session.Run();
        long computed = time.GetTimestamp();
        Metrics.Inference.Observe(Seconds(prepared, computed));

        OutputDecoder decoder = _parts.Decoder;
        ReadOnlySpan<byte> second = decoder.SecondOutput < 0 ? default : _parts.Session.Output(decoder.SecondOutput);
        decoder.Decode(MemoryMarshal.Cast<byte, float>(_parts.Session.Output(decoder.FirstOutput)), MemoryMarshal.Cast<byte, float>(second), transform, _result.Detections);
        long decoded = time.GetTimestamp();
        Metrics.Decode.Observe(Seconds(computed, decoded));
        _parts.Scene?.Update(_result.Detections, frame.CaptureTimestamp / (double)time.TimestampFrequency);
        long tracked = time.GetTimestamp();
        Metrics.Track.Observe(Seconds(decoded, tracked));
        foreach (ref readonly Detection detection in _result.Detections.Items) Metrics.DetectionsByLabel[detection.LabelId].Add();

        _result.Frame = frame;
        _result.InferenceSeconds = Seconds(prepared, computed);
        if (_tokenCountOutput >= 0) _result.Tokens = MemoryMarshal.Read<int>(_parts.Session.Output(_tokenCountOutput));
        _result.IsMessage = _thinning.Wants(_result);
        if (_result.IsMessage) _result.Sequence = _parts.Sequence.Next();
        else Metrics.Thinned.Add();
        foreach (IResultSink sink in _sinks) sink.Publish(_result);
        long published = time.GetTimestamp();
        Metrics.Publish.Observe(Seconds(tracked, published));
        Metrics.CaptureToPublish.Observe(Seconds(frame.CaptureTimestamp, published));
        Volatile.Write(ref _lastResultTimestamp, published);
        View.Show(frame, _result.Detections);
    }

    private double Seconds(long fromTimestamp, long toTimestamp) => (toTimestamp - fromTimestamp) / (double)_parts.Time.TimestampFrequency;
}
