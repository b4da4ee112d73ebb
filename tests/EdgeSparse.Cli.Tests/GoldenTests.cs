using System.Text.Json;
using EdgeSparse.Testing;

namespace EdgeSparse.Cli.Tests;

/// <summary>Stored outputs of real models against the native engine, through <c>verify</c>.</summary>
public class GoldenTests
{
    /// <summary>Model below models/, golden folder below the data folder, tolerances.</summary>
    public static TheoryData<string, string, string, string> Models { get; } = new()
    {
        { "mnist-8_cntk.onnx", "golden/mnist-8_cntk", "1e-4", "1e-3" },
        { "mlperftiny_resnet8_cifar10.onnx", "golden/mlperftiny_resnet8_cifar10", "1e-4", "1e-3" },
        { "resnet8_cifar10_sparse80.onnx", "golden/resnet8_cifar10_sparse80", "1e-4", "1e-3" },
        { "squeezenet11_fp32_from_fp16.onnx", "golden/squeezenet11_fp32_from_fp16", "1e-4", "1e-3" },
        // The same weights as numbers: the native engine computes in float32, so nothing is lost.
        { "squeezenet11_fp16.onnx", "golden/squeezenet11_fp32_from_fp16", "1e-4", "1e-3" },
        { "ultraface_version-RFB-320.onnx", "golden/ultraface_version-RFB-320", "1e-4", "1e-3" },
        { "ultraface_version-RFB-320_simplified.onnx", "golden/ultraface_version-RFB-320_simplified", "1e-4", "1e-3" },
        { "yolox_nano_coco.onnx", "golden/yolox_nano_coco", "1e-4", "1e-3" },
        { "vit_mnist_d32l1_op13.onnx", "golden/vit_mnist_d32l1_op13", "1e-4", "1e-3" },
        { "vit_mnist_d32l1_op17.onnx", "golden/vit_mnist_d32l1_op17", "1e-4", "1e-3" },
        { "vit_mnist_d128l6_op13.onnx", "golden/vit_mnist_d128l6_op13", "1e-4", "1e-3" },
        { "vit_mnist_d128l6_op17.onnx", "golden/vit_mnist_d128l6_op17", "1e-4", "1e-3" },
        { "winml_cifar_ImageClassifier.onnx", "golden/winml_cifar_ImageClassifier", "1e-4", "1e-3" },
        { "own/mbnet_dense.onnx", "models/own/golden/mbnet_dense", "1e-4", "1e-3" },
        { "own/mbnet_unstr90.onnx", "models/own/golden/mbnet_unstr90", "1e-4", "1e-3" },
        { "own/mbnet_block4_85.onnx", "models/own/golden/mbnet_block4_85", "1e-4", "1e-3" },
        { "own/mbnet_nm24.onnx", "models/own/golden/mbnet_nm24", "1e-4", "1e-3" },
        { "own/vit_gelu.onnx", "models/own/golden/vit_gelu", "1e-4", "1e-3" },
        { "own/vit_gelu_unstr80.onnx", "models/own/golden/vit_gelu_unstr80", "1e-4", "1e-3" },
        { "own/vit_relu.onnx", "models/own/golden/vit_relu", "1e-4", "1e-3" },
    };

    [DataTheory]
    [MemberData(nameof(Models))]
    public void Native_outputs_are_the_stored_ones(string model, string golden, string absolute, string relative)
    {
        string path = TestData.Path(["models", .. model.Split('/')]);
        Outcome verify = Cli.Run("verify", path, "--golden", TestData.Path(golden.Split('/')), "--backend", "native", "--atol", absolute, "--rtol", relative, "--json");
        Assert.True(verify.ExitCode == 0, verify.Error + verify.Output);
        Assert.Equal("native", verify.Json.GetProperty("backend").GetString());
    }

    /// <summary>ONNX Runtime computes the float16 model in float16, whose rounding of 2^-11 single probabilities show.</summary>
    [OnnxRuntimeDataTheory]
    [MemberData(nameof(Models))]
    public void ONNX_Runtimes_outputs_are_the_stored_ones(string model, string golden, string absolute, string relative)
    {
        if (model.Contains("fp16.", StringComparison.Ordinal)) (absolute, relative) = ("5e-4", "1e-2");
        Outcome verify = Cli.Run("verify", TestData.Path(["models", .. model.Split('/')]), "--golden", TestData.Path(golden.Split('/')), "--backend", "onnxruntime",
            "--onnxruntime-library", OnnxRuntimeLibrary.Path, "--atol", absolute, "--rtol", relative, "--json");
        Assert.True(verify.ExitCode == 0, verify.Error + verify.Output);
        Assert.Equal("onnxruntime/cpu", verify.Json.GetProperty("backend").GetString());
    }

    [DataFact]
    public void Every_stored_output_has_its_row()
    {
        var listed = Models.Select(row => (string)((object[])row)[1]).ToHashSet(StringComparer.Ordinal);
        foreach (string folder in Directory.GetDirectories(TestData.Path("golden"))) Assert.Contains("golden/" + Path.GetFileName(folder), listed);
        foreach (string folder in Directory.GetDirectories(TestData.Path("models", "own", "golden"))) Assert.Contains("models/own/golden/" + Path.GetFileName(folder), listed);
    }

    [DataFact]
    public void A_package_gives_what_the_ONNX_file_gives()
    {
        using var work = new WorkFolder();
        Cli.Run("compile", TestData.Path("models", "own", "mbnet_unstr90.onnx"), "-o", work["m.esm"]).Succeeded();
        Cli.Run("verify", work["m.esm"], "--golden", TestData.Path("models", "own", "golden", "mbnet_unstr90"), "--backend", "native").Succeeded();
        JsonElement json = Cli.Run("inspect", work["m.esm"], "--json").Succeeded().Json;
        Assert.Contains(json.GetProperty("layers").EnumerateArray(), layer => layer.GetProperty("pattern").GetString() == "unstructured");
    }
}
