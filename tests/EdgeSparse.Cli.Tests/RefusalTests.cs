using EdgeSparse.Model;

namespace EdgeSparse.Cli.Tests;

/// <summary>Every way to call the program wrongly: its exit code and one line that says what was found and expected.</summary>
public sealed class RefusalTests : IDisposable
{
    private readonly WorkFolder _work = new();

    public RefusalTests()
    {
        SmallModel.WriteColors(_work["m.onnx"]);
        SmallModel.WriteColors(_work["foreign.onnx"], foreign: true);
        SmallModel.WriteInput(_work["x.npy"]);
        NpyFile.Write(_work["wrong.npy"], Tensor.FromFloats(new Shape(1, 3), [1, 2, 3]));
        NpyFile.Write(_work["ints.npy"], new Tensor(ElementType.Int32, new Shape(1, 3, 2, 2), new byte[48]));
        File.WriteAllText(_work["text.npy"], "no array");
        File.WriteAllText(_work["text.png"], "no picture");
        File.WriteAllText(_work["bad.json"], """{ "nmae": "x" }""");
        File.WriteAllText(_work["empty.txt"], "\n");
        File.WriteAllBytes(_work["zero.onnx"], []);
        Directory.CreateDirectory(_work["empty"]);
        byte[] onnx = File.ReadAllBytes(_work["m.onnx"]);
        File.WriteAllBytes(_work["cut.onnx"], onnx[..(onnx.Length / 2)]);
        var package = new ModelPackage(new Manifest { Name = "tiny" }, Identity());
        package.Save(_work["m.esm"]);
        byte[] bytes = File.ReadAllBytes(_work["m.esm"]);
        File.WriteAllBytes(_work["cut.esm"], bytes[..^1]);
        bytes[^1] ^= 1;
        File.WriteAllBytes(_work["flipped.esm"], bytes);
        File.WriteAllBytes(_work["text.esm"], [.. ModelPackage.Magic, 0]);
    }

    public void Dispose() => _work.Dispose();

    private static Graph Identity()
    {
        var graph = new Graph { Name = "g" };
        var x = new Value("x", ElementType.Float32, new Shape(1, 3, 2, 2));
        var y = new Value("y", ElementType.Float32, new Shape(1, 3, 2, 2));
        graph.Inputs.Add(x);
        graph.Outputs.Add(y);
        graph.Nodes.Add(new Node(OperatorKind.Add, "plus") { Inputs = { x, new Value("one", Tensor.FromFloats(Shape.Scalar, [1])) }, Outputs = { y } });
        return graph;
    }

    /// <summary>The command line, words parted by spaces and files by @name; the exit code; a part of the message.</summary>
    public static TheoryData<string, int, string> Rows { get; } = new()
    {
        { "", 64, "a command is missing" },
        { "frobnicate", 64, "'frobnicate'; see edgesparse --help" },
        { "bnech @m.onnx", 64, "'bnech', did you mean bench?" },
        { "bench @m.onnx --thread 2", 64, "'--thread', did you mean --threads?; see edgesparse bench --help" },
        { "compile @m.onnx -o @m.onnx", 64, "the ONNX file itself" },
        { "bench", 64, "Required argument missing" },
        { "bench @m.onnx --speed 9", 64, "'--speed'" },
        { "bench @m.onnx --seconds fast", 64, "--seconds is 'fast', expected a number from 0 to 3600" },
        { "bench @m.onnx --threads 65", 64, "--threads is '65', expected a whole number from 0 to 64" },
        { "bench @m.onnx --backend gpu", 64, "--backend is 'gpu', expected auto, native, onnxruntime or mixed" },
        { "bench @m.onnx --provider rocm", 64, "--provider is 'rocm', expected cpu, cuda or tensorrt" },
        { "bench @m.onnx --against native", 64, "already runs on native" },
        { "bench @m.onnx --input x", 64, "--input is 'x', expected NAME=SHAPE" },
        { "bench @m.onnx --input x=1x0x2", 64, "--input is 'x=1x0x2'" },
        { "bench @m.onnx --input x=1 --input x=2", 64, "'x' twice" },
        { "bench @m.esm --input x=1x3x2x2", 64, "--input is for ONNX files" },
        { "verify @m.onnx", 64, "either --golden DIR or --against ENGINE" },
        { "verify @m.onnx --golden @empty --against onnxruntime", 64, "either --golden DIR or --against ENGINE" },
        { "run @m.onnx", 64, "either pictures or --npy" },
        { "run @m.onnx @text.png --npy @x.npy", 64, "either pictures or --npy" },
        { "run @m.onnx @text.png --save-npy @out", 64, "--save-npy is for --npy" },
        { "run @m.onnx --npy @x.npy --npy @x.npy", 64, "the model has 1 inputs: x" },
        { "compile @m.onnx", 64, "--output" },
        { "synth vgg16 -o @v.onnx", 64, "unknown architecture 'vgg16', expected mobilenet_v1" },
        { "synth resnet50 --pattern 3:3 -o @v.onnx", 64, "--pattern is '3:3'" },
        { "synth resnet50 --pattern 2:4 --sparsity 0.9 -o @v.onnx", 64, "fixes it at 0.5" },
        { "synth resnet50 --sparsity 1.5 -o @v.onnx", 64, "--sparsity is '1.5'" },
        { "inspect @cut.onnx", 65, "cut.onnx" },
        { "inspect @zero.onnx", 65, "the file is empty" },
        { "inspect @cut.esm", 65, "it is cut off or was changed" },
        { "inspect @flipped.esm", 65, "the checksum of section 3 does not match" },
        { "inspect @text.esm", 65, "the file ends within its header" },
        { "inspect @foreign.onnx", 65, "node 'weigh': operator Colorize of domain example.org" },
        { "compile @foreign.onnx -o @f.esm", 65, "operator Colorize of domain example.org" },
        { "compile @m.onnx -o @f.esm --input x=1x4x2x2", 65, "" },
        { "run @m.esm @text.png", 65, "its manifest has no 'preprocess'" },
        { "run @m.onnx --npy @wrong.npy", 65, "shape 1x3, input 'x' expects 1x3x2x2" },
        { "run @m.onnx --npy @ints.npy", 65, "elements are Int32, input 'x' expects Float32" },
        { "run @m.onnx --npy @text.npy", 65, "not a .npy file" },
        { "inspect @absent.onnx", 66, "absent.onnx: no such file" },
        { "inspect @empty", 66, "is a folder" },
        { "compile @absent.onnx -o @a.esm", 66, "no such file" },
        { "compile @m.onnx -o @a.esm --labels @absent.txt", 66, "absent.txt: no such file" },
        { "run @m.onnx @absent.png", 66, "absent.png: no such file" },
        { "run @m.onnx @empty", 66, "no .jpg, .jpeg or .png in this folder" },
        { "run @m.onnx --npy @absent.npy", 66, "absent.npy: no such file" },
        { "verify @m.onnx --golden @absent", 66, "absent: no such folder" },
        { "verify @m.onnx --golden @empty", 66, "input_x.npy: no such file, nor input.npy beside it" },
        { "bench @m.onnx --backend onnxruntime --onnxruntime-library @absent.so", 69, "absent.so" },
        { "verify @m.onnx --against onnxruntime --onnxruntime-library @absent.so", 69, "absent.so" },
        { "compile @m.onnx -o @none/a.esm", 73, "cannot be created" },
        { "compile @m.onnx -o @empty", 73, "is a folder, expected a file name" },
        { "synth mobilenet_v2 -o @none/a.onnx", 73, "cannot be created" },
        { "run @m.onnx --npy @x.npy --save-npy @x.npy", 73, "cannot be created" },
        { "compile @m.onnx -o /dev/full", 74, "/dev/full: cannot be written" },
        { "synth mobilenet_v2 -o /dev/full", 74, "/dev/full: cannot be written" },
        { "compile @m.onnx -o @a.esm --manifest @bad.json", 78, "bad.json: line 1" },
        { "compile @m.onnx -o @a.esm --labels @empty.txt", 78, "0 labels, expected 1 to" },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_refusal_is_one_line_with_its_exit_code(string line, int exitCode, string message)
    {
        string[] before = [.. Directory.GetFileSystemEntries(_work.Root, "*", SearchOption.AllDirectories).Order()];
        string[] arguments = line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word => word.StartsWith('@') ? _work[word[1..]] : word).ToArray();
        Cli.Run(arguments).RefusedWith(exitCode, message);
        // Nothing is left behind, whole or half.
        Assert.Equal(before, Directory.GetFileSystemEntries(_work.Root, "*", SearchOption.AllDirectories).Order());
    }

    [Theory]
    [InlineData("compile")]
    [InlineData("inspect")]
    public void A_wrong_manifest_beside_the_model_is_an_error_of_configuration(string command)
    {
        File.WriteAllText(_work["m.json"], """{ "decoder": { "type": "yolo" } }""");
        Cli.Run(command == "compile" ? ["compile", _work["m.onnx"], "-o", _work["a.esm"]] : [command, _work["m.onnx"]]).RefusedWith(78, "m.json: line 1: decoder.type");
    }

    [Fact]
    public void Pictures_that_are_none_are_refused()
    {
        File.WriteAllText(_work["model.json"], SmallModel.Manifest);
        Cli.Run("run", _work["m.onnx"], _work["text.png"]).RefusedWith(65, "text.png: neither JPEG nor PNG");
    }
}
