namespace EdgeSparse.Kernels.MatMul;

/// <summary>
/// One (batched) matrix product Y[..., rows, columns] = activation(alpha · A[..., rows, inner] · B[..., inner, columns] + bias[columns] + residual[..., rows, columns]).
/// Y and residual are contiguous. The caller sets the first part, Prepare checks it and derives the second.
/// A constant B of rank 2 is packed at load (<see cref="ConstantB"/>); the leading axes of A are then folded into <see cref="Rows"/> by the caller.
/// </summary>
public struct MatMulParameters
{
    public int Rows;
    public int Inner;
    public int Columns;
    /// <summary>Three batch axes, outermost first; 0 means 1.</summary>
    public int Batch0;
    public int Batch1;
    public int Batch2;
    /// <summary>Elements from one matrix A to the next along each batch axis; 0 broadcasts.</summary>
    public long StrideA0;
    public long StrideA1;
    public long StrideA2;
    /// <summary>Elements from one matrix B to the next along each batch axis; 0 broadcasts.</summary>
    public long StrideB0;
    public long StrideB1;
    public long StrideB2;
    /// <summary>A is stored [inner, rows].</summary>
    public bool TransposeA;
    /// <summary>B is stored [columns, inner].</summary>
    public bool TransposeB;
    /// <summary>B was packed by Pack and is passed as the packed pointer.</summary>
    public bool ConstantB;
    public float Alpha;
    /// <summary>Workers that share the tasks; shapes the split, never the result's bits. 0 means 1.</summary>
    public int Threads;
    public Activation Activation;
    public InstructionSet Isa;

    /// <summary>Derived: independent pieces of work.</summary>
    public int TaskCount;
    /// <summary>Derived: scratch each worker needs during Run, 64-byte aligned.</summary>
    public long ScratchBytes;
    /// <summary>Derived: rows of one task's tile.</summary>
    public int TileRows;
    /// <summary>Derived: row tiles of one product.</summary>
    public int RowTiles;
    /// <summary>Derived: columns of one task's tile.</summary>
    public int TileColumns;
    /// <summary>Derived: column tiles of one product.</summary>
    public int ColumnTiles;
    /// <summary>Derived: the kernel's own choice among its variants.</summary>
    public int Variant;

    public readonly long BatchCount => (long)Math.Max(Batch0, 1) * Math.Max(Batch1, 1) * Math.Max(Batch2, 1);

    public readonly long MultiplyAdds => BatchCount * Rows * Inner * Columns;

    /// <summary>One plain product with alpha 1.</summary>
    public static MatMulParameters Create(int rows, int inner, int columns) => new() { Rows = rows, Inner = inner, Columns = columns, Alpha = 1 };

    internal readonly void Check()
    {
        if (Rows < 1 || Inner < 1 || Columns < 1) throw new ArgumentException($"product of {Rows}x{Inner} and {Inner}x{Columns}, expected sizes of at least 1");
        if (Batch0 < 0 || Batch1 < 0 || Batch2 < 0) throw new ArgumentException($"batch {Batch0},{Batch1},{Batch2}, expected none negative");
        if (ConstantB && BatchCount > 1) throw new ArgumentException("a constant B with a batch, expected the batch folded into the rows");
    }

    internal readonly long OffsetA(long batch) => Offset(batch, StrideA0, StrideA1, StrideA2);

    internal readonly long OffsetB(long batch) => Offset(batch, StrideB0, StrideB1, StrideB2);

    private readonly long Offset(long batch, long stride0, long stride1, long stride2)
    {
        long n1 = Math.Max(Batch1, 1), n2 = Math.Max(Batch2, 1);
        return batch / (n1 * n2) * stride0 + batch / n2 % n1 * stride1 + batch % n2 * stride2;
    }
}
