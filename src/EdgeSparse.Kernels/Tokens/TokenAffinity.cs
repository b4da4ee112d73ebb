using EdgeSparse.Kernels.Elementwise;

namespace EdgeSparse.Kernels.Tokens;

/// <summary>Parameters of <see cref="TokenAffinity"/>.</summary>
public struct TokenAffinityParameters
{
    public InstructionSet Isa;
    public int Batch;
    public int Tokens;
    /// <summary>The first tokens, which neither give nor get.</summary>
    public int Protected;
    public int Kept;
    public float Temperature;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;
    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>
/// The matrix that makes the kept tokens of all, many to many, after Zeng et al., "Token Transforming" (2025). A token that is not kept goes to each kept one j in shares
/// p[j|i] = softmax_j(cos[i,j] / temperature), a kept one to itself; matrix[j,i] = size[i]·p[j|i] / Σ_i size[i]·p[j|i], and that sum is the size of token j. Dropping and merging are special cases.
/// A similarity that is not a number has no share; where none is, all are alike.
/// </summary>
public static unsafe class TokenAffinity
{
    /// <exception cref="ArgumentException">No kept token to go to, or a temperature that is not positive.</exception>
    public static void Prepare(ref TokenAffinityParameters p)
    {
        if (p.Batch < 1 || p.Tokens < 1 || p.Protected < 0 || p.Kept <= p.Protected || p.Kept > p.Tokens) throw new ArgumentException($"{p.Batch}x{p.Tokens} tokens to {p.Kept}, {p.Protected} of them protected");
        if (!(p.Temperature > 0)) throw new ArgumentException($"temperature {p.Temperature}, expected above 0");
        p.TaskCount = p.Batch;
        p.ScratchBytes = (long)p.Kept * (sizeof(int) + sizeof(float));
    }

    /// <summary>Runs one task: one picture.</summary>
    /// <param name="similarities">[batch, tokens, tokens]</param>
    /// <param name="selection">[batch, tokens]: number of each kept token, −1 for the others.</param>
    /// <param name="sizes">[batch, tokens], or null.</param>
    /// <param name="matrix">[batch, kept, tokens]</param>
    /// <param name="keptSizes">[batch, kept]</param>
    /// <param name="map">[batch, tokens]: the kept token of each one's largest share.</param>
    public static void Run(TokenAffinityParameters* p, float* similarities, int* selection, float* sizes, float* matrix, float* keptSizes, int* map, byte* scratch, int task)
    {
        int tokens = p->Tokens, kept = p->Kept;
        var token = (int*)scratch;
        var shares = (float*)(token + kept);
        similarities += (long)task * tokens * tokens;
        selection += (long)task * tokens;
        matrix += (long)task * kept * tokens;
        keptSizes += (long)task * kept;
        map += (long)task * tokens;
        for (int j = 0; j < kept; j++) token[j] = -1;
        for (int i = 0; i < tokens; i++)
            if ((uint)selection[i] < (uint)kept) token[selection[i]] = i;
        for (int i = 0; i < tokens; i++)
        {
            float size = sizes == null ? 1 : sizes[(long)task * tokens + i];
            int own = selection[i];
            if ((uint)own < (uint)kept)
            {
                for (int j = 0; j < kept; j++) matrix[(long)j * tokens + i] = j == own ? size : 0;
                map[i] = own;
                continue;
            }
            float* row = similarities + (long)i * tokens;
            int nearest = p->Protected;
            float most = float.NegativeInfinity;
            for (int j = p->Protected; j < kept; j++)
                if (token[j] >= 0 && row[token[j]] > most) (most, nearest) = (row[token[j]], j);
            map[i] = nearest;
            for (int j = p->Protected; j < kept; j++)
            {
                float distance = token[j] < 0 ? float.NaN : (row[token[j]] - most) / p->Temperature;
                shares[j] = distance <= 0 ? distance : float.NegativeInfinity;
            }
            UnaryLoop.Run<ExpOperation>(p->Isa, shares + p->Protected, shares + p->Protected, kept - p->Protected, 0, 0);
            float total = 0;
            for (int j = p->Protected; j < kept; j++) total += shares[j];
            for (int j = 0; j < kept; j++)
                matrix[(long)j * tokens + i] = j < p->Protected ? 0 : size * (total > 0 ? shares[j] / total : 1f / (kept - p->Protected));
        }
        for (int j = 0; j < kept; j++)
        {
            float* row = matrix + (long)j * tokens;
            double total = 0;
            for (int i = 0; i < tokens; i++) total += row[i];
            keptSizes[j] = (float)total;
            if (total == 0) continue;
            for (int i = 0; i < tokens; i++) row[i] = (float)(row[i] / total);
        }
    }

    /// <summary>The definition in double precision, from normalised keys [batch, tokens, size].</summary>
    public static void Reference(TokenAffinityParameters* p, double* keys, int size, int* selection, float* sizes, double* matrix, double* keptSizes, int* map)
    {
        for (long b = 0; b < p->Batch; b++)
        {
            long first = b * p->Tokens;
            int[] stays = [.. Enumerable.Range(0, p->Tokens).Where(i => selection[first + i] >= 0)];
            double* picture = keys + first * size;
            double Cosine(int i, int j)
            {
                double dot = 0;
                for (int n = 0; n < size; n++) dot += picture[(long)i * size + n] * picture[(long)j * size + n];
                return dot;
            }
            for (int i = 0; i < p->Tokens; i++)
            {
                double own = sizes == null ? 1 : sizes[first + i];
                double[] shares = [.. stays.Select((to, j) => selection[first + i] >= 0 ? (to == i ? 1 : 0) : j < p->Protected ? 0 : Math.Exp(Cosine(i, to) / p->Temperature))];
                for (int j = 0; j < stays.Length; j++) matrix[(b * p->Kept + j) * p->Tokens + i] = own * shares[j] / shares.Sum();
                map[first + i] = Array.IndexOf(shares, shares.Max());
            }
            for (long j = b * p->Kept; j < (b + 1) * p->Kept; j++)
            {
                double total = 0;
                for (int i = 0; i < p->Tokens; i++) total += matrix[j * p->Tokens + i];
                keptSizes[j] = total;
                for (int i = 0; i < p->Tokens; i++) matrix[j * p->Tokens + i] /= total;
            }
        }
    }
}
