namespace EdgeSparse.Kernels.Tokens;

/// <summary>Parameters of <see cref="TokenMean"/>.</summary>
public struct TokenMeanParameters
{
    public InstructionSet Isa;
    public int Batch;
    public int Tokens;
    public int Channels;
    /// <summary>First tokens left out.</summary>
    public int Skip;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;
    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>y = Σ size[t]·x[t] / Σ size[t] over the tokens from the first that is not skipped. Tokens of size 0 are not read; with none left the result is NaN.</summary>
public static unsafe class TokenMean
{
    private const int BlockChannels = 64;

    /// <exception cref="ArgumentException">No token.</exception>
    public static void Prepare(ref TokenMeanParameters p)
    {
        if (p.Batch < 1 || p.Tokens < 1 || p.Channels < 1 || p.Skip < 0 || p.Skip >= p.Tokens) throw new ArgumentException($"mean of {p.Batch}x{p.Tokens}x{p.Channels} from token {p.Skip} on");
        p.TaskCount = TaskSplit.Count((long)p.Batch * Blocks(in p), (long)p.Tokens * BlockChannels);
        p.ScratchBytes = 0;
    }

    private static int Blocks(in TokenMeanParameters p) => (p.Channels + BlockChannels - 1) / BlockChannels;

    /// <summary>Runs one task: a share of the channels.</summary>
    public static void Run(TokenMeanParameters* p, float* x, float* sizes, float* y, byte* scratch, int task)
    {
        int blocks = Blocks(in *p);
        long items = (long)p->Batch * blocks, end = TaskSplit.Start(items, p->TaskCount, task + 1);
        for (long item = TaskSplit.Start(items, p->TaskCount, task); item < end; item++)
        {
            long batch = item / blocks, channel = item % blocks * BlockChannels;
            int count = (int)Math.Min(BlockChannels, p->Channels - channel);
            float* size = sizes + batch * p->Tokens, to = y + batch * p->Channels + channel;
            double total = 0;
            for (int t = p->Skip; t < p->Tokens; t++) total += size[t];
            TokenRows.Clear(to, count);
            for (int t = p->Skip; t < p->Tokens; t++)
                if (size[t] != 0) TokenRows.Add(p->Isa, x + (batch * p->Tokens + t) * p->Channels + channel, (float)(size[t] / total), to, count, accumulate: true);
            if (total == 0) TokenRows.Add(p->Isa, to, float.NaN, to, count, accumulate: false);
        }
    }
}
