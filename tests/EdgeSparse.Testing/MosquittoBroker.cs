using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace EdgeSparse.Testing;

/// <summary>Debian's mosquitto with a configuration of the test's.</summary>
public sealed class MosquittoBroker : IDisposable
{
    private readonly string configuration;
    private readonly int port;
    private Process? process;

    /// <param name="folder">For its files.</param>
    /// <param name="lines">Of mosquitto.conf.</param>
    /// <param name="port">One of its ports, which is waited for.</param>
    public MosquittoBroker(string folder, int port, params IEnumerable<string> lines)
    {
        this.port = port;
        configuration = Path.Combine(folder, "mosquitto.conf");
        File.WriteAllLines(configuration, [.. lines, "log_dest none", $"user {Environment.UserName}"]);
        Start();
    }

    public static string? Program => new[] { "/usr/sbin/mosquitto", "/usr/bin/mosquitto" }.FirstOrDefault(File.Exists);

    /// <summary>Returns when it listens.</summary>
    public void Start()
    {
        process = Process.Start(new ProcessStartInfo(Program!, ["-c", configuration]))!;
        while (!process.HasExited)
        {
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                probe.Connect(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException)
            {
                Thread.Yield();
            }
        }
        throw new InvalidOperationException($"mosquitto ended with {process.ExitCode}; see its configuration {configuration}");
    }

    /// <summary>Asks it to end, so that it saves what it persists.</summary>
    public void Terminate()
    {
        using (Process kill = Process.Start("kill", ["-TERM", process!.Id.ToString(CultureInfo.InvariantCulture)])) kill.WaitForExit();
        process.WaitForExit();
        process.Dispose();
        process = null;
    }

    public void Kill()
    {
        process!.Kill();
        process.WaitForExit();
        process.Dispose();
        process = null;
    }

    public void Dispose()
    {
        if (process is not null) Kill();
    }
}
