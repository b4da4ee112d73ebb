using EdgeSparse.Compiler.Import;
using EdgeSparse.Testing;

namespace EdgeSparse.Compiler.Tests;

/// <summary>ONNX messages read and written.</summary>
public sealed class OnnxFileTests
{
    public static TheoryData<string, string, string> Models => ModelFiles.WithGolden();

    [DataTheory]
    [MemberData(nameof(Models))]
    public void A_model_written_and_read_again_is_the_same(string name, string model, string golden)
    {
        Assert.NotEqual(name, golden);
        OnnxModel first = OnnxModel.Read(TestData.Path(model));
        using var stream = new MemoryStream();
        first.Write(stream);
        OnnxModel second = OnnxModel.Parse(stream.ToArray(), "written");
        using var again = new MemoryStream();
        second.Write(again);
        Assert.Equal(stream.ToArray(), again.ToArray());
        Assert.Equal(first.Graph.Nodes.Count, second.Graph.Nodes.Count);
        Assert.Equal(first.Opsets, second.Opsets);
        for (int i = 0; i < first.Graph.Initializers.Count; i++)
        {
            Assert.Equal(first.Graph.Initializers[i].Dims, second.Graph.Initializers[i].Dims);
            Assert.True((first.Graph.Initializers[i].RawData ?? default).Span.SequenceEqual((second.Graph.Initializers[i].RawData ?? default).Span));
        }
    }
}
