using System.Reflection;
using System.Text.RegularExpressions;

namespace EdgeSparse.Kernels.Tests;

public sealed class KernelCatalogTests
{
    /// <summary>The micro-kernels of the products are methods named after element type, tile and instruction set; the catalog lists exactly those.</summary>
    [Theory]
    [InlineData("GemmF32")]
    [InlineData("SpmmF32")]
    [InlineData("SpmmBlockF32")]
    [InlineData("AttentionF32", "Attention")]
    public void Lists_every_product_kernel(string type, string? prefix = null)
    {
        Type kernels = typeof(KernelCatalog).Assembly.GetTypes().Single(each => each.Name == type);
        IEnumerable<string> methods = kernels.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public).Select(method => method.Name).Where(name => Regex.IsMatch(name, @"^\w+F32_\d+x\d+_\w+$"));
        Assert.Equal(methods.Order(), KernelCatalog.All.Select(kernel => kernel.Name).Where(name => name.StartsWith(prefix ?? type + "_", StringComparison.Ordinal) && Regex.IsMatch(name, @"_\d+x\d+_")).Order());
    }

    [Fact]
    public void Names_are_unique() => Assert.Distinct(KernelCatalog.All.Select(kernel => kernel.Name));

    [Theory]
    [InlineData("GemmF32_")]
    [InlineData("SpmmF32_")]
    [InlineData("SpmmBlockF32_")]
    [InlineData("DepthwiseF32_")]
    [InlineData("AttentionScoresF32_")]
    [InlineData("AttentionMixF32_")]
    public void Names_of_products_end_in_their_instruction_set(string prefix) =>
        Assert.All(KernelCatalog.All.Where(kernel => kernel.Name.StartsWith(prefix, StringComparison.Ordinal)), kernel => Assert.EndsWith("_" + kernel.InstructionSet, kernel.Name, StringComparison.Ordinal));
}
