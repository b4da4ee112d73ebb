using EdgeSparse.Kernels.MatMul;
using EdgeSparse.Kernels.Reduction;
using EdgeSparse.Kernels.Tokens;

namespace EdgeSparse.Kernels.Attention;

/// <summary>
/// Parameters of <see cref="AttentionRoute"/>. Patches lie in a grid after some prefix tokens. Queries are taken by regions, keys by cells, both blocks of patches numbered row by row, those
/// at the lower and right edge cut to the grid. Affinities are of probes, blocks that divide a region.
/// </summary>
public struct AttentionRouteParameters
{
    public InstructionSet Isa;
    /// <summary>Lists to write: one for each picture, or for each head of each picture.</summary>
    public int Tables;
    /// <summary>Tokens before the patches, which see and are seen by all.</summary>
    public int Prefix;
    public int GridHeight;
    public int GridWidth;
    public int RegionHeight;
    public int RegionWidth;
    public int ProbeHeight;
    public int ProbeWidth;
    public int CellHeight;
    public int CellWidth;
    /// <summary>Cells that a region keeps.</summary>
    public int Kept;
    /// <summary>Columns of the affinities before those of the cells.</summary>
    public int Skip;

    /// <summary>Derived: groups of a list.</summary>
    public int Groups;
    /// <summary>Derived: 32-bit words of a list.</summary>
    public int TableWords;
    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;
    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;

    public readonly int Regions => TileSplit.Count(GridHeight, RegionHeight) * TileSplit.Count(GridWidth, RegionWidth);

    public readonly int Probes => TileSplit.Count(GridHeight, ProbeHeight) * TileSplit.Count(GridWidth, ProbeWidth);

    public readonly int Cells => TileSplit.Count(GridHeight, CellHeight) * TileSplit.Count(GridWidth, CellWidth);

    public readonly int Tokens => Prefix + GridHeight * GridWidth;

    /// <summary>Keys that a region sees at most.</summary>
    public readonly int KeysOfRegion => Prefix + (int)Math.Min((long)Kept * CellHeight * CellWidth, (long)GridHeight * GridWidth);

    internal readonly int RegionQueries => RegionHeight * RegionWidth;

    /// <summary>Runs of keys of a region at most.</summary>
    internal readonly int RegionRuns => (Prefix > 0 ? 1 : 0) + Kept * CellHeight;
}

/// <summary>
/// Writes, for each picture or head, the groups of queries and keys that attention walks over (<see cref="AttentionPattern"/>): a region of queries keeps the cells of keys for which
/// Σ n_i · affinity[i, cell], over its probes i of n_i patches, is largest; of equal sums the first.
/// With regions, probes and cells the same and affinities of region means this is the region-to-region routing of Zhu et al., "BiFormer: Vision Transformer with Bi-Level Routing Attention"
/// (CVPR 2023); with affinities that are softmaxed over smaller cells it is a predicted connectivity mask as Wei et al., "Sparsifiner" (CVPR 2023) use it, predicted without training: few
/// mean keys and queries in place of their learned low-rank ones.
/// </summary>
public static unsafe class AttentionRoute
{
    /// <exception cref="ArgumentException">Blocks that do not fit the grid or each other, or more cells to keep than there are.</exception>
    public static void Prepare(ref AttentionRouteParameters p)
    {
        bool fits = p.Tables > 0 && p.Prefix >= 0 && p.Skip >= 0 && p.GridHeight is > 0 and <= 1 << 15 && p.GridWidth is > 0 and <= 1 << 15
            && p.RegionHeight > 0 && p.RegionHeight <= p.GridHeight && p.RegionWidth > 0 && p.RegionWidth <= p.GridWidth
            && p.CellHeight > 0 && p.CellHeight <= p.GridHeight && p.CellWidth > 0 && p.CellWidth <= p.GridWidth
            && p.ProbeHeight > 0 && p.RegionHeight % p.ProbeHeight == 0 && p.ProbeWidth > 0 && p.RegionWidth % p.ProbeWidth == 0
            && p.Kept > 0 && p.Kept <= p.Cells;
        if (!fits)
        {
            throw new ArgumentException($"attention routed to {p.Kept} cells of {p.CellHeight}x{p.CellWidth} from regions of {p.RegionHeight}x{p.RegionWidth}, probed by {p.ProbeHeight}x{p.ProbeWidth}, "
                + $"over {p.GridHeight}x{p.GridWidth} patches: expected blocks within the grid, probes that divide a region, and at least one cell to keep of those that there are");
        }
        p.Groups = (p.Prefix > 0 ? 1 : 0) + p.Regions;
        long words = (long)p.Groups * AttentionPattern.GroupInts + p.Prefix + 2 + (long)p.Regions * (p.RegionQueries + 2L * p.RegionRuns);
        if (words > int.MaxValue / sizeof(int)) throw new ArgumentException($"a list of {words} words, expected fewer than 2^29");
        p.TableWords = (int)words;
        p.TaskCount = p.Tables;
        // Sums and marks of cells.
        p.ScratchBytes = (long)p.Cells * (sizeof(float) + sizeof(int));
    }

    /// <summary>
    /// Time that one head takes, in the unit of <see cref="AttentionPattern.Work"/>: the groups and what chooses their keys. Where all heads share a list, that is means and one product of them; a list
    /// for each head has a softmax of short rows and a choice among many cells besides. The numbers were measured on Zen 3 at 65, 197 and 785 tokens.
    /// </summary>
    public static double Work(in AttentionRouteParameters p, InstructionSet isa, bool listOfEachHead)
    {
        const double steps = 1000, mean = 7;
        double work = p.Prefix > 0 ? AttentionPattern.DenseWork(isa, p.Prefix, p.Tokens) : 0, pairs = (double)p.Probes * (p.Skip + p.Cells);
        work += (double)p.Regions * p.KeysOfRegion * (AttentionPattern.Lanes(isa, p.RegionQueries) + AttentionPattern.GatherQueries);
        return work + steps + mean * p.Tokens + (listOfEachHead ? 2 * pairs + 40.0 * p.Probes + 100.0 * p.Regions : 0.5 * pairs);
    }

    /// <summary>Writes one list.</summary>
    /// <param name="p">Prepared.</param>
    /// <param name="affinities">[tables, probes, skip + cells].</param>
    /// <param name="words">[tables, <see cref="AttentionRouteParameters.TableWords"/>].</param>
    /// <param name="scratch">Scratch.</param>
    /// <param name="task">The list.</param>
    public static void Run(AttentionRouteParameters* p, float* affinities, int* words, byte* scratch, int task)
    {
        int cells = p->Cells, columns = p->Skip + cells, regionColumns = TileSplit.Count(p->GridWidth, p->RegionWidth);
        var sums = (float*)scratch;
        var marks = (int*)(sums + cells);
        affinities += (long)task * p->Probes * columns + p->Skip;
        words += (long)task * p->TableWords;
        int* head = words;
        int place = p->Groups * AttentionPattern.GroupInts;
        if (p->Prefix > 0)
        {
            (head[0], head[1], head[2], head[3], head[4]) = (place, p->Prefix, place + p->Prefix, 1, -1);
            for (int i = 0; i < p->Prefix; i++) words[place + i] = i;
            (words[place + p->Prefix], words[place + p->Prefix + 1]) = (0, p->Tokens);
            head += AttentionPattern.GroupInts;
            place += p->Prefix + 2;
        }
        for (int region = 0; region < p->Regions; region++, head += AttentionPattern.GroupInts)
        {
            int top = region / regionColumns * p->RegionHeight, left = region % regionColumns * p->RegionWidth;
            int bottom = Math.Min(top + p->RegionHeight, p->GridHeight), right = Math.Min(left + p->RegionWidth, p->GridWidth);
            SumAffinities(p, affinities, columns, sums, cells, top, left, bottom, right);
            LargestMask.Run(p->Isa, sums, cells, p->Kept, marks);

            (head[0], head[1], head[4]) = (place, (bottom - top) * (right - left), -1);
            for (int i = top; i < bottom; i++)
                for (int j = left; j < right; j++) words[place++] = p->Prefix + i * p->GridWidth + j;
            head[2] = place;
            head[3] = WriteRuns(p, marks, words + place);
            place += 2 * head[3];
        }
    }

    /// <summary>Affinities of a region's probes to all cells, each as often as the probe has patches.</summary>
    private static void SumAffinities(AttentionRouteParameters* p, float* affinities, int columns, float* sums, int cells, int top, int left, int bottom, int right)
    {
        int probeColumns = TileSplit.Count(p->GridWidth, p->ProbeWidth);
        for (int i = top; i < bottom; i += p->ProbeHeight)
        {
            for (int j = left; j < right; j += p->ProbeWidth)
            {
                int patches = (Math.Min(i + p->ProbeHeight, p->GridHeight) - i) * (Math.Min(j + p->ProbeWidth, p->GridWidth) - j);
                TokenRows.Add(p->Isa, affinities + (long)(i / p->ProbeHeight * probeColumns + j / p->ProbeWidth) * columns, patches, sums, cells, i > top || j > left);
            }
        }
    }

    /// <summary>The prefix and the marked cells as runs of tokens, (first, count) each, those that touch as one; returns their number.</summary>
    private static int WriteRuns(AttentionRouteParameters* p, int* marks, int* runs)
    {
        int count = 0, end = -1, cellColumns = TileSplit.Count(p->GridWidth, p->CellWidth);
        if (p->Prefix > 0)
        {
            (runs[0], runs[1]) = (0, p->Prefix);
            (count, end) = (1, p->Prefix);
        }
        for (int i = 0; i < p->GridHeight; i++)
        {
            int* row = marks + i / p->CellHeight * cellColumns;
            for (int cell = 0; cell < cellColumns; cell++)
            {
                if (row[cell] == 0) continue;
                int from = cell * p->CellWidth, width = Math.Min(p->CellWidth, p->GridWidth - from), first = p->Prefix + i * p->GridWidth + from;
                if (first == end) runs[2 * count - 1] += width;
                else
                {
                    (runs[2 * count], runs[2 * count + 1]) = (first, width);
                    count++;
                }
                end = first + width;
            }
        }
        return count;
    }

    /// <summary>The definition, in double precision and by sorting: true for each pair of tokens [tables, query, key] that is computed.</summary>
    public static void Reference(AttentionRouteParameters* p, double* affinities, bool* sees)
    {
        AttentionRouteParameters q = *p;
        int tokens = q.Tokens, cells = q.Cells, columns = q.Skip + cells;
        int Block(int patch, int height, int width) => patch / q.GridWidth / height * TileSplit.Count(q.GridWidth, width) + patch % q.GridWidth / width;
        for (int table = 0; table < q.Tables; table++, affinities += (long)q.Probes * columns, sees += (long)tokens * tokens)
        {
            var sums = new double[q.Regions, cells];
            for (int patch = 0; patch < q.GridHeight * q.GridWidth; patch++)
                for (int cell = 0; cell < cells; cell++)
                    sums[Block(patch, q.RegionHeight, q.RegionWidth), cell] += affinities[(long)Block(patch, q.ProbeHeight, q.ProbeWidth) * columns + q.Skip + cell];
            for (int query = 0; query < tokens; query++)
            {
                int region = query < q.Prefix ? -1 : Block(query - q.Prefix, q.RegionHeight, q.RegionWidth);
                HashSet<int> kept = region < 0 ? [] : [.. Enumerable.Range(0, cells).OrderByDescending(cell => sums[region, cell]).Take(q.Kept)];
                for (int key = 0; key < tokens; key++)
                    sees[(long)query * tokens + key] = region < 0 || key < q.Prefix || kept.Contains(Block(key - q.Prefix, q.CellHeight, q.CellWidth));
            }
        }
    }
}
