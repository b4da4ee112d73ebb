using System.Globalization;
using EdgeSparse.Model;
using EdgeSparse.Vision;

// Renders pictures of SyntheticScene with their true boxes for training and measuring the detector. See tools/train/README.md.
//   RenderScene dump OUT FIRST_SEED SEEDS FRAMES_PER_SEED WIDTH HEIGHT   OUT/frames.u8 [n, 3, HEIGHT, WIDTH] RGB, resized as the runtime does it, and OUT/boxes.csv
//   RenderScene picture OUT.png SEED FRAME WIDTH HEIGHT [boxes]         one picture at that size, with the true boxes drawn where asked

const string usage = "usage: RenderScene dump OUT FIRST_SEED SEEDS FRAMES_PER_SEED WIDTH HEIGHT | RenderScene picture OUT.png SEED FRAME WIDTH HEIGHT [boxes]";
if (args.Length < 6) return Fail(usage);
return args[0] switch
{
    "dump" when args.Length == 7 => Dump(args[1], ulong.Parse(args[2], CultureInfo.InvariantCulture), Number(args[3]), Number(args[4]), Number(args[5]), Number(args[6])),
    "picture" => Picture(args[1], ulong.Parse(args[2], CultureInfo.InvariantCulture), Number(args[3]), Number(args[4]), Number(args[5]), args.Length == 7),
    _ => Fail(usage),
};

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

static int Fail(string message)
{
    Console.Error.WriteLine(message);
    return 64;
}

static int Dump(string folder, ulong firstSeed, int seeds, int framesPerSeed, int width, int height)
{
    // Scenes are rendered at the sizes cameras have, then brought to the model's size by the runtime's own resize.
    ReadOnlySpan<(int Width, int Height)> sizes = [(640, 480), (640, 480), (1280, 720), (320, 240), (640, 360)];
    Directory.CreateDirectory(folder);
    using FileStream frames = File.Create(Path.Combine(folder, "frames.u8"));
    using StreamWriter boxes = File.CreateText(Path.Combine(folder, "boxes.csv"));
    boxes.WriteLine("frame,label,x_min,y_min,x_max,y_max");
    var preprocessor = new Preprocessor(new PreprocessManifest(), new Shape(1, 3, height, width));
    var values = new float[3 * width * height];
    var bytes = new byte[values.Length];
    var truth = new DetectionList();
    using var frame = new Frame(16, 16);
    int count = 0;
    for (int s = 0; s < seeds; s++)
    {
        (int sceneWidth, int sceneHeight) = sizes[s % sizes.Length];
        using var scene = new SyntheticScene(sceneWidth, sceneHeight, firstSeed + (ulong)s);
        for (int f = 0; f < framesPerSeed; f++, count++)
        {
            scene.Render(f * 53L, frame, truth);
            preprocessor.Run(frame, values);
            for (int i = 0; i < values.Length; i++) bytes[i] = (byte)MathF.Round(values[i]);
            frames.Write(bytes);
            foreach (Detection box in truth)
                boxes.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count},{box.LabelId},{box.XMin:F5},{box.YMin:F5},{box.XMax:F5},{box.YMax:F5}"));
        }
    }
    Console.WriteLine($"{count} frames of {width}x{height} in {folder}");
    return 0;
}

static int Picture(string path, ulong seed, int index, int width, int height, bool drawBoxes)
{
    using var scene = new SyntheticScene(width, height, seed);
    using var frame = new Frame(width, height);
    var truth = new DetectionList();
    scene.Render(index, frame, truth);
    var clock = System.Diagnostics.Stopwatch.StartNew();
    for (int i = 0; i < 50; i++) scene.Render(index + i, frame, truth);
    Console.WriteLine($"{clock.Elapsed.TotalMilliseconds / 50:F2} ms a frame");
    scene.Render(index, frame, truth);
    foreach (Detection box in truth) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{SyntheticScene.Labels[box.LabelId]} {box.XMin:F3} {box.YMin:F3} {box.XMax:F3} {box.YMax:F3}"));
    if (drawBoxes) new Annotator(SyntheticScene.Labels).Draw(frame, truth);
    ImageFile.Save(path, frame);
    return 0;
}
