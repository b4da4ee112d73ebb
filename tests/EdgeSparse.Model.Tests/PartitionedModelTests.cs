using System.Buffers.Binary;

namespace EdgeSparse.Model.Tests;

public class PartitionedModelTests
{
    /// <summary>native → ONNX Runtime → native: x becomes a; a becomes b, and v of unknown length; b becomes y. v and y go out.</summary>
    private static PartitionedModel Small()
    {
        var model = new PartitionedModel();
        model.Values.AddRange(
        [
            new PartValue("x", ElementType.Float32, [1, 8]), new PartValue("a", ElementType.Float32, [1, 8]), new PartValue("b", ElementType.Float32, [1, 4]),
            new PartValue("v", ElementType.Int64, [-1, 3]), new PartValue("y", ElementType.Float32, [1, 4]),
        ]);
        model.Inputs.Add(0);
        model.Outputs.AddRange([3, 4]);
        model.Parts.Add(new ModelPart(Native("x", "a", 8)) { Operators = 1, Inputs = { 0 }, Outputs = { 1 } });
        model.Parts.Add(new ModelPart(new byte[] { 1, 2, 3 }) { Operators = 2, Inputs = { 1 }, Outputs = { 2, 3 }, Reasons = { "node 'g': operator GRU of domain ai.onnx: recurrent layers are not supported" } });
        model.Parts.Add(new ModelPart(Native("b", "y", 4)) { Operators = 1, Inputs = { 2 }, Outputs = { 4 } });
        return model;
    }

    private static Graph Native(string input, string output, int size)
    {
        var graph = new Graph { Name = "part" };
        var x = new Value(input, ElementType.Float32, new Shape(1, size));
        var one = new Value("one", Tensor.FromFloats(new Shape(1), [1]));
        var add = new Node(OperatorKind.Add, "add") { Inputs = { x, one }, Outputs = { new Value(output, ElementType.Float32, new Shape(1, size)) } };
        graph.Inputs.Add(x);
        graph.Nodes.Add(add);
        graph.Outputs.Add(add.Outputs[0]);
        return graph;
    }

    private static byte[] File(PartitionedModel model) => new ModelPackage(new Manifest(), model).ToBytes();

    [Fact]
    public void A_package_in_parts_written_and_read_is_the_same()
    {
        byte[] file = File(Small());
        ModelPackage read = ModelPackage.FromBytes(file);
        Assert.Equal(file, read.ToBytes());
        Assert.Null(read.Graph);
        Assert.True(read.OnnxModel.IsEmpty);
        PartitionedModel parts = read.Parts!;
        Assert.Equal([PartEngine.Native, PartEngine.OnnxRuntime, PartEngine.Native], parts.Parts.Select(part => part.Engine));
        Assert.Equal([1, 2, 3], parts.Parts[1].OnnxModel.ToArray());
        Assert.Contains("GRU", Assert.Single(parts.Parts[1].Reasons), StringComparison.Ordinal);
        Assert.Equal([-1, 3], parts.Values[3].Dimensions!);
        Assert.False(parts.Values[3].IsFixed);
        Assert.Equal(2u, BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(8)));
    }

    public static TheoryData<string, string> Flaws => new()
    {
        { "value 9 of 5", "input" }, { "made twice", "twice" }, { "before it is made", "order" }, { "read by no part", "idle" }, { "made by no part", "orphan" }, { "has no fixed shape", "varying" },
        { "expected a Float32 1x8", "port" }, { "two values between parts are named", "name" }, { "no known type", "type" }, { "is made by no part", "output" }, { "makes nothing", "nothing" },
        { "listed twice", "again" }, { "dimension -2", "negative" }, { "at most 8 is supported", "rank" }, { "17 reasons", "reasons" }, { "expected 1 to 64", "parts" }, { "is not known", "open" },
    };

    [Theory]
    [MemberData(nameof(Flaws))]
    public void What_does_not_fit_together_is_refused(string expected, string flaw)
    {
        PartitionedModel model = Small();
        switch (flaw)
        {
            case "input": model.Parts[0].Inputs[0] = 9; break;
            case "twice": model.Parts[1].Outputs[0] = 1; break;
            case "order": model.Parts.Reverse(); break;
            case "idle": model.Outputs.Remove(3); break;
            case "orphan": model.Values.Add(new PartValue("more", ElementType.Float32, [1])); model.Outputs.Insert(0, 5); break;
            case "varying": model.Values[2] = model.Values[2] with { Dimensions = [1, -1] }; break;
            case "port": model.Parts[0].Graph!.Outputs[0].Name = "other"; break;
            case "name": model.Values[1] = model.Values[1] with { Name = "x" }; break;
            case "type": model.Values[3] = model.Values[3] with { Type = ElementType.Undefined }; break;
            case "output": model.Outputs[0] = 0; break;
            case "nothing": model.Parts[2].Outputs.Clear(); break;
            case "again": model.Outputs.Add(4); break;
            case "negative": model.Values[3] = model.Values[3] with { Dimensions = [-2, 3] }; break;
            case "rank": model.Values[3] = model.Values[3] with { Dimensions = new int[9] }; break;
            case "reasons": model.Parts[1].Reasons.AddRange(Enumerable.Repeat("because", 16)); break;
            case "parts": model.Parts.Clear(); break;
            case "open": model.Values[0] = model.Values[0] with { Dimensions = [-1, 8] }; break;
        }
        var error = Assert.Throws<ModelFormatException>(() => File(model));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_truncation_and_flipped_bit_is_refused()
    {
        byte[] file = File(Small());
        for (int length = 0; length < file.Length; length++) Assert.Throws<ModelFormatException>(() => ModelPackage.FromBytes(file.AsMemory(0, length)));
        for (int bit = 0; bit < file.Length * 8; bit++)
        {
            file[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<ModelFormatException>(() => ModelPackage.FromBytes(file));
            file[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Theory]
    [InlineData(11)]
    public void Mutations_with_right_checksums_throw_nothing_else_and_what_loads_is_canonical(int seed)
    {
        byte[] original = File(Small());
        (_, int manifest, int manifestSize) = ModelPackageTests.Find(original, 1);
        var random = new Random(seed);
        int loaded = 0;
        for (int i = 0; i < 20_000; i++)
        {
            byte[] file = (byte[])original.Clone();
            bool manifestTouched = false;
            for (int j = random.Next(1, 4); j > 0; j--)
            {
                int at = random.Next(file.Length);
                manifestTouched |= at >= manifest && at < manifest + manifestSize;
                file[at] = random.Next(3) switch { 0 => (byte)random.Next(256), 1 => (byte)(file[at] ^ (1 << random.Next(8))), _ => (byte)(random.Next(2) == 0 ? 0 : 255) };
            }
            ModelPackageTests.Rehash(file);
            try
            {
                ModelPackage package = ModelPackage.FromBytes(file);
                loaded++;
                if (!manifestTouched) Assert.Equal(file, package.ToBytes());
            }
            catch (ModelFormatException error)
            {
                Assert.DoesNotContain(error.Message, char.IsControl);
            }
        }
        Assert.InRange(loaded, 200, 19_900);
    }

    /// <summary>Every 32-bit field of the parts section, and of the section table's types, in turn becomes another number.</summary>
    [Theory]
    [InlineData(0xFFFFFFFF)]
    [InlineData(0x7FFFFFFF)]
    [InlineData(0x00000FFF)]
    [InlineData(0x00000005)]
    public void Absurd_fields_allocate_nothing(uint value)
    {
        byte[] original = File(Small());
        (_, int parts, int size) = ModelPackageTests.Find(original, 5);
        for (int at = 0; at < 64 * 8 + size; at += at < 64 * 8 ? 64 : 1)
        {
            byte[] file = (byte[])original.Clone();
            BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(at < 64 * 8 ? 64 + at : Math.Min(parts + at - 64 * 8, file.Length - 4)), value);
            ModelPackageTests.Rehash(file);
            Assert.InRange(ModelPackageTests.AllocatedUntilRefused(file), 0, 200_000);
        }
    }
}
