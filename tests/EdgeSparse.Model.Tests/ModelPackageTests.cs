using System.Buffers.Binary;
using System.Security.Cryptography;
using EdgeSparse.Kernels.SparseMatMul;
using EdgeSparse.Model;

namespace EdgeSparse.Model.Tests;

public class ModelPackageTests
{
    private static Manifest SmallManifest() => new()
    {
        Name = "small",
        Version = "1.2.3",
        Labels = ["cat", "dog", "été"],
        Preprocess = new PreprocessManifest { Resize = ResizeMode.Letterbox, Color = ColorOrder.Bgr, Mean = [1, 2, 3], Std = [4, 5, 6], Scale = 0.5f },
        Decoder = new DecoderManifest { Type = DecoderKind.Ssd, Anchors = [new AnchorManifest { Stride = 8, Sizes = [10, 20] }] },
    };

    private static byte[] Small(bool sparse) => new ModelPackage(SmallManifest(), GraphValidatorTests.Small(sparse)).ToBytes();

    /// <summary>Every attribute type, absent inputs, a wide sparse matrix, scalars and an empty tensor.</summary>
    private static Graph Rich()
    {
        var graph = new Graph { Name = "rich" };
        var x = new Value("x", ElementType.Float32, new Shape(1, 3, 8, 8));
        var weights = new float[4 * 27];
        for (int i = 0; i < weights.Length; i += 5) weights[i] = i + 1;
        var w = new Value("w", new Tensor(new Shape(4, 3, 3, 3), SparseWeights.FromDense(weights, 4, 27)));
        var residual = new Value("residual", Tensor.FromFloats(new Shape(1, 4, 8, 8), new float[256]));
        var conv = new Node(OperatorKind.Conv, "conv") { Inputs = { x, w, null, residual }, Outputs = { new Value("c", ElementType.Float32, new Shape(1, 4, 8, 8)) } };
        conv.Attributes.Set("strides", 1, 1);
        conv.Attributes.Set("pads", 1, 1, 1, 1);
        conv.Attributes.Set("dilations", 1, 1);
        conv.Attributes.Set("group", 1);
        conv.Attributes.Set("activation", "clip");
        conv.Attributes.Set("activation_alpha", -0.5);
        var resize = new Node(OperatorKind.Resize, "resize") { Inputs = { conv.Outputs[0] }, Outputs = { new Value("r", ElementType.Float32, new Shape(1, 4, 16, 16)) } };
        resize.Attributes.Set("scales", [1.0, 1, 2, 2]);
        resize.Attributes.Set("sizes", 1, 4, 16, 16);
        resize.Attributes.Set("mode", "nearest");
        var flat = new Node(OperatorKind.Reshape, "flat") { Inputs = { resize.Outputs[0] }, Outputs = { new Value("f", ElementType.Float32, new Shape(1, 1024)) } };
        flat.Attributes.Set("shape", 1, 1024);
        var wide = new SparseWeights(1, 70000, [2], [3, 69999], [1.5f, -2]);
        var product = new Node(OperatorKind.MatMul, "wide") { Inputs = { new Value("zeros", Tensor.FromFloats(new Shape(1, 70000), new float[70000])), new Value("ww", new Tensor(new Shape(1, 70000), wide)) }, Outputs = { new Value("p", ElementType.Float32, new Shape(1, 1)) } };
        product.Attributes.Set("transpose_b", 1);
        var scalar = new Node(OperatorKind.Add, "scalar") { Inputs = { product.Outputs[0], new Value("one", Tensor.FromFloats(Shape.Scalar, [1])) }, Outputs = { new Value("s", ElementType.Float32, new Shape(1, 1)) } };
        var empty = new Node(OperatorKind.Concat, "empty") { Inputs = { new Value("none", Tensor.FromInt64s(new Shape(0), [])), new Value("some", Tensor.FromInt64s(new Shape(2), [7, 8])) }, Outputs = { new Value("i", ElementType.Int64, new Shape(2)) } };
        empty.Attributes.Set("axis", 0);
        graph.Inputs.Add(x);
        graph.Nodes.AddRange([conv, resize, flat, product, scalar, empty]);
        graph.Outputs.AddRange([flat.Outputs[0], scalar.Outputs[0], empty.Outputs[0], x]);
        return graph;
    }

    [Fact]
    public void A_package_written_and_read_is_the_same()
    {
        var package = new ModelPackage(SmallManifest(), Rich(), new byte[] { 1, 2, 3 });
        byte[] file = package.ToBytes();
        ModelPackage read = ModelPackage.FromBytes(file);

        Assert.Equal(file, read.ToBytes());
        Assert.Equal(package.Sha256, read.Sha256);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(file)), read.Sha256);
        Assert.Equal([1, 2, 3], read.OnnxModel.ToArray());
        Assert.Equal(["cat", "dog", "été"], read.Manifest.Labels);
        Assert.Equal(ResizeMode.Letterbox, read.Manifest.Preprocess!.Resize);
        Assert.Equal([10f, 20f], read.Manifest.Decoder!.Anchors[0].Sizes);

        Graph graph = read.Graph!;
        Assert.Equal(["conv", "resize", "flat", "wide", "scalar", "empty"], graph.Nodes.Select(n => n.Name));
        Assert.Null(graph.Nodes[0].Input(2));
        Assert.Equal(-0.5, graph.Nodes[0].Attributes.Number("activation_alpha"));
        Assert.Equal([1.0, 1, 2, 2], graph.Nodes[1].Attributes.Numbers("scales"));
        SparseWeights wide = graph.Nodes[3].Inputs[1]!.Constant!.Sparse!;
        Assert.Equal([3, 69999], wide.ColumnIndices);
        Assert.Equal([1.5f, -2], wide.Values);
        Assert.Equal(Rich().Nodes[0].Inputs[1]!.Constant!.Sparse!.ToDense(), graph.Nodes[0].Inputs[1]!.Constant!.Sparse!.ToDense());
        Assert.Equal([7L, 8L], graph.Nodes[5].Inputs[1]!.Constant!.Span<long>().ToArray());
        Assert.Same(graph.Inputs[0], graph.Outputs[3]);
    }

    [Fact]
    public void A_file_is_written_whole_and_its_constants_are_aligned()
    {
        string folder = Directory.CreateTempSubdirectory("edgesparse-").FullName;
        try
        {
            string path = Path.Combine(folder, "m.esm");
            File.WriteAllText(path, "old");
            var package = new ModelPackage(SmallManifest(), Rich());
            package.Save(path);
            Assert.Equal([path], Directory.GetFiles(folder));
            ModelPackage loaded = ModelPackage.Load(path);
            Assert.Equal(package.Sha256, loaded.Sha256);
            foreach (Node node in loaded.Graph!.Nodes)
            {
                foreach (Value? value in node.Inputs)
                {
                    if (value?.Constant is not { Sparse: null } constant || constant.Data.IsEmpty) continue;
                    using System.Buffers.MemoryHandle handle = constant.Data.Pin();
                    unsafe { Assert.Equal(0, (nint)handle.Pointer % 64); }
                }
            }
            Assert.ThrowsAny<IOException>(() => package.Save(Path.Combine(folder, "absent", "m.esm")));
            Assert.ThrowsAny<IOException>(() => ModelPackage.Load(Path.Combine(folder, "absent.esm")));
            Assert.Equal([path], Directory.GetFiles(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_package_for_ONNX_Runtime_alone_has_no_graph()
    {
        ModelPackage read = ModelPackage.FromBytes(new ModelPackage(new Manifest(), null, new byte[100]).ToBytes());
        Assert.Null(read.Graph);
        Assert.Equal(100, read.OnnxModel.Length);
        Assert.Throws<ArgumentException>(() => new ModelPackage(new Manifest(), (Graph?)null));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_truncation_and_extension_is_refused(bool sparse)
    {
        byte[] file = Small(sparse);
        for (int length = 0; length < file.Length; length++)
            Assert.Throws<ModelFormatException>(() => ModelPackage.FromBytes(file.AsMemory(0, length)));
        Assert.Throws<ModelFormatException>(() => ModelPackage.FromBytes((byte[])[.. file, 0]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_flipped_bit_is_refused(bool sparse)
    {
        byte[] file = Small(sparse);
        for (int bit = 0; bit < file.Length * 8; bit++)
        {
            file[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Throws<ModelFormatException>(() => ModelPackage.FromBytes(file));
            file[bit / 8] ^= (byte)(1 << (bit % 8));
        }
        ModelPackage.FromBytes(file);
    }

    /// <summary>Bytes of the section table entry of section <paramref name="type"/>, and of its content.</summary>
    internal static (int Entry, int Offset, int Size) Find(byte[] file, uint type)
    {
        for (int entry = 64; ; entry += 64)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(entry)) != type) continue;
            return (entry, (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(entry + 8)), (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(entry + 16)));
        }
    }

    /// <summary>Makes every checksum right again, as an attacker would; leaves those whose section is out of range.</summary>
    internal static void Rehash(byte[] file)
    {
        uint count = Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(12)), (uint)(file.Length / 64 - 1));
        for (int i = 0; i < count; i++)
        {
            Span<byte> entry = file.AsSpan(64 + 64 * i, 64);
            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]), size = BinaryPrimitives.ReadUInt64LittleEndian(entry[16..]);
            if (offset <= (ulong)file.Length && size <= (ulong)file.Length - offset) SHA256.HashData(file.AsSpan((int)offset, (int)size), entry.Slice(24, 32));
        }
        SHA256.HashData((byte[])[.. file.AsSpan(0, 24), .. file.AsSpan(64, (int)count * 64)], file.AsSpan(24, 32));
    }

    [Theory]
    [InlineData(20261122, false)]
    [InlineData(7, true)]
    public void Mutations_with_right_checksums_throw_nothing_else_and_what_loads_is_canonical(int seed, bool rich)
    {
        byte[] original = rich ? new ModelPackage(SmallManifest(), Trimmed(Rich())).ToBytes() : Small(true);
        (_, int manifest, int manifestSize) = Find(original, 1);
        var random = new Random(seed);
        int loaded = 0;
        for (int i = 0; i < 40_000; i++)
        {
            byte[] file = (byte[])original.Clone();
            bool manifestTouched = false;
            for (int j = random.Next(1, 4); j > 0; j--)
            {
                int at = random.Next(file.Length);
                manifestTouched |= at >= manifest && at < manifest + manifestSize;
                file[at] = random.Next(4) switch
                {
                    0 => (byte)random.Next(256),
                    1 => (byte)(file[at] ^ (1 << random.Next(8))),
                    2 => (byte)(file[at] + (random.Next(2) == 0 ? 1 : -1)),
                    _ => (byte)(random.Next(2) == 0 ? 0 : 255),
                };
            }
            Rehash(file);
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
        // Weights and names may take other values, so some mutations load: the parser behind the checksums is reached.
        Assert.InRange(loaded, 1000, 39_000);
    }

    /// <summary>Without the wide product, whose constants would take most of the mutations.</summary>
    private static Graph Trimmed(Graph graph)
    {
        graph.Nodes.RemoveRange(3, 2);
        graph.Outputs.RemoveAt(1);
        return graph;
    }

    /// <summary>Where in the graph section of the small sparse package a 32-bit count stands, after its name "small" (7 bytes), and what is put there.</summary>
    [Theory]
    [InlineData(7, 0xFFFFFFFF)]
    [InlineData(7, 200_000)]
    [InlineData(11, 0x7FFFFFFF)]
    [InlineData(11, 20_000)]
    [InlineData(15, 0xFFFFFFFF)]
    [InlineData(19, 0xFFFFFFFF)]
    public void Absurd_counts_allocate_nothing(int at, uint count)
    {
        byte[] file = Small(true);
        (_, int graph, _) = Find(file, 2);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(graph + at), count);
        Rehash(file);
        Assert.InRange(AllocatedUntilRefused(file), 0, 100_000);
    }

    /// <summary>Every 32-bit field of the graph section in turn becomes absurdly large.</summary>
    [Theory]
    [InlineData(0xFFFFFFFF)]
    [InlineData(0x7FFFFFFF)]
    [InlineData(0x00FFFFFF)]
    public void Absurd_fields_allocate_nothing(uint value)
    {
        byte[] original = Small(true);
        (_, int graph, int size) = Find(original, 2);
        for (int at = 0; at + 4 <= size; at++)
        {
            byte[] file = (byte[])original.Clone();
            BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(graph + at), value);
            Rehash(file);
            Assert.InRange(AllocatedUntilRefused(file), 0, 200_000);
        }
    }

    [Fact]
    public void Absurd_section_sizes_are_refused()
    {
        foreach (ulong value in (ulong[])[0, 1, 63, 65, 1 << 20, int.MaxValue, 1UL << 32, 1UL << 63, ulong.MaxValue, ulong.MaxValue - 63])
        {
            foreach (int field in (int[])[8, 16])
            {
                for (uint type = 1; type <= 3; type++)
                {
                    byte[] file = Small(true);
                    (int entry, _, _) = Find(file, type);
                    BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(entry + field), value);
                    Rehash(file);
                    Assert.Throws<ModelFormatException>(() => ModelPackage.FromBytes(file));
                }
            }
        }
    }

    internal static long AllocatedUntilRefused(byte[] file)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            ModelPackage.FromBytes(file);
        }
        catch (ModelFormatException)
        {
        }
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    [Fact]
    public void Another_version_is_named()
    {
        byte[] file = Small(false);
        file[8] = 4;
        Rehash(file);
        var error = Assert.Throws<ModelFormatException>(() => ModelPackage.FromBytes(file, "m.esm"));
        Assert.Equal("m.esm: at byte 8: package version 4, this program reads versions 1 to 3; compile the model again or update the program", error.Message);
    }

    [Fact]
    public void An_ONNX_file_is_not_a_package()
    {
        var error = Assert.Throws<ModelFormatException>(() => ModelPackage.FromBytes("\b\bonnx"u8.ToArray(), "m.onnx"));
        Assert.Equal("m.onnx: not an EdgeSparse package (.esm)", error.Message);
    }

    [Fact]
    public void An_invalid_graph_is_not_written()
    {
        Graph graph = GraphValidatorTests.Small(true);
        graph.Nodes[0].Inputs[1]!.Constant!.Sparse!.ColumnIndices[0] = 9;
        Assert.Throws<ModelFormatException>(() => new ModelPackage(new Manifest(), graph).ToBytes());
    }
}
