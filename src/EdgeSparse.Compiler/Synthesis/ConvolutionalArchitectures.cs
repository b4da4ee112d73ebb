using EdgeSparse.Compiler.Import;

namespace EdgeSparse.Compiler.Synthesis;

/// <summary>MobileNet V1 and V2 (Howard 2017, Sandler 2018; width 1.0) and ResNet-50 (He 2015, stride in the 3×3 layer).</summary>
internal sealed class ConvolutionalArchitectures(OnnxGraphWriter graph, SyntheticWeights weights)
{
    /// <summary>Variance gain that keeps the scale through ReLU (He initialisation), and through a linear layer.</summary>
    private const double Rectified = 2, Linear = 1;

    private string _low = "";
    private string _high = "";

    public OnnxModel MobileNetV1()
    {
        (int Channels, int Stride)[] blocks =
            [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1)];
        string x = Relu6("stem", Conv("stem", graph.Input("input", 1, 3, 224, 224), 3, 32, 3, 2, Rectified, prune: false));
        int channels = 32;
        for (int i = 0; i < blocks.Length; i++)
        {
            string name = $"block{i + 1}";
            x = Relu6(name + ".depthwise", Depthwise(name + ".depthwise", x, channels, blocks[i].Stride));
            x = Relu6(name + ".pointwise", Conv(name + ".pointwise", x, channels, blocks[i].Channels, 1, 1, Rectified, prune: true));
            channels = blocks[i].Channels;
        }
        return Classify(x, channels);
    }

    /// <param name="recurrent">The head is a GRU over the 49 pixels of 7×7, of which the last state is classified, in place of the pixels' mean.</param>
    public OnnxModel MobileNetV2(bool recurrent = false)
    {
        (int Expansion, int Channels, int Repeats, int Stride)[] stages =
            [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];
        string x = Relu6("stem", Conv("stem", graph.Input("input", 1, 3, 224, 224), 3, 32, 3, 2, Rectified, prune: false));
        int channels = 32;
        int block = 0;
        foreach ((int expansion, int outputs, int repeats, int firstStride) in stages)
        {
            for (int repeat = 0; repeat < repeats; repeat++)
            {
                string name = $"block{++block}";
                int stride = repeat == 0 ? firstStride : 1;
                string entry = x;
                if (expansion > 1) x = Relu6(name + ".expand", Conv(name + ".expand", x, channels, channels * expansion, 1, 1, Rectified, prune: true));
                x = Relu6(name + ".depthwise", Depthwise(name + ".depthwise", x, channels * expansion, stride));
                bool residual = stride == 1 && channels == outputs;
                x = Conv(name + ".project", x, channels * expansion, outputs, 1, 1, residual ? Linear / 4 : Linear, prune: true);
                if (residual) x = graph.Node("Add", name + ".add", [entry, x]);
                channels = outputs;
            }
        }
        x = Relu6("head", Conv("head", x, channels, 1280, 1, 1, Rectified, prune: true));
        return recurrent ? ClassifySteps(x, 1280, 49, 256) : Classify(x, 1280);
    }

    public OnnxModel ResNet50()
    {
        (int Width, int Blocks, int Stride)[] stages = [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)];
        string x = Relu("stem", Conv("stem", graph.Input("input", 1, 3, 224, 224), 3, 64, 7, 2, Rectified, prune: false));
        x = graph.Node("MaxPool", "stem.pool", [x], OnnxAttribute.Of("kernel_shape", 3, 3), OnnxAttribute.Of("strides", 2, 2), OnnxAttribute.Of("pads", 1, 1, 1, 1));
        int channels = 64;
        for (int stage = 0; stage < stages.Length; stage++)
        {
            (int width, int blocks, int firstStride) = stages[stage];
            for (int block = 0; block < blocks; block++)
            {
                string name = $"stage{stage + 1}.block{block + 1}";
                int stride = block == 0 ? firstStride : 1;
                string y = Relu(name + ".reduce", Conv(name + ".reduce", x, channels, width, 1, 1, Rectified, prune: true));
                y = Relu(name + ".spatial", Conv(name + ".spatial", y, width, width, 3, stride, Rectified, prune: true));
                y = Conv(name + ".expand", y, width, 4 * width, 1, 1, Linear / 4, prune: true);
                string shortcut = block == 0 ? Conv(name + ".shortcut", x, channels, 4 * width, 1, stride, Linear, prune: true) : x;
                x = Relu(name + ".add", graph.Node("Add", name + ".add", [y, shortcut]));
                channels = 4 * width;
            }
        }
        return Classify(x, channels);
    }

    /// <summary>Pixels [1, channels, …] as steps [steps, 1, channels] of a GRU, whose last state is classified.</summary>
    private OnnxModel ClassifySteps(string x, int channels, int steps, int hidden)
    {
        x = graph.Node("Reshape", "columns", [x, graph.Integers("columns.shape", channels, 1, steps)]);
        x = graph.Node("Transpose", "steps", [x], OnnxAttribute.Of("perm", 2, 1, 0));
        string w = graph.Floats("gru.weight", [1, 3 * hidden, channels], weights.Matrix(3 * hidden, channels, Linear, prune: false));
        string r = graph.Floats("gru.recurrence", [1, 3 * hidden, hidden], weights.Matrix(3 * hidden, hidden, Linear, prune: false));
        string state = graph.Nodes("GRU", "gru", [x, w, r], 2, OnnxAttribute.Of("hidden_size", hidden))[1];
        x = graph.Node("Reshape", "state", [state, graph.Integers("state.shape", 1, hidden)]);
        return Classify(hidden, x);
    }

    private OnnxModel Classify(string x, int channels)
    {
        x = graph.Node("GlobalAveragePool", "pool", [x]);
        return Classify(channels, graph.Node("Flatten", "flatten", [x], OnnxAttribute.Of("axis", 1)));
    }

    private OnnxModel Classify(int channels, string x)
    {
        string w = graph.Floats("classifier.weight", [SyntheticModel.Classes, channels], weights.Matrix(SyntheticModel.Classes, channels, Linear, prune: false));
        string b = graph.Floats("classifier.bias", [SyntheticModel.Classes], Bias(SyntheticModel.Classes));
        return graph.Finish(graph.Node("Gemm", "classifier", [x, w, b], OnnxAttribute.Of("transB", 1)), "output", 1, SyntheticModel.Classes);
    }

    private string Conv(string name, string x, int inputs, int outputs, int kernel, int stride, double gain, bool prune) =>
        graph.Conv(name, x, outputs, inputs, kernel, stride, 1, weights.Matrix(outputs, inputs * kernel * kernel, gain, prune), Bias(outputs));

    private string Depthwise(string name, string x, int channels, int stride) =>
        graph.Conv(name, x, channels, 1, 3, stride, channels, weights.Matrix(channels, 9, Rectified, prune: false), Bias(channels));

    private float[] Bias(int length) => weights.Vector(length, 0, 0.1);

    private string Relu(string name, string x) => graph.Node("Relu", name + ".relu", [x]);

    private string Relu6(string name, string x)
    {
        if (_low.Length == 0)
        {
            _low = graph.Scalar("relu6.min", 0);
            _high = graph.Scalar("relu6.max", 6);
        }
        return graph.Node("Clip", name + ".relu6", [x, _low, _high]);
    }
}
