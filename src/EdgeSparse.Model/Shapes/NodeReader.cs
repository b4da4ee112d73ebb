namespace EdgeSparse.Model;

/// <summary>
/// Reads one node for <see cref="ShapeInference"/>: every getter checks and, where something is wrong, throws a
/// <see cref="ModelFormatException"/> that names the node and its operator. It remembers which attributes the rule asked for, so that one the
/// operator does not have is refused and never silently ignored.
/// </summary>
internal sealed class NodeReader(Node node)
{
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public OperatorKind Kind => node.Kind;

    public int InputCount => node.Inputs.Count;

    public ModelFormatException Fail(string problem) => new($"node '{node.Name}' ({node.Kind}): {problem}");

    /// <summary>Checks that there are <paramref name="minimum"/> to <paramref name="maximum"/> inputs and that the first <paramref name="minimum"/> are present.</summary>
    public void Inputs(int minimum, int maximum)
    {
        if (node.Inputs.Count < minimum || node.Inputs.Count > maximum)
            throw Fail($"{node.Inputs.Count} inputs, expected {(minimum == maximum ? $"{minimum}" : maximum == int.MaxValue ? $"at least {minimum}" : $"{minimum} to {maximum}")}");
        for (int i = 0; i < minimum; i++)
            if (node.Inputs[i] is null) throw Fail($"input {i} is absent");
    }

    /// <summary>A required input.</summary>
    public Value Input(int index) => node.Input(index) ?? throw Fail($"input {index} is absent");

    /// <summary>A required input of one of <paramref name="types"/>.</summary>
    public Value Input(int index, TypeSet types) => Typed(Input(index), index, types);

    /// <summary>A required input of the given types and rank.</summary>
    public Value Input(int index, TypeSet types, int rank)
    {
        Value value = Input(index, types);
        return value.Shape.Rank == rank ? value : throw Fail($"input {index} has shape {value.Shape}, expected rank {rank}");
    }

    public Value? Optional(int index, TypeSet types) => node.Input(index) is { } value ? Typed(value, index, types) : null;

    /// <summary>An input that, where present, has exactly the given shape.</summary>
    public void Optional(int index, TypeSet types, Shape shape, string what)
    {
        if (Optional(index, types) is { } value && value.Shape != shape) throw Fail($"{what} (input {index}) has shape {value.Shape}, expected {shape}");
    }

    /// <summary>A required input of exactly the given shape.</summary>
    public void Input(int index, TypeSet types, Shape shape, string what)
    {
        Input(index);
        Optional(index, types, shape, what);
    }

    public bool Has(string name)
    {
        _known.Add(name);
        return node.Attributes.Contains(name);
    }

    public long Integer(string name, long minimum, long maximum)
    {
        long value = Get<long>(name, "an integer");
        return value >= minimum && value <= maximum ? value : throw Fail($"attribute '{name}' is {value}, expected {minimum} to {maximum}");
    }

    public long Integer(string name, long minimum, long maximum, long absent) => Has(name) ? Integer(name, minimum, maximum) : absent;

    public bool Flag(string name) => Integer(name, 0, 1) != 0;

    public bool Flag(string name, bool absent) => Has(name) ? Flag(name) : absent;

    /// <summary>A float that is not NaN; infinities are bounds that do not bind.</summary>
    public double Number(string name)
    {
        double value = Get<double>(name, "a float");
        return double.IsNaN(value) ? throw Fail($"attribute '{name}' is not a number") : value;
    }

    public double Number(string name, double absent) => Has(name) ? Number(name) : absent;

    public string Text(string name, ReadOnlySpan<string> allowed)
    {
        string value = Get<string>(name, "a string");
        foreach (string candidate in allowed) if (candidate == value) return value;
        throw Fail($"attribute '{name}' is '{value}', expected one of {string.Join(", ", allowed.ToArray())}");
    }

    public string Text(string name, ReadOnlySpan<string> allowed, string absent) => Has(name) ? Text(name, allowed) : absent;

    /// <summary>Exactly <paramref name="count"/> integers, each within the bounds.</summary>
    public long[] Integers(string name, int count, long minimum, long maximum)
    {
        long[] values = Integers(name, minimum, maximum);
        return values.Length == count ? values : throw Fail($"attribute '{name}' has {values.Length} elements, expected {count}");
    }

    public long[] Integers(string name, long minimum, long maximum)
    {
        long[] values = Get<long[]>(name, "a list of integers");
        foreach (long value in values)
            if (value < minimum || value > maximum) throw Fail($"attribute '{name}' contains {value}, expected {minimum} to {maximum}");
        return values;
    }

    public double[] Numbers(string name, int count)
    {
        double[] values = Get<double[]>(name, "a list of floats");
        if (values.Length != count) throw Fail($"attribute '{name}' has {values.Length} elements, expected {count}");
        foreach (double value in values)
            if (!double.IsFinite(value)) throw Fail($"attribute '{name}' contains {value}, expected finite numbers");
        return values;
    }

    /// <summary>An axis of a tensor of the given rank, stored non-negative.</summary>
    public int Axis(string name, int rank) =>
        rank > 0 ? (int)Integer(name, 0, rank - 1) : throw Fail($"attribute '{name}' needs an axis, the input is a scalar");

    /// <summary>A final shape given by an attribute.</summary>
    public Shape Dimensions(string name)
    {
        long[] values = Integers(name, 0, Limits.Dimension);
        if (values.Length > Limits.Rank) throw Fail($"attribute '{name}' has {values.Length} dimensions, at most {Limits.Rank} are supported");
        return new Shape(Array.ConvertAll(values, value => (int)value));
    }

    /// <summary>A shape computed by a rule, checked against <see cref="Limits"/>.</summary>
    public Shape Shape(ReadOnlySpan<long> dimensions)
    {
        if (dimensions.Length > Limits.Rank) throw Fail($"the output has {dimensions.Length} dimensions, at most {Limits.Rank} are supported");
        Span<int> shape = stackalloc int[dimensions.Length];
        for (int i = 0; i < shape.Length; i++)
        {
            if (dimensions[i] < 0 || dimensions[i] > Limits.Dimension)
                throw Fail($"output dimension {i} would be {dimensions[i]}, expected 0 to {Limits.Dimension}");
            shape[i] = (int)dimensions[i];
        }
        return new Shape(shape);
    }

    /// <summary>NumPy broadcasting of two shapes.</summary>
    public Shape Broadcast(Shape a, Shape b)
    {
        int rank = Math.Max(a.Rank, b.Rank);
        Span<long> result = stackalloc long[rank];
        for (int i = 1; i <= rank; i++)
        {
            int left = i <= a.Rank ? a[-i] : 1, right = i <= b.Rank ? b[-i] : 1;
            if (left != right && left != 1 && right != 1) throw Fail($"shapes {a} and {b} do not broadcast");
            result[rank - i] = left == 1 ? right : left;
        }
        return Shape(result);
    }

    public void SameType(Value a, Value b)
    {
        if (a.Type != b.Type) throw Fail($"inputs '{a.Name}' and '{b.Name}' have types {a.Type} and {b.Type}, expected the same");
    }

    public void RefuseUnknownAttributes()
    {
        foreach ((string name, _) in node.Attributes.Entries)
            if (!_known.Contains(name)) throw Fail($"attribute '{name}' is not one of this operator's");
    }

    private Value Typed(Value value, int index, TypeSet types) =>
        types.Contains(value.Type) ? value : throw Fail($"input {index} ('{value.Name}') is {value.Type}, expected {types.Describe()}");

    private T Get<T>(string name, string expected)
    {
        _known.Add(name);
        return node.Attributes.Find(name) switch
        {
            T value => value,
            null => throw Fail($"attribute '{name}' is missing, expected {expected}"),
            object other => throw Fail($"attribute '{name}' is {Describe(other)}, expected {expected}"),
        };
    }

    private static string Describe(object value) => value switch
    {
        long => "an integer",
        double => "a float",
        string => "a string",
        long[] => "a list of integers",
        _ => "a list of floats",
    };
}

/// <summary>The element types that an operator's input may have.</summary>
internal enum TypeSet
{
    /// <summary>Every type with a size: data movement.</summary>
    Any,
    Float32,
    Bool,
    /// <summary>Floats and integers of every width that arithmetic is defined for.</summary>
    Numeric,
    /// <summary>Signed and unsigned integers.</summary>
    Integer,
    /// <summary>Numeric types and Bool: equality.</summary>
    Comparable,
    /// <summary>Int32 and Int64.</summary>
    Index,
}

internal static class TypeSets
{
    public static bool Contains(this TypeSet set, ElementType type) => set switch
    {
        TypeSet.Any => type.SizeBytes() > 0,
        TypeSet.Float32 => type == ElementType.Float32,
        TypeSet.Bool => type == ElementType.Bool,
        TypeSet.Numeric => type is ElementType.Float32 or ElementType.Float64 || TypeSet.Integer.Contains(type),
        TypeSet.Integer => type is ElementType.Int8 or ElementType.Int16 or ElementType.Int32 or ElementType.Int64
            or ElementType.UInt8 or ElementType.UInt16 or ElementType.UInt32 or ElementType.UInt64,
        TypeSet.Comparable => type == ElementType.Bool || TypeSet.Numeric.Contains(type),
        TypeSet.Index => type is ElementType.Int32 or ElementType.Int64,
        _ => false,
    };

    public static string Describe(this TypeSet set) => set switch
    {
        TypeSet.Any => "a type with a size",
        TypeSet.Numeric => "a float or integer type",
        TypeSet.Integer => "an integer type",
        TypeSet.Comparable => "a float, integer or Bool type",
        TypeSet.Index => "Int32 or Int64",
        _ => set.ToString(),
    };
}
