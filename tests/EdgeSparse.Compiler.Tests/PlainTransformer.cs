using System.Runtime.InteropServices;
using EdgeSparse.Compiler.Import;

namespace EdgeSparse.Compiler.Tests;

/// <summary>The tokens of a picture between the attention and the MLP of a layer, in double precision.</summary>
/// <param name="X">[tokens][channels]</param>
/// <param name="Sizes">How many patches each stands for.</param>
/// <param name="Keys">Each token's key, the mean over heads.</param>
/// <param name="ClassAttention">What the class token gives each, the mean over heads.</param>
internal sealed record PlainTokens(double[][] X, double[] Sizes, double[][] Keys, double[] ClassAttention)
{
    public int Count => X.Length;

    public double Cosine(int i, int j) => Dot(Keys[i], Keys[j]) / Math.Sqrt(Dot(Keys[i], Keys[i]) * Dot(Keys[j], Keys[j]));

    public static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    /// <summary>The mean of some tokens by weights.</summary>
    public double[] Mean(IReadOnlyList<int> members, Func<int, double> weight)
    {
        double total = members.Sum(weight);
        return [.. Enumerable.Range(0, X[0].Length).Select(c => members.Sum(i => weight(i) * X[i][c]) / total)];
    }
}

/// <summary>
/// The transformer of <see cref="TokenReductionTests.Transformer"/> with a class token, as its equations say and in double precision: loops over tokens, whole score matrices, nothing fused.
/// </summary>
internal sealed class PlainTransformer
{
    private const int Channels = 16, HeadSize = 8, Patch = 4, Side = 16;

    private readonly Dictionary<string, double[]> _weights;
    private readonly bool _proportional;

    /// <param name="text">The model.</param>
    /// <param name="proportional">Attention adds log(size) to the scores of each key.</param>
    public PlainTransformer(string text, bool proportional)
    {
        _weights = SmallModel.Parse(text).Graph.Initializers.Where(tensor => tensor.DataType == 1)
            .ToDictionary(tensor => tensor.Name, tensor => MemoryMarshal.Cast<byte, float>(tensor.RawData!.Value.Span).ToArray().Select(value => (double)value).ToArray());
        _proportional = proportional;
    }

    /// <summary>The outputs of the class head.</summary>
    /// <param name="reduce">Given the layer, from 1, and its tokens; returns those that go on, and their sizes.</param>
    public double[] Run(float[] picture, int layers, Func<int, PlainTokens, (double[][] X, double[] Sizes)> reduce)
    {
        double[][] x = Embed(picture);
        double[] sizes = [.. x.Select(_ => 1.0)];
        for (int i = 0; i < layers; i++)
        {
            (double[][] mixed, double[][] keys, double[] classAttention) = Attend([.. x.Select(token => Normalise(token, $"ga{i}", $"be{i}"))], sizes, i);
            double[][] stream = [.. x.Zip(mixed, (token, more) => Add(token, Multiply(more, $"wo{i}")))];
            (stream, sizes) = reduce(i + 1, new PlainTokens(stream, sizes, keys, classAttention));
            x = [.. stream.Select(token => Add(token, Multiply([.. Multiply(Normalise(token, $"gb{i}", $"bb{i}"), $"w1{i}").Select(value => Math.Max(value, 0))], $"w2{i}")))];
        }
        return Multiply(Normalise(x[0], "gn", "bn"), "w");
    }

    private double[][] Embed(float[] picture)
    {
        double[] weights = _weights["pw"], bias = _weights["pb"], positions = _weights["pos"];
        var tokens = new List<double[]> { _weights["cls"] };
        for (int row = 0; row < Side; row += Patch)
            for (int column = 0; column < Side; column += Patch)
                tokens.Add([.. Enumerable.Range(0, Channels).Select(c => bias[c] + Enumerable.Range(0, 3 * Patch * Patch).Sum(i =>
                    weights[c * 3 * Patch * Patch + i] * picture[i / (Patch * Patch) * Side * Side + (row + i / Patch % Patch) * Side + column + i % Patch]))]);
        return [.. tokens.Select((token, i) => Add(token, positions[(i * Channels)..((i + 1) * Channels)]))];
    }

    private (double[][] Mixed, double[][] Keys, double[] ClassAttention) Attend(double[][] x, double[] sizes, int layer)
    {
        double[][] q = [.. x.Select(token => Multiply(token, $"wq{layer}"))], k = [.. x.Select(token => Multiply(token, $"wk{layer}"))], v = [.. x.Select(token => Multiply(token, $"wv{layer}"))];
        double[][] mixed = [.. x.Select(_ => new double[Channels])];
        double[] classAttention = new double[x.Length];
        const int heads = Channels / HeadSize;
        for (int head = 0; head < heads; head++)
        {
            Range part = (head * HeadSize)..((head + 1) * HeadSize);
            for (int i = 0; i < x.Length; i++)
            {
                double[] scores = [.. k.Select((key, j) => 0.3f * PlainTokens.Dot(q[i][part], key[part]) + (_proportional ? Math.Log(sizes[j]) : 0))];
                double[] exponentials = [.. scores.Select(Math.Exp)];
                double sum = exponentials.Sum();
                for (int j = 0; j < x.Length; j++)
                {
                    if (i == 0) classAttention[j] += exponentials[j] / sum / heads;
                    for (int c = 0; c < HeadSize; c++) mixed[i][head * HeadSize + c] += exponentials[j] / sum * v[j][head * HeadSize + c];
                }
            }
        }
        return (mixed, [.. k.Select(key => (double[])[.. Enumerable.Range(0, HeadSize).Select(c => Enumerable.Range(0, heads).Average(head => key[head * HeadSize + c]))])], classAttention);
    }

    private double[] Normalise(double[] x, string scale, string bias)
    {
        double mean = x.Average(), variance = x.Average(value => (value - mean) * (value - mean));
        return [.. x.Select((value, i) => (value - mean) / Math.Sqrt(variance + 1e-5) * _weights[scale][i] + _weights[bias][i])];
    }

    private double[] Multiply(double[] x, string weights)
    {
        double[] w = _weights[weights];
        int outputs = w.Length / x.Length;
        return [.. Enumerable.Range(0, outputs).Select(o => x.Select((value, i) => value * w[i * outputs + o]).Sum())];
    }

    private static double[] Add(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];
}
