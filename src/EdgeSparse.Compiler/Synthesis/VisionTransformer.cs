using EdgeSparse.Compiler.Import;

namespace EdgeSparse.Compiler.Synthesis;

/// <summary>DeiT (Touvron 2020): 16×16 patches of a square picture (196 of 224×224) and a class token, 12 pre-norm layers, MLP ratio 4, GELU written out with Erf as PyTorch exports it.</summary>
internal sealed class VisionTransformer(OnnxGraphWriter graph, SyntheticWeights weights, int dimension, int heads, int size)
{
    private const int Layers = 12;
    public const int Patch = 16;

    private int Patches => size / Patch * (size / Patch);

    private int Tokens => Patches + 1;

    public OnnxModel Build()
    {
        graph.Integers("tokens.shape", 1, dimension, Patches);
        graph.Integers("qkv.shape", 1, Tokens, 3, heads, dimension / heads);
        graph.Integers("merge.shape", 1, Tokens, dimension);
        graph.Scalar("attention.scale", 1 / MathF.Sqrt(dimension / heads));
        graph.Scalar("gelu.root2", MathF.Sqrt(2));
        graph.Scalar("gelu.one", 1);
        graph.Scalar("gelu.half", 0.5f);

        string x = graph.Input("input", 1, 3, size, size);
        string w = graph.Floats("patch.weight", [dimension, 3, Patch, Patch], weights.Matrix(dimension, 3 * Patch * Patch, 1, prune: false));
        string b = graph.Floats("patch.bias", [dimension], weights.Vector(dimension, 0, 0.1));
        x = graph.Node("Conv", "patch", [x, w, b], OnnxAttribute.Of("kernel_shape", Patch, Patch), OnnxAttribute.Of("strides", Patch, Patch));
        x = graph.Node("Reshape", "patch.flatten", [x, "tokens.shape"]);
        x = graph.Node("Transpose", "patch.transpose", [x], OnnxAttribute.Of("perm", 0, 2, 1));
        string classToken = graph.Floats("class_token", [1, 1, dimension], weights.Vector(dimension, 0, 1));
        x = graph.Node("Concat", "tokens", [classToken, x], OnnxAttribute.Of("axis", 1));
        string positions = graph.Floats("positions", [1, Tokens, dimension], weights.Vector(Tokens * dimension, 0, 0.3));
        x = graph.Node("Add", "embed", [x, positions]);

        for (int layer = 0; layer < Layers; layer++)
        {
            string name = $"layer{layer}";
            x = graph.Node("Add", name + ".attention.residual", [x, Attention(name + ".attention", Norm(name + ".norm1", x))]);
            x = graph.Node("Add", name + ".mlp.residual", [x, Mlp(name + ".mlp", Norm(name + ".norm2", x))]);
        }
        x = Norm("norm", x);
        string zero = graph.Integers("class.index", 0);
        x = graph.Node("Gather", "class", [x, zero], OnnxAttribute.Of("axis", 1));
        string one = graph.Integers("class.axis", 1);
        x = graph.Node("Squeeze", "class.squeeze", [x, one]);
        w = graph.Floats("classifier.weight", [SyntheticModel.Classes, dimension], weights.Matrix(SyntheticModel.Classes, dimension, 1, prune: false));
        b = graph.Floats("classifier.bias", [SyntheticModel.Classes], weights.Vector(SyntheticModel.Classes, 0, 0.1));
        return graph.Finish(graph.Node("Gemm", "classifier", [x, w, b], OnnxAttribute.Of("transB", 1)), "output", 1, SyntheticModel.Classes);
    }

    private string Norm(string name, string x)
    {
        string scale = graph.Floats(name + ".weight", [dimension], weights.Vector(dimension, 1, 0.1));
        string bias = graph.Floats(name + ".bias", [dimension], weights.Vector(dimension, 0, 0.1));
        return graph.Node("LayerNormalization", name, [x, scale, bias], OnnxAttribute.Of("axis", -1), OnnxAttribute.Of("epsilon", 1e-6f));
    }

    private string Attention(string name, string x)
    {
        string qkv = Linear(name + ".qkv", x, 3 * dimension, dimension, 1);
        qkv = graph.Node("Reshape", name + ".split", [qkv, "qkv.shape"]);
        qkv = graph.Node("Transpose", name + ".heads", [qkv], OnnxAttribute.Of("perm", 2, 0, 3, 1, 4)); // [3, 1, heads, tokens, head]
        string[] parts = graph.Nodes("Split", name + ".qkv_split", [qkv], 3, OnnxAttribute.Of("axis", 0));
        for (int i = 0; i < 3; i++)
        {
            string axis = graph.Integers($"{name}.axis{i}", 0);
            parts[i] = graph.Node("Squeeze", $"{name}.part{i}", [parts[i], axis]);
        }
        string keys = graph.Node("Transpose", name + ".keys", [parts[1]], OnnxAttribute.Of("perm", 0, 1, 3, 2));
        string scores = graph.Node("Mul", name + ".scale", [graph.Node("MatMul", name + ".scores", [parts[0], keys]), "attention.scale"]);
        string mix = graph.Node("MatMul", name + ".mix", [graph.Node("Softmax", name + ".softmax", [scores], OnnxAttribute.Of("axis", -1)), parts[2]]);
        mix = graph.Node("Transpose", name + ".unheads", [mix], OnnxAttribute.Of("perm", 0, 2, 1, 3));
        mix = graph.Node("Reshape", name + ".merge", [mix, "merge.shape"]);
        return Linear(name + ".projection", mix, dimension, dimension, 1);
    }

    private string Mlp(string name, string x)
    {
        string hidden = Linear(name + ".expand", x, 4 * dimension, dimension, 1);
        string erf = graph.Node("Erf", name + ".erf", [graph.Node("Div", name + ".div", [hidden, "gelu.root2"])]);
        string gate = graph.Node("Add", name + ".plus1", [erf, "gelu.one"]);
        hidden = graph.Node("Mul", name + ".half", [graph.Node("Mul", name + ".gate", [hidden, gate]), "gelu.half"]);
        return Linear(name + ".contract", hidden, dimension, 4 * dimension, 1);
    }

    private string Linear(string name, string x, int outputs, int inputs, double gain) =>
        graph.Linear(name, x, outputs, inputs, weights.Matrix(outputs, inputs, gain, prune: true), weights.Vector(outputs, 0, 0.1));
}
