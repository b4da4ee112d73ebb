using EdgeSparse.Kernels.MatMul;
using EdgeSparse.Kernels.Tokens;

namespace EdgeSparse.Kernels.Attention;

/// <summary>Parameters of <see cref="AttentionPool"/>.</summary>
public struct AttentionPoolParameters
{
    public InstructionSet Isa;
    public int Batch;
    public int Heads;
    /// <summary>Elements of a token's vector in one head.</summary>
    public int Size;
    /// <summary>Tokens before the patches.</summary>
    public int Prefix;
    /// <summary>1: these tokens come first in the result, each by itself; else they are left out.</summary>
    public int TakesPrefix;
    public int GridHeight;
    public int GridWidth;
    public int BlockHeight;
    public int BlockWidth;
    public long BatchStride;
    public long HeadStride;
    public long TokenStride;
    /// <summary>1: a row of the result has the vectors of all heads; else the heads follow each other.</summary>
    public int Joined;

    /// <summary>Derived: rows of the result.</summary>
    public int Rows;
    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;
}

/// <summary>
/// Mean vector of each block of patches, row by row of blocks, those at the lower and right edge cut to the grid: y [batch, heads, rows, size], or [batch, rows, heads, size] where joined.
/// </summary>
public static unsafe class AttentionPool
{
    /// <exception cref="ArgumentException">A size that is not positive, or blocks larger than the grid.</exception>
    public static void Prepare(ref AttentionPoolParameters p)
    {
        if (p.Batch < 1 || p.Heads < 1 || p.Size < 1 || p.Prefix < 0 || p.BlockHeight < 1 || p.BlockWidth < 1 || p.BlockHeight > p.GridHeight || p.BlockWidth > p.GridWidth)
            throw new ArgumentException($"means of {p.Batch}x{p.Heads}x{p.Size}, blocks of {p.BlockHeight}x{p.BlockWidth} in {p.GridHeight}x{p.GridWidth} patches after {p.Prefix} tokens");
        p.Rows = checked((p.TakesPrefix != 0 ? p.Prefix : 0) + TileSplit.Count(p.GridHeight, p.BlockHeight) * TileSplit.Count(p.GridWidth, p.BlockWidth));
        p.TaskCount = TaskSplit.Count((long)p.Batch * p.Heads * p.Rows, (long)p.BlockHeight * p.BlockWidth * p.Size);
    }

    /// <summary>Runs one task: a share of the results.</summary>
    public static void Run(AttentionPoolParameters* p, float* x, float* y, int task)
    {
        long count = (long)p->Batch * p->Heads * p->Rows, end = TaskSplit.Start(count, p->TaskCount, task + 1);
        int taken = p->TakesPrefix != 0 ? p->Prefix : 0, columns = TileSplit.Count(p->GridWidth, p->BlockWidth), size = p->Size;
        for (long item = TaskSplit.Start(count, p->TaskCount, task); item < end; item++)
        {
            int row = (int)(item % p->Rows);
            long head = item / p->Rows % p->Heads, batch = item / p->Rows / p->Heads;
            float* from = x + batch * p->BatchStride + head * p->HeadStride;
            float* to = y + (p->Joined != 0 ? (batch * p->Rows + row) * p->Heads + head : item) * size;
            if (row < taken)
            {
                TokenRows.Copy(from + row * p->TokenStride, to, size);
                continue;
            }
            int block = row - taken, top = block / columns * p->BlockHeight, left = block % columns * p->BlockWidth;
            int bottom = Math.Min(top + p->BlockHeight, p->GridHeight), right = Math.Min(left + p->BlockWidth, p->GridWidth);
            float factor = 1f / ((bottom - top) * (right - left));
            for (int i = top; i < bottom; i++)
                for (int j = left; j < right; j++)
                    TokenRows.Add(p->Isa, from + (p->Prefix + (long)i * p->GridWidth + j) * p->TokenStride, factor, to, size, i > top || j > left);
        }
    }

    /// <summary>The definition in double precision.</summary>
    public static void Reference(AttentionPoolParameters* p, float* x, double* y)
    {
        int taken = p->TakesPrefix != 0 ? p->Prefix : 0, columns = TileSplit.Count(p->GridWidth, p->BlockWidth);
        for (long item = 0; item < (long)p->Batch * p->Heads * p->Rows; item++)
        {
            int row = (int)(item % p->Rows), block = row - taken;
            long head = item / p->Rows % p->Heads, batch = item / p->Rows / p->Heads;
            int[] tokens = row < taken ? [row] : [.. Enumerable.Range(0, p->GridHeight * p->GridWidth)
                .Where(t => t / p->GridWidth / p->BlockHeight == block / columns && t % p->GridWidth / p->BlockWidth == block % columns).Select(t => p->Prefix + t)];
            double* to = y + (p->Joined != 0 ? (batch * p->Rows + row) * p->Heads + head : item) * p->Size;
            for (int i = 0; i < p->Size; i++)
            {
                to[i] = 0;
                foreach (int t in tokens) to[i] += x[batch * p->BatchStride + head * p->HeadStride + t * p->TokenStride + i] / (double)tokens.Length;
            }
        }
    }
}
