namespace EdgeSparse.Model;

/// <summary>How many tokens a vision transformer ended with, where that follows from the picture: a further output of the graph.</summary>
public static class TokenCount
{
    /// <summary>Name of the output, Int32 [1].</summary>
    public const string OutputName = "token_count";
}
