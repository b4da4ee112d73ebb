using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;
using EdgeSparse.Cli.Evaluation;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Testing;
using EdgeSparse.Vision;

namespace EdgeSparse.Cli.Tests;

/// <summary>Where calibration and evaluation samples come from, and what is said where they cannot.</summary>
public sealed class EvaluationSetTests : IDisposable
{
    private static readonly TensorInfo s_input = new("x", ElementType.Float32, new Shape(1, 3, 2, 2));

    private readonly WorkFolder _work = new();

    public void Dispose() => _work.Dispose();

    private static Manifest Pictures(params string[] labels) => new() { Preprocess = new PreprocessManifest(), Labels = [.. labels] };

    private EvaluationSet Open(string name, Manifest? manifest = null) => EvaluationSet.Open(_work[name], "m.onnx", manifest ?? Pictures(), [s_input]);

    private void Picture(string name, byte red = 0)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_work[name])!);
        using var frame = new Frame(2, 2);
        frame.Fill(red, 20, 30);
        ImageFile.Save(_work[name], frame);
    }

    [Fact]
    public void A_flat_folder_is_in_order_of_names_and_unlabelled()
    {
        Picture("flat/b.png", 2);
        Picture("flat/a.png", 1);
        File.WriteAllText(_work["flat/notes.md"], "no picture");
        using EvaluationSet set = Open("flat");
        Assert.Equal([_work["flat/a.png"], _work["flat/b.png"]], [set[0].Name, set[1].Name]);
        Assert.Equal((2, false, false), (set.Count, set.HasLabels, set.HasBoxes));
        var input = new float[12];
        set.Load(1, MemoryMarshal.AsBytes(input.AsSpan()));
        Assert.Equal([2, 2, 2, 2, 20, 20, 20, 20, 30, 30, 30, 30], input);
    }

    [Fact]
    public void Views_are_parts_of_the_picture_and_their_mirror_images_by_the_seed()
    {
        Directory.CreateDirectory(_work["slope"]);
        using (var frame = new Frame(200, 100))
        {
            // Red tells the column, green the row.
            for (int y = 0; y < 100; y++)
                for (int x = 0; x < 200; x++) frame[x, y] = ((byte)x, (byte)(2 * y), 0);
            ImageFile.Save(_work["slope/a.png"], frame);
        }
        using EvaluationSet set = Open("slope");
        Assert.True(set.HasViews);
        int mirrored = 0;
        var seen = new HashSet<string>();
        for (ulong seed = 0; seed < 40; seed++)
        {
            float[] view = View(seed);
            Assert.Equal(view, View(seed));
            seen.Add(string.Join(' ', view));
            // [channel, row, column] of 2x2: across, red changes by half of what a part is wide, and green not.
            float across = view[1] - view[0], down = view[6] - view[4];
            if (across < 0) mirrored++;
            Assert.InRange(Math.Abs(across), 0.25f * 100, 100);
            Assert.InRange(down, 0.25f * 100, 100);
            Assert.Equal(view[4], view[5], 0.6f);
            Assert.All(view, value => Assert.InRange(value, 0, 199));
        }
        Assert.Equal(40, seen.Count);
        Assert.InRange(mirrored, 8, 32);

        float[] View(ulong seed)
        {
            var input = new float[12];
            set.LoadView(0, seed, MemoryMarshal.AsBytes(input.AsSpan()));
            return input;
        }
    }

    [Fact]
    public void Class_folders_are_labels_by_the_model_or_else_in_order()
    {
        Picture("classes/dog/1.png");
        Picture("classes/cat/1.png");
        using EvaluationSet alone = Open("classes"), named = Open("classes", Pictures("dog", "bird", "cat"));
        Assert.Equal([("cat", 0), ("dog", 1)], Names(alone));
        Assert.Equal([("cat", 2), ("dog", 0)], Names(named));
        Refused(() => Open("classes", Pictures("dog", "bird")), ExitCode.Data, "folder 'cat' is not one of the model's 2 labels");

        static (string, int)[] Names(EvaluationSet set) => [.. Enumerable.Range(0, set.Count).Select(i => (Path.GetFileName(Path.GetDirectoryName(set[i].Name)!), set[i].Label))];
    }

    [Fact]
    public void An_archive_is_a_tree()
    {
        Picture("tree/test/cat/1.png", 7);
        Picture("tree/test/dog/1.png", 9);
        using (FileStream file = File.Create(_work["tree.tar.gz"]))
        using (var gzip = new GZipStream(file, CompressionLevel.Fastest)) TarFile.CreateFromDirectory(_work["tree"], gzip, includeBaseDirectory: false);
        using EvaluationSet set = Open("tree.tar.gz");
        Assert.Equal((2, true, 0, 1), (set.Count, set.HasLabels, set[0].Label, set[1].Label));
        var input = new float[12];
        set.Load(1, MemoryMarshal.AsBytes(input.AsSpan()));
        Assert.Equal(9, input[0]);

        byte[] bytes = File.ReadAllBytes(_work["tree.tar.gz"]);
        File.WriteAllBytes(_work["cut.tar.gz"], bytes[..(bytes.Length / 2)]);
        Refused(() => Open("cut.tar.gz"), ExitCode.Data, "cut.tar.gz: not a whole .tar.gz");
        File.WriteAllText(_work["text.tar.gz"], "no archive");
        Refused(() => Open("text.tar.gz"), ExitCode.Data, "text.tar.gz: not a whole .tar.gz");
    }

    [Fact]
    public void Label_files_are_beside_the_pictures_or_in_a_parallel_folder()
    {
        Picture("boxes/a.png");
        Picture("boxes/b.png");
        File.WriteAllText(_work["boxes/a.txt"], "3 0.5 0.5 0.2 0.2");
        Picture("set/images/train/a.png");
        Directory.CreateDirectory(_work["set/labels/train"]);
        File.WriteAllText(_work["set/labels/train/a.txt"], "4 0.5 0.5 0.2 0.2\n5 0.5 0.5 0.2 0.2");
        using EvaluationSet beside = Open("boxes"), parallel = Open("set/images");
        Assert.True(beside.HasBoxes && parallel.HasBoxes);
        Assert.Equal([3], beside[0].Truth!.Select(box => box.LabelId));
        Assert.Empty(beside[1].Truth!);
        Assert.Equal([4, 5], parallel[0].Truth!.Select(box => box.LabelId));
    }

    [Fact]
    public void Arrays_may_be_stacked_and_labelled()
    {
        Directory.CreateDirectory(_work["arrays"]);
        NpyFile.Write(_work["arrays/x.npy"], Tensor.FromFloats(new Shape(2, 1, 3, 2, 2), [.. Enumerable.Range(0, 24).Select(i => (float)i)]));
        NpyFile.Write(_work["arrays/labels.npy"], Tensor.FromInt64s(new Shape(2), [5, 0]));
        using EvaluationSet set = Open("arrays", new Manifest());
        Assert.Equal((2, 5, 0), (set.Count, set[0].Label, set[1].Label));
        var input = new float[12];
        set.Load(1, MemoryMarshal.AsBytes(input.AsSpan()));
        Assert.Equal((12, 23), (input[0], input[11]));
        NpyFile.Write(_work["arrays/labels.npy"], Tensor.FromInt64s(new Shape(3), [5, 0, 1]));
        Refused(() => Open("arrays", new Manifest()), ExitCode.Data, "3 labels for 2 arrays");
        NpyFile.Write(_work["wrong.npy"], Tensor.FromFloats(new Shape(1, 3), [1, 2, 3]));
        Refused(() => Open("wrong.npy"), ExitCode.Data, "wrong.npy: shape 1x3, input 'x' expects 1x3x2x2");
    }

    [Fact]
    public void Idx_files_hold_grey_pictures()
    {
        Idx("t-images-idx3-ubyte.gz", [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
        Idx("t-labels-idx1-ubyte.gz", [0, 0, 8, 1, 0, 0, 0, 2], [9, 4]);
        var manifest = new Manifest { Preprocess = new PreprocessManifest { Color = ColorOrder.Gray, Scale = 2 } };
        using EvaluationSet set = EvaluationSet.Open(_work["t-images-idx3-ubyte.gz"], "m.onnx", manifest, [new TensorInfo("x", ElementType.Float32, new Shape(1, 1, 2, 2))]);
        Assert.Equal((2, 9, 4), (set.Count, set[0].Label, set[1].Label));
        var input = new float[4];
        set.Load(1, MemoryMarshal.AsBytes(input.AsSpan()));
        for (int i = 0; i < 4; i++) Assert.Equal(2 * (5 + i), input[i], 1e-4f);

        Idx("t-labels-idx1-ubyte.gz", [0, 0, 8, 1, 0, 0, 0, 3], [9, 4, 4]);
        Refused(() => Open("t-images-idx3-ubyte.gz"), ExitCode.Data, "3 labels for 2 pictures");
        Idx("short-images-idx3-ubyte.gz", [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
        Refused(() => Open("short-images-idx3-ubyte.gz"), ExitCode.Data, "not a whole IDX file");
        Idx("huge-images-idx3-ubyte.gz", [0, 0, 8, 3, 0, 0, 255, 255, 0, 0, 0, 99, 0, 0, 0, 99], [1]);
        Refused(() => Open("huge-images-idx3-ubyte.gz"), ExitCode.Data, "cannot hold what its sizes say");
        Idx("other-images-idx3-ubyte.gz", [0, 0, 13, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1], [1]);
        Refused(() => Open("other-images-idx3-ubyte.gz"), ExitCode.Data, "begins with 00000d03, expected 00000803");

        void Idx(string name, byte[] header, byte[] data)
        {
            using FileStream file = File.Create(_work[name]);
            using var gzip = new GZipStream(file, CompressionLevel.Fastest);
            gzip.Write(header);
            gzip.Write(data);
        }
    }

    [Fact]
    public void Parts_are_chosen_by_the_seed_and_have_no_common_sample()
    {
        for (int i = 0; i < 10; i++) Picture($"many/{i}.png");
        using EvaluationSet set = Open("many");
        (EvaluationSet calibration, EvaluationSet heldOut) = set.Split(3, 100, seed: 5);
        (EvaluationSet again, _) = set.Split(3, 100, seed: 5);
        string[] names = [.. Names(calibration), .. Names(heldOut)];
        Assert.Equal((3, 7), (calibration.Count, heldOut.Count));
        Assert.Equal(10, names.Distinct().Count());
        Assert.Equal(Names(calibration), Names(again));
        Assert.NotEqual(Names(set), Names(set.Take(9, 1)));
        Assert.Equal((4, 2), (set.Take(4, 1).Count, set.Split(3, 2, 5).HeldOut.Count));
        Refused(() => set.Split(10, 100, 5), ExitCode.Data, "10 pictures or arrays, too few");

        static string[] Names(EvaluationSet set) => [.. Enumerable.Range(0, set.Count).Select(i => set[i].Name)];
    }

    [Fact]
    public void What_is_missing_or_damaged_is_named()
    {
        Directory.CreateDirectory(_work["empty"]);
        Refused(() => Open("empty"), ExitCode.NoInput, "empty: empty: no .jpg");
        Refused(() => Open("absent"), ExitCode.NoInput, "absent: no such file or folder");
        File.WriteAllText(_work["text.md"], "x");
        Refused(() => Open("text.md"), ExitCode.Usage, "text.md: expected a folder");
        Picture("one/a.png");
        Refused(() => Open("one", new Manifest()), ExitCode.Data, "has no 'preprocess'");
        File.WriteAllText(_work["one/b.png"], "no picture");
        using EvaluationSet set = Open("one");
        var input = new byte[48];
        set.Load(0, input);
        Assert.Contains(_work["one/b.png"], Assert.Throws<ImageFormatException>(() => set.Load(1, input)).Message, StringComparison.Ordinal);
        File.WriteAllText(_work["one/a.txt"], "0 1 2 3 4");
        Assert.Contains("a.txt: line 1", Assert.Throws<ModelFormatException>(() => Open("one")).Message, StringComparison.Ordinal);
    }

    [DataFact]
    public void The_shared_pictures_are_read_as_what_they_are()
    {
        using EvaluationSet cifar = EvaluationSet.Open(TestData.Path("images", "cifar10_test1000_jpeg.tar.gz"), "m.onnx", Pictures(), [s_input]);
        Assert.Equal((1000, true), (cifar.Count, cifar.HasLabels));
        Assert.All(Enumerable.Range(0, 10), label => Assert.Equal(100, Enumerable.Range(0, 1000).Count(i => cifar[i].Label == label)));
        using EvaluationSet coco = EvaluationSet.Open(TestData.Path("images", "coco128"), "m.onnx", Pictures(), [s_input]);
        Assert.Equal((128, true, 929), (coco.Count, coco.HasBoxes, Enumerable.Range(0, 128).Sum(i => coco[i].Truth!.Length)));
        using EvaluationSet mnist = EvaluationSet.Open(TestData.Path("images", "mnist_t10k-images-idx3-ubyte.gz"), "m.onnx", Pictures(), [s_input]);
        Assert.Equal((10_000, true, 7), (mnist.Count, mnist.HasLabels, mnist[0].Label));
    }

    private static void Refused(Func<object> action, int exitCode, string message)
    {
        var error = Assert.Throws<CliException>(action);
        Assert.Equal(exitCode, error.ExitCode);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }
}
