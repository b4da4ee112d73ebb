using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Tokens;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler;

/// <summary>What became of a model.</summary>
public sealed class CompileResult
{
    /// <summary>The package; null where the model was refused, and then <see cref="Unsupported"/> says why.</summary>
    public ModelPackage? Package { get; internal set; }

    /// <summary>Which engine the package is for; meaningless where it was refused.</summary>
    public CompileBackend Backend { get; internal set; }

    /// <summary>What became of the tokens; null where none were to be reduced.</summary>
    public TokenReductionResult? Tokens { get; internal set; }

    /// <summary>What was defaulted, left out, fused and packed, and why which engine was chosen: sentences in order.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>Operators that the native engine cannot run.</summary>
    public List<UnsupportedOperator> Unsupported { get; } = [];
}
