using System.Globalization;
using System.Runtime.InteropServices;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Compiler.Tests;

/// <summary>
/// ONNX models from a few lines of text. <c>in x 1x4x8x8</c> an input, <c>w 6x4x3x3</c> seeded random weights, <c>y = Conv(x, w) pads=1,1,1,1</c> a node, <c>out y</c> an
/// output. An argument may be a number (float scalar), a list of whole numbers in brackets (int64), or _ (absent); <c>microsoft.Op</c> is of domain com.microsoft.
/// </summary>
internal static class SmallModel
{
    public static OnnxModel Parse(string text, int opset = 17)
    {
        var model = new OnnxModel();
        model.Opsets.Add(new OnnxOpset("", opset));
        model.Opsets.Add(new OnnxOpset("com.microsoft", 1));
        var random = new Random(7);
        foreach (string line in text.Split(['\n', ';'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (line.Contains('(')) AddNode(model, line);
            else if (line.StartsWith("in ", StringComparison.Ordinal)) model.Graph.Inputs.Add(OnnxValueInfo.Tensor(line.Split(' ')[1], ElementType.Float32, Dims(line.Split(' ')[2])));
            else if (line.StartsWith("out ", StringComparison.Ordinal)) model.Graph.Outputs.Add(OnnxValueInfo.Tensor(line.Split(' ')[1], ElementType.Float32));
            else model.Graph.Initializers.Add(Weights(line.Split(' ')[0], Dims(line.Split(' ')[1]), random));
        }
        return model;
    }

    private static long[] Dims(string text) => [.. text.Split('x').Select(part => long.Parse(part, CultureInfo.InvariantCulture))];

    private static OnnxTensor Weights(string name, long[] dims, Random random)
    {
        var values = new float[dims.Aggregate(1L, (a, b) => a * b)];
        // Positive, so that a variance is one, and away from zero.
        for (int i = 0; i < values.Length; i++) values[i] = name.StartsWith("var", StringComparison.Ordinal) ? 0.5f + random.NextSingle() : random.NextSingle() * 2 - 1;
        return OnnxTensor.Of(name, ElementType.Float32, dims, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
    }

    private static void AddNode(OnnxModel model, string line)
    {
        int equals = line.IndexOf('='), open = line.IndexOf('('), close = line.LastIndexOf(')');
        string op = line[(equals + 1)..open].Trim();
        var node = new OnnxNode { OpType = op[(op.IndexOf('.') + 1)..], Domain = op.Contains('.') ? "com.microsoft" : "" };
        node.Outputs.AddRange(line[..equals].Split(',', StringSplitOptions.TrimEntries).Select(name => name == "_" ? "" : name));
        node.Name = $"{node.OpType}_{model.Graph.Nodes.Count}";
        foreach (string argument in Arguments(line[(open + 1)..close])) node.Inputs.Add(Argument(model, argument));
        foreach (string attribute in line[(close + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string name = attribute[..attribute.IndexOf('=')], value = attribute[(name.Length + 1)..];
            node.Attributes.Add(value.Contains(',') && !char.IsLetter(value[0]) ? OnnxAttribute.Of(name, value.TrimEnd(',').Split(',').Select(long.Parse).ToArray())
                : long.TryParse(value, CultureInfo.InvariantCulture, out long whole) ? OnnxAttribute.Of(name, whole)
                : float.TryParse(value, CultureInfo.InvariantCulture, out float number) ? OnnxAttribute.Of(name, number)
                : OnnxAttribute.Of(name, value));
        }
        model.Graph.Nodes.Add(node);
    }

    private static IEnumerable<string> Arguments(string text)
    {
        int depth = 0, start = 0;
        for (int i = 0; i <= text.Length; i++)
        {
            if (i == text.Length || text[i] == ',' && depth == 0)
            {
                if (i > start) yield return text[start..i].Trim();
                start = i + 1;
            }
            else
            {
                depth += text[i] == '[' ? 1 : text[i] == ']' ? -1 : 0;
            }
        }
    }

    private static string Argument(OnnxModel model, string argument)
    {
        if (argument == "_") return "";
        string name = $"constant_{model.Graph.Initializers.Count}";
        if (argument.StartsWith('['))
        {
            long[] values = [.. argument.Trim('[', ']').Split(',', StringSplitOptions.RemoveEmptyEntries).Select(long.Parse)];
            model.Graph.Initializers.Add(OnnxTensor.Of(name, Tensor.FromInt64s(new Shape(values.Length), values)));
        }
        else if (float.TryParse(argument, CultureInfo.InvariantCulture, out float number))
        {
            model.Graph.Initializers.Add(OnnxTensor.Of(name, Tensor.FromFloats(Shape.Scalar, [number])));
        }
        else
        {
            return argument;
        }
        return name;
    }

    public static Graph Import(string text, int opset = 17)
    {
        ImportResult result = OnnxImporter.Import(Parse(text, opset), new ImportOptions());
        Assert.True(result.Graph is not null, string.Join("; ", result.Unsupported));
        return result.Graph;
    }

    /// <summary>All outputs for inputs from a seed, between −3 and 3.</summary>
    public static float[][] Run(Graph graph, int seed = 1)
    {
        using NativeSession session = NativeSession.Create(graph, new SessionOptions { Threads = 1 });
        var random = new Random(seed);
        for (int i = 0; i < session.Inputs.Count; i++)
            foreach (ref float value in MemoryMarshal.Cast<byte, float>(session.Input(i))) value = random.NextSingle() * 6 - 3;
        session.Run();
        return [.. Enumerable.Range(0, session.Outputs.Count).Select(i => MemoryMarshal.Cast<byte, float>(session.Output(i)).ToArray())];
    }

    public static void AssertClose(float[][] expected, float[][] actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i].Length, actual[i].Length);
            for (int j = 0; j < expected[i].Length; j++)
                Assert.True(Math.Abs(expected[i][j] - actual[i][j]) <= 1e-4 + 1e-4 * Math.Abs(expected[i][j]), $"{what}: output {i}[{j}] is {actual[i][j]}, expected {expected[i][j]}");
        }
    }
}
