using EdgeSparse.Kernels.Elementwise;

namespace EdgeSparse.Kernels.Tokens;

/// <summary>Parameters of <see cref="TokenScore"/>.</summary>
public struct TokenScoreParameters
{
    public InstructionSet Isa;
    public int Batch;
    public int Tokens;
    public TokenVectors Keys;
    /// <summary>As many vectors of the same size as the keys.</summary>
    public TokenVectors Queries;
    public float Scale;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;
    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>
/// How much the class token, the first one, attends to each token: y[t] = mean_h softmax_t(scale · q[0,h]·k[t,h] + bias[t]). A score that is not a number gets no attention.
/// </summary>
public static unsafe class TokenScore
{
    /// <exception cref="ArgumentException">Queries that are not like the keys.</exception>
    public static void Prepare(ref TokenScoreParameters p)
    {
        p.Keys.Check();
        p.Queries.Check();
        if (p.Batch < 1 || p.Tokens < 1 || p.Keys.Heads != p.Queries.Heads || p.Keys.HeadSize != p.Queries.HeadSize)
            throw new ArgumentException($"{p.Batch}x{p.Tokens} tokens, {p.Queries.Heads} queries of {p.Queries.HeadSize} and {p.Keys.Heads} keys of {p.Keys.HeadSize} each");
        p.TaskCount = p.Batch;
        p.ScratchBytes = (long)p.Tokens * sizeof(float);
    }

    /// <summary>Runs one task: one picture.</summary>
    /// <param name="bias">[batch, tokens], or null.</param>
    public static void Run(TokenScoreParameters* p, float* keys, float* queries, float* bias, float* y, byte* scratch, int task)
    {
        int tokens = p->Tokens;
        var scores = (float*)scratch;
        keys += (long)task * tokens * p->Keys.Width + p->Keys.Offset;
        queries += (long)task * tokens * p->Queries.Width + p->Queries.Offset;
        y += (long)task * tokens;
        for (int t = 0; t < tokens; t++) y[t] = 0;
        for (int head = 0; head < p->Keys.Heads; head++, keys += p->Keys.HeadStride, queries += p->Queries.HeadStride)
        {
            float most = float.NegativeInfinity;
            for (int t = 0; t < tokens; t++)
            {
                float score = TokenRows.Dot(p->Isa, keys + (long)t * p->Keys.Width, queries, p->Keys.HeadSize) * p->Scale;
                if (bias != null) score += bias[(long)task * tokens + t];
                scores[t] = float.IsNaN(score) ? float.NegativeInfinity : score;
                most = Math.Max(most, scores[t]);
            }
            if (float.IsInfinity(most)) most = most > 0 ? float.MaxValue : 0;
            for (int t = 0; t < tokens; t++) scores[t] = Math.Min(scores[t] - most, 0);
            UnaryLoop.Run<ExpOperation>(p->Isa, scores, scores, tokens, 0, 0);
            double total = 0;
            for (int t = 0; t < tokens; t++) total += scores[t];
            if (total == 0) continue;
            float share = (float)(1 / (total * p->Keys.Heads));
            TokenRows.Add(p->Isa, scores, share, y, tokens, accumulate: true);
        }
    }

    /// <summary>The definition in double precision, for finite vectors.</summary>
    public static void Reference(TokenScoreParameters* p, float* keys, float* queries, float* bias, double* y)
    {
        for (long b = 0; b < p->Batch; b++)
        {
            for (int t = 0; t < p->Tokens; t++) y[b * p->Tokens + t] = 0;
            for (int head = 0; head < p->Keys.Heads; head++)
            {
                var scores = new double[p->Tokens];
                for (int t = 0; t < p->Tokens; t++)
                {
                    for (int i = 0; i < p->Keys.HeadSize; i++)
                        scores[t] += (double)keys[(b * p->Tokens + t) * p->Keys.Width + p->Keys.Offset + (long)head * p->Keys.HeadStride + i]
                            * queries[b * p->Tokens * p->Queries.Width + p->Queries.Offset + (long)head * p->Queries.HeadStride + i];
                    scores[t] = scores[t] * p->Scale + (bias == null ? 0 : bias[b * p->Tokens + t]);
                }
                double most = scores.Max(), total = scores.Sum(score => Math.Exp(score - most));
                for (int t = 0; t < p->Tokens; t++) y[b * p->Tokens + t] += Math.Exp(scores[t] - most) / total / p->Keys.Heads;
            }
        }
    }
}
