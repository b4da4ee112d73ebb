using System.Buffers.Binary;
using EdgeSparse.EndToEnd.Support;
using EdgeSparse.Testing;

namespace EdgeSparse.EndToEnd;

/// <summary>The published command-line tool: what it does with good input, and the one line and exit code of every refusal.</summary>
public sealed class ToolTests
{
    public static TheoryData<string, string> GoldenModels => new()
    {
        { "squeezenet11_fp32_from_fp16", "squeezenet11_fp32_from_fp16" },
        { "yolox_nano_coco", "yolox_nano_coco" },
        { "ultraface_version-RFB-320", "ultraface_version-RFB-320" },
        { "ultraface_version-RFB-320_simplified", "ultraface_version-RFB-320_simplified" },
        { "mnist-8_cntk", "mnist-8_cntk" },
        { "mlperftiny_resnet8_cifar10", "mlperftiny_resnet8_cifar10" },
        { "resnet8_cifar10_sparse80", "resnet8_cifar10_sparse80" },
        { "vit_mnist_d32l1_op13", "vit_mnist_d32l1_op13" },
        { "vit_mnist_d32l1_op17", "vit_mnist_d32l1_op17" },
        { "vit_mnist_d128l6_op13", "vit_mnist_d128l6_op13" },
        { "vit_mnist_d128l6_op17", "vit_mnist_d128l6_op17" },
        { "winml_cifar_ImageClassifier", "winml_cifar_ImageClassifier" },
    };

    [DataTheory]
    [MemberData(nameof(GoldenModels))]
    public void Verify_accepts_the_stored_outputs_with_the_native_backend(string model, string golden)
    {
        Outcome outcome = Programs.Run("verify", TestData.Path("models", model + ".onnx"), "--golden", TestData.Path("golden", golden), "--backend", "native");
        Assert.True(outcome.ExitCode == 0, outcome.Output + outcome.Error);
    }

    [OnnxRuntimeDataTheory]
    [MemberData(nameof(GoldenModels))]
    public void Verify_accepts_the_stored_outputs_with_ONNX_Runtime(string model, string golden)
    {
        Outcome outcome = Programs.Run("verify", TestData.Path("models", model + ".onnx"), "--golden", TestData.Path("golden", golden), "--backend", "onnxruntime",
            "--onnxruntime-library", OnnxRuntimeLibrary.Path);
        Assert.True(outcome.ExitCode == 0, outcome.Output + outcome.Error);
    }

    [DataFact]
    public void A_model_of_foreign_operators_is_refused_by_node_operator_and_domain()
    {
        using var folder = new WorkFolder();
        Outcome outcome = Programs.Run("compile", TestData.Path("models", "supres_espcn.onnx"), "-o", folder["out.esm"]);
        Assert.Equal(65, outcome.ExitCode);
        Assert.Contains("ai.onnx.contrib", outcome.OneErrorLine(), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Root));
    }

    [Fact]
    public void Every_truncation_of_a_package_is_refused_in_one_line()
    {
        using var folder = new WorkFolder();
        byte[] package = File.ReadAllBytes(Path.Combine(Programs.Models, "street.esm"));
        foreach (int length in (int[])[0, 1, 63, 64, 65, 200, 1000, package.Length / 2, package.Length - 1])
        {
            File.WriteAllBytes(folder["cut.esm"], package[..length]);
            Outcome outcome = Programs.Run("inspect", folder["cut.esm"]);
            Assert.True(outcome.ExitCode == 65, $"{length} bytes: exit {outcome.ExitCode}\n{outcome.Error}");
            Assert.Contains("cut.esm", outcome.OneErrorLine(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Flipped_bits_of_a_package_are_refused_in_one_line()
    {
        using var folder = new WorkFolder();
        byte[] package = File.ReadAllBytes(Path.Combine(Programs.Models, "street.esm"));
        var random = new Random(7);
        for (int i = 0; i < 12; i++)
        {
            byte[] flipped = [.. package];
            int at = i < 6 ? random.Next(256) : random.Next(package.Length);
            flipped[at] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(folder["flipped.esm"], flipped);
            Outcome outcome = Programs.Run("inspect", folder["flipped.esm"]);
            Assert.True(outcome.ExitCode == 65, $"byte {at}: exit {outcome.ExitCode}\n{outcome.Error}");
            outcome.OneErrorLine();
        }
    }

    [Fact]
    public void Absurd_sizes_in_an_ONNX_file_are_refused_in_one_line()
    {
        using var folder = new WorkFolder();
        byte[] onnx = File.ReadAllBytes(Path.Combine(TestData.RepositoryRoot, "models", "street", "model.onnx"));
        // A field 7 (graph) that claims 2 GiB; varints without end; text.
        byte[] huge = new byte[16];
        huge[0] = 0x3A;
        BinaryPrimitives.WriteUInt64LittleEndian(huge.AsSpan(1), 0x7FFF_FFFF_FFFF_FFFF);
        foreach (byte[] bytes in (byte[][])[[], huge, [.. Enumerable.Repeat((byte)0xFF, 64)], "not a model"u8.ToArray(), onnx[..(onnx.Length / 2)], onnx[..100]])
        {
            File.WriteAllBytes(folder["bad.onnx"], bytes);
            Outcome outcome = Programs.Run("compile", folder["bad.onnx"], "-o", folder["bad.esm"]);
            Assert.True(outcome.ExitCode == 65, $"{bytes.Length} bytes: exit {outcome.ExitCode}\n{outcome.Error}");
            Assert.Contains("bad.onnx", outcome.OneErrorLine(), StringComparison.Ordinal);
            Assert.False(File.Exists(folder["bad.esm"]));
        }
    }

    [Theory]
    [InlineData(66, "compile /nowhere/model.onnx -o /tmp/never.esm")]
    [InlineData(66, "inspect /nowhere/model.esm")]
    [InlineData(66, "run out/bin/models/street.esm /nowhere/picture.jpg")]
    [InlineData(64, "inspect")]
    [InlineData(64, "inspect out/bin/models/street.esm --no-such-option")]
    [InlineData(64, "no-such-command")]
    [InlineData(64, "bench out/bin/models/street.esm --seconds never")]
    [InlineData(69, "bench models/street/model.onnx --backend onnxruntime --onnxruntime-library /nowhere/lib.so")]
    public void Refusals_have_their_exit_code_and_leave_no_trace(int exitCode, string arguments)
    {
        Outcome outcome = Programs.Run(arguments.Split(' '));
        Assert.True(outcome.ExitCode == exitCode, $"exit {outcome.ExitCode}, expected {exitCode}\n{outcome.Error}");
        Assert.NotEmpty(outcome.Error);
        Assert.DoesNotContain("   at ", outcome.Error, StringComparison.Ordinal);
        Assert.False(File.Exists("/tmp/never.esm"));
    }

    [Fact]
    public void Help_lists_the_commands_and_the_version_is_one_line()
    {
        Outcome help = Programs.Run("--help");
        Assert.Equal(0, help.ExitCode);
        foreach (string command in (string[])["compile", "inspect", "run", "verify", "bench", "kernels", "synth"]) Assert.Contains(command, help.Output, StringComparison.Ordinal);
        Outcome version = Programs.Run("--version");
        Assert.Equal(0, version.ExitCode);
        Assert.Single(version.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [InlineData("mobilenet_v2", "0.9")]
    [InlineData("deit_tiny", "0.8")]
    public void Synthesised_models_compile_and_run(string architecture, string sparsity)
    {
        using var folder = new WorkFolder();
        Outcome synth = Programs.Run("synth", architecture, "--sparsity", sparsity, "--seed", "3", "-o", folder["m.onnx"]);
        Assert.True(synth.ExitCode == 0, synth.Error);
        Outcome compile = Programs.Run("compile", folder["m.onnx"], "-o", folder["m.esm"], "--backend", "native");
        Assert.True(compile.ExitCode == 0, compile.Error);
        Assert.True(new FileInfo(folder["m.esm"]).Length < new FileInfo(folder["m.onnx"]).Length, "packing made the sparse model no smaller");
        Outcome bench = Programs.Run("bench", folder["m.esm"], "--seconds", "0.5", "--json");
        Assert.True(bench.ExitCode == 0, bench.Error);
        Assert.Contains("p50_milliseconds", bench.Output, StringComparison.Ordinal);
        if (!OnnxRuntimeLibrary.IsThere) return;
        Outcome verify = Programs.Run("verify", folder["m.onnx"], "--against", "onnxruntime", "--onnxruntime-library", OnnxRuntimeLibrary.Path);
        Assert.True(verify.ExitCode == 0, verify.Output + verify.Error);
    }
}
