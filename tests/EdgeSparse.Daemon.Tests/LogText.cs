using System.Globalization;
using System.Text;
using EdgeSparse.Daemon.Configuration;

namespace EdgeSparse.Daemon.Tests;

/// <summary>What is logged by any thread, read while others go on writing: a string builder that is read during an append throws.</summary>
internal sealed class LogText
{
    private readonly StringBuilder _text = new();

    /// <summary>Locks itself for each call.</summary>
    private readonly TextWriter _writer;

    public LogText() => _writer = TextWriter.Synchronized(new StringWriter(_text, CultureInfo.InvariantCulture));

    public Log CreateLog(LogOptions? options = null, TimeProvider? time = null) => new(_writer, options ?? new LogOptions(), journal: false, time ?? TimeProvider.System);

    /// <summary>What was logged up to now.</summary>
    public override string ToString()
    {
        lock (_writer) return _text.ToString();
    }
}
