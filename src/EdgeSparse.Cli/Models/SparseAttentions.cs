using EdgeSparse.Compiler.SparseAttention;

namespace EdgeSparse.Cli.Models;

/// <summary>What --attention says.</summary>
internal static class SparseAttentions
{
    public static SparseAttentionSpec? Parse(string? text)
    {
        try
        {
            return text is null ? null : SparseAttentionSpec.Parse(text);
        }
        catch (SparseAttentionException malformed)
        {
            throw new CliException(ExitCode.Usage, $"--attention: {malformed.Message}");
        }
    }
}
