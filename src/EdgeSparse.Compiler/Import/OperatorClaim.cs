using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Import;

/// <summary>Element types that an operator's input may have. Float32 stands also for float16 and bfloat16, which are computed as float32.</summary>
[Flags]
internal enum ClaimedTypes
{
    Float32 = 1,
    Float64 = 2,
    SignedIntegers = 4,
    UnsignedIntegers = 8,
    Bool = 16,
    /// <summary>Int32 and Int64 only.</summary>
    Indices = 32,
    Integers = SignedIntegers | UnsignedIntegers,
    Floats = Float32 | Float64,
    Numbers = Floats | Integers,
    Any = Numbers | Bool,
}

/// <summary>
/// One ONNX operator that the native engine takes: from which operator set on, of which element types, with which limits, and how it is lowered.
/// </summary>
/// <param name="Domain">"" is ai.onnx.</param>
/// <param name="Name">The operator.</param>
/// <param name="Since">The oldest operator set whose form is understood; the newest is <see cref="OnnxImporter.NewestOpset"/>.</param>
/// <param name="Types">Types of each input; the last stands for all further ones.</param>
/// <param name="Lower">Emits the operators of OPERATORS.md that compute it.</param>
/// <param name="Limits">What of the operator is not supported, for the documentation; "" where all is.</param>
/// <param name="ShapeInputs">Inputs that must be constants because shapes depend on them.</param>
internal sealed record OperatorClaim(
    string Domain, string Name, int Since, ClaimedTypes[] Types, Action<NodeContext> Lower, string Limits = "", int[]? ShapeInputs = null)
{
    /// <summary>Throws <see cref="UnsupportedNodeException"/> where an input has a type that is not claimed.</summary>
    public void CheckTypes(NodeContext context)
    {
        for (int i = 0; i < context.InputCount && Types.Length > 0; i++)
        {
            if (context.Optional(i) is not { } input) continue;
            ClaimedTypes claimed = Types[Math.Min(i, Types.Length - 1)];
            if (!Contains(claimed, input.Type)) throw context.Refuse($"input {i} ('{input.Name}') is {input.Type}, supported are {Describe(claimed)}");
        }
    }

    public static bool Contains(ClaimedTypes claimed, ElementType type) => type switch
    {
        ElementType.Float32 => claimed.HasFlag(ClaimedTypes.Float32),
        ElementType.Float64 => claimed.HasFlag(ClaimedTypes.Float64),
        ElementType.Int32 or ElementType.Int64 => (claimed & (ClaimedTypes.SignedIntegers | ClaimedTypes.Indices)) != 0,
        ElementType.Int8 or ElementType.Int16 => claimed.HasFlag(ClaimedTypes.SignedIntegers),
        ElementType.UInt8 or ElementType.UInt16 or ElementType.UInt32 or ElementType.UInt64 => claimed.HasFlag(ClaimedTypes.UnsignedIntegers),
        ElementType.Bool => claimed.HasFlag(ClaimedTypes.Bool),
        _ => false,
    };

    /// <summary>The types in words.</summary>
    public static string Describe(ClaimedTypes claimed)
    {
        if (claimed == ClaimedTypes.Any) return "all";
        var words = new List<string>();
        if (claimed.HasFlag(ClaimedTypes.Float32)) words.Add("float");
        if (claimed.HasFlag(ClaimedTypes.Float64)) words.Add("double");
        if (claimed.HasFlag(ClaimedTypes.Integers)) words.Add("integers");
        else if (claimed.HasFlag(ClaimedTypes.SignedIntegers)) words.Add("signed integers");
        else if (claimed.HasFlag(ClaimedTypes.UnsignedIntegers)) words.Add("unsigned integers");
        if (claimed.HasFlag(ClaimedTypes.Indices)) words.Add("int32, int64");
        if (claimed.HasFlag(ClaimedTypes.Bool)) words.Add("bool");
        return string.Join(", ", words);
    }
}
