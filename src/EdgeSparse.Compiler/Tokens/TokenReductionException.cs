namespace EdgeSparse.Compiler.Tokens;

/// <summary>A reduction that cannot be made: the specification is malformed, or the model is not one whose tokens can be reduced so. The message says what was found.</summary>
public sealed class TokenReductionException : Exception
{
    public TokenReductionException()
    {
    }

    public TokenReductionException(string message)
        : base(message)
    {
    }

    public TokenReductionException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
