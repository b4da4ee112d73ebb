using EdgeSparse.Kernels.MatMul;

namespace EdgeSparse.Kernels.ActivationSparsity;

public static unsafe partial class GatheredMatMulF32
{
    /// <summary>The definition, in double precision, over weights [outputs, inputs].</summary>
    public static void Reference(GatheredMatMulParameters* p, float* x, float* weights, float* bias, float* residual, float* y)
    {
        var kept = new float[(long)p->Tokens * p->Inputs];
        fixed (float* selected = kept)
        {
            ActivationMask.Reference(p->Selection, x, p->Tokens, p->Inputs, selected);
            MatMulParameters dense = MatMulParameters.Create(p->Tokens, p->Inputs, p->Outputs);
            dense.TransposeB = true;
            dense.Activation = p->Activation;
            MatMulF32.Reference(&dense, selected, weights, bias, residual, y);
        }
    }
}
