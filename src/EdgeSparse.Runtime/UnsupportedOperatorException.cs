using EdgeSparse.Model;

namespace EdgeSparse.Runtime;

/// <summary>
/// An operator that the native engine cannot run: its kind, an element type or an attribute has no kernel. The message is one line with the
/// node, the operator and the reason. ONNX Runtime may be able to run the model.
/// </summary>
public sealed class UnsupportedOperatorException : Exception
{
    public UnsupportedOperatorException(Node node, string reason)
        : base($"{node}: {reason}")
    {
        Operator = node.Kind;
        NodeName = node.Name;
        Reason = reason;
    }

    public UnsupportedOperatorException(string message) : base(message)
    {
    }

    public UnsupportedOperatorException(string message, Exception inner) : base(message, inner)
    {
    }

    public UnsupportedOperatorException()
    {
    }

    public OperatorKind Operator { get; }

    public string NodeName { get; } = "";

    public string Reason { get; } = "";
}
