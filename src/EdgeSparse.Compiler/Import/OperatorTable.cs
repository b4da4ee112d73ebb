namespace EdgeSparse.Compiler.Import;

/// <summary>
/// Every ONNX operator that the native engine takes: the one list by which the importer lowers and refuses, and from which docs/OPERATORS-ONNX.md is written.
/// </summary>
internal static class OperatorTable
{
    /// <summary>Sorted by domain and name.</summary>
    public static IReadOnlyList<OperatorClaim> Claims { get; } = AllClaims();

    private static readonly Dictionary<(string, string), OperatorClaim> ByName = Claims.ToDictionary(claim => (claim.Domain, claim.Name));

    private static readonly Dictionary<string, string> Reasons = KnownReasons();

    public static OperatorClaim? Find(OnnxNode node) => ByName.GetValueOrDefault((OnnxOpset.Normalise(node.Domain), node.OpType));

    /// <summary>Why a node cannot be lowered, judged by operator, domain and version alone; null where it can.</summary>
    public static string? Refusal(OnnxNode node, int version)
    {
        if (Find(node) is { } claim) return version >= claim.Since ? null : $"its form of operator set {version} is not supported, {claim.Since} and later are";
        string domain = OnnxOpset.Normalise(node.Domain);
        if (domain.Length > 0) return domain is "ai.onnx.ml" or "com.microsoft" ? "not supported" : $"operators of domain '{domain}' are not part of ONNX";
        return Reasons.GetValueOrDefault(node.OpType, "not supported");
    }

    private static OperatorClaim[] AllClaims()
    {
        OperatorClaim[] claims =
        [
            .. Convolution.Claims(), .. Products.Claims(), .. EinsumLowering.Claims(), .. Elementwise.Claims(), .. Normalization.Claims(), .. Reduction.Claims(),
            .. Movement.Claims(), .. Shapes.Claims(), .. ResizeLowering.Claims(), .. AttentionLowering.Claims(),
        ];
        Array.Sort(claims, (a, b) => (a.Domain, a.Name).CompareTo((b.Domain, b.Name)));
        return claims;
    }

    private static Dictionary<string, string> KnownReasons()
    {
        var reasons = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string name in (ReadOnlySpan<string>)["If", "Loop", "Scan", "SequenceMap"]) reasons[name] = "control flow is not supported";
        foreach (string name in (ReadOnlySpan<string>)["SequenceAt", "SequenceConstruct", "SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceLength", "SplitToSequence",
            "ConcatFromSequence", "Optional", "OptionalGetElement", "OptionalHasElement"]) reasons[name] = "sequences and optional types are not supported";
        foreach (string name in (ReadOnlySpan<string>)["StringConcat", "StringNormalizer", "StringSplit", "RegexFullMatch", "TfIdfVectorizer"]) reasons[name] = "strings are not supported";
        foreach (string name in (ReadOnlySpan<string>)["QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger"])
            reasons[name] = "quantised operators are not supported";
        foreach (string name in (ReadOnlySpan<string>)["LSTM", "GRU", "RNN"]) reasons[name] = "recurrent layers are not supported";
        return reasons;
    }
}
