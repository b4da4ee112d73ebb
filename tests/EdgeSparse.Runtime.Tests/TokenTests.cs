using System.Runtime.InteropServices;
using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Tests;

/// <summary>Operators of token reduction, as a graph runs them.</summary>
public class TokenTests
{
    internal static void KeyAttributes(AttributeMap a, int heads, int headSize, int offset = 0)
    {
        a.Set("offset", (long)offset);
        a.Set("heads", (long)heads);
        a.Set("head_size", (long)headSize);
        a.Set("head_stride", (long)headSize);
    }

    [Fact]
    public void Matching_merges_the_most_similar_pair_and_keeps_the_order()
    {
        // Tokens 0, 2, 4 are set A, 1 and 3 set B: 2 is like 3, 4 like 1, 0 is protected.
        float[] keys = [1, 0, 0, 1, 1, 0.1f, 1, 0.11f, 0.2f, 1];
        var g = new GraphBuilder();
        Value x = g.Input(1, 5, 2);
        Value map = g.Node(OperatorKind.TokenMatch, a =>
        {
            KeyAttributes(a, 1, 2);
            a.Set("merges", 2);
            a.Set("protected", 1);
        }, x);
        List<Value> made = g.Nodes(OperatorKind.TokenCompress, a => a.Set("tokens", 3), x, map);
        Value all = g.Node(OperatorKind.TokenRestore, made[0], map);
        g.Output(map, made[0], made[1], all, g.Node(OperatorKind.TokenMean, a => a.Set("skip", 1), made[0], made[1]));
        byte[][] outputs = g.Run(new SessionOptions { Threads = 1 }, keys);
        Assert.Equal([0, 1, 2, 2, 1], MemoryMarshal.Cast<byte, int>(outputs[0]).ToArray());
        float[] reduced = [1, 0, 0.1f, 1, 1, 0.105f];
        Equal(reduced, outputs[1]);
        Equal([1, 2, 2], outputs[2]);
        Equal([1, 0, 0.1f, 1, 1, 0.105f, 1, 0.105f, 0.1f, 1], outputs[3]);
        Equal([0.55f, 0.5525f], outputs[4]);
    }

    private static void Equal(float[] expected, byte[] actual)
    {
        float[] values = MemoryMarshal.Cast<byte, float>(actual).ToArray();
        Assert.Equal(expected.Length, values.Length);
        for (int i = 0; i < values.Length; i++) Assert.True(Math.Abs(values[i] - expected[i]) < 1e-6, $"element {i} is {values[i]}, expected {expected[i]}");
    }
}
