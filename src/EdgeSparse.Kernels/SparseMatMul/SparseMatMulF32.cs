using EdgeSparse.Kernels.MatMul;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>Sparse fully connected layer over tokens. Formula: <see cref="SparseMatMulParameters"/>.</summary>
public static unsafe partial class SparseMatMulF32
{
    /// <summary>Checks the sizes and derives tiles, TaskCount and ScratchBytes.</summary>
    /// <exception cref="ArgumentException">A size that is not positive.</exception>
    public static void Prepare(ref SparseMatMulParameters p)
    {
        if (p.Tokens < 1 || p.Inputs < 1 || p.Outputs < 1) throw new ArgumentException($"{p.Tokens} tokens, {p.Inputs} inputs, {p.Outputs} outputs, expected at least 1 each");
        p.TaskCount = 1;
        p.ScratchBytes = 0;
    }

    /// <summary>Size of the expanded weights; 64-byte alignment is expected.</summary>
    public static long PackedBytes(in SparseMatMulParameters p, SparseWeights weights) => (long)p.Outputs * p.Inputs * sizeof(float);

    /// <summary>Expands weights [outputs, inputs] for this plan.</summary>
    /// <exception cref="ArgumentException">The weights have another shape.</exception>
    public static void Pack(in SparseMatMulParameters p, SparseWeights weights, byte* packed)
    {
        if (weights.Rows != p.Outputs || weights.Columns != p.Inputs) throw new ArgumentException($"weights {weights.Rows}x{weights.Columns}, expected {p.Outputs}x{p.Inputs}");
        weights.ToDense().CopyTo(new Span<float>(packed, p.Outputs * p.Inputs));
    }

    /// <summary>Runs one task. y may not overlap x; residual may be y.</summary>
    public static void Run(SparseMatMulParameters* p, float* x, byte* packedWeights, float* bias, float* residual, float* y, byte* scratch, int task)
        => Reference(p, x, (float*)packedWeights, bias, residual, y);

    /// <summary>The definition, over the dense form of the weights [outputs, inputs].</summary>
    public static void Reference(SparseMatMulParameters* p, float* x, float* weights, float* bias, float* residual, float* y)
    {
        MatMulParameters dense = MatMulParameters.Create(p->Tokens, p->Inputs, p->Outputs);
        dense.TransposeB = true;
        dense.Activation = p->Activation;
        MatMulF32.Reference(&dense, x, weights, bias, residual, y);
    }
}
