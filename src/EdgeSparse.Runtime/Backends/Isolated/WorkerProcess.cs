using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Backends.Onnx;

namespace EdgeSparse.Runtime.Backends.Isolated;

/// <summary>One worker, from its start to its end, as its parent sees it.</summary>
internal sealed class WorkerProcess : IDisposable
{
    /// <summary>What of the environment is none of the worker's business: the configuration, and the service manager's sockets.</summary>
    private static readonly string[] WithheldVariables = ["EDGESPARSE__", "NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_", "CREDENTIALS_DIRECTORY"];

    private const int SocketLevel = 1; // SOL_SOCKET
    private const int PeerCredentials = 17; // SO_PEERCRED: pid, uid, gid

    private readonly Process _process;
    private readonly WorkerChannel _channel;
    private readonly TimeSpan _frameTimeout;
    private volatile string? _failure;
    private long _frames;

    private WorkerProcess(Process process, WorkerChannel channel, TimeSpan frameTimeout)
    {
        _process = process;
        _channel = channel;
        _frameTimeout = frameTimeout;
    }

    public int Id => _process.Id;

    /// <summary>How many frames it has computed.</summary>
    public long Frames => Interlocked.Read(ref _frames);

    /// <summary>Why it is gone, in one line; to be asked for after <see cref="WaitForEnd"/>.</summary>
    public string Failure => _failure ?? (_process.ExitCode > 128 ? $"the worker died of signal {_process.ExitCode - 128}" : $"the worker ended with exit code {_process.ExitCode}");

    /// <summary>
    /// Starts a worker and has it load the model. Throws <see cref="OnnxRuntimeException"/>, <see cref="ModelFormatException"/> or <see cref="UnsupportedOperatorException"/> as the session
    /// in it did, or <see cref="OnnxRuntimeException"/> where the program cannot be started, dies or takes too long.
    /// </summary>
    public static WorkerProcess Start(OnnxWorkerOptions options, byte[] setup, SharedMemory package, Action<string>? warning, out WorkerModel model)
    {
        // An abstract address: no file is left, and who connects is asked of the kernel.
        string name = $"edgesparse-worker-{Environment.ProcessId}-{Guid.NewGuid():N}";
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint("\0" + name));
        listener.Listen(4);
        Process process = Launch(options, name);
        WorkerChannel? channel = null;
        try
        {
            long begin = Stopwatch.GetTimestamp();
            channel = new WorkerChannel(Accept(listener, process, begin, options.LoadTimeout));
            var worker = new WorkerProcess(process, channel, options.FrameTimeout);
            channel.SetTimeout(options.LoadTimeout);
            if (!channel.Send(WorkerMessage.Setup, 0, setup) || !channel.SendFiles(package.File)) throw worker.Lost(false);
            model = WorkerModel.Read(worker.Answer(WorkerMessage.Loaded, warning, null));
            return worker;
        }
        catch
        {
            channel?.Dispose();
            End(process);
            throw;
        }
    }

    /// <summary>Where the tensors lie for it.</summary>
    public WorkerMemory? Memory { get; private set; }

    /// <summary>Tells where tensors lie, and waits until the worker uses it. False where the worker is gone.</summary>
    public bool Place(WorkerMemory memory, SharedMemory inputs, SharedMemory outputs, Action<string>? warning, Action<BackendHealth> changed)
    {
        if (!_channel.Send(WorkerMessage.Memory, 0, memory.Write()) || !_channel.SendFiles(inputs.File, outputs.File)) return false;
        try
        {
            _ = Answer(WorkerMessage.Placed, warning, changed);
            _channel.SetTimeout(_frameTimeout);
            Memory = memory;
            return true;
        }
        catch (OnnxRuntimeException)
        {
            Kill();
            return false;
        }
    }

    /// <summary>Has one frame computed. False where the worker died over it, or hung and was killed.</summary>
    /// <param name="changed">Told provider, takeovers and last failure when they change.</param>
    /// <param name="tooSmall">An output takes more memory than there is.</param>
    /// <exception cref="OnnxRuntimeException">The frame failed; the worker is well.</exception>
    public bool Run(long frame, Action<string>? warning, Action<BackendHealth> changed, out bool tooSmall)
    {
        tooSmall = false;
        if (!_channel.Send(WorkerMessage.Run, frame)) return false;
        while (true)
        {
            if (!_channel.Receive(out WorkerMessage kind, out long answered, out byte[] payload, out bool late))
            {
                if (late) _failure = $"the worker gave no answer for {_frameTimeout.TotalSeconds:0.##} s and was killed";
                break;
            }
            switch (kind)
            {
                case WorkerMessage.Warning:
                    warning?.Invoke(Encoding.UTF8.GetString(payload));
                    continue;
                case WorkerMessage.Health:
                    changed(ReadHealth(payload));
                    continue;
                case WorkerMessage.Done or WorkerMessage.TooSmall when answered == frame:
                    Interlocked.Increment(ref _frames);
                    tooSmall = kind == WorkerMessage.TooSmall;
                    return true;
                case WorkerMessage.Failed when answered == frame:
                    throw new OnnxRuntimeException(Encoding.UTF8.GetString(payload));
            }
            _failure = $"the worker answered {(int)kind} for frame {answered} when frame {frame} was asked for";
            break;
        }
        Kill();
        return false;
    }

    public void WaitForEnd() => _process.WaitForExit();

    /// <summary>Ends it at once, whatever it does.</summary>
    public void Kill()
    {
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
    }

    public void Dispose()
    {
        End(_process);
        _channel.Dispose();
    }

    public static byte[] WriteHealth(BackendHealth health) => Encoding.UTF8.GetBytes($"{health.Provider}\n{health.Takeovers}\n{health.LastFailure}");

    private static BackendHealth ReadHealth(byte[] payload)
    {
        string[] words = Encoding.UTF8.GetString(payload).Split('\n', 3);
        return new BackendHealth(words[0], long.Parse(words[1], System.Globalization.CultureInfo.InvariantCulture), 0, words[2].Length > 0 ? words[2] : null);
    }

    private static Process Launch(OnnxWorkerOptions options, string name)
    {
        // Its standard input is a pipe that nobody writes to: it ends when this process does, however that happens.
        var start = new ProcessStartInfo { UseShellExecute = false, RedirectStandardInput = true };
        IReadOnlyList<string> command = options.Command.Count > 0 ? options.Command : OwnCommand();
        start.FileName = command[0];
        foreach (string argument in command.Skip(1)) start.ArgumentList.Add(argument);
        start.ArgumentList.Add(name);
        foreach (string variable in start.Environment.Keys.Where(key => WithheldVariables.Any(prefix => key.StartsWith(prefix, StringComparison.Ordinal))).ToArray()) start.Environment.Remove(variable);
        try
        {
            return Process.Start(start) ?? throw new OnnxRuntimeException($"the worker {start.FileName} cannot be started");
        }
        catch (Win32Exception refused)
        {
            throw new OnnxRuntimeException($"the worker {start.FileName} cannot be started: {refused.Message}", refused);
        }
    }

    /// <summary>This program again: itself where it is one file, else its assembly by the host that runs it.</summary>
    private static List<string> OwnCommand()
    {
        string program = Environment.ProcessPath ?? throw new OnnxRuntimeException("the path of this program is not known, so that no worker can be started");
        string first = Environment.GetCommandLineArgs()[0];
        return first.EndsWith(".dll", StringComparison.Ordinal) && !Path.GetFileNameWithoutExtension(program).Equals(Path.GetFileNameWithoutExtension(first), StringComparison.Ordinal)
            ? [program, first, OnnxWorker.Argument] : [program, OnnxWorker.Argument];
    }

    /// <summary>The connection of that very process; of another it is refused.</summary>
    private static Socket Accept(Socket listener, Process process, long begin, TimeSpan limit)
    {
        Span<byte> credentials = stackalloc byte[12];
        while (true)
        {
            if (!listener.Poll(TimeSpan.FromMilliseconds(50), SelectMode.SelectRead))
            {
                if (process.HasExited) throw new OnnxRuntimeException($"the worker {process.StartInfo.FileName} ended with exit code {process.ExitCode} before it could load the model");
                if (Stopwatch.GetElapsedTime(begin) > limit) throw new OnnxRuntimeException($"the worker {process.StartInfo.FileName} did not start within {limit.TotalSeconds:0.##} s");
                continue;
            }
            Socket accepted = listener.Accept();
            if (accepted.GetRawSocketOption(SocketLevel, PeerCredentials, credentials) == credentials.Length && BitConverter.ToInt32(credentials) == process.Id) return accepted;
            accepted.Dispose();
        }
    }

    private static void End(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself.
        }
        process.WaitForExit();
        process.Dispose();
    }

    /// <summary>The answer of a kind; whatever the worker refused is thrown again here.</summary>
    private byte[] Answer(WorkerMessage expected, Action<string>? warning, Action<BackendHealth>? changed)
    {
        while (true)
        {
            if (!_channel.Receive(out WorkerMessage kind, out _, out byte[] payload, out bool late)) throw Lost(late);
            if (kind == expected) return payload;
            switch (kind)
            {
                case WorkerMessage.Warning:
                    warning?.Invoke(Encoding.UTF8.GetString(payload));
                    break;
                case WorkerMessage.Health:
                    changed?.Invoke(ReadHealth(payload));
                    break;
                case WorkerMessage.Refused:
                    string[] words = Encoding.UTF8.GetString(payload).Split('\n', 2);
                    throw words[0] switch
                    {
                        nameof(ModelFormatException) => new ModelFormatException(words[1]),
                        nameof(UnsupportedOperatorException) => new UnsupportedOperatorException(words[1]),
                        _ => new OnnxRuntimeException(words[1]),
                    };
                default:
                    throw new OnnxRuntimeException($"the worker answered {(int)kind} where {(int)expected} was expected");
            }
        }
    }

    private OnnxRuntimeException Lost(bool late)
    {
        if (late) return new OnnxRuntimeException("the worker took too long to load the model and was killed");
        _process.WaitForExit();
        return new OnnxRuntimeException($"{Failure} while it loaded the model");
    }
}
