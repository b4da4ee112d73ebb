using EdgeSparse.Kernels.Reduction;

namespace EdgeSparse.Kernels.Tokens;

/// <summary>Parameters of <see cref="TokenSelect"/>.</summary>
public struct TokenSelectParameters
{
    public int Batch;
    public int Tokens;
    /// <summary>The first tokens, which stay.</summary>
    public int Protected;
    /// <summary>Others that stay.</summary>
    public int Keep;
    /// <summary>Those that do not stay become one token, the last; else they are dropped.</summary>
    public bool Fuse;
    /// <summary>Cells along each side of the picture, of each of which one token stays; 0: none.</summary>
    public int Cells;
    /// <summary>Patches of the picture, of which the positions of tokens are numbers, row by row.</summary>
    public int Rows;
    public int Columns;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;
    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;

    /// <summary>Tokens that remain.</summary>
    public readonly int Kept => Protected + Keep + (Fuse && Keep < Tokens - Protected ? 1 : 0);
}

/// <summary>
/// The map that keeps the tokens of largest score (of equal ones the first; NaN is the least), in the order of their positions, after Liang et al., "EViT: Expediting Vision Transformers via
/// Token Reorganizations" (ICLR 2022). With cells the best token of each cell of the picture stays first, so that no region vanishes, after Endo et al., "Feather the Throttle" (2024).
/// </summary>
public static unsafe class TokenSelect
{
    /// <exception cref="ArgumentException">More to keep than there are tokens, or more cells than tokens to keep.</exception>
    public static void Prepare(ref TokenSelectParameters p)
    {
        if (p.Batch < 1 || p.Tokens < 1 || p.Protected < 0 || p.Keep < 0 || p.Protected + (long)p.Keep > p.Tokens || p.Protected + p.Keep < 1)
            throw new ArgumentException($"{p.Keep} of {p.Batch}x{p.Tokens} tokens, {p.Protected} of them protected");
        if (p.Cells < 0 || (p.Cells > 0 && (p.Rows < p.Cells || p.Columns < p.Cells || (long)p.Cells * p.Cells > p.Keep)))
            throw new ArgumentException($"{p.Cells}x{p.Cells} cells of {p.Rows}x{p.Columns} patches with {p.Keep} tokens to keep");
        p.TaskCount = p.Batch;
        p.ScratchBytes = (long)p.Tokens * (sizeof(long) + sizeof(float)) + (long)p.Cells * p.Cells * sizeof(int);
    }

    /// <summary>Runs one task: one picture.</summary>
    /// <param name="scores">[batch, tokens]</param>
    /// <param name="positions">[batch, tokens]: number of each token's patch, −1 for none; not read without cells.</param>
    /// <param name="map">[batch, tokens]</param>
    public static void Run(TokenSelectParameters* p, float* scores, float* positions, int* map, byte* scratch, int task)
    {
        int tokens = p->Tokens;
        var order = (long*)scratch;
        var rank = (float*)(order + tokens);
        var best = (int*)(rank + tokens);
        scores += (long)task * tokens;
        map += (long)task * tokens;
        for (int i = 0; i < tokens; i++)
        {
            // Protected tokens come before all others.
            rank[i] = i < p->Protected ? float.PositiveInfinity : float.IsNaN(scores[i]) ? float.NegativeInfinity : Math.Min(scores[i], float.MaxValue);
            map[i] = -1;
        }
        if (p->Cells > 0) KeepOneOfEachCell(p, rank, positions + (long)task * tokens, best);
        int kept = p->Protected + p->Keep;
        TopK.Select(rank, 1, tokens, kept, true, order);
        for (int i = 0; i < kept; i++) map[order[i]] = 0;
        int next = 0;
        for (int i = 0; i < tokens; i++) map[i] = map[i] == 0 ? next++ : p->Fuse ? kept : -1;
    }

    private static void KeepOneOfEachCell(TokenSelectParameters* p, float* rank, float* positions, int* best)
    {
        int cells = p->Cells, patches = p->Rows * p->Columns;
        for (int cell = 0; cell < cells * cells; cell++) best[cell] = -1;
        for (int i = p->Protected; i < p->Tokens; i++)
        {
            if (!(positions[i] >= 0 && positions[i] < patches)) continue;
            int patch = (int)positions[i], cell = patch / p->Columns * cells / p->Rows * cells + patch % p->Columns * cells / p->Columns;
            if (best[cell] < 0 || rank[i] > rank[best[cell]]) best[cell] = i;
        }
        for (int cell = 0; cell < cells * cells; cell++)
            if (best[cell] >= 0) rank[best[cell]] = float.PositiveInfinity;
    }

    /// <summary>The definition, by sorting.</summary>
    public static void Reference(TokenSelectParameters* p, float* scores, float* positions, int* map)
    {
        for (int b = 0; b < p->Batch; b++, scores += p->Tokens, positions += p->Cells > 0 ? p->Tokens : 0, map += p->Tokens)
        {
            double Rank(int i) => double.IsNaN(scores[i]) ? double.NegativeInfinity : scores[i];
            int[] candidates = [.. Enumerable.Range(p->Protected, p->Tokens - p->Protected).OrderByDescending(Rank)];
            var stay = new HashSet<int>(Enumerable.Range(0, p->Protected));
            if (p->Cells > 0)
            {
                foreach (IGrouping<(int, int), int> cell in candidates.Where(i => positions[i] >= 0 && positions[i] < p->Rows * p->Columns)
                    .GroupBy(i => ((int)positions[i] / p->Columns * p->Cells / p->Rows, (int)positions[i] % p->Columns * p->Cells / p->Columns))) stay.Add(cell.First());
            }
            foreach (int i in candidates)
                if (stay.Count < p->Protected + p->Keep) stay.Add(i);
            int next = 0;
            for (int i = 0; i < p->Tokens; i++) map[i] = stay.Contains(i) ? next++ : p->Fuse ? stay.Count : -1;
        }
    }
}
