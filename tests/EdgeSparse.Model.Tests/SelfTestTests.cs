using System.Buffers.Binary;
using System.Security.Cryptography;
using EdgeSparse.Model;

namespace EdgeSparse.Model.Tests;

public sealed class SelfTestTests
{
    private static readonly SelfTest Test = new(
        [new NamedTensor("x", Tensor.FromFloats(new Shape(1, 2), [1, 2]))],
        [new ExpectedOutput("y", Tensor.FromFloats(new Shape(3), [1, -4, 0]), 0.5), new ExpectedOutput("n", Tensor.FromInt64s(Shape.Scalar, [7]), 0)]);

    private static byte[] Package(SelfTest? test, bool onnx = false) =>
        new ModelPackage(new Manifest(), onnx ? null : GraphValidatorTests.Small(sparse: true), onnx ? new byte[] { 1, 2 } : default) { SelfTest = test }.ToBytes();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_package_carries_its_self_test(bool onnx)
    {
        byte[] file = Package(Test, onnx);
        Assert.Equal(3, file[8]);
        ModelPackage read = ModelPackage.FromBytes(file);
        Assert.Equal(!onnx, read.Graph is not null);
        SelfTest test = read.SelfTest!;
        Assert.Equal("x", Assert.Single(test.Inputs).Name);
        Assert.Equal([1f, 2f], test.Inputs[0].Tensor.Span<float>().ToArray());
        Assert.Equal(["y", "n"], test.Outputs.Select(output => output.Name));
        Assert.Equal(0.5, test.Outputs[0].Tolerance);
        Assert.Equal([7L], test.Outputs[1].Tensor.Span<long>().ToArray());
        Assert.Equal(file, read.ToBytes());
    }

    [Fact]
    public void Without_a_self_test_the_file_is_as_before() => Assert.Equal(1, Package(null)[8]);

    [Fact]
    public void Every_truncation_and_every_changed_byte_is_refused()
    {
        byte[] file = Package(Test, onnx: true);
        for (int length = 0; length < file.Length; length++) Assert.Throws<ModelFormatException>(() => ModelPackage.FromBytes(file.AsMemory(0, length)));
        for (int i = 0; i < file.Length; i++)
        {
            file[i] ^= 0x10;
            Assert.Throws<ModelFormatException>(() => ModelPackage.FromBytes(file));
            file[i] ^= 0x10;
        }
    }

    [Fact]
    public void A_section_that_lies_is_refused()
    {
        byte[] file = Package(Test, onnx: true);
        int start = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(LastEntry(file) + 8));
        // Counts, element type, rank and dimensions far beyond what follows: found before memory is taken.
        foreach (int at in (int[])[0, 4, 11, 12, 13, 17])
        {
            byte[] lying = [.. file];
            lying.AsSpan(start + at, Math.Min(4, lying.Length - start - at)).Fill(0xFF);
            Seal(lying);
            string message = Assert.Throws<ModelFormatException>(() => ModelPackage.FromBytes(lying)).Message;
            Assert.Contains("self-test section", message, StringComparison.Ordinal);
        }
        Seal(file);
        ModelPackage.FromBytes(file);
    }

    [Fact]
    public void What_a_reader_would_refuse_is_not_written()
    {
        Assert.Throws<ModelFormatException>(() => Package(new SelfTest([.. Test.Inputs, .. Test.Inputs], Test.Outputs)));
        Assert.Throws<ModelFormatException>(() => Package(new SelfTest(Test.Inputs, [Test.Outputs[0] with { Tolerance = double.NaN }])));
        Assert.Throws<ModelFormatException>(() => Package(new SelfTest(Test.Inputs, [])));
    }

    private static int LastEntry(byte[] file) => 64 * (int)BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(12));

    /// <summary>Makes the checksums those of the changed content.</summary>
    private static void Seal(byte[] file)
    {
        int entry = LastEntry(file), start = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(entry + 8));
        SHA256.HashData(file.AsSpan(start), file.AsSpan(entry + 24, 32));
        SHA256.HashData([.. file.AsSpan(0, 24), .. file.AsSpan(64, entry)], file.AsSpan(24, 32));
    }

    [Theory]
    [InlineData(1f, -4f, 0f, null)]
    [InlineData(1.5f, -4.5f, -0.5f, null)]
    [InlineData(1f, -4f, 0.6f, "'y' [2] is 0.6, expected 0")]
    [InlineData(float.NaN, -4f, 0f, "'y' [0] is NaN, expected 1")]
    [InlineData(1f, float.PositiveInfinity, 0f, "'y' [1]")]
    public void An_output_may_differ_by_its_tolerance(float a, float b, float c, string? problem)
    {
        string? found = SelfTest.Difference(Test.Outputs[0], Tensor.FromFloats(new Shape(3), [a, b, c]).Data.Span);
        if (problem is null) Assert.Null(found);
        else Assert.Contains(problem, found, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_types_may_not_differ_and_sizes_must_fit()
    {
        Assert.Null(SelfTest.Difference(Test.Outputs[1], BitConverter.GetBytes(7L)));
        Assert.NotNull(SelfTest.Difference(Test.Outputs[1], BitConverter.GetBytes(8L)));
        Assert.NotNull(SelfTest.Difference(Test.Outputs[0], [1, 2, 3, 4]));
    }
}
