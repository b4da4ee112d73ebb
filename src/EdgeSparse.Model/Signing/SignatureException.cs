namespace EdgeSparse.Model;

/// <summary>A signature or key that cannot be accepted; the message is one line that says what was found, what was expected and what to do.</summary>
public sealed class SignatureException : Exception
{
    public SignatureException(string message) : base(message)
    {
    }

    public SignatureException(string message, Exception inner) : base(message, inner)
    {
    }

    public SignatureException()
    {
    }
}
