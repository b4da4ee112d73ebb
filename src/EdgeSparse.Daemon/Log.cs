using System.Text;
using System.Text.Json;
using EdgeSparse.Daemon.Configuration;

namespace EdgeSparse.Daemon;

/// <summary>
/// One short line for each change of state, to stderr. Under systemd (JOURNAL_STREAM is set) a line starts with its priority as <c>&lt;6&gt;</c>, else with the time;
/// as JSON it is one object. Safe for use by several threads.
/// </summary>
internal sealed class Log
{
    private readonly TextWriter _target;
    private readonly LogOptions _options;
    private readonly bool _journal;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();

    public Log(TextWriter target, LogOptions options, bool journal, TimeProvider time)
    {
        _target = target;
        _options = options;
        _journal = journal;
        _time = time;
    }

    public static Log ForProcess(LogOptions options) =>
        new(Console.Error, options, !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("JOURNAL_STREAM")), TimeProvider.System);

    public void Debug(string message) => Write(LogLevel.Debug, message);

    public void Info(string message) => Write(LogLevel.Info, message);

    public void Warning(string message) => Write(LogLevel.Warning, message);

    public void Error(string message) => Write(LogLevel.Error, message);

    private void Write(LogLevel level, string message)
    {
        if (level < _options.Level) return;
        string line = message.ReplaceLineEndings(" | ");
        string text = _options.Format == LogFormat.Json ? Json(level, line)
            : _journal ? $"<{Priority(level)}>{line}"
            : $"{_time.GetLocalNow():HH:mm:ss.fff} {Name(level)} {line}";
        lock (_gate) _target.WriteLine(text);
    }

    private string Json(LogLevel level, string message)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("time"u8, _time.GetUtcNow().UtcDateTime);
            json.WriteString("level"u8, Name(level).TrimEnd());
            json.WriteString("message"u8, message);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>syslog(3) priorities.</summary>
    private static int Priority(LogLevel level) => level switch { LogLevel.Error => 3, LogLevel.Warning => 4, LogLevel.Info => 6, _ => 7 };

    private static string Name(LogLevel level) => level switch { LogLevel.Error => "error", LogLevel.Warning => "warn ", LogLevel.Info => "info ", _ => "debug" };
}
