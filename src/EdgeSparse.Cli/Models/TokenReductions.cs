using EdgeSparse.Compiler.Tokens;

namespace EdgeSparse.Cli.Models;

/// <summary>Token reductions as the command line names them.</summary>
internal static class TokenReductions
{
    public static TokenReductionSpec? Parse(string? text)
    {
        if (text is null) return null;
        try
        {
            return TokenReductionSpec.Parse(text);
        }
        catch (TokenReductionException malformed)
        {
            throw new CliException(ExitCode.Usage, malformed.Message);
        }
    }
}
