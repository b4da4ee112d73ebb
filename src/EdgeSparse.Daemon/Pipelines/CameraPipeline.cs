using System.Runtime.InteropServices;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Live;
using EdgeSparse.Daemon.Scenes;
using EdgeSparse.Daemon.Sources;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Pipelines;

/// <summary>What a pipeline is made of; the pipeline owns the source, the model and the numbering.</summary>
internal sealed record PipelineParts(
    CameraOptions Options,
    FrameSource Source,
    PipelineModel Model,
    SequenceStore Sequence,
    TimeProvider Time,
    Log Log)
{
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
    private PipelineParts _parts;
    private readonly FrameExchange _exchange;
    private readonly FrameResult _result = new();
    private readonly ResultThinning _thinning;
    private readonly Lock _modelGate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenRegistration _wakeOnStop;
    private readonly Thread _capturing;
    private readonly Thread _processing;
    private readonly Heartbeat _capturingBeat;
    private readonly Heartbeat _processingBeat;
    private PipelineModel _model;
    private CameraStatus _status;
    private bool _started;
    private bool _failedBefore;
    private long _lastResultTimestamp;
    private long _processingSince;

    public CameraPipeline(PipelineParts parts)
    {
        _parts = parts;
        _model = parts.Model;
        _thinning = new ResultThinning(parts.Options.Publish, parts.Options.PublishSeconds, parts.Time);
        Gate = new FrameGate(parts.Time, parts.Options.MaximumFramesPerSecond);
        (int width, int height) = parts.Source.ExpectedSize;
        _exchange = new FrameExchange(width, height);
        _status = new CameraStatus(CameraState.Starting, parts.Time.GetUtcNow(), "");
        Metrics = new PipelineMetrics(_model.Decoder.ClassCount);
        View = new LiveView(parts.Time);
        Picture = new LivePicture(View, () => Model.Labels, () => Scene?.Zones);
        _wakeOnStop = _stop.Token.Register(_exchange.Wake);
        _capturingBeat = new Heartbeat(parts.Time);
        _processingBeat = new Heartbeat(parts.Time);
        Heartbeats = [($"camera {Name}: capturing", _capturingBeat), ($"camera {Name}: processing", _processingBeat)];
        _capturing = new Thread(Capture) { IsBackground = true, Name = $"{Name} capture" };
        _processing = new Thread(Process) { IsBackground = true, Name = $"{Name} process" };
    }

    public string Name => _parts.Options.Name;

    public CameraOptions Options => _parts.Options;

    /// <summary>How the first frames of the model at work went; see <see cref="PipelineModel.Probation"/>.</summary>
    public Task<string?> Probation => Volatile.Read(ref _model).Probation;

    public ModelIdentity Model => Volatile.Read(ref _model).Identity;

    public PipelineMetrics Metrics { get; }

    public LiveView View { get; }

    public LivePicture Picture { get; }

    /// <summary>Which frames are processed.</summary>
    public FrameGate Gate { get; }

    /// <summary>Objects and zones; null where nothing is followed.</summary>
    public Scene? Scene => Volatile.Read(ref _model).Scene;

    public CameraStatus Status => Volatile.Read(ref _status);

    /// <summary>When a result last came out, as a timestamp of the clock; 0 before the first.</summary>
    public long LastResultTimestamp => Volatile.Read(ref _lastResultTimestamp);

    /// <summary>Since when the frame in work has been so; 0 between frames.</summary>
    public long ProcessingSinceTimestamp => Volatile.Read(ref _processingSince);

    /// <summary>For the watchdog: how the two threads get on, and what to call each.</summary>
    public IReadOnlyList<(string Name, Heartbeat Heartbeat)> Heartbeats { get; }

    /// <summary>How the backend is doing, where it is one that may fail.</summary>
    public BackendHealth? Backend => Volatile.Read(ref _model).Session.Health;

    /// <summary>Called, by a thread of the pipeline, after <see cref="Status"/> changed. Set before <see cref="Start"/>.</summary>
    public Action<CameraPipeline>? StatusChanged { get; set; }

    /// <summary>
    /// Goes on with another model from the next frame on; no frame is lost. Returns the one that was replaced, which no frame uses any more and which the caller owns;
    /// With <paramref name="options"/> they take the place of the camera's, which may differ in what belongs to the model only.
    /// null, with nothing changed, where a frame is still in work after <paramref name="timeout"/>.
    /// </summary>
    public PipelineModel? ExchangeModel(PipelineModel next, TimeSpan timeout, CameraOptions? options = null)
    {
        if (!_modelGate.TryEnter(timeout)) return null;
        try
        {
            PipelineModel previous = _model;
            if (next.Decoder.ClassCount != previous.Decoder.ClassCount || !next.Identity.Labels.SequenceEqual(previous.Identity.Labels)) Metrics.ResetLabels(next.Decoder.ClassCount);
            if (next.Scene is { } scene && previous.Scene is { } before) scene.ExchangeIds(before);
            Volatile.Write(ref _model, next);
            if (options is not null) _parts = _parts with { Options = options };
            _failedBefore = false;
            return previous;
        }
        finally
        {
            _modelGate.Exit();
        }
    }

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
        _model.Dispose();
        _parts.Sequence.Dispose();
        _exchange.Dispose();
        View.Dispose();
        Picture.Dispose();
        _stop.Dispose();
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
            _modelGate.Enter();
            try
            {
                ProcessFrame(frame, _model);
                Metrics.Processed.Add();
                Gate.Processed();
                _failedBefore = false;
                _model.FrameDone(null);
            }
            catch (Exception e)
            {
                Metrics.DroppedFailed.Add();
                _model.FrameDone(e);
                if (!_failedBefore) _parts.Log.Error($"camera {Name}: a frame could not be processed: {e.GetType().Name}: {e.Message}");
                _failedBefore = true;
            }
            finally
            {
                _modelGate.Exit();
            }
            Volatile.Write(ref _processingSince, 0);
            _processingBeat.Wait();
            _exchange.Return(frame);
        }
    }

    private void ProcessFrame(Frame frame, PipelineModel model)
    {
        TimeProvider time = _parts.Time;
        long taken = time.GetTimestamp();
        Metrics.Queue.Observe(Seconds(frame.CaptureTimestamp, taken));

        FrameTransform transform = model.Preprocessor.Run(frame, MemoryMarshal.Cast<byte, float>(model.Session.Input(0)));
        long prepared = time.GetTimestamp();
        Metrics.Preprocess.Observe(Seconds(taken, prepared));

        model.Session.Run();
        if (model.IsOnProbation && SessionSelfTest.NotFinite(model.Session) is { } wrong) throw new InvalidDataException(wrong);
        long computed = time.GetTimestamp();
        Metrics.Inference.Observe(Seconds(prepared, computed));

        OutputDecoder decoder = model.Decoder;
        ReadOnlySpan<byte> second = decoder.SecondOutput < 0 ? default : model.Session.Output(decoder.SecondOutput);
        ReadOnlySpan<byte> third = decoder.ThirdOutput < 0 ? default : model.Session.Output(decoder.ThirdOutput);
        ElementType thirdType = decoder.ThirdOutput < 0 ? ElementType.Undefined : model.Session.Outputs[decoder.ThirdOutput].Type;
        decoder.Decode(MemoryMarshal.Cast<byte, float>(model.Session.Output(decoder.FirstOutput)), MemoryMarshal.Cast<byte, float>(second), third, thirdType, transform, _result.Detections);
        long decoded = time.GetTimestamp();
        Metrics.Decode.Observe(Seconds(computed, decoded));
        model.Scene?.Update(_result.Detections, frame.CaptureTimestamp / (double)time.TimestampFrequency);
        long tracked = time.GetTimestamp();
        Metrics.Track.Observe(Seconds(decoded, tracked));
        foreach (ref readonly Detection detection in _result.Detections.Items) Metrics.DetectionsByLabel[detection.LabelId].Add();

        _result.Frame = frame;
        _result.InferenceSeconds = Seconds(prepared, computed);
        _result.Tokens = model.TokenCountOutput < 0 ? -1 : MemoryMarshal.Read<int>(model.Session.Output(model.TokenCountOutput));
        _result.Scene = model.Scene;
        _result.IsClassification = model.Identity.Decoder == DecoderKind.Classification;
        _result.IsMessage = _thinning.Wants(_result);
        if (_result.IsMessage) _result.Sequence = _parts.Sequence.Next();
        else Metrics.Thinned.Add();
        foreach (IResultSink sink in model.Sinks) sink.Publish(_result);
        long published = time.GetTimestamp();
        Metrics.Publish.Observe(Seconds(tracked, published));
        Metrics.CaptureToPublish.Observe(Seconds(frame.CaptureTimestamp, published));
        Volatile.Write(ref _lastResultTimestamp, published);
        View.Show(frame, _result.Detections);
    }

    private double Seconds(long fromTimestamp, long toTimestamp) => (toTimestamp - fromTimestamp) / (double)_parts.Time.TimestampFrequency;
}
