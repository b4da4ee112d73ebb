namespace EdgeSparse.Model;

/// <summary>
/// A model file (ONNX or package) that cannot be accepted. The message is one line: what was found, what was expected and where
/// (file, byte offset or node). Programs print it and exit with 65.
/// </summary>
public sealed class ModelFormatException : Exception
{
    public ModelFormatException(string message) : base(OneLine(message))
    {
    }

    public ModelFormatException(string message, Exception inner) : base(OneLine(message), inner)
    {
    }

    public ModelFormatException()
    {
    }

    public ModelFormatException(string path, long offset, string message) : base(OneLine($"{path}: at byte {offset}: {message}"))
    {
    }

    /// <summary>Names in a model file are anybody's text: control characters must reach neither a terminal nor a log line.</summary>
    private static string OneLine(string message) =>
        message.AsSpan().IndexOfAnyInRange('\0', '\x1f') < 0 && message.AsSpan().IndexOfAnyInRange('\x7f', '\x9f') < 0 ? message
        : string.Concat(message.Select(c => char.IsControl(c) ? '?' : c));
}
