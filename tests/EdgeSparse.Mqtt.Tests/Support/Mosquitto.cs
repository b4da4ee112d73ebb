using System.Collections.Concurrent;
using System.Diagnostics;
using EdgeSparse.Testing;

namespace EdgeSparse.Mqtt.Tests.Support;

/// <summary>A fact that runs Debian's mosquitto_pub and mosquitto_sub, and is skipped, with the reason, where they are absent.</summary>
public sealed class MosquittoTheoryAttribute : TheoryAttribute
{
    public MosquittoTheoryAttribute()
    {
        if (Mosquitto.Find("mosquitto_pub") is null || Mosquitto.Find("mosquitto_sub") is null)
            Skip = "skipped: mosquitto_pub and mosquitto_sub not found (Debian package mosquitto-clients)";
    }
}

/// <summary>A theory that needs Debian's mosquitto and its clients, and is skipped, with the reason, where they are absent.</summary>
public sealed class MosquittoBrokerTheoryAttribute : TheoryAttribute
{
    public MosquittoBrokerTheoryAttribute()
    {
        if (MosquittoBroker.Program is null || Mosquitto.Find("mosquitto_sub") is null || Mosquitto.Find("mosquitto_passwd") is null)
            Skip = "skipped: mosquitto and its clients not found (Debian packages mosquitto and mosquitto-clients)";
    }
}

/// <summary>One run of a mosquitto client, its output by line.</summary>
internal sealed class Mosquitto : IDisposable
{
    /// <summary>Only ends a test that would otherwise hang.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly BlockingCollection<string> lines = [];
    private readonly ConcurrentQueue<string> errors = new();

    private Mosquitto(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Find(program)!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, e) =>
        {
            if (e.Data is null) lines.CompleteAdding();
            else lines.Add(e.Data);
        };
        process.ErrorDataReceived += (_, e) =>
        {
            if (e.Data is not null) errors.Enqueue(e.Data);
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Errors => string.Join('\n', errors);

    public static string? Find(string program) =>
        new[] { "/usr/bin", "/usr/local/bin" }.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    public static Mosquitto Subscribe(params IEnumerable<string> arguments) => new("mosquitto_sub", arguments);

    /// <summary>Runs mosquitto_pub to its end and returns its exit code and errors.</summary>
    public static (int ExitCode, string Errors) Publish(params IEnumerable<string> arguments)
    {
        using var client = new Mosquitto("mosquitto_pub", arguments);
        return (client.WaitForExit(), client.Errors);
    }

    /// <summary>The next line of output.</summary>
    public string ReadLine() =>
        lines.TryTake(out string? line, Patience) ? line : throw new InvalidOperationException($"no line from mosquitto: {Errors}");

    public int WaitForExit()
    {
        if (!process.WaitForExit(Patience)) throw new InvalidOperationException("mosquitto client did not end");
        process.WaitForExit();
        return process.ExitCode;
    }

    public void Kill() => process.Kill();

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.Dispose();
        lines.Dispose();
    }
}
