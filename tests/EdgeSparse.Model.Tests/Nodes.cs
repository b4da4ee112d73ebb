using System.Globalization;
using EdgeSparse.Model;

namespace EdgeSparse.Model.Tests;

/// <summary>Nodes from one line of text, for tables of cases: <c>Conv | 1x3x8x8 4x3x3x3 | strides=1,1 …</c>.</summary>
internal static class Nodes
{
    /// <summary>
    /// Inputs are shapes, Float32 unless a type is named before a colon (<c>Int64:2x3</c>); <c>-</c> is an absent input, <c>scalar</c> rank 0, <c>0x3</c> an empty axis.
    /// Attributes: <c>name=1</c> integer, <c>name=1.0</c> float, <c>name=1,2</c> and <c>name=1,</c> integers, <c>name=1.0,2.0</c> floats, <c>name=[]</c> no integers, else text.
    /// </summary>
    public static Node Make(OperatorKind kind, string inputs, string attributes)
    {
        var node = new Node(kind, "n");
        foreach (string word in inputs.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (word == "-")
            {
                node.Inputs.Add(null);
                continue;
            }
            (ElementType type, Shape shape) = Typed(word);
            node.Inputs.Add(new Value($"i{node.Inputs.Count}", type, shape));
        }
        foreach (string word in attributes.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = word.Split('=', 2);
            Set(node.Attributes, parts[0], parts[1]);
        }
        return node;
    }

    public static (ElementType Type, Shape Shape) Typed(string word)
    {
        int colon = word.IndexOf(':', StringComparison.Ordinal);
        ElementType type = colon < 0 ? ElementType.Float32 : Enum.Parse<ElementType>(word[..colon]);
        string shape = word[(colon + 1)..];
        return (type, shape == "scalar" ? Shape.Scalar : new Shape(shape.Split('x').Select(d => int.Parse(d, CultureInfo.InvariantCulture)).ToArray()));
    }

    private static void Set(AttributeMap map, string name, string value)
    {
        string[] parts = value.Split(',', StringSplitOptions.RemoveEmptyEntries);
        if (value == "[]") map.Set(name, Array.Empty<long>());
        else if (value.Contains(',', StringComparison.Ordinal))
        {
            if (value.Contains('.', StringComparison.Ordinal)) map.Set(name, parts.Select(p => double.Parse(p, CultureInfo.InvariantCulture)).ToArray());
            else map.Set(name, parts.Select(p => long.Parse(p, CultureInfo.InvariantCulture)).ToArray());
        }
        else if (long.TryParse(value, CultureInfo.InvariantCulture, out long integer)) map.Set(name, integer);
        else if (double.TryParse(value, CultureInfo.InvariantCulture, out double number)) map.Set(name, number);
        else map.Set(name, value);
    }
}
