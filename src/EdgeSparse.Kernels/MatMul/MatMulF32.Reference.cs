namespace EdgeSparse.Kernels.MatMul;

public static unsafe partial class MatMulF32
{
    /// <summary>The definition; b is B as stored (not packed). Double accumulation.</summary>
    public static void Reference(MatMulParameters* p, float* a, float* b, float* bias, float* residual, float* y)
    {
        for (long batch = 0; batch < p->BatchCount; batch++)
        {
            float* batchA = a + p->OffsetA(batch);
            float* batchB = b + p->OffsetB(batch);
            for (long row = 0; row < p->Rows; row++)
                for (long column = 0; column < p->Columns; column++)
                {
                    double sum = 0;
                    for (long k = 0; k < p->Inner; k++)
                        sum += (double)batchA[p->TransposeA ? k * p->Rows + row : row * p->Inner + k] * batchB[p->TransposeB ? column * p->Inner + k : k * p->Columns + column];
                    sum *= p->Alpha;
                    if (bias != null) sum += bias[column];
                    long at = (batch * p->Rows + row) * p->Columns + column;
                    if (residual != null) sum += residual[at];
                    y[at] = ActivationReference.Apply((float)sum, in p->Activation);
                }
        }
    }
}
