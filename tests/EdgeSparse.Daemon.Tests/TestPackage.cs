using EdgeSparse.Model;

namespace EdgeSparse.Daemon.Tests;

/// <summary>Packages of a few values, made by hand: the daemon is tested without a trained model.</summary>
internal static class TestPackage
{
    public const int Side = 32;

    /// <summary>A detector that sees one person in the middle of any picture: one anchor, two classes, scores by a convolution over the whole picture.</summary>
    public static string Detector(string folder) => Detector(folder, "detector.esm", "1.0.0");

    /// <summary>The same as another version, file or model; with <paramref name="gain"/> its answer to anything but a black picture grows, without end where that is infinite.</summary>
    public static string Detector(string folder, string file, string version, string name = "one-person", float gain = 1e-5f, SelfTest? test = null, float bias = 3)
    {
        var graph = new Graph { Name = "one-person" };
        Value scores = Scores(graph, new Shape(1, 1, 2), gain, bias);
        var boxes = new Value("boxes", Tensor.FromFloats(new Shape(1, 1, 4), [0.25f, 0.2f, 0.75f, 0.8f]));
        graph.Outputs.AddRange([scores, boxes]);
        var manifest = new Manifest
        {
            Name = name,
            Version = version,
            Labels = ["person", "dog"],
            Preprocess = new PreprocessManifest { Resize = ResizeMode.Letterbox, Scale = 1 / 255f },
            Decoder = new DecoderManifest { Type = DecoderKind.Ssd, BoxesDecoded = true, ScoresOutput = "scores", BoxesOutput = "boxes" },
        };
        return Save(folder, file, new ModelPackage(manifest, graph) { SelfTest = test });
    }

    /// <summary>A classifier of two classes that always prefers the first.</summary>
    public static string Classifier(string folder)
    {
        var graph = new Graph { Name = "always-person" };
        graph.Outputs.Add(Scores(graph, new Shape(1, 2)));
        var manifest = new Manifest
        {
            Name = "always-person",
            Version = "1.0.0",
            Labels = ["person", "dog"],
            Preprocess = new PreprocessManifest { Scale = 1 / 255f },
            Decoder = new DecoderManifest { Type = DecoderKind.Classification, ScoreThreshold = 0 },
        };
        return Save(folder, "classifier.esm", new ModelPackage(manifest, graph));
    }

    /// <summary>A package that says nothing about pictures.</summary>
    public static string WithoutDecoder(string folder)
    {
        var graph = new Graph { Name = "bare" };
        graph.Outputs.Add(Scores(graph, new Shape(1, 2)));
        return Save(folder, "bare.esm", new ModelPackage(new Manifest { Name = "bare", Version = "1.0.0", Preprocess = new PreprocessManifest() }, graph));
    }

    /// <summary>sigmoid(W·image + (3, −3)) with small weights: about 0.95 and 0.05.</summary>
    private static Value Scores(Graph graph, Shape shape, float gain = 1e-5f, float bias = 3)
    {
        var image = new Value("image", ElementType.Float32, new Shape(1, 3, Side, Side));
        graph.Inputs.Add(image);
        float[] weights = new float[2 * 3 * Side * Side];
        Array.Fill(weights, gain);
        var product = new Value("product", ElementType.Float32, new Shape(1, 2, 1, 1));
        var convolution = new Node(OperatorKind.Conv, "whole-picture");
        convolution.Inputs.AddRange([image, new Value("weights", Tensor.FromFloats(new Shape(2, 3, Side, Side), weights)), new Value("bias", Tensor.FromFloats(new Shape(2), [bias, -bias]))]);
        convolution.Outputs.Add(product);
        convolution.Attributes.Set("strides", [1, 1]);
        convolution.Attributes.Set("pads", [0, 0, 0, 0]);
        convolution.Attributes.Set("dilations", [1, 1]);
        convolution.Attributes.Set("group", 1);
        if (gain < 1) convolution.Attributes.Set("activation", "sigmoid");
        var scores = new Value("scores", ElementType.Float32, shape);
        var reshape = new Node(OperatorKind.Reshape, "as-scores");
        reshape.Inputs.Add(product);
        reshape.Outputs.Add(scores);
        reshape.Attributes.Set("shape", [.. shape.Dimensions.ToArray().Select(dimension => (long)dimension)]);
        graph.Nodes.AddRange([convolution, reshape]);
        return scores;
    }

    private static string Save(string folder, string name, ModelPackage package)
    {
        string path = Path.Combine(folder, name);
        package.Save(path);
        return path;
    }
}
