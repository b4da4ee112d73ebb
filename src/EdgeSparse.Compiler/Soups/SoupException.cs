namespace EdgeSparse.Compiler.Soups;

/// <summary>Models that cannot be averaged, with where they first differ.</summary>
public sealed class SoupException : Exception
{
    public SoupException()
    {
    }

    public SoupException(string message)
        : base(message)
    {
    }

    public SoupException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
