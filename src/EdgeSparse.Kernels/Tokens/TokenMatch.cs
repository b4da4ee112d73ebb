using EdgeSparse.Kernels.Reduction;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Tokens;

/// <summary>Parameters of <see cref="TokenMatch"/>.</summary>
public struct TokenMatchParameters
{
    public InstructionSet Isa;
    public int Batch;
    public int Tokens;
    /// <summary>The first tokens, which never merge.</summary>
    public int Protected;
    /// <summary>Pairs to merge, at most (tokens − protected) / 2.</summary>
    public int Merges;
    /// <summary>Instead of <see cref="Merges"/>, all pairs merge that are more similar than <see cref="Threshold"/>, and as many more as it takes to leave <see cref="Kept"/> tokens.</summary>
    public bool ByThreshold;
    public float Threshold;
    public int Kept;
    /// <summary>Elements from one row of similarities to the next: tokens of set B at most.</summary>
    public int Pitch;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;
    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;

    /// <summary>Tokens 0, 2, 4 ….</summary>
    public readonly int SetA => (Tokens + 1) / 2;

    /// <summary>Tokens 1, 3, 5 ….</summary>
    public readonly int SetB => Tokens / 2;
}

/// <summary>
/// Bipartite soft matching, after Bolya et al., "Token Merging: Your ViT But Faster" (ICLR 2023). From the similarities [A, B] of the alternate tokens it makes the map of
/// the reduced tokens: each token of A prefers the token of B most similar to it (of equal ones the first; NaN is similar to nothing), and the pairs of largest similarity
/// (of equal ones the first) become one token. Tokens keep the order of their positions, a pair that of its token of B.
/// </summary>
public static unsafe class TokenMatch
{
    /// <exception cref="ArgumentException">More merges than there are pairs.</exception>
    public static void Prepare(ref TokenMatchParameters p)
    {
        if (p.Batch < 1 || p.Tokens < 1 || p.Protected < 0 || p.Protected > p.Tokens || p.Merges < 0 || p.Merges > (p.Tokens - p.Protected) / 2)
            throw new ArgumentException($"{p.Merges} merges among {p.Tokens} tokens, {p.Protected} of them protected, expected at most {(p.Tokens - p.Protected) / 2}");
        if (p.ByThreshold && (p.Batch != 1 || p.Kept > p.Tokens || p.Tokens - p.Kept > (p.Tokens - p.Protected) / 2 || float.IsNaN(p.Threshold)))
            throw new ArgumentException($"{p.Batch}x{p.Tokens} tokens by threshold {p.Threshold} to at most {p.Kept}, {p.Protected} of them protected");
        p.Pitch = p.SetB;
        p.TaskCount = p.Batch;
        p.ScratchBytes = (long)p.SetA * (sizeof(long) + sizeof(float) + sizeof(int));
    }

    /// <summary>Runs one task: one picture.</summary>
    /// <param name="similarities">[batch, A, B]</param>
    /// <param name="count">How many of the tokens are there, the first ones; null: all.</param>
    /// <param name="map">[batch, tokens]; −1 for a token that is not there.</param>
    /// <param name="countLeft">How many are left; null for a fixed number of merges.</param>
    public static void Run(TokenMatchParameters* p, float* similarities, int* count, int* map, int* countLeft, byte* scratch, int task)
    {
        int present = count == null ? p->Tokens : Math.Clamp(*count, Math.Max(p->Protected, 1), p->Tokens);
        int rows = (present + 1) / 2, columns = present / 2;
        var order = (long*)scratch;
        var best = (float*)(order + p->SetA);
        var partner = (int*)(best + p->SetA);
        similarities += (long)task * p->SetA * p->Pitch;
        map += (long)task * p->Tokens;

        // Of protected tokens, those of A find nobody and nobody finds those of B.
        int protectedA = (p->Protected + 1) / 2, protectedB = p->Protected / 2, similar = 0;
        for (int i = protectedA; i < rows; i++)
        {
            best[i] = float.NegativeInfinity;
            partner[i] = protectedB;
            if (columns > protectedB) partner[i] = protectedB + Largest(p->Isa, similarities + (long)i * p->Pitch + protectedB, columns - protectedB, best + i);
            if (p->ByThreshold && Math.Min(best[i], 1) > p->Threshold) similar++;
        }
        int merges = p->ByThreshold ? Math.Clamp(similar, Math.Max(0, present - p->Kept), (present - p->Protected) / 2) : p->Merges;
        for (int i = 0; i < p->Tokens; i++) map[i] = i < present ? i : -1;
        TopK.Select(best + protectedA, 1, rows - protectedA, merges, true, order);
        for (int i = 0; i < merges; i++)
        {
            long a = protectedA + order[i];
            map[2 * a] = 2 * partner[a] + 1;
        }
        Renumber(map, present);
        if (countLeft != null) *countLeft = present - merges;
    }

    /// <summary>From the token that each one goes to, one that stays, to that token's number among those that stay.</summary>
    private static void Renumber(int* map, int tokens)
    {
        int kept = 0;
        // A token that stays maps to itself; its number is kept complemented until those that go to it have read it.
        for (int i = 0; i < tokens; i++)
            if (map[i] == i) map[i] = ~kept++;
        for (int i = 0; i < tokens; i++)
            if (map[i] >= 0) map[i] = map[map[i]];
        for (int i = 0; i < tokens; i++) map[i] = ~map[i];
    }

    /// <summary>Position of the first largest element, and its value; NaN is passed over. Position 0 and −∞ where nothing is larger.</summary>
    private static int Largest(InstructionSet isa, float* x, int count, float* value)
    {
        if (isa == InstructionSet.Avx512 && InstructionSets.IsCompiled(InstructionSet.Avx512)) return Largest<Float512>(x, count, value);
        if (isa >= InstructionSet.Avx2 && InstructionSets.IsCompiled(InstructionSet.Avx2)) return Largest<Float256>(x, count, value);
        return Largest<Float128>(x, count, value);
    }

    private static int Largest<V>(float* x, int count, float* value) where V : unmanaged, IFloatVector<V>
    {
        V most = V.Create(float.NegativeInfinity);
        int i = 0;
        for (; i + V.Count <= count; i += V.Count)
        {
            V lanes = V.Load(x + i);
            most = V.Select(V.Less(most, lanes), lanes, most);
        }
        float largest = V.MaxAcross(most);
        for (; i < count; i++) if (x[i] > largest) largest = x[i];
        *value = largest;
        if (float.IsNegativeInfinity(largest)) return 0;
        V wanted = V.Create(largest);
        for (i = 0; i + V.Count <= count; i += V.Count)
            if (V.Any(V.Equal(V.Load(x + i), wanted))) break;
        while (x[i] != largest) i++;
        return i;
    }

    /// <summary>The definition in double precision, from normalised keys [batch, tokens, size] in order, of which the first `count` are there; returns how many are left.</summary>
    public static int Reference(TokenMatchParameters* p, double* keys, int size, int count, int* map)
    {
        int tokens = count, left = count;
        for (int picture = 0; picture < p->Batch; picture++, keys += (long)p->Tokens * size, map += p->Tokens)
        {
            var pairs = new List<(double Similarity, int A, int B)>();
            for (int a = 0; a < tokens; a += 2)
            {
                if (a < p->Protected) continue;
                double most = double.NegativeInfinity;
                int partner = -1;
                for (int b = 1; b < tokens; b += 2)
                {
                    if (b < p->Protected) continue;
                    if (partner < 0) partner = b;
                    double dot = 0;
                    for (int i = 0; i < size; i++) dot += keys[(long)a * size + i] * keys[(long)b * size + i];
                    if (dot > most) (most, partner) = (dot, b);
                }
                if (partner >= 0) pairs.Add((most, a, partner));
            }
            for (int i = 0; i < p->Tokens; i++) map[i] = i < tokens ? i : -1;
            int merges = p->ByThreshold ? Math.Clamp(pairs.Count(pair => Math.Min(pair.Similarity, 1) > p->Threshold), Math.Max(0, tokens - p->Kept), (tokens - p->Protected) / 2) : p->Merges;
            left = tokens - merges;
            foreach ((_, int a, int b) in pairs.OrderByDescending(pair => pair.Similarity).Take(merges)) map[a] = b;
            int[] stays = [.. Enumerable.Range(0, tokens).Where(i => map[i] == i)];
            for (int i = 0; i < tokens; i++) map[i] = Array.IndexOf(stays, map[i] == i ? i : map[i]) is >= 0 and var number ? ~number : throw new InvalidOperationException("a token went to one that went");
            for (int i = 0; i < tokens; i++) map[i] = ~map[i];
        }
        return left;
    }
}
