namespace EdgeSparse.Runtime.Backends.Onnx;

/// <summary>
/// The ONNX Runtime library or one of its execution providers is absent, or refuses a model. The message is one line; programs print it and exit with 69.
/// </summary>
public sealed class OnnxRuntimeException : Exception
{
    public OnnxRuntimeException(string message) : base(message)
    {
    }

    public OnnxRuntimeException(string message, Exception inner) : base(message, inner)
    {
    }

    public OnnxRuntimeException()
    {
    }
}
