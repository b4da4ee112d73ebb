namespace EdgeSparse.Kernels.Attention;

public static unsafe partial class AttentionF32
{
    /// <summary>The definition in double precision; scores has room for one row of keys.</summary>
    public static void Reference(AttentionParameters* p, float* q, float* k, float* v, float* mask, float* y, double* scores)
    {
        for (int b = 0; b < p->Batch; b++)
            for (int h = 0; h < p->Heads; h++)
                for (int t = 0; t < p->Queries; t++)
                {
                    float* query = q + b * p->QueryBatchStride + h * p->QueryHeadStride + t * p->QueryTokenStride;
                    double maximum = double.NegativeInfinity, total = 0;
                    for (int s = 0; s < p->Keys; s++)
                    {
                        float* key = k + b * p->KeyBatchStride + h * p->KeyHeadStride + s * p->KeyTokenStride;
                        double dot = 0;
                        for (int i = 0; i < p->HeadSize; i++) dot += (double)query[i] * key[i];
                        dot *= p->Scale;
                        if (mask != null) dot += mask[b * p->MaskBatchStride + h * p->MaskHeadStride + t * p->MaskQueryStride + s * p->MaskKeyStride];
                        scores[s] = dot;
                        maximum = Math.Max(maximum, dot);
                    }
                    for (int s = 0; s < p->Keys; s++) total += scores[s] = Math.Exp(scores[s] - maximum);
                    float* result = y + b * p->OutputBatchStride + h * p->OutputHeadStride + t * p->OutputTokenStride;
                    for (int i = 0; i < p->ValueSize; i++)
                    {
                        double sum = 0;
                        for (int s = 0; s < p->Keys; s++) sum += scores[s] * v[b * p->ValueBatchStride + h * p->ValueHeadStride + s * p->ValueTokenStride + i];
                        result[i] = (float)(sum / total);
                    }
                }
    }
}
