using System.Text;

namespace EdgeSparse.Model;

/// <summary>The parts section of a package (FORMAT.md): what each part reads and makes. The parts' graphs and ONNX models are sections of their own, in the same order.</summary>
internal static class PartsSection
{
    private const string Section = "parts section";

    /// <summary>Least bytes of a value: name size, type, rank.</summary>
    private const int ValueBytes = 4;

    /// <summary>Least bytes of a part: engine, operators, three counts.</summary>
    private const int PartBytes = 17;

    private const byte UnknownRank = byte.MaxValue;

    /// <summary>The parts as the section has them, without their content.</summary>
    public sealed record Plan(PartEngine Engine, int Operators, int[] Inputs, int[] Outputs, string[] Reasons);

    public static byte[] Write(PartitionedModel model)
    {
        using var stream = new MemoryStream();
        using var write = new BinaryWriter(stream, Encoding.UTF8);
        write.Write(model.Values.Count);
        foreach (PartValue value in model.Values)
        {
            PackageWriter.Text(write, value.Name);
            write.Write((byte)value.Type);
            if (value.Dimensions is not { } dimensions)
            {
                write.Write(UnknownRank);
                continue;
            }
            write.Write((byte)dimensions.Count);
            foreach (int dimension in dimensions) write.Write(dimension);
        }
        Indices(write, model.Inputs);
        Indices(write, model.Outputs);
        write.Write(model.Parts.Count);
        foreach (ModelPart part in model.Parts)
        {
            write.Write((byte)part.Engine);
            write.Write(part.Operators);
            Indices(write, part.Inputs);
            Indices(write, part.Outputs);
            write.Write(part.Reasons.Count);
            foreach (string reason in part.Reasons) PackageWriter.Text(write, reason);
        }
        write.Flush();
        return stream.ToArray();
    }

    /// <summary>Reads the section into <paramref name="model"/>, all but the parts, which are returned.</summary>
    public static List<Plan> Read(ReadOnlySpan<byte> section, PartitionedModel model)
    {
        var read = new ByteReader(section, Section);
        int values = read.Count(Limits.PartValues, ValueBytes, "values");
        for (int i = 0; i < values; i++)
        {
            string name = read.Text();
            var type = (ElementType)read.UInt8();
            int rank = read.UInt8();
            int[]? dimensions = null;
            if (rank != UnknownRank)
            {
                if (rank > Limits.Rank) throw read.Fail($"rank {rank}, at most {Limits.Rank} is supported");
                dimensions = new int[rank];
                for (int axis = 0; axis < rank; axis++) dimensions[axis] = (int)read.UInt32();
            }
            model.Values.Add(new PartValue(name, type, dimensions));
        }
        model.Inputs.AddRange(Indices(ref read, values));
        model.Outputs.AddRange(Indices(ref read, values));
        int parts = read.Count(Limits.Parts, PartBytes, "parts");
        var plans = new List<Plan>(parts);
        for (int i = 0; i < parts; i++)
        {
            var engine = (PartEngine)read.UInt8();
            if (engine is not (PartEngine.Native or PartEngine.OnnxRuntime)) throw read.Fail($"engine {(byte)engine} is not known, expected {(byte)PartEngine.Native} or {(byte)PartEngine.OnnxRuntime}");
            uint operators = read.UInt32();
            if (operators > Limits.Nodes) throw read.Fail($"{operators} operators, at most {Limits.Nodes} are supported");
            int[] inputs = Indices(ref read, values), outputs = Indices(ref read, values);
            var reasons = new string[read.Count(Limits.PartReasons, sizeof(ushort), "reasons")];
            for (int j = 0; j < reasons.Length; j++) reasons[j] = read.Text();
            plans.Add(new Plan(engine, (int)operators, inputs, outputs, reasons));
        }
        if (!read.AtEnd) throw read.Fail("bytes after the last part");
        return plans;
    }

    private static void Indices(BinaryWriter write, List<int> indices)
    {
        write.Write(indices.Count);
        foreach (int index in indices) write.Write(index);
    }

    private static int[] Indices(ref ByteReader read, int values)
    {
        var indices = new int[read.Count(values, sizeof(uint), "values of a part")];
        for (int i = 0; i < indices.Length; i++)
        {
            uint index = read.UInt32();
            if (index >= (uint)values) throw read.Fail($"value {index} of {values}");
            indices[i] = (int)index;
        }
        return indices;
    }
}
