namespace EdgeSparse.Runtime.Costs;

/// <summary>Kernels whose time is one linear formula over <see cref="KernelWork"/>.</summary>
public enum CostClass
{
    /// <summary>Dense 1×1 convolution, stride 1.</summary>
    DensePointwise,
    /// <summary>Any other dense convolution that is not depthwise.</summary>
    DenseConvolution,
    /// <summary>Dense product of several rows (tokens) with a constant matrix.</summary>
    DenseProduct,
    /// <summary>Dense product of one row with a constant matrix: reads every weight once.</summary>
    DenseRow,
    /// <summary>Sparse 1×1 convolution, stride 1.</summary>
    SparsePointwise,
    /// <summary>Any other sparse convolution: padded planes first, then the product.</summary>
    SparseConvolution,
    /// <summary>Sparse product over tokens.</summary>
    SparseProduct,
    /// <summary>Depthwise convolution.</summary>
    Depthwise,
    /// <summary>Product over tokens that skips the inputs which do not count.</summary>
    GatheredProduct,
}

/// <summary>Names of the terms of each class's formula, as the cost file and <c>edgesparse tune</c> print them.</summary>
public static class CostClasses
{
    public static IReadOnlyList<CostClass> All { get; } = Enum.GetValues<CostClass>();

    /// <summary>
    /// The units that are counted; a coefficient is nanoseconds for one of them. A non-zero vector is one non-zero times one vector of pixels, far where its panel
    /// exceeds L1, of a pair or quad where it stands in a block of 2 or 4 rows; a row visit is one output row, or block of them, of one tile; a strided input element is one that a kernel with a stride reads.
    /// </summary>
    public static IReadOnlyList<string> Terms(CostClass costClass) => costClass switch
    {
        CostClass.DensePointwise or CostClass.DenseConvolution => ["call", "multiply_add", "gathered_element", "output_element"],
        CostClass.DenseProduct => ["call", "multiply_add", "input_element", "output_element"],
        CostClass.DenseRow => ["call", "weight"],
        CostClass.SparsePointwise or CostClass.SparseConvolution or CostClass.SparseProduct => ["call", "nonzero_vector", "far_nonzero_vector", "pair_nonzero_vector", "quad_nonzero_vector", "row_visit", "output_element", "input_element", "strided_input_element"],
        CostClass.GatheredProduct => ["call", "nonzero_vector", "input_element", "output_element"],
        _ => ["call", "tap_element", "plane", "input_element", "strided_input_element"],
    };

    /// <summary>The class in a cost file: <c>dense_pointwise</c>.</summary>
    public static string Name(CostClass costClass) => costClass switch
    {
        CostClass.DensePointwise => "dense_pointwise",
        CostClass.DenseConvolution => "dense_convolution",
        CostClass.DenseProduct => "dense_product",
        CostClass.DenseRow => "dense_row",
        CostClass.SparsePointwise => "sparse_pointwise",
        CostClass.SparseConvolution => "sparse_convolution",
        CostClass.SparseProduct => "sparse_product",
        CostClass.GatheredProduct => "gathered_product",
        _ => "depthwise",
    };
}
