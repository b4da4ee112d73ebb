using EdgeSparse.Model;
using static EdgeSparse.Compiler.Import.ClaimedTypes;

namespace EdgeSparse.Compiler.Import;

/// <summary>
/// Einsum as transposes, sums and one batched product for each further operand. A letter that stands twice in one operand (a diagonal) is not supported.
/// </summary>
internal static class EinsumLowering
{
    public static IEnumerable<OperatorClaim> Claims()
    {
        yield return new("", "Einsum", 12, [Float32], Lower, "a letter twice in one operand (diagonals)");
    }

    private static void Lower(NodeContext context)
    {
        string equation = context.Text("equation", "").Replace(" ", "", StringComparison.Ordinal);
        string[] sides = equation.Split("->");
        string[] operands = sides[0].Split(',');
        if (sides.Length > 2 || operands.Length != context.InputCount) throw context.Malformed($"equation '{equation}' for {context.InputCount} inputs");
        int ellipsis = 0;
        for (int i = 0; i < operands.Length; i++)
            if (operands[i].Contains("...", StringComparison.Ordinal)) ellipsis = Math.Max(ellipsis, context.Input(i).Shape.Rank - (operands[i].Length - 3));
        for (int i = 0; i < operands.Length; i++) operands[i] = Expand(context, operands[i], context.Input(i).Shape.Rank - (operands[i].Length - 3), ellipsis);
        string result = sides.Length == 2 ? Expand(context, sides[1], ellipsis, ellipsis) : Implicit(operands, ellipsis);
        var term = (Value: context.Input(0), Axes: operands[0]);
        CheckLetters(context, term.Axes, term.Value);
        for (int i = 1; i < operands.Length; i++)
        {
            CheckLetters(context, operands[i], context.Input(i));
            var keep = new HashSet<char>(result);
            for (int j = i + 1; j < operands.Length; j++) keep.UnionWith(operands[j]);
            term = Multiply(context, term, (context.Input(i), operands[i]), keep);
        }
        (Value value, string axes) = SumOut(context, term, [.. result]);
        foreach (char letter in result)
            if (!axes.Contains(letter)) throw context.Malformed($"equation '{equation}': output letter '{letter}' is in no input");
        context.Return(context.Transpose(value, Array.ConvertAll(result.ToCharArray(), letter => (long)axes.IndexOf(letter))));
    }

    /// <summary>"..." becomes digits, so that every axis is one character; the last digit is the innermost ellipsis axis.</summary>
    private static string Expand(NodeContext context, string term, int own, int all)
    {
        if (!term.Contains("...", StringComparison.Ordinal)) return term;
        if (own < 0 || all > 9) throw context.Malformed($"equation term '{term}' does not fit its input");
        string digits = "";
        for (int i = all - own; i < all; i++) digits += (char)('0' + i);
        return term.Replace("...", digits, StringComparison.Ordinal);
    }

    private static string Implicit(string[] operands, int ellipsis)
    {
        string all = string.Concat(operands), result = "";
        for (int i = 0; i < ellipsis; i++) result += (char)('0' + i);
        foreach (char letter in all.Where(char.IsLetter).Distinct().Order())
            if (all.Count(other => other == letter) == 1) result += letter;
        return result;
    }

    private static void CheckLetters(NodeContext context, string axes, Value value)
    {
        if (axes.Length != value.Shape.Rank) throw context.Malformed($"equation term '{axes}' for input {value.Shape}");
        if (axes.Distinct().Count() != axes.Length) throw context.Refuse($"equation term '{axes}' has a letter twice");
    }

    private static (Value Value, string Axes) SumOut(NodeContext context, (Value Value, string Axes) term, HashSet<char> keep)
    {
        long[] summed = [.. term.Axes.Select((letter, axis) => keep.Contains(letter) ? -1L : axis).Where(axis => axis >= 0)];
        if (summed.Length == 0) return term;
        Value value = context.Emit(OperatorKind.ReduceSum, map => { map.Set("axes", summed); map.Set("keepdims", 0); }, term.Value);
        return (value, string.Concat(term.Axes.Where(keep.Contains)));
    }

    /// <summary>The product of two terms over the letters they share, those that nobody needs afterwards summed.</summary>
    private static (Value, string) Multiply(NodeContext context, (Value Value, string Axes) a, (Value Value, string Axes) b, HashSet<char> keep)
    {
        // Letters of one operand only, and not needed, are summed before the product.
        a = SumOut(context, a, [.. keep, .. b.Axes]);
        b = SumOut(context, b, [.. keep, .. a.Axes]);
        string batch = string.Concat(a.Axes.Where(letter => b.Axes.Contains(letter) && keep.Contains(letter)));
        string inner = string.Concat(a.Axes.Where(letter => b.Axes.Contains(letter) && !keep.Contains(letter)));
        string rows = string.Concat(a.Axes.Where(letter => !b.Axes.Contains(letter)));
        string columns = string.Concat(b.Axes.Where(letter => !a.Axes.Contains(letter)));
        Value left = Arranged(context, a, batch, rows, inner), right = Arranged(context, b, batch, columns, inner);
        var batchSizes = new List<int>();
        foreach (char letter in batch) batchSizes.Add(Math.Max(Size(a, letter), Size(b, letter)));
        Value product = Products.Product(context, left, right, false, true, 1, null);
        int[] shape = [.. batchSizes, .. rows.Select(letter => Size(a, letter)), .. columns.Select(letter => Size(b, letter))];
        return (context.Reshape(product, shape), batch + rows + columns);
    }

    private static int Size((Value Value, string Axes) term, char letter) => term.Value.Shape[term.Axes.IndexOf(letter)];

    /// <summary>[batch…, product of free, product of inner].</summary>
    private static Value Arranged(NodeContext context, (Value Value, string Axes) term, string batch, string free, string inner)
    {
        string order = batch + free + inner;
        Value x = context.Transpose(term.Value, Array.ConvertAll(order.ToCharArray(), letter => (long)term.Axes.IndexOf(letter)));
        int Product(string letters) => letters.Aggregate(1, (product, letter) => checked(product * Size(term, letter)));
        return context.Reshape(x, [.. batch.Select(letter => Size(term, letter)), Product(free), Product(inner)]);
    }
}
