namespace EdgeSparse.Kernels.Tokens;

/// <summary>Parameters of <see cref="TokenCompress"/>.</summary>
public struct TokenCompressParameters
{
    public InstructionSet Isa;
    public int Batch;
    public int Tokens;
    /// <summary>Output tokens.</summary>
    public int Kept;
    public int Channels;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;
    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>
/// y[j] = Σ w[i]·x[i] / Σ w[i] over the tokens i with map[i] = j, in ascending order of i; w = weights, else sizes, else 1, and all alike where their sum is 0. A single
/// token is copied. Sizes are summed; a missing size is 1. Tokens that map outside the output are dropped; an output token of none is 0 with size 0.
/// </summary>
public static unsafe class TokenCompress
{
    private const int BlockChannels = 64;

    /// <exception cref="ArgumentException">A size that is not positive.</exception>
    public static void Prepare(ref TokenCompressParameters p)
    {
        if (p.Batch < 1 || p.Tokens < 1 || p.Kept < 1 || p.Channels < 1) throw new ArgumentException($"{p.Batch}x{p.Tokens}x{p.Channels} to {p.Kept} tokens, expected sizes of at least 1");
        p.TaskCount = TaskSplit.Count((long)p.Batch * Blocks(in p), (long)p.Tokens * BlockChannels);
        p.ScratchBytes = (long)p.Kept * (sizeof(double) + sizeof(int));
    }

    private static int Blocks(in TokenCompressParameters p) => (p.Channels + BlockChannels - 1) / BlockChannels;

    /// <summary>Runs one task: a share of the channels.</summary>
    /// <param name="sizes">[batch, tokens], or null.</param>
    /// <param name="weights">[batch, tokens], or null.</param>
    /// <param name="keptSizes">[batch, kept]</param>
    public static void Run(TokenCompressParameters* p, float* x, int* map, float* sizes, float* weights, float* y, float* keptSizes, byte* scratch, int task)
    {
        int blocks = Blocks(in *p);
        long items = (long)p->Batch * blocks, item = TaskSplit.Start(items, p->TaskCount, task), end = TaskSplit.Start(items, p->TaskCount, task + 1);
        while (item < end)
        {
            long batch = item / blocks, first = item % blocks, last = Math.Min(blocks, first + end - item);
            Picture(p, batch, (int)first * BlockChannels, (int)Math.Min(p->Channels, last * BlockChannels), x, map, sizes, weights, y, keptSizes, scratch);
            item += last - first;
        }
    }

    private static void Picture(TokenCompressParameters* p, long batch, int channel, int endChannel, float* x, int* map, float* sizes, float* weights, float* y, float* keptSizes, byte* scratch)
    {
        int tokens = p->Tokens, kept = p->Kept, count = endChannel - channel;
        var total = (double*)scratch;
        var members = (int*)(total + kept);
        map += batch * tokens;
        x += batch * tokens * p->Channels + channel;
        y += batch * kept * p->Channels + channel;
        float* size = sizes == null ? null : sizes + batch * tokens, weight = weights == null ? size : weights + batch * tokens;
        for (int j = 0; j < kept; j++)
        {
            total[j] = 0;
            members[j] = 0;
        }
        for (int i = 0; i < tokens; i++)
        {
            int j = map[i];
            if ((uint)j >= (uint)kept) continue;
            total[j] += weight == null ? 1 : weight[i];
            members[j]++;
        }
        for (int j = 0; j < kept; j++)
            if (members[j] == 0) TokenRows.Clear(y + (long)j * p->Channels, count);
        for (int i = 0; i < tokens; i++, x += p->Channels)
        {
            int j = map[i];
            if ((uint)j >= (uint)kept) continue;
            float* to = y + (long)j * p->Channels;
            if (members[j] == 1)
            {
                TokenRows.Copy(x, to, count);
                continue;
            }
            // Once the first member is written the number is negative.
            int many = Math.Abs(members[j]);
            double factor = total[j] != 0 ? (weight == null ? 1 : weight[i]) / total[j] : 1.0 / many;
            TokenRows.Add(p->Isa, x, (float)factor, to, count, members[j] < 0);
            members[j] = -many;
        }
        if (channel > 0) return;
        keptSizes += batch * kept;
        for (int j = 0; j < kept; j++) keptSizes[j] = 0;
        for (int i = 0; i < tokens; i++)
            if ((uint)map[i] < (uint)kept) keptSizes[map[i]] += size == null ? 1 : size[i];
    }

    /// <summary>The definition in double precision.</summary>
    public static void Reference(TokenCompressParameters* p, float* x, int* map, float* sizes, float* weights, double* y, double* keptSizes)
    {
        for (long b = 0; b < p->Batch; b++)
            for (long j = 0; j < p->Kept; j++)
            {
                long[] members = [.. Enumerable.Range(0, p->Tokens).Select(i => b * p->Tokens + i).Where(i => map[i] == j)];
                double Weight(long i) => weights != null ? weights[i] : sizes != null ? sizes[i] : 1;
                double total = members.Sum(Weight);
                keptSizes[b * p->Kept + j] = members.Sum(i => sizes == null ? 1.0 : sizes[i]);
                for (long c = 0; c < p->Channels; c++)
                    y[(b * p->Kept + j) * p->Channels + c] = members.Length == 1 ? x[members[0] * p->Channels + c]
                        : members.Sum(i => total != 0 ? Weight(i) / total * x[i * p->Channels + c] : x[i * p->Channels + c] / members.Length);
            }
    }
}
