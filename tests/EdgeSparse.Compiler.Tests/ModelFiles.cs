using EdgeSparse.Compiler;
using EdgeSparse.Testing;

namespace EdgeSparse.Compiler.Tests;

/// <summary>The real models of the shared test data.</summary>
internal static class ModelFiles
{
    /// <summary>Every model with stored outputs: name, path below the data folder, folder of the stored arrays.</summary>
    public static TheoryData<string, string, string> WithGolden()
    {
        var data = new TheoryData<string, string, string>();
        if (TestData.Folder is null) return data;
        foreach (string folder in Directory.GetDirectories(TestData.Path("golden")).Order())
        {
            string name = Path.GetFileName(folder);
            data.Add(name, Path.Combine("models", name + ".onnx"), Path.Combine("golden", name));
        }
        data.Add("squeezenet11_fp16", Path.Combine("models", "squeezenet11_fp16.onnx"), Path.Combine("golden", "squeezenet11_fp32_from_fp16"));
        foreach (string folder in Directory.GetDirectories(TestData.Path("models", "own", "golden")).Order())
        {
            string name = Path.GetFileName(folder);
            data.Add(name, Path.Combine("models", "own", name + ".onnx"), Path.Combine("models", "own", "golden", name));
        }
        return data;
    }
}
