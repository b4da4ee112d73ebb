using EdgeSparse.Compiler.Import;
using EdgeSparse.Kernels.SparseMatMul;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>A layer's weights as rows [outputs, inputs] of non-zeros, with the channels that are empty.</summary>
internal sealed class WeightMask
{
    private WeightMask(string op, SparseWeights weights, int area, bool grouped)
    {
        Operator = op;
        Weights = weights;
        Area = area;
        var used = new bool[weights.Columns / Math.Max(area, 1)];
        foreach (int column in weights.ColumnIndices) used[column / area] = true;
        EmptyInputs = grouped ? [] : [.. Enumerable.Range(0, used.Length).Where(input => !used[input])];
        EmptyOutputs = [.. Enumerable.Range(0, weights.Rows).Where(row => weights.RowCounts[row] == 0)];
        var hash = new HashCode();
        foreach (int count in weights.RowCounts) hash.Add(count);
        foreach (int column in weights.ColumnIndices) hash.Add(column);
        Hash = hash.ToHashCode();
    }

    public string Operator { get; }

    public SparseWeights Weights { get; }

    /// <summary>Kernel positions of an input channel; 1 for a matrix.</summary>
    public int Area { get; }

    public int[] EmptyOutputs { get; }

    public int[] EmptyInputs { get; }

    public int Hash { get; }

    /// <summary>The mask of a graph's product with constant weights; null for anything else.</summary>
    public static WeightMask? Of(Node node)
    {
        if (node.Kind is not (OperatorKind.Conv or OperatorKind.MatMul) || node.Input(1)?.Constant is not { Type: ElementType.Float32 } constant) return null;
        bool conv = node.Kind == OperatorKind.Conv;
        if (conv ? constant.Shape.Rank < 3 : constant.Shape.Rank != 2) return null;
        bool transposed = !conv && !node.Attributes.Flag("transpose_b");
        string op = conv ? Convolution(constant.Shape, node.Attributes.Integer("group", 1)) : node.Kind.ToString();
        return Of(op, constant, transposed, conv, node.Attributes.Integer("group", 1) > 1);
    }

    /// <summary>The same of an ONNX node and its decoded weights.</summary>
    public static WeightMask? Of(OnnxNode node, Tensor weights)
    {
        if (weights.Type != ElementType.Float32) return null;
        long group = node.Attribute("group")?.Int ?? 1;
        return node.OpType switch
        {
            "Conv" or "FusedConv" when weights.Shape.Rank > 2 => Of(Convolution(weights.Shape, group), weights, false, true, group > 1),
            "MatMul" or "FusedMatMul" or "Gemm" or "FusedGemm" when weights.Shape.Rank == 2 => Of(node.OpType, weights, node.Attribute("transB")?.Int is not > 0, false, false),
            _ => null,
        };
    }

    public bool HasSameZeros(WeightMask other) =>
        Weights.Columns == other.Weights.Columns && Weights.RowCounts.AsSpan().SequenceEqual(other.Weights.RowCounts) && Weights.ColumnIndices.AsSpan().SequenceEqual(other.Weights.ColumnIndices);

    /// <summary>The rows that have weights.</summary>
    public SparseWeights WithoutEmptyOutputs() => new(Weights.Rows - EmptyOutputs.Length, Weights.Columns, [.. Weights.RowCounts.Where(count => count > 0)], Weights.ColumnIndices, Weights.Values);

    /// <summary>The columns of a k×k convolution with the channels of each kernel position side by side.</summary>
    public static SparseWeights Reordered(SparseWeights weights, int area)
    {
        int channels = weights.Columns / area, begin = 0;
        int[] columns = Array.ConvertAll(weights.ColumnIndices, column => column % area * channels + column / area);
        foreach (int count in weights.RowCounts)
        {
            Array.Sort(columns, begin, count);
            begin += count;
        }
        return new SparseWeights(weights.Rows, weights.Columns, weights.RowCounts, columns, weights.Values);
    }

    private static string Convolution(Shape shape, long group)
    {
        string kernel = $"Conv {string.Join('x', shape.Dimensions[2..].ToArray())}";
        return group == 1 ? kernel : shape[1] == 1 ? kernel + " depthwise" : kernel + " grouped";
    }

    private static WeightMask? Of(string op, Tensor tensor, bool transposed, bool conv, bool grouped)
    {
        int rows = tensor.Shape[transposed ? 1 : 0], area = conv ? (int)tensor.Shape.Product(2, tensor.Shape.Rank) : 1;
        long columns = rows == 0 ? 0 : tensor.Shape.ElementCount / rows;
        if (columns == 0) return null;
        if (tensor.Sparse is { } sparse) return transposed ? null : new WeightMask(op, sparse, area, grouped);
        ReadOnlySpan<float> values = tensor.Span<float>();
        if (transposed)
        {
            var turned = new float[values.Length];
            for (int i = 0; i < turned.Length; i++) turned[i % rows * (int)columns + i / rows] = values[i];
            values = turned;
        }
        return new WeightMask(op, SparseWeights.FromDense(values, rows, (int)columns), area, grouped);
    }
}
