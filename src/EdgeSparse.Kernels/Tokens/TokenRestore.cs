namespace EdgeSparse.Kernels.Tokens;

/// <summary>Parameters of <see cref="TokenRestore"/>.</summary>
public struct TokenRestoreParameters
{
    public int Batch;
    /// <summary>Tokens to bring back.</summary>
    public int Tokens;
    /// <summary>Tokens that there are.</summary>
    public int Kept;
    public int Channels;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;
    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>x[i] = y[map[i]]: every token gets what the one that it became a part of has; a dropped one what it had before, where that is given, else 0.</summary>
public static unsafe class TokenRestore
{
    /// <exception cref="ArgumentException">A size that is not positive.</exception>
    public static void Prepare(ref TokenRestoreParameters p)
    {
        if (p.Batch < 1 || p.Tokens < 1 || p.Kept < 1 || p.Channels < 1) throw new ArgumentException($"{p.Kept} to {p.Batch}x{p.Tokens}x{p.Channels} tokens, expected sizes of at least 1");
        p.TaskCount = TaskSplit.Count((long)p.Batch * p.Tokens, p.Channels);
        p.ScratchBytes = 0;
    }

    /// <summary>Runs one task: a share of the tokens.</summary>
    /// <param name="before">[batch, tokens, channels], or null.</param>
    public static void Run(TokenRestoreParameters* p, float* y, int* map, float* before, float* x, byte* scratch, int task)
    {
        long count = (long)p->Batch * p->Tokens, end = TaskSplit.Start(count, p->TaskCount, task + 1);
        for (long i = TaskSplit.Start(count, p->TaskCount, task); i < end; i++)
        {
            float* to = x + i * p->Channels;
            if ((uint)map[i] < (uint)p->Kept) TokenRows.Copy(y + (i / p->Tokens * p->Kept + map[i]) * p->Channels, to, p->Channels);
            else if (before != null) TokenRows.Copy(before + i * p->Channels, to, p->Channels);
            else TokenRows.Clear(to, p->Channels);
        }
    }
}
