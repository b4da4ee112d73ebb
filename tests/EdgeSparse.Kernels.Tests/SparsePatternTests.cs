using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.SparseMatMul;

namespace EdgeSparse.Kernels.Tests;

public sealed class SparsePatternTests
{
    private static string Pattern(int columns, params string[] rows)
    {
        float[] dense = string.Concat(rows).Select(c => c == '1' ? 1f : 0f).ToArray();
        return SparseWeights.FromDense(dense, rows.Length, columns).Pattern.ToString();
    }

    [Fact]
    public void Blocks_share_columns_from_multiples_of_their_height()
    {
        Assert.Equal("4x1", Pattern(5, "10110", "10110", "10110", "10110", "01000", "01000"));
        Assert.Equal("2x1", Pattern(5, "10110", "10110", "00001", "00001", "01000"));
        Assert.Equal("unstructured", Pattern(5, "00110", "10100", "10100", "00011", "01000"));
        Assert.Equal("unstructured", Pattern(5, "10110", "10110", "00001", "00010", "01001"));
    }

    [Fact]
    public void Every_group_of_inputs_keeps_the_same_number()
    {
        Assert.Equal("2:4", Pattern(8, "11001010", "01010011", "00111100"));
        Assert.Equal("1:4", Pattern(8, "10000010", "01000001", "00101000"));
        Assert.Equal("2:8", Pattern(16, "1001000001000001", "0001000111000000", "0110000000000011"));
        Assert.Equal("1:4", Pattern(10, "1000001010", "0100000100", "0010100001"));
        Assert.Equal("fan-in 4", Pattern(10, "1100001010", "0101000110", "0010101001"));
    }

    [Fact]
    public void Every_output_may_have_the_same_number()
    {
        Assert.Equal("fan-in 3", Pattern(8, "11100000", "01010010", "00111000"));
        Assert.Equal("unstructured", Pattern(8, "11100000", "01011010", "00111000"));
    }

    [Fact]
    public void Nothing_is_unstructured()
    {
        Assert.Equal("unstructured", Pattern(4, "1010"));
        Assert.Equal("unstructured", Pattern(4, "0000", "0000"));
        Assert.Equal(SparsePattern.Unstructured, SparsePattern.Of(SparseWeights.FromDense([], 0, 0)));
    }

    /// <summary>Rows that share their columns form blocks, also where one lacks a column, and those that share few stay single.</summary>
    [Theory]
    [InlineData(4, 0, 4)]
    [InlineData(4, 1, 4)]
    [InlineData(2, 0, 2)]
    [InlineData(2, 1, 2)]
    [InlineData(1, 0, 1)]
    public void Blocks_form_where_they_cost_less(int sharing, int missing, int expected)
    {
        var dense = new float[8 * 40];
        for (int row = 0; row < 8; row++)
            for (int i = 0; i < 20; i++) dense[row * 40 + (row / sharing % 2 == 0 ? i : 20 + i)] = 1;
        for (int i = 0; i < missing; i++) dense[i] = 0;
        SparseWeights weights = SparseWeights.FromDense(dense, 8, 40);
        ConvolutionParameters p = ConvolutionParameters.Create(40, 1, 64, 8, 1, 1);
        SparseConvolutionF32.Prepare(ref p, weights);
        Assert.Equal((expected, weights.NonZeros), (p.BlockRows, p.NonZeros));
    }
}
