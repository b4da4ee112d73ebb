namespace EdgeSparse.Compiler.SparseAttention;

/// <summary>Attention that cannot be made sparse: the specification is malformed, or the model does not have what it needs. The message says what was found.</summary>
public sealed class SparseAttentionException : Exception
{
    public SparseAttentionException()
    {
    }

    public SparseAttentionException(string message)
        : base(message)
    {
    }

    public SparseAttentionException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
