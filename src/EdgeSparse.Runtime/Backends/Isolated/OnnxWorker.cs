using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Backends.Onnx;
using Microsoft.Win32.SafeHandles;

namespace EdgeSparse.Runtime.Backends.Isolated;

/// <summary>The process in which ONNX Runtime computes for another: it loads one model, computes one frame at a time, and ends with its parent.</summary>
public static class OnnxWorker
{
    /// <summary>The first argument of a program that is to be a worker; the second is for <see cref="Serve"/>.</summary>
    public const string Argument = "--onnxruntime-worker";

    /// <summary>Serves the parent that listens under the name given, until it is gone. Returns the program's exit code.</summary>
    public static int Serve(string name)
    {
        // Service managers and terminals send these to all processes at once; the parent says when it has no more frames, by closing the connection.
        using PosixSignalRegistration interrupt = Ignore(PosixSignal.SIGINT), terminate = Ignore(PosixSignal.SIGTERM), hangUp = Ignore(PosixSignal.SIGHUP), quit = Ignore(PosixSignal.SIGQUIT);
        new Thread(EndWithParent) { IsBackground = true, Name = "parent" }.Start();
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint("\0" + name));
        using var channel = new WorkerChannel(socket);
        if (!channel.Receive(out WorkerMessage kind, out _, out byte[] payload, out _)) return 0;
        if (kind != WorkerMessage.Setup) return 70;
        if (channel.ReceiveFiles(1) is not [SafeFileHandle package]) return 0;
        (SessionOptions options, OnnxRuntimeOptions onnxRuntime) = WorkerSetup.Read(payload);
        IInferenceSession? session = null;
        try
        {
            session = SessionFactory.Create(ModelPackage.Load($"/proc/self/fd/{package.DangerousGetHandle()}"), options, onnxRuntime with { Warning = line => channel.Send(WorkerMessage.Warning, 0, Encoding.UTF8.GetBytes(line)) });
            package.Dispose();
            if (!channel.Send(WorkerMessage.Loaded, 0, new WorkerModel(session.Backend, [.. session.Inputs], [.. session.Outputs]).Write())) return 0;
        }
        catch (Exception refused) when (refused is ModelFormatException or UnsupportedOperatorException or OnnxRuntimeException or IOException or UnauthorizedAccessException)
        {
            channel.Send(WorkerMessage.Refused, 0, Encoding.UTF8.GetBytes($"{refused.GetType().Name}\n{refused.Message}"));
            return 69;
        }
        using var served = new ServedSession(session, channel);
        served.Serve();
        return 0;
    }

    private static PosixSignalRegistration Ignore(PosixSignal signal) => PosixSignalRegistration.Create(signal, context => context.Cancel = true);

    /// <summary>Standard input ends when the parent does, also while this process is in the library and never comes back.</summary>
    private static void EndWithParent()
    {
        using Stream input = Console.OpenStandardInput();
        Span<byte> nothing = stackalloc byte[16];
        while (input.Read(nothing) > 0)
        {
            // The parent writes nothing.
        }
        Process.GetCurrentProcess().Kill();
    }
}
