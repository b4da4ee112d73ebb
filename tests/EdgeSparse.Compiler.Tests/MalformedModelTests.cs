using EdgeSparse.Compiler.Import;
using EdgeSparse.Model;
using EdgeSparse.Testing;

namespace EdgeSparse.Compiler.Tests;

/// <summary>Hostile ONNX files: one-line errors that name the file, and never another exception, a hang or much memory.</summary>
public sealed class MalformedModelTests
{
    public static TheoryData<string> Names
    {
        get
        {
            var names = new TheoryData<string>();
            foreach ((string name, _, _) in MalformedModels.All()) names.Add(name);
            return names;
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_malformed_model_is_refused_with_the_reason(string name)
    {
        (_, byte[] bytes, string expected) = MalformedModels.All().Single(entry => entry.Name == name);
        using var folder = new TemporaryFolder();
        string path = folder.Write("model.onnx", bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<ModelFormatException>(() => OnnxImporter.Import(OnnxModel.Read(path), new ImportOptions()));
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.True(allocated < (16 << 20) + 100L * bytes.Length, $"{allocated} bytes allocated for a file of {bytes.Length}");
    }

    [Fact]
    public void Names_are_distinct_and_many()
    {
        string[] names = [.. MalformedModels.All().Select(entry => entry.Name)];
        Assert.True(names.Length > 60);
        Assert.Equal(names.Length, names.Distinct().Count());
    }

    [Fact]
    public void External_data_is_read_from_the_model_folder_only()
    {
        using var folder = new TemporaryFolder();
        using var elsewhere = new TemporaryFolder();
        string secret = elsewhere.Write("secret.bin", new byte[16]);
        folder.Write("weights.bin", [0, 0, 128, 63, 0, 0, 0, 64]);
        File.CreateSymbolicLink(Path.Combine(folder.Path, "link.bin"), secret);
        Directory.CreateSymbolicLink(Path.Combine(folder.Path, "linked"), elsewhere.Path);
        File.CreateSymbolicLink(Path.Combine(folder.Path, "inside.bin"), Path.Combine(folder.Path, "weights.bin"));

        Assert.Equal(2f, ImportExternal(folder, "weights.bin", 4));
        Assert.Equal(1f, ImportExternal(folder, "inside.bin", 0));
        Assert.Contains("leads out", Assert.Throws<ModelFormatException>(() => ImportExternal(folder, "link.bin", 0)).Message, StringComparison.Ordinal);
        Assert.Contains("leads out", Assert.Throws<ModelFormatException>(() => ImportExternal(folder, "linked/secret.bin", 0)).Message, StringComparison.Ordinal);
        Assert.Contains("which has 8", Assert.Throws<ModelFormatException>(() => ImportExternal(folder, "weights.bin", 6)).Message, StringComparison.Ordinal);
        Assert.Contains("which has 8", Assert.Throws<ModelFormatException>(() => ImportExternal(folder, "weights.bin", long.MaxValue)).Message, StringComparison.Ordinal);
    }

    private static float ImportExternal(TemporaryFolder folder, string location, long offset)
    {
        var model = new OnnxModel();
        model.Opsets.Add(new OnnxOpset("", 17));
        var tensor = new OnnxTensor { Name = "w", DataType = 1, Dims = [1], IsExternal = true };
        tensor.ExternalData.Add(new("location", location));
        tensor.ExternalData.Add(new("offset", offset.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        model.Graph.Initializers.Add(tensor);
        model.Graph.Outputs.Add(OnnxValueInfo.Tensor("w", ElementType.Float32, 1));
        string path = Path.Combine(folder.Path, "model.onnx");
        model.Write(path);
        ImportResult result = OnnxImporter.Import(OnnxModel.Read(path), new ImportOptions());
        return result.Graph!.Outputs[0].Constant!.Span<float>()[0];
    }

    /// <summary>The first kilobytes of real models and whole small ones, with bytes flipped, cut, doubled and lengths enlarged, from a fixed seed.</summary>
    [DataTheory]
    [InlineData("mnist-8_cntk.onnx", 400)]
    [InlineData("winml_cifar_ImageClassifier.onnx", 300)]
    [InlineData("vit_mnist_d32l1_op13.onnx", 300)]
    [InlineData("ultraface_version-RFB-320.onnx", 100)]
    [InlineData("mlperftiny_resnet8_cifar10.onnx", 150)]
    public void Mutated_models_give_nothing_but_format_errors(string file, int rounds)
    {
        byte[] original = File.ReadAllBytes(TestData.Path("models", file));
        var random = new Random(20260101);
        int refused = 0;
        for (int round = 0; round < rounds; round++)
        {
            byte[] mutated = Mutate(original, random);
            try
            {
                OnnxModel model = OnnxModel.Parse(mutated, "mutated");
                OnnxImporter.Import(model, new ImportOptions());
            }
            catch (ModelFormatException e)
            {
                Assert.DoesNotContain('\n', e.Message);
                refused++;
            }
        }
        Assert.True(refused > rounds / 10, $"{refused} of {rounds} refused");
    }

    private static byte[] Mutate(byte[] original, Random random)
    {
        byte[] bytes = random.Next(8) == 0 ? original[..random.Next(1, original.Length)] : [.. original];
        int span = Math.Min(bytes.Length, random.Next(2) == 0 ? 8192 : bytes.Length);
        for (int i = random.Next(1, 9); i > 0; i--)
        {
            int at = random.Next(span);
            switch (random.Next(5))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                case 2: bytes[at] = 0xFF; break;
                case 3: bytes[at] = 0; break;
                default:
                    // A run copied over another place: tags and lengths that belong elsewhere.
                    int length = Math.Min(random.Next(1, 32), bytes.Length - at), to = random.Next(bytes.Length - length + 1);
                    bytes.AsSpan(at, length).ToArray().CopyTo(bytes, to);
                    break;
            }
        }
        return bytes;
    }
}

/// <summary>A folder that is gone when the test ends.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("edgesparse-").FullName;

    public string Write(string name, byte[] bytes)
    {
        string path = System.IO.Path.Combine(Path, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
