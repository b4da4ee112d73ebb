using EdgeSparse.Model;
using static EdgeSparse.Compiler.Import.ClaimedTypes;

namespace EdgeSparse.Compiler.Import;

/// <summary>Matrix products. A constant matrix B is stored as W [outputs, inputs], whatever way the model has it.</summary>
internal static class Products
{
    public static IEnumerable<OperatorClaim> Claims()
    {
        yield return new("", "MatMul", 1, [Float32], context => context.Return(MatMul(context, context.Input(0), context.Input(1))));
        yield return new("", "Gemm", 6, [Float32], Gemm);
        yield return new("com.microsoft", "FusedMatMul", 1, [Float32], FusedMatMul, "transBatchA, transBatchB");
        yield return new("com.microsoft", "FusedGemm", 1, [Float32], context =>
        {
            string activation = context.Text("activation", "");
            Gemm(context);
            if (activation != "Relu") throw context.Refuse($"activation '{activation}'");
            context.Return(context.Emit(OperatorKind.Relu, context.Results[0]));
        }, "activations other than Relu");
    }

    /// <summary>ONNX MatMul: vectors are seen as one row or one column.</summary>
    public static Value MatMul(NodeContext context, Value a, Value b)
    {
        if (a.Shape.Rank == 0 || b.Shape.Rank == 0) throw context.Malformed("a scalar input");
        bool row = a.Shape.Rank == 1, column = b.Shape.Rank == 1;
        Value left = row ? context.Reshape(a, 1, a.Shape[0]) : a, right = column ? context.Reshape(b, b.Shape[0], 1) : b;
        Value y = Product(context, left, right, false, false, 1, null);
        if (!row && !column) return y;
        var shape = new List<int>(y.Shape.Dimensions.ToArray());
        if (column) shape.RemoveAt(shape.Count - 1);
        if (row) shape.RemoveAt(column ? shape.Count - 1 : shape.Count - 2);
        return context.Reshape(y, shape.ToArray());
    }

    /// <summary>alpha·A·B + bias, with a constant B of rank 2 stored as [N, K].</summary>
    public static Value Product(NodeContext context, Value a, Value b, bool transposeA, bool transposeB, double alpha, Value? bias)
    {
        if (b is { Constant.Sparse: null } && b.Shape.Rank == 2 && !transposeB)
        {
            b = context.Transpose(b, 1, 0);
            transposeB = true;
        }
        return context.Emit(OperatorKind.MatMul, map =>
        {
            if (transposeA) map.Set("transpose_a", 1);
            if (transposeB) map.Set("transpose_b", 1);
            if (alpha != 1) map.Set("alpha", alpha);
        }, a, b, bias);
    }

    private static void Gemm(NodeContext context)
    {
        Value a = context.Input(0), b = context.Input(1);
        if (a.Shape.Rank != 2 || b.Shape.Rank != 2) throw context.Malformed($"inputs {a.Shape} and {b.Shape}, expected rank 2");
        bool transposeA = context.Flag("transA"), transposeB = context.Flag("transB");
        double alpha = context.Number("alpha", 1), beta = context.Number("beta", 1);
        context.Ignore("activation", "broadcast");
        Value? c = context.Optional(2);
        if (c is not null && beta != 1) c = context.Emit(OperatorKind.Mul, c, context.Float((float)beta));
        int columns = b.Shape[transposeB ? 0 : 1];
        // A bias of one value for each output column is the product's own.
        bool vector = c is not null && c.Shape.ElementCount == columns && (c.Shape.Rank == 1 || c.Shape.Rank == 2 && c.Shape[0] == 1);
        Value? bias = vector ? context.Reshape(c!, columns) : null;
        Value y = Product(context, a, b, transposeA, transposeB, alpha, bias);
        context.Return(c is null || vector || beta == 0 ? y : context.Emit(OperatorKind.Add, y, c));
    }

    private static void FusedMatMul(NodeContext context)
    {
        if (context.Flag("transBatchA") || context.Flag("transBatchB")) throw context.Refuse("transBatchA or transBatchB");
        Value a = context.Input(0), b = context.Input(1);
        if (a.Shape.Rank < 2 || b.Shape.Rank < 2) throw context.Refuse($"inputs {a.Shape} and {b.Shape}");
        context.Return(Product(context, a, b, context.Flag("transA"), context.Flag("transB"), context.Number("alpha", 1), null));
    }
}
