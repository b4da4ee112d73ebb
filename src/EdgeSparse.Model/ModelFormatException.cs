namespace EdgeSparse.Model;

/// <summary>
/// A model file (ONNX or package) that cannot be accepted. The message is one line: what was found, what was expected and where
/// (file, byte offset or node). Programs print it and exit with 65.
/// </summary>
public sealed class ModelFormatException : Exception
{
    public ModelFormatException(string message) : base(message)
    {
    }

    public ModelFormatException(string message, Exception inner) : base(message, inner)
    {
    }

    public ModelFormatException()
    {
    }

    public ModelFormatException(string path, long offset, string message) : base($"{path}: at byte {offset}: {message}")
    {
    }
}
