namespace EdgeSparse.Kernels.DataMovement;

/// <summary>Parameters of <see cref="Trilu"/>.</summary>
public struct TriluParameters
{
    /// <summary>Bytes of an element.</summary>
    public int ElementBytes;

    /// <summary>Matrices, and rows and columns of each.</summary>
    public long Batch, Rows, Columns;

    /// <summary>Keep the upper triangle, else the lower.</summary>
    public bool Upper;

    /// <summary>The diagonal: column − row = k belongs to the kept part.</summary>
    public long K;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>The upper or lower triangle of matrices, zeros elsewhere. y may be x.</summary>
public static unsafe class Trilu
{
    /// <summary>Checks and derives <see cref="TriluParameters.TaskCount"/>.</summary>
    /// <exception cref="ArgumentException">A negative size.</exception>
    public static void Prepare(ref TriluParameters p)
    {
        if (p.Batch < 0 || p.Rows < 0 || p.Columns < 0 || p.ElementBytes < 1) throw new ArgumentException($"Trilu: {p.Batch} matrices {p.Rows}x{p.Columns} of {p.ElementBytes} bytes");
        p.TaskCount = TaskSplit.Count(p.Batch * p.Rows, p.Columns, TaskSplit.CheapElements * 2);
        p.ScratchBytes = 0;
    }

    /// <summary>Runs one task: a share of the rows.</summary>
    public static void Run(TriluParameters* p, void* x, void* y, byte* scratch, int task)
    {
        long end = TaskSplit.Start(p->Batch * p->Rows, p->TaskCount, task + 1);
        for (long row = TaskSplit.Start(p->Batch * p->Rows, p->TaskCount, task); row < end; row++)
        {
            long diagonal = row % p->Rows + p->K;
            long keepStart = p->Upper ? Math.Clamp(diagonal, 0, p->Columns) : 0;
            long keepEnd = p->Upper ? p->Columns : Math.Clamp(diagonal + 1, 0, p->Columns);
            byte* from = (byte*)x + row * p->Columns * p->ElementBytes;
            byte* to = (byte*)y + row * p->Columns * p->ElementBytes;
            long bytes = (keepEnd - keepStart) * p->ElementBytes;
            if (bytes > 0 && from != to) Buffer.MemoryCopy(from + keepStart * p->ElementBytes, to + keepStart * p->ElementBytes, bytes, bytes);
            new Span<byte>(to, (int)(keepStart * p->ElementBytes)).Clear();
            new Span<byte>(to + keepEnd * p->ElementBytes, (int)((p->Columns - keepEnd) * p->ElementBytes)).Clear();
        }
    }
}
