namespace EdgeSparse.Kernels.Tokens;

/// <summary>Parameters of <see cref="TokenAssign"/>.</summary>
public struct TokenAssignParameters
{
    public InstructionSet Isa;
    public int Batch;
    public int Tokens;
    /// <summary>The first tokens, each a cluster of its own.</summary>
    public int Protected;
    public int Clusters;
    public int Channels;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;
    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>
/// One assignment of Lloyd's algorithm, for token pooling after Marin et al., "Token Pooling in Vision Transformers" (WACV 2023): each token goes to the cluster whose centre is nearest (of
/// equal ones the first). A cluster that gets none takes the token farthest from its centre out of those with several.
/// </summary>
public static unsafe class TokenAssign
{
    /// <exception cref="ArgumentException">More clusters than tokens, or none for tokens that are not protected.</exception>
    public static void Prepare(ref TokenAssignParameters p)
    {
        if (p.Batch < 1 || p.Tokens < 1 || p.Channels < 1 || p.Protected < 0 || p.Clusters > p.Tokens || p.Clusters < p.Protected || (p.Clusters == p.Protected && p.Tokens > p.Protected))
            throw new ArgumentException($"{p.Batch}x{p.Tokens} tokens, {p.Protected} of them protected, in {p.Clusters} clusters");
        p.TaskCount = p.Batch;
        p.ScratchBytes = (long)p.Clusters * (sizeof(float) + sizeof(int)) + (long)p.Tokens * sizeof(float);
    }

    /// <summary>Runs one task: one picture.</summary>
    /// <param name="products">[batch, tokens, clusters]: each token's product with each centre.</param>
    /// <param name="centres">[batch, clusters, channels]</param>
    /// <param name="x">[batch, tokens, channels]</param>
    /// <param name="map">[batch, tokens]</param>
    public static void Run(TokenAssignParameters* p, float* products, float* centres, float* x, int* map, byte* scratch, int task)
    {
        int tokens = p->Tokens, clusters = p->Clusters;
        var norms = (float*)scratch;
        var distances = norms + clusters;
        var members = (int*)(distances + tokens);
        products += (long)task * tokens * clusters;
        centres += (long)task * clusters * p->Channels;
        x += (long)task * tokens * p->Channels;
        map += (long)task * tokens;
        for (int j = 0; j < clusters; j++)
        {
            norms[j] = 0.5f * TokenRows.SumOfSquares(p->Isa, centres + (long)j * p->Channels, p->Channels);
            members[j] = 0;
        }
        for (int i = 0; i < tokens; i++)
        {
            int nearest = i;
            distances[i] = float.NegativeInfinity;
            if (i >= p->Protected)
            {
                // ½‖x − c‖² = ½‖x‖² − (x·c − ½‖c‖²)
                nearest = p->Protected;
                float most = float.NegativeInfinity;
                float* row = products + (long)i * clusters;
                for (int j = p->Protected; j < clusters; j++)
                    if (row[j] - norms[j] > most) (most, nearest) = (row[j] - norms[j], j);
                distances[i] = 0.5f * TokenRows.SumOfSquares(p->Isa, x + (long)i * p->Channels, p->Channels) - most;
            }
            map[i] = nearest;
            members[nearest]++;
        }
        for (int j = p->Protected; j < clusters; j++)
        {
            if (members[j] > 0) continue;
            int farthest = -1;
            for (int i = p->Protected; i < tokens; i++)
                if (members[map[i]] > 1 && (farthest < 0 || distances[i] > distances[farthest])) farthest = i;
            members[map[farthest]]--;
            members[j] = 1;
            map[farthest] = j;
            distances[farthest] = 0;
        }
    }

    /// <summary>The definition in double precision.</summary>
    public static void Reference(TokenAssignParameters* p, float* centres, float* x, int* map)
    {
        for (int b = 0; b < p->Batch; b++, centres += (long)p->Clusters * p->Channels, x += (long)p->Tokens * p->Channels, map += p->Tokens)
        {
            float* c = centres, t = x;
            double Distance(int i, int j)
            {
                double sum = 0;
                for (int n = 0; n < p->Channels; n++) sum += Math.Pow((double)t[(long)i * p->Channels + n] - c[(long)j * p->Channels + n], 2);
                return sum;
            }
            int[] free = [.. Enumerable.Range(p->Protected, p->Clusters - p->Protected)];
            for (int i = 0; i < p->Tokens; i++) map[i] = i < p->Protected ? i : free.MinBy(j => Distance(i, j));
            foreach (int j in free)
            {
                int[] now = [.. Enumerable.Range(0, p->Tokens).Select(i => map[i])];
                if (now.Contains(j)) continue;
                map[Enumerable.Range(p->Protected, p->Tokens - p->Protected).Where(i => now.Count(m => m == now[i]) > 1).MaxBy(i => Distance(i, now[i]))] = j;
            }
        }
    }
}
