namespace EdgeSparse.Kernels.Tokens;

/// <summary>Where the vectors of each token lie: <see cref="Heads"/> vectors of <see cref="HeadSize"/> elements in a row of <see cref="Width"/>.</summary>
public struct TokenVectors
{
    /// <summary>Elements from one token to the next.</summary>
    public int Width;
    /// <summary>First element of the first head within the row.</summary>
    public int Offset;
    public int Heads;
    public int HeadSize;
    /// <summary>Elements from one head to the next.</summary>
    public int HeadStride;

    internal readonly void Check()
    {
        if (Width < 1 || Offset < 0 || Heads < 1 || HeadSize < 1 || HeadStride < 0 || Offset + (long)(Heads - 1) * HeadStride + HeadSize > Width)
            throw new ArgumentException($"{Heads} vectors of {HeadSize} elements from {Offset} on, {HeadStride} apart, in rows of {Width}");
    }
}

/// <summary>Parameters of <see cref="TokenKeys"/>.</summary>
public struct TokenKeysParameters
{
    public InstructionSet Isa;
    public int Batch;
    public int Tokens;
    public TokenVectors Vectors;
    /// <summary>The results of tokens 0, 2, 4 … come first, then, from row <see cref="OddRow"/> on, those of 1, 3, 5 …; else all in order.</summary>
    public bool Alternate;
    public int OddRow;
    /// <summary>Rows from one picture's results to the next.</summary>
    public int Rows;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;
    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>
/// y[t] = k / ‖k‖ with k = Σ_h x[t, h], the sum of the heads' vectors of token t, so that a product of two results is the cosine of the heads' mean vectors. A vector of length 0 stays 0;
/// one with an element that is not finite gives NaN.
/// </summary>
public static unsafe class TokenKeys
{
    /// <exception cref="ArgumentException">A size that is not positive.</exception>
    public static void Prepare(ref TokenKeysParameters p)
    {
        p.Vectors.Check();
        if (p.Batch < 1 || p.Tokens < 1 || p.Rows < p.Tokens) throw new ArgumentException($"keys of {p.Batch}x{p.Tokens} tokens in {p.Rows} rows");
        p.OddRow = (p.Tokens + 1) / 2;
        p.TaskCount = TaskSplit.Count((long)p.Batch * p.Tokens, (long)p.Vectors.Heads * p.Vectors.HeadSize);
        p.ScratchBytes = 0;
    }

    /// <summary>Runs one task: a share of the tokens.</summary>
    public static void Run(TokenKeysParameters* p, float* x, float* y, byte* scratch, int task)
    {
        long count = (long)p->Batch * p->Tokens, end = TaskSplit.Start(count, p->TaskCount, task + 1);
        int size = p->Vectors.HeadSize;
        for (long item = TaskSplit.Start(count, p->TaskCount, task); item < end; item++)
        {
            long batch = item / p->Tokens, token = item % p->Tokens;
            float* from = x + item * p->Vectors.Width + p->Vectors.Offset;
            long row = !p->Alternate ? token : (token & 1) == 0 ? token / 2 : p->OddRow + token / 2;
            float* to = y + (batch * p->Rows + row) * size;
            for (int head = 0; head < p->Vectors.Heads; head++) TokenRows.Add(p->Isa, from + (long)head * p->Vectors.HeadStride, 1, to, size, head > 0);
            Normalize(p->Isa, to, size);
        }
    }

    private static void Normalize(InstructionSet isa, float* y, int size)
    {
        float squares = TokenRows.SumOfSquares(isa, y, size);
        if (squares is > 1e-24f and < 1e30f)
        {
            TokenRows.Add(isa, y, 1 / MathF.Sqrt(squares), y, size, accumulate: false);
            return;
        }
        // Squares that leave the range of a float do not leave that of a double.
        double exact = 0;
        for (int i = 0; i < size; i++) exact += (double)y[i] * y[i];
        double factor = exact > 0 ? 1 / Math.Sqrt(exact) : exact;
        for (int i = 0; i < size; i++) y[i] = (float)(y[i] * factor);
    }

    /// <summary>The definition in double precision, tokens in order.</summary>
    public static void Reference(TokenKeysParameters* p, float* x, double* y)
    {
        int size = p->Vectors.HeadSize;
        for (long item = 0; item < (long)p->Batch * p->Tokens; item++, y += size)
        {
            double squares = 0;
            for (int i = 0; i < size; i++)
            {
                y[i] = 0;
                for (int head = 0; head < p->Vectors.Heads; head++) y[i] += x[item * p->Vectors.Width + p->Vectors.Offset + (long)head * p->Vectors.HeadStride + i];
                squares += y[i] * y[i];
            }
            double length = Math.Sqrt(squares);
            for (int i = 0; i < size; i++) y[i] = length == 0 ? 0 : y[i] / length;
        }
    }
}
