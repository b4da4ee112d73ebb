using System.Buffers.Binary;
using System.Security.Cryptography;
using EdgeSparse.Compiler;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Testing;

namespace EdgeSparse.Cli.Tests;

/// <summary>
/// What a package says is trusted by kernels once it was loaded: so packages with mutated graphs and right checksums are loaded, planned and run,
/// and must either be refused or run to their end.
/// </summary>
public class MutatedPackageTests
{
    [DataTheory]
    [InlineData("mnist-8_cntk.onnx", 11)]
    [InlineData("vit_mnist_d32l1_op13.onnx", 12)]
    public void A_mutated_graph_is_refused_or_runs(string model, int seed)
    {
        byte[] original = ModelCompiler.Compile(TestData.Path("models", model), new CompileOptions()).Package!.ToBytes();
        (int entry, int offset, int size) = GraphSection(original);
        var random = new Random(seed);
        int ran = 0;
        for (int i = 0; i < 3000; i++)
        {
            byte[] file = (byte[])original.Clone();
            for (int j = random.Next(1, 3); j > 0; j--)
            {
                int at = offset + random.Next(size);
                file[at] = random.Next(3) switch { 0 => (byte)random.Next(256), 1 => (byte)(file[at] ^ (1 << random.Next(8))), _ => (byte)(file[at] + random.Next(-2, 3)) };
            }
            SHA256.HashData(file.AsSpan(offset, size), file.AsSpan(entry + 24, 32));
            int sections = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(12));
            SHA256.HashData((byte[])[.. file.AsSpan(0, 24), .. file.AsSpan(64, sections * 64)], file.AsSpan(24, 32));
            try
            {
                ModelPackage package = ModelPackage.FromBytes(file);
                using NativeSession session = NativeSession.Create(package.Graph!, new SessionOptions { Threads = 1, MemoryLimitBytes = 32 << 20 });
                session.Run();
                ran++;
            }
            catch (Exception error) when (error is ModelFormatException or UnsupportedOperatorException)
            {
            }
        }
        Assert.InRange(ran, 100, 2900);
    }

    private static (int Entry, int Offset, int Size) GraphSection(byte[] file)
    {
        int entry = 64;
        while (BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(entry)) != 2) entry += 64;
        return (entry, (int)BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(entry + 8)), (int)BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(entry + 16)));
    }
}
