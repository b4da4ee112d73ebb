using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using EdgeSparse.Testing;

namespace EdgeSparse.EndToEnd.Support;

/// <summary>The published daemon, started with free loopback ports and stopped by SIGTERM.</summary>
internal sealed partial class RunningDaemon : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly WorkFolder _folder = new();
    private readonly List<string> _lines = [];
    private readonly ManualResetEventSlim _line = new();

    public RunningDaemon(params string[] arguments)
    {
        HttpPort = FreePorts.Next();
        MqttPort = FreePorts.Next();
        const string SocketOption = "--mqtt:socket=";
        string? given = Array.Find(arguments, argument => argument.StartsWith(SocketOption, StringComparison.Ordinal));
        Socket = given?[SocketOption.Length..] ?? _folder["mqtt.sock"];
        _process = Programs.Start(Programs.EdgeSparseDaemon,
            ["--http:listen", $"127.0.0.1:{HttpPort}", "--mqtt:tcp", $"127.0.0.1:{MqttPort}", .. given is null ? (string[])[SocketOption + Socket] : [], .. arguments]);
        _process.ErrorDataReceived += (_, line) => Add(line.Data);
        _process.OutputDataReceived += (_, line) => Add(line.Data);
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    public int HttpPort { get; }

    public int MqttPort { get; }

    public string Socket { get; }

    public string Address => $"http://127.0.0.1:{HttpPort}";

    public string Log
    {
        get { lock (_lines) return string.Join('\n', _lines); }
    }

    /// <summary>Waits until a line that contains <paramref name="text"/> has been printed.</summary>
    public string WaitForLine(string text)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            lock (_lines)
            {
                string? found = _lines.Find(line => line.Contains(text, StringComparison.OrdinalIgnoreCase));
                if (found is not null) return found;
                _line.Reset();
            }
            Assert.False(_process.HasExited, $"the daemon ended with {(_process.HasExited ? _process.ExitCode : 0)} before it printed '{text}':\n{Log}");
            Assert.True(clock.Elapsed < Limit, $"no line with '{text}':\n{Log}");
            _line.Wait(TimeSpan.FromMilliseconds(200));
        }
    }

    /// <summary>Asks <paramref name="path"/> again until it answers 200, and returns the body.</summary>
    public async Task<string> WaitForOkAsync(string path)
    {
        using var client = new HttpClient { BaseAddress = new Uri(Address), Timeout = TimeSpan.FromSeconds(10) };
        var clock = Stopwatch.StartNew();
        while (true)
        {
            Assert.False(_process.HasExited, $"the daemon ended:\n{Log}");
            Assert.True(clock.Elapsed < Limit, $"{path} never answered 200:\n{Log}");
            try
            {
                using HttpResponseMessage response = await client.GetAsync(new Uri(path, UriKind.Relative));
                if (response.StatusCode == HttpStatusCode.OK) return await response.Content.ReadAsStringAsync();
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
            _line.Wait(TimeSpan.FromMilliseconds(50));
        }
    }

    public Outcome Terminate()
    {
        Assert.Equal(0, Kill(_process.Id, 15));
        Assert.True(_process.WaitForExit(Limit), $"the daemon did not end on SIGTERM:\n{Log}");
        _process.WaitForExit();
        return new Outcome(_process.ExitCode, "", Log);
    }

    public Outcome WaitForExit()
    {
        Assert.True(_process.WaitForExit(Limit), $"the daemon did not end:\n{Log}");
        _process.WaitForExit();
        return new Outcome(_process.ExitCode, "", Log);
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _folder.Dispose();
        _line.Dispose();
    }

    private void Add(string? line)
    {
        if (line is null) return;
        lock (_lines)
        {
            _lines.Add(line);
            _line.Set();
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
