using System.Text;
using EdgeSparse.Model;
using EdgeSparse.Testing;

namespace EdgeSparse.Model.Tests;

public class NpyFileTests
{
    [Theory]
    [InlineData(ElementType.Float32, "2x3")]
    [InlineData(ElementType.Float64, "5")]
    [InlineData(ElementType.Float16, "1x2x3x4")]
    [InlineData(ElementType.Int32, "scalar")]
    [InlineData(ElementType.Int64, "0x3")]
    [InlineData(ElementType.UInt8, "7")]
    [InlineData(ElementType.Int8, "7x1")]
    [InlineData(ElementType.Bool, "2x2")]
    public void A_tensor_written_is_read_back(ElementType type, string shape)
    {
        Shape dimensions = Nodes.Typed(shape).Shape;
        var data = new byte[dimensions.ElementCount * type.SizeBytes()];
        new Random(1).NextBytes(data);
        byte[] file = NpyFile.ToBytes(new Tensor(type, dimensions, data));
        Tensor read = NpyFile.Parse(file, "t");
        Assert.Equal((type, dimensions), (read.Type, read.Shape));
        Assert.Equal(data, read.Data.ToArray());
        Assert.Equal(0, (file.Length - data.Length) % 64);
    }

    [Fact]
    public void The_header_is_numpys()
    {
        byte[] file = NpyFile.ToBytes(Tensor.FromFloats(new Shape(3), [1, 2, 3]));
        Assert.StartsWith("\u0093NUMPY\u0001\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", Encoding.Latin1.GetString(file), StringComparison.Ordinal);
        Assert.Equal((byte)'\n', file[127]);
    }

    public static TheoryData<string, string> Bad { get; } = new()
    {
        { "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", "'>f4'" },
        { "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "'<c8'" },
        { "{'descr': '<f4', 'fortran_order': True, 'shape': (1,1), }", "Fortran order" },
        { "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }", "fortran_order is '0'" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "4 bytes of data, Float32 2 needs 8" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "dimension ''" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999,), }", "dimension '99999999'" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (16777216,16777216), }", "elements" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }", "more than 8 dimensions" },
        { "{'descr': '<f4', 'fortran_order': False}", "lacks" },
        { "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "unexpected key 'descr'" },
        { "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "expected '''" },
        { "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x", "after the header's end" },
        { "{'descr': '<f4", "without end" },
        { "", "expected '{'" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void What_is_wrong_with_a_header_is_said(string header, string message)
    {
        byte[] text = Encoding.Latin1.GetBytes(header + "\n");
        byte[] file = [0x93, .. "NUMPY"u8, 1, 0, (byte)text.Length, 0, .. text, 0, 0, 0, 0];
        var error = Assert.Throws<ModelFormatException>(() => NpyFile.Parse(file, "in.npy"));
        Assert.StartsWith("in.npy: at byte ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        byte[] file = NpyFile.ToBytes(Tensor.FromFloats(new Shape(2, 2), [1, 2, 3, 4]));
        for (int length = 0; length < file.Length; length++)
            Assert.Throws<ModelFormatException>(() => NpyFile.Parse(file.AsMemory(0, length), "t"));
        Assert.Throws<ModelFormatException>(() => NpyFile.Parse(new byte[] { 0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 3, 0, 0, 0, 0, 0 }, "t"));
    }

    [Fact]
    public void Mutated_files_throw_nothing_else()
    {
        byte[] file = NpyFile.ToBytes(Tensor.FromFloats(new Shape(2, 2), [1, 2, 3, 4]));
        var random = new Random(20261122);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] mutated = (byte[])file.Clone();
            for (int j = random.Next(1, 4); j > 0; j--) mutated[random.Next(144)] = (byte)random.Next(256);
            Exception? error = Record.Exception(() => NpyFile.Parse(mutated, "t"));
            if (error is not null) Assert.IsType<ModelFormatException>(error);
        }
    }

    [DataFact]
    public void Files_written_by_numpy_are_read()
    {
        Tensor input = NpyFile.Read(TestData.Path("golden", "yolox_nano_coco", "input.npy"));
        Assert.Equal(ElementType.Float32, input.Type);
        Assert.Equal(4, input.Shape.Rank);
        Assert.Equal(NpyFile.ToBytes(input), File.ReadAllBytes(TestData.Path("golden", "yolox_nano_coco", "input.npy")));
    }
}
