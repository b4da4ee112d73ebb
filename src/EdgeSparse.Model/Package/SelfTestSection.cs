using System.Text;

namespace EdgeSparse.Model;

/// <summary>The self-test section of a package (FORMAT.md).</summary>
internal static class SelfTestSection
{
    private const string Section = "self-test section";

    /// <summary>Least bytes of a tensor: name size, type, rank.</summary>
    private const int TensorBytes = 4;

    public static byte[] Write(SelfTest test)
    {
        using var stream = new MemoryStream();
        using var write = new BinaryWriter(stream, Encoding.UTF8);
        write.Write(Count(test.Inputs.Count));
        write.Write(Count(test.Outputs.Count));
        foreach (NamedTensor input in test.Inputs) Tensor(write, input.Name, input.Tensor);
        foreach (ExpectedOutput output in test.Outputs)
        {
            Tensor(write, output.Name, output.Tensor);
            write.Write(output.Tolerance);
        }
        write.Flush();
        byte[] section = stream.ToArray();
        // What a reader would refuse is not written.
        _ = Read(section);
        return section;
    }

    public static SelfTest Read(ReadOnlySpan<byte> section)
    {
        var read = new ByteReader(section, Section);
        int inputCount = read.Count(Limits.SelfTestTensors, TensorBytes, "inputs"), outputCount = read.Count(Limits.SelfTestTensors, TensorBytes, "outputs");
        if (inputCount == 0 || outputCount == 0) throw read.Fail($"{inputCount} inputs and {outputCount} outputs, expected at least one of each");
        var inputs = new List<NamedTensor>(inputCount);
        for (int i = 0; i < inputCount; i++)
        {
            string name = read.Text();
            if (inputs.Exists(input => input.Name == name)) throw read.Fail("two inputs of the same name");
            inputs.Add(new NamedTensor(name, Tensor(ref read)));
        }
        var outputs = new List<ExpectedOutput>(outputCount);
        for (int i = 0; i < outputCount; i++)
        {
            string name = read.Text();
            if (outputs.Exists(output => output.Name == name)) throw read.Fail("two outputs of the same name");
            Tensor tensor = Tensor(ref read);
            double tolerance = read.Float64();
            if (!double.IsFinite(tolerance) || tolerance < 0) throw read.Fail($"tolerance {tolerance}, expected 0 or more");
            outputs.Add(new ExpectedOutput(name, tensor, tolerance));
        }
        return read.AtEnd ? new SelfTest(inputs, outputs) : throw read.Fail("bytes after the last output");
    }

    private static int Count(int count) =>
        count <= Limits.SelfTestTensors ? count : throw new ModelFormatException($"a self-test of {count} tensors, at most {Limits.SelfTestTensors} are supported");

    private static void Tensor(BinaryWriter write, string name, Tensor tensor)
    {
        PackageWriter.Text(write, name);
        write.Write((byte)tensor.Type);
        write.Write((byte)tensor.Shape.Rank);
        foreach (int dimension in tensor.Shape.Dimensions) write.Write(dimension);
        write.Write(tensor.Data.Span);
    }

    private static Tensor Tensor(ref ByteReader read)
    {
        var type = (ElementType)read.UInt8();
        if (!Enum.IsDefined(type) || type.SizeBytes() == 0) throw read.Fail($"element type {(byte)type}");
        int rank = read.UInt8();
        if (rank > Limits.Rank) throw read.Fail($"rank {rank}, at most {Limits.Rank} is supported");
        Span<int> dimensions = stackalloc int[rank];
        long bytes = type.SizeBytes();
        foreach (ref int dimension in dimensions)
        {
            uint value = read.UInt32();
            if (value > Limits.Dimension) throw read.Fail($"dimension {value}, at most {Limits.Dimension} is supported");
            bytes *= dimension = (int)value;
            if (bytes > Limits.ModelFileBytes) throw read.Fail("a tensor larger than a model may be");
        }
        return new Tensor(type, new Shape(dimensions), read.Take((int)bytes).ToArray());
    }
}
