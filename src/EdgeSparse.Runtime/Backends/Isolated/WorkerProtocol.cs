using System.Buffers.Binary;
using EdgeSparse.Kernels;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Backends.Onnx;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Runtime.Backends.Isolated;

/// <summary>How the package is to be run, for the worker.</summary>
internal static class WorkerSetup
{
    public static byte[] Write(SessionOptions session, OnnxRuntimeOptions onnxRuntime)
    {
        using var memory = new MemoryStream();
        using var writer = new BinaryWriter(memory);
        writer.Write((int)session.Backend);
        writer.Write(session.Threads);
        writer.Write(session.Isa is { } isa ? (int)isa : -1);
        writer.Write((int)session.Kernels);
        writer.Write(session.MemoryLimitBytes);
        byte[] costs = session.Costs is { } table ? CostFile.Format(table, ProcessorIdentity.Current) : [];
        writer.Write(costs.Length);
        writer.Write(costs);
        writer.Write(onnxRuntime.LibraryPath is { } library ? Path.GetFullPath(library) : "");
        writer.Write(onnxRuntime.Threads);
        writer.Write(onnxRuntime.Spin);
        writer.Write(onnxRuntime.OptimizeGraph);
        writer.Write(onnxRuntime.Providers.Count);
        foreach (string provider in onnxRuntime.Providers) writer.Write(provider);
        writer.Write(onnxRuntime.ProviderOptions.Count);
        foreach ((string provider, IReadOnlyDictionary<string, string> options) in onnxRuntime.ProviderOptions)
        {
            writer.Write(provider);
            writer.Write(options.Count);
            foreach ((string key, string value) in options)
            {
                writer.Write(key);
                writer.Write(value);
            }
        }
        writer.Write(onnxRuntime.InputShapes.Count);
        foreach ((string name, Shape shape) in onnxRuntime.InputShapes)
        {
            writer.Write(name);
            WorkerModel.WriteShape(writer, shape);
        }
        writer.Flush();
        return memory.ToArray();
    }

    public static (SessionOptions Session, OnnxRuntimeOptions OnnxRuntime) Read(byte[] payload)
    {
        using var reader = new BinaryReader(new MemoryStream(payload));
        var session = new SessionOptions { Backend = (BackendChoice)reader.ReadInt32(), Threads = reader.ReadInt32() };
        int isa = reader.ReadInt32();
        session = session with { Isa = isa < 0 ? null : (InstructionSet)isa, Kernels = (KernelPreference)reader.ReadInt32(), MemoryLimitBytes = reader.ReadInt64() };
        byte[] costs = reader.ReadBytes(reader.ReadInt32());
        if (costs.Length > 0) session = session with { Costs = CostFile.Parse(costs, ProcessorIdentity.Current, session.ResolveIsa(), "measured costs") };
        string library = reader.ReadString();
        var onnxRuntime = new OnnxRuntimeOptions { LibraryPath = library.Length > 0 ? library : null, Threads = reader.ReadInt32(), Spin = reader.ReadBoolean(), OptimizeGraph = reader.ReadBoolean() };
        var providers = new string[reader.ReadInt32()];
        for (int i = 0; i < providers.Length; i++) providers[i] = reader.ReadString();
        var options = new Dictionary<string, IReadOnlyDictionary<string, string>>();
        for (int i = reader.ReadInt32(); i > 0; i--)
        {
            string provider = reader.ReadString();
            var pairs = new Dictionary<string, string>();
            for (int j = reader.ReadInt32(); j > 0; j--) pairs.Add(reader.ReadString(), reader.ReadString());
            options.Add(provider, pairs);
        }
        var shapes = new Dictionary<string, Shape>();
        for (int i = reader.ReadInt32(); i > 0; i--) shapes.Add(reader.ReadString(), WorkerModel.ReadShape(reader));
        return (session, onnxRuntime with { Providers = providers, ProviderOptions = options, InputShapes = shapes });
    }
}

/// <summary>What the worker loaded: who computes, and the inputs and outputs.</summary>
internal sealed record WorkerModel(string Backend, TensorInfo[] Inputs, TensorInfo[] Outputs)
{
    public byte[] Write()
    {
        using var memory = new MemoryStream();
        using var writer = new BinaryWriter(memory);
        writer.Write(Backend);
        foreach (TensorInfo[] tensors in (TensorInfo[][])[Inputs, Outputs])
        {
            writer.Write(tensors.Length);
            foreach (TensorInfo tensor in tensors)
            {
                writer.Write(tensor.Name);
                writer.Write((int)tensor.Type);
                WriteShape(writer, tensor.Shape);
                writer.Write(tensor.VaryingAxes.Count);
                foreach (int axis in tensor.VaryingAxes) writer.Write(axis);
            }
        }
        writer.Flush();
        return memory.ToArray();
    }

    public static WorkerModel Read(byte[] payload)
    {
        using var reader = new BinaryReader(new MemoryStream(payload));
        return new WorkerModel(reader.ReadString(), Tensors(), Tensors());

        TensorInfo[] Tensors()
        {
            var tensors = new TensorInfo[reader.ReadInt32()];
            for (int i = 0; i < tensors.Length; i++)
            {
                tensors[i] = new TensorInfo(reader.ReadString(), (ElementType)reader.ReadInt32(), ReadShape(reader));
                var varying = new int[reader.ReadInt32()];
                for (int j = 0; j < varying.Length; j++) varying[j] = reader.ReadInt32();
                tensors[i] = tensors[i] with { VaryingAxes = varying };
            }
            return tensors;
        }
    }

    /// <summary>True where both have the same tensors, so that memory laid out for one serves the other.</summary>
    public bool HasTensorsOf(WorkerModel other) => Inputs.Length == other.Inputs.Length && Outputs.Length == other.Outputs.Length
        && Inputs.Concat(Outputs).Zip(other.Inputs.Concat(other.Outputs)).All(pair =>
            pair.First.Name == pair.Second.Name && pair.First.Type == pair.Second.Type
            && pair.First.VaryingAxes.SequenceEqual(pair.Second.VaryingAxes) && (pair.First.VaryingAxes.Count > 0 || pair.First.Shape == pair.Second.Shape));

    public static void WriteShape(BinaryWriter writer, Shape shape)
    {
        writer.Write(shape.Rank);
        for (int i = 0; i < shape.Rank; i++) writer.Write(shape[i]);
    }

    public static Shape ReadShape(BinaryReader reader)
    {
        var dimensions = new int[reader.ReadInt32()];
        for (int i = 0; i < dimensions.Length; i++) dimensions[i] = reader.ReadInt32();
        return new Shape(dimensions);
    }

    public static int SizeBytes(TensorInfo tensor) => checked((int)(tensor.Shape.ElementCount * tensor.Type.SizeBytes()));
}

/// <summary>
/// Where the tensors lie in the two blocks of shared memory, inputs and outputs. Each tensor begins at a multiple of 64 bytes; before an output stands its head of 64 bytes: the bytes that
/// the last frame's takes (8), its rank (4), its dimensions (4 each).
/// </summary>
internal sealed record WorkerMemory(long InputBytes, long OutputBytes, long[] InputOffsets, long[] OutputOffsets, long[] OutputCapacities)
{
    public const int HeadBytes = 64;

    public static long AlignUp(long bytes) => bytes + 63 & -64;

    /// <summary>Offsets for tensors of so many bytes with a head before each, and the size of all.</summary>
    public static (long[] Offsets, long Total) LayOut(IEnumerable<long> sizes, int head)
    {
        var offsets = new List<long>();
        long at = 0;
        foreach (long size in sizes)
        {
            offsets.Add(at + head);
            at = AlignUp(at + head + size);
        }
        return ([.. offsets], Math.Max(at, HeadBytes));
    }

    public byte[] Write()
    {
        using var memory = new MemoryStream();
        using var writer = new BinaryWriter(memory);
        writer.Write(InputBytes);
        writer.Write(OutputBytes);
        foreach (long[] list in (long[][])[InputOffsets, OutputOffsets, OutputCapacities])
        {
            writer.Write(list.Length);
            foreach (long value in list) writer.Write(value);
        }
        writer.Flush();
        return memory.ToArray();
    }

    public static WorkerMemory Read(byte[] payload)
    {
        using var reader = new BinaryReader(new MemoryStream(payload));
        return new WorkerMemory(reader.ReadInt64(), reader.ReadInt64(), List(), List(), List());

        long[] List()
        {
            var list = new long[reader.ReadInt32()];
            for (int i = 0; i < list.Length; i++) list[i] = reader.ReadInt64();
            return list;
        }
    }

    public static void WriteHead(Span<byte> head, long sizeBytes, Shape shape)
    {
        BinaryPrimitives.WriteInt64LittleEndian(head, sizeBytes);
        BinaryPrimitives.WriteInt32LittleEndian(head[8..], shape.Rank);
        for (int i = 0; i < shape.Rank; i++) BinaryPrimitives.WriteInt32LittleEndian(head[(12 + 4 * i)..], shape[i]);
    }

    /// <summary>The bytes of the tensor; <paramref name="shape"/> is replaced where it is another.</summary>
    public static long ReadHead(ReadOnlySpan<byte> head, ref Shape shape)
    {
        int rank = Math.Clamp(BinaryPrimitives.ReadInt32LittleEndian(head[8..]), 0, Limits.Rank);
        bool same = shape.Rank == rank;
        for (int i = 0; same && i < rank; i++) same = shape[i] == BinaryPrimitives.ReadInt32LittleEndian(head[(12 + 4 * i)..]);
        if (!same)
        {
            var dimensions = new int[rank];
            for (int i = 0; i < rank; i++) dimensions[i] = BinaryPrimitives.ReadInt32LittleEndian(head[(12 + 4 * i)..]);
            shape = new Shape(dimensions);
        }
        return BinaryPrimitives.ReadInt64LittleEndian(head);
    }
}
