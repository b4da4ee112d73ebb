using System.Runtime.CompilerServices;
using EdgeSparse.Kernels;
using EdgeSparse.Kernels.ActivationSparsity;
using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.MatMul;
using EdgeSparse.Kernels.SparseMatMul;

namespace EdgeSparse.Runtime.Costs;

/// <summary>What one call of a kernel does on all its tasks together, in the units of <see cref="CostClasses.Terms"/>. Made from parameters that the kernel has prepared.</summary>
internal readonly struct KernelWork
{
    public const int MaximumTerms = 9;

    /// <summary>What of a panel stays in the smallest L1 beside what streams through.</summary>
    private const double NearPanelBytes = 40 * 1024;

    private readonly TermValues _terms;

    private KernelWork(CostClass costClass, int tasks, params ReadOnlySpan<double> terms)
    {
        Class = costClass;
        Tasks = tasks;
        terms.CopyTo(_terms);
    }

    public CostClass Class { get; }

    /// <summary>Independent tasks.</summary>
    public int Tasks { get; }

    public double Term(int index) => _terms[index];

    public static KernelWork Dense(in ConvolutionParameters p)
    {
        if (p.OutputPlane == 1 && p.Groups == 1 && p.KernelHeight == p.InputHeight && p.KernelWidth == p.InputWidth)
            return Product(p.Isa, p.Batch, p.Inner, p.OutputChannels, p.TaskCount);
        int lanes = Lanes(p.Isa);
        if (ConvolutionF32.IsWinograd(in p))
        {
            // 36 products on tiles of 4×4 outputs; both transforms handle 36 values a tile.
            double tiles = (double)p.Batch * p.ColumnTiles * p.TileColumns;
            return new KernelWork(CostClass.DenseConvolution, p.TaskCount, 1, 36 * tiles * p.InputChannels * p.OutputChannels, 36 * tiles * p.InputChannels, 36 * tiles * p.OutputChannels);
        }
        double images = (double)p.Batch * p.Groups, pixels = RoundUp(p.OutputPlane, lanes), rows = RoundUp(p.GroupOutputs, 4);
        return new KernelWork(p.IsPointwise ? CostClass.DensePointwise : CostClass.DenseConvolution, p.TaskCount,
            1, images * rows * pixels * p.Inner, images * Math.Max(p.RowTiles, 1) * p.Inner * pixels, images * p.GroupOutputs * p.OutputPlane * Blocks(p.Inner));
    }

    /// <param name="weights">The non-zeros of all rows.</param>
    public static KernelWork Sparse(in ConvolutionParameters p, SparseWeights weights)
    {
        int lanes = Lanes(p.Isa);
        // In padded planes the elements between rows are computed too.
        int columns = p.IsPointwise ? p.OutputPlane : p.OutputHeight * Math.Max(p.Pitch, p.OutputWidth);
        double products = weights.NonZeros * (double)p.Batch * RoundUp(columns, lanes) / lanes, inputs = (double)p.Batch * p.InputChannels * p.InputPlane;
        bool near = (double)p.InputChannels * (p.TileColumns + (p.KernelHeight - 1) * p.Pitch) * sizeof(float) <= NearPanelBytes;
        bool strided = p.StrideHeight * p.StrideWidth > 1;
        return new KernelWork(p.IsPointwise ? CostClass.SparsePointwise : CostClass.SparseConvolution, p.TaskCount,
            1, Single(near, products, p.BlockRows), Single(!near, products, p.BlockRows), p.BlockRows == 2 ? products : 0, p.BlockRows == 4 ? products : 0,
            (double)p.Batch * p.ColumnTiles * p.OutputChannels / Math.Max(p.BlockRows, 1), (double)p.Batch * p.OutputChannels * columns, strided ? 0 : inputs, strided ? inputs : 0);
    }

    public static KernelWork Dense(in MatMulParameters p) => Product(p.Isa, p.Rows * (double)p.BatchCount, p.Inner, p.Columns, p.TaskCount);

    public static KernelWork Sparse(in SparseMatMulParameters p, SparseWeights weights)
    {
        int lanes = Lanes(p.Isa);
        double products = weights.NonZeros * RoundUp(p.Tokens, lanes) / lanes;
        bool near = (double)p.ChunkInputs * p.TileTokens * sizeof(float) <= NearPanelBytes;
        int block = weights.Pattern.BlockRows, chunks = (p.Inputs + p.ChunkInputs - 1) / p.ChunkInputs;
        return new KernelWork(CostClass.SparseProduct, p.TaskCount,
            1, Single(near, products, block), Single(!near, products, block), block == 2 ? products : 0, block == 4 ? products : 0, (double)p.TokenTiles * p.Outputs * chunks / block, p.Outputs * (double)p.Tokens, (double)p.OutputTiles * p.Inputs * p.Tokens, 0);
    }

    /// <param name="density">Expected share of inputs that count.</param>
    public static KernelWork Gathered(in GatheredMatMulParameters p, double density)
    {
        double inputs = (double)p.Tokens * p.Inputs, vectors = (double)p.OutputTiles * p.TileOutputs / Lanes(p.Isa);
        return new KernelWork(CostClass.GatheredProduct, p.TaskCount, 1, density * inputs * vectors, inputs, (double)p.Tokens * p.Outputs);
    }

    public static KernelWork Depthwise(in ConvolutionParameters p)
    {
        double planes = (double)p.Batch * p.OutputChannels, inputs = (double)p.Batch * p.InputChannels * p.InputPlane;
        bool strided = p.StrideHeight * p.StrideWidth > 1;
        return new KernelWork(CostClass.Depthwise, p.TaskCount, 1, planes * p.KernelArea * RoundUp(p.OutputWidth, Lanes(p.Isa)) * p.OutputHeight, planes, strided ? 0 : inputs, strided ? inputs : 0);
    }

    private static KernelWork Product(InstructionSet isa, double rows, int inner, int columns, int tasks)
    {
        if (rows == 1) return new KernelWork(CostClass.DenseRow, tasks, 1, (double)inner * columns);
        return new KernelWork(CostClass.DenseProduct, tasks, 1, Math.Ceiling(rows / 4) * 4 * inner * RoundUp(columns, Lanes(isa)), rows * inner, rows * columns * Blocks(inner));
    }

    private static double Single(bool counts, double products, int blockRows) => counts && blockRows is not (2 or 4) ? products : 0;

    /// <summary>Floats of a vector.</summary>
    private static int Lanes(InstructionSet isa) => isa switch
    {
        InstructionSet.Avx512 => 16,
        InstructionSet.Avx2 => 8,
        _ => 4,
    };

    /// <summary>How often the dense product passes over its outputs.</summary>
    private static double Blocks(int inner) => Math.Ceiling(inner / 256.0);

    private static double RoundUp(int value, int unit) => (value + (long)unit - 1) / unit * unit;

    [InlineArray(MaximumTerms)]
    private struct TermValues
    {
        private double _first;
    }
}
