namespace EdgeSparse.Kernels.Tokens;

/// <summary>Parameters of <see cref="TokenDiverse"/>.</summary>
public struct TokenDiverseParameters
{
    public int Batch;
    public int Tokens;
    /// <summary>The first tokens, which stay.</summary>
    public int Protected;
    /// <summary>Others that stay.</summary>
    public int Keep;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;
    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>
/// The map that keeps tokens unlike one another, by similarity alone, after Alvar et al., "DivPrune" (CVPR 2025): first the token least similar to its most similar one, then again and
/// again the one least similar to the most similar of those kept (of equal ones the first; NaN is similar to nothing). Tokens keep their order, the others are dropped.
/// </summary>
public static unsafe class TokenDiverse
{
    /// <exception cref="ArgumentException">More to keep than there are tokens.</exception>
    public static void Prepare(ref TokenDiverseParameters p)
    {
        if (p.Batch < 1 || p.Tokens < 1 || p.Protected < 0 || p.Keep < 0 || p.Protected + (long)p.Keep > p.Tokens || p.Protected + p.Keep < 1)
            throw new ArgumentException($"{p.Keep} of {p.Batch}x{p.Tokens} tokens, {p.Protected} of them protected");
        p.TaskCount = p.Batch;
        p.ScratchBytes = (long)p.Tokens * sizeof(float);
    }

    /// <summary>Runs one task: one picture.</summary>
    /// <param name="similarities">[batch, tokens, tokens]</param>
    /// <param name="map">[batch, tokens]</param>
    public static void Run(TokenDiverseParameters* p, float* similarities, int* map, byte* scratch, int task)
    {
        int tokens = p->Tokens, first = p->Protected;
        var nearest = (float*)scratch;
        similarities += (long)task * tokens * tokens;
        map += (long)task * tokens;
        for (int i = 0; i < tokens; i++)
        {
            map[i] = i < first ? 0 : -1;
            nearest[i] = float.NegativeInfinity;
            for (int j = first; j < tokens; j++)
                if (j != i) nearest[i] = Larger(nearest[i], similarities[(long)i * tokens + j]);
        }
        for (int picked = 0; picked < p->Keep; picked++)
        {
            int best = -1;
            for (int i = first; i < tokens; i++)
                if (map[i] < 0 && (best < 0 || nearest[i] < nearest[best])) best = i;
            map[best] = 0;
            float* row = similarities + (long)best * tokens;
            for (int i = first; i < tokens; i++) nearest[i] = Larger(picked == 0 ? float.NegativeInfinity : nearest[i], row[i]);
        }
        int next = 0;
        for (int i = 0; i < tokens; i++)
            if (map[i] == 0) map[i] = next++;
    }

    private static float Larger(float a, float b) => b > a ? b : a;

    /// <summary>The definition in double precision, from normalised keys [batch, tokens, size].</summary>
    public static void Reference(TokenDiverseParameters* p, double* keys, int size, int* map)
    {
        for (int b = 0; b < p->Batch; b++, keys += (long)p->Tokens * size, map += p->Tokens)
        {
            double* picture = keys;
            double Cosine(int i, int j)
            {
                double dot = 0;
                for (int n = 0; n < size; n++) dot += picture[(long)i * size + n] * picture[(long)j * size + n];
                return double.IsNaN(dot) ? double.NegativeInfinity : dot;
            }
            int[] candidates = [.. Enumerable.Range(p->Protected, p->Tokens - p->Protected)];
            var stay = new List<int>();
            while (stay.Count < p->Keep)
                stay.Add(candidates.Except(stay).MinBy(i => (stay.Count == 0 ? candidates.Where(j => j != i) : stay).Select(j => Cosine(i, j)).DefaultIfEmpty(double.NegativeInfinity).Max()));
            int next = 0;
            for (int i = 0; i < p->Tokens; i++) map[i] = i < p->Protected || stay.Contains(i) ? next++ : -1;
        }
    }
}
