namespace EdgeSparse.Compiler.Tests;

/// <summary>Models that must not be accepted, each with part of the message that says why.</summary>
internal static class MalformedModels
{
    public static IEnumerable<(string Name, byte[] Bytes, string Expected)> All()
    {
        foreach ((string name, Action<WireBuilder> write, string expected) in Files()) yield return (name, Built(write), expected);
        foreach ((string name, Action<WireBuilder> graph, string expected) in Graphs()) yield return (name, Model(graph), expected);
        foreach ((string name, Action<WireBuilder> tensor, string expected) in Tensors())
            yield return (name, Model(graph => { Relu(graph); graph.Message(5, t => { t.Text(8, "w"); tensor(t); }); }), expected);
        foreach ((string name, string op, Action<WireBuilder> node, string expected) in Nodes())
            yield return (name, Model(graph =>
            {
                graph.Message(1, n => { n.Text(2, "y").Text(3, "node").Text(4, op); node(n); });
                Inputs(graph, 1, 3, 8, 8);
                graph.Message(12, o => o.Text(1, "y"));
                Initializers(graph);
            }), expected);
    }

    private static byte[] Built(Action<WireBuilder> write)
    {
        var builder = new WireBuilder();
        write(builder);
        return builder.Bytes;
    }

    /// <summary>An otherwise sound model of opset 17 around a graph.</summary>
    private static byte[] Model(Action<WireBuilder> graph) => Built(model => model.Int(1, 8).Message(8, o => o.Int(2, 17)).Message(7, graph));

    /// <summary>x → Relu → y.</summary>
    private static void Relu(WireBuilder graph)
    {
        graph.Message(1, n => n.Text(1, "x").Text(2, "y").Text(4, "Relu"));
        Inputs(graph, 1, 4);
        graph.Message(12, o => o.Text(1, "y"));
    }

    private static void Inputs(WireBuilder graph, params long[] dims) => Input(graph, "x", 1, dims);

    private static void Input(WireBuilder graph, string name, int type, params long[] dims) =>
        graph.Message(11, i => i.Text(1, name).Message(2, t => t.Message(1, tensor => tensor.Int(1, type).Message(2, shape =>
        {
            foreach (long dim in dims) shape.Message(1, d => d.Int(1, dim));
        }))));

    private static void Initializers(WireBuilder graph)
    {
        Ints(graph, "minus_two", -2, 4);
        Ints(graph, "two_open", -1, -1);
        Ints(graph, "nine", 9, 9, 9);
        Ints(graph, "huge", 1 << 24, 1 << 24);
        Ints(graph, "zero", 0);
        Ints(graph, "one", 1);
        Ints(graph, "far", 77);
        graph.Message(5, t => t.Int(1, 4).Int(1, 3).Int(1, 3).Int(1, 3).Int(2, 1).Text(8, "w3").Data(9, new byte[4 * 108]));
        graph.Message(5, t => t.Int(1, 4).Int(1, 5).Int(1, 3).Int(1, 3).Int(2, 1).Text(8, "w5").Data(9, new byte[4 * 180]));
        graph.Message(5, t => t.Int(1, 5).Int(2, 1).Text(8, "b5").Data(9, new byte[20]));
        graph.Message(5, t => t.Int(1, 2).Int(1, 2).Int(2, 1).Text(8, "m22").Data(9, new byte[16]));
    }

    private static void Ints(WireBuilder graph, string name, params long[] values) =>
        graph.Message(5, t => t.Int(1, values.Length).Int(2, 7).Text(8, name).Data(9, System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()).ToArray()));

    private static IEnumerable<(string, Action<WireBuilder>, string)> Files()
    {
        yield return ("empty", _ => { }, "empty");
        yield return ("zeros", b => b.Raw(new byte[64]), "not a well-formed protobuf");
        yield return ("text", b => b.Raw("hello, this is no model"u8.ToArray()), "at byte");
        yield return ("png signature", b => b.Raw(0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A), "at byte");
        yield return ("zip signature", b => b.Raw(0x50, 0x4B, 3, 4, 0, 0), "at byte");
        yield return ("no graph", b => b.Int(1, 8), "no graph");
        yield return ("two graphs", b => b.Int(1, 8).Message(7, _ => { }).Message(7, _ => { }), "second graph");
        yield return ("no ir version", b => b.Message(7, Relu), "ir_version");
        yield return ("negative ir version", b => b.Int(1, -3).Message(7, Relu), "ir_version");
        yield return ("no operator set", b => b.Int(1, 8).Message(7, Relu), "operator set");
        yield return ("many operator sets", b => { b.Int(1, 8); for (int i = 0; i < 65; i++) b.Message(8, o => o.Int(2, 17)); b.Message(7, Relu); }, "64 operator set");
        yield return ("length beyond the file", b => b.Int(1, 8).Tag(7, 2).Varint(1000).Raw(1, 2, 3), "not a well-formed protobuf");
        yield return ("length of 2^31", b => b.Int(1, 8).Tag(7, 2).Varint(1UL << 31), "not a well-formed protobuf");
        yield return ("length of 2^63", b => b.Int(1, 8).Tag(7, 2).Varint(1UL << 63), "a length of 10 bytes");
        yield return ("varint of eleven bytes", b => b.Tag(1, 0).Raw(0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01), "not a well-formed protobuf");
        yield return ("varint without end", b => b.Tag(1, 0).Raw(0x80), "not a well-formed protobuf");
        yield return ("field number 0", b => b.Raw(0x02, 0x00), "not a well-formed protobuf");
        yield return ("group", b => b.Int(1, 8).Tag(7, 3), "wire type 3");
        yield return ("group end", b => b.Int(1, 8).Tag(7, 4), "wire type 4");
        yield return ("wire type 6", b => b.Int(1, 8).Tag(99, 6), "wire type 6");
        yield return ("wire type 7", b => b.Int(1, 8).Tag(99, 7), "wire type 7");
        yield return ("graph as a number", b => b.Int(1, 8).Int(7, 5), "wire type 0 in field 7");
        yield return ("ir version as bytes", b => b.Text(1, "8").Message(7, Relu), "wire type 2 in field 1");
        yield return ("producer not UTF-8", b => b.Int(1, 8).Data(2, [0xC3, 0x28]).Message(7, Relu), "not UTF-8");
        yield return ("producer of two megabytes", b => b.Int(1, 8).Data(2, new byte[2 << 20]).Message(7, Relu), "at most 1048576");
        yield return ("metadata without end", b => { b.Int(1, 8); for (int i = 0; i < 10_001; i++) b.Message(14, _ => { }); }, "more than 10000 entries");
        yield return ("graphs nested 40 deep", b => { b.Int(1, 8).Message(8, o => o.Int(2, 17)).Message(7, g => Nest(g, 40)); }, "nested deeper than 32");
        yield return ("unknown fields without end", b => { b.Int(1, 8); for (int i = 0; i < 800_001; i++) b.Raw(0x78, 0x01); }, "unknown fields");
    }

    private static void Nest(WireBuilder graph, int depth)
    {
        if (depth == 0) return;
        graph.Message(1, n => n.Text(4, "If").Message(5, a => a.Text(1, "then_branch").Message(6, g => Nest(g, depth - 1))));
    }

    private static IEnumerable<(string, Action<WireBuilder>, string)> Graphs()
    {
        yield return ("no outputs", g => { g.Message(1, n => n.Text(1, "x").Text(2, "y").Text(4, "Relu")); Inputs(g, 1, 4); }, "no outputs");
        yield return ("output of nothing", g => { Relu(g); g.Message(12, o => o.Text(1, "nowhere")); }, "'nowhere' is made by nothing");
        yield return ("two outputs of one name", g => { Relu(g); g.Message(12, o => o.Text(1, "y")); }, "two outputs");
        yield return ("input that nothing makes", g => { g.Message(1, n => n.Text(1, "z").Text(2, "y").Text(4, "Relu")); g.Message(12, o => o.Text(1, "y")); }, "nothing makes");
        yield return ("node without operator", g => { g.Message(1, n => n.Text(1, "x").Text(2, "y")); Inputs(g, 1, 4); g.Message(12, o => o.Text(1, "y")); }, "no operator type");
        yield return ("value made twice", g => { Relu(g); g.Message(1, n => n.Text(1, "x").Text(2, "y").Text(4, "Abs")); }, "made by two nodes");
        yield return ("value made again from an input", g => { g.Message(1, n => n.Text(1, "x").Text(2, "x").Text(4, "Relu")); Inputs(g, 1, 4); g.Message(12, o => o.Text(1, "x")); }, "'x'");
        yield return ("cycle", g =>
        {
            g.Message(1, n => n.Text(1, "b").Text(2, "a").Text(4, "Relu"));
            g.Message(1, n => n.Text(1, "a").Text(2, "b").Text(4, "Relu"));
            g.Message(12, o => o.Text(1, "b"));
        }, "before it is made");
        yield return ("nodes out of order", g =>
        {
            g.Message(1, n => n.Text(1, "a").Text(2, "y").Text(4, "Relu"));
            g.Message(1, n => n.Text(1, "x").Text(2, "a").Text(4, "Relu"));
            Inputs(g, 1, 4);
            g.Message(12, o => o.Text(1, "y"));
        }, "execution order");
        yield return ("two inputs of one name", g => { Relu(g); Inputs(g, 1, 4); }, "two inputs");
        yield return ("input without name", g => { Relu(g); Input(g, "", 1, 4); }, "without a name");
        yield return ("input without shape", g => { g.Message(1, n => n.Text(1, "x").Text(2, "y").Text(4, "Relu")); g.Message(11, i => i.Text(1, "x").Message(2, t => t.Message(1, e => e.Int(1, 1)))); g.Message(12, o => o.Text(1, "y")); }, "--input x=");
        yield return ("input with an open width", g => { g.Message(1, n => n.Text(1, "x").Text(2, "y").Text(4, "Relu")); g.Message(11, i => i.Text(1, "x").Message(2, t => t.Message(1, e => e.Int(1, 1).Message(2, s => s.Message(1, d => d.Int(1, 1)).Message(1, d => d.Text(2, "width")))))); g.Message(12, o => o.Text(1, "y")); }, "--input x=1x<width>");
        yield return ("input dimension of 2^40", g => { g.Message(1, n => n.Text(1, "x").Text(2, "y").Text(4, "Relu")); Inputs(g, 1L << 40); g.Message(12, o => o.Text(1, "y")); }, "dimension 1099511627776");
        yield return ("input of too many elements", g => { g.Message(1, n => n.Text(1, "x").Text(2, "y").Text(4, "Relu")); Inputs(g, 1 << 20, 1 << 20); g.Message(12, o => o.Text(1, "y")); }, "elements");
        yield return ("input of rank 9", g => { g.Message(1, n => n.Text(1, "x").Text(2, "y").Text(4, "Relu")); Inputs(g, 1, 1, 1, 1, 1, 1, 1, 1, 1); g.Message(12, o => o.Text(1, "y")); }, "more than 8 dimensions");
        yield return ("name of 600 bytes", g => { Relu(g); g.Message(1, n => n.Text(3, new string('n', 600)).Text(4, "Relu")); }, "at most 512");
        yield return ("name not UTF-8", g => { Relu(g); g.Message(1, n => n.Data(3, [0xFF, 0xFE]).Text(4, "Relu")); }, "not UTF-8");
        yield return ("two initializers of one name", g => { Relu(g); for (int i = 0; i < 2; i++) g.Message(5, t => t.Int(1, 1).Int(2, 1).Text(8, "w").Data(9, new byte[4])); }, "two initializers");
        yield return ("initializer without name", g => { Relu(g); g.Message(5, t => t.Int(1, 1).Int(2, 1).Data(9, new byte[4])); }, "without a name");
        yield return ("too many nodes", g => { Relu(g); for (int i = 0; i < 20_001; i++) g.Message(1, n => n.Text(4, "A")); }, "more than 20000 nodes");
        yield return ("sparse initializer without values", g => { Relu(g); g.Message(15, s => s.Int(3, 4)); }, "without");
        yield return ("sparse index outside", g => { Relu(g); Sparse(g, 4, 9); }, "sparse index 9 outside");
        yield return ("sparse index negative", g => { Relu(g); Sparse(g, 4, -1); }, "sparse index -1 outside");
        yield return ("sparse tensor of terabytes", g => { Relu(g); Sparse(g, 1L << 40, 0); }, "dimension");
    }

    private static void Sparse(WireBuilder graph, long size, long index) => graph.Message(15, s => s
        .Message(1, v => v.Int(1, 1).Int(2, 1).Text(8, "s").Data(9, new byte[4]))
        .Message(2, i => i.Int(1, 1).Int(2, 7).Data(9, BitConverter.GetBytes(index)))
        .Int(3, size));

    private static IEnumerable<(string, Action<WireBuilder>, string)> Tensors()
    {
        yield return ("raw data too short", t => t.Int(1, 4).Int(2, 1).Data(9, new byte[8]), "8 bytes, expected 16");
        yield return ("raw data too long", t => t.Int(1, 1).Int(2, 1).Data(9, new byte[8]), "8 bytes, expected 4");
        yield return ("no elements", t => t.Int(1, 4).Int(2, 1), "no elements");
        yield return ("negative dimension", t => t.Int(1, -4).Int(2, 1).Data(9, new byte[8]), "dimension -4");
        yield return ("dimension of 2^40", t => t.Int(1, 1L << 40).Int(2, 1).Data(9, new byte[8]), "dimension 1099511627776");
        yield return ("elements beyond the limit", t => t.Int(1, 1 << 24).Int(1, 1 << 24).Int(2, 1).Data(9, new byte[8]), "more than");
        yield return ("rank 9", t => { for (int i = 0; i < 9; i++) t.Int(1, 1); t.Int(2, 1).Data(9, new byte[4]); }, "more than 8");
        yield return ("packed dimensions of rank 9", t => t.Data(1, [1, 1, 1, 1, 1, 1, 1, 1, 1]).Int(2, 1).Data(9, new byte[4]), "more than 8");
        yield return ("raw and typed data", t => t.Int(1, 1).Int(2, 1).Data(4, new byte[4]).Data(9, new byte[4]), "expected one");
        yield return ("two typed fields", t => t.Int(1, 1).Int(2, 1).Data(4, new byte[4]).Data(7, [1]), "fields 4 and 7");
        yield return ("floats in the integer field", t => t.Int(1, 1).Int(2, 1).Data(7, [1]), "expected 4");
        yield return ("too few integers", t => t.Int(1, 3).Int(2, 7).Data(7, [1, 2]), "fewer than 3");
        yield return ("too many integers", t => t.Int(1, 1).Int(2, 7).Data(7, [1, 2]), "more than 1");
        yield return ("packed integer cut short", t => t.Int(1, 2).Int(2, 7).Data(7, [1, 0x80]), "fewer elements");
        yield return ("packed integer of eleven bytes", t => t.Int(1, 1).Int(2, 7).Data(7, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]), "more than 10 bytes");
        yield return ("packed floats cut short", t => t.Int(1, 2).Int(2, 1).Data(4, new byte[7]), "7 bytes, expected 8");
        yield return ("bool of 7", t => t.Int(1, 1).Int(2, 9).Data(9, [7]), "neither 0 nor 1");
        yield return ("external without location", t => t.Int(1, 1).Int(2, 1).Int(14, 1), "no location");
        yield return ("external absolute", t => External(t, "/etc/passwd"), "relative path");
        yield return ("external above the folder", t => External(t, "../weights.bin"), "relative path");
        yield return ("external above the folder by detour", t => External(t, "a/../../weights.bin"), "relative path");
        yield return ("external missing", t => External(t, "not-there.bin"), "no such file");
        yield return ("external with a backslash", t => External(t, "..\\weights.bin"), "relative path");
        yield return ("external of the wrong length", t => External(t, "w.bin", "length", "400"), "length 400, expected 4");
        yield return ("external with a negative offset", t => External(t, "w.bin", "offset", "-1"), "offset '-1'");
    }

    private static void External(WireBuilder tensor, string location, string key = "checksum", string value = "") => tensor.Int(1, 1).Int(2, 1).Int(14, 1)
        .Message(13, e => e.Text(1, "location").Text(2, location)).Message(13, e => e.Text(1, key).Text(2, value));

    private static IEnumerable<(string, string, Action<WireBuilder>, string)> Nodes()
    {
        static void In(WireBuilder node, params string[] inputs)
        {
            foreach (string input in inputs) node.Text(1, input);
        }
        static void Attribute(WireBuilder node, string name, long value) => node.Message(5, a => a.Text(1, name).Int(3, value).Int(20, 2));
        static void List(WireBuilder node, string name, params long[] values) => node.Message(5, a => { a.Text(1, name); foreach (long value in values) a.Int(8, value); a.Int(20, 7); });

        yield return ("Relu without input", "Relu", _ => { }, "input 0 is absent");
        yield return ("Reshape to a negative size", "Reshape", n => In(n, "x", "minus_two"), "shape [-2,4]");
        yield return ("Reshape with two open sizes", "Reshape", n => In(n, "x", "two_open"), "two dimensions open");
        yield return ("Reshape to another count", "Reshape", n => In(n, "x", "nine"), "do not fit");
        yield return ("Expand beyond the limit", "Expand", n => In(n, "one", "huge"), "elements");
        yield return ("ConstantOfShape beyond memory", "ConstantOfShape", n => In(n, "huge"), "constants to more than");
        yield return ("Unsqueeze far away", "Unsqueeze", n => In(n, "x", "far"), "axis 77");
        yield return ("Concat along axis 9", "Concat", n => { In(n, "x", "x"); Attribute(n, "axis", 9); }, "axis 9");
        yield return ("Transpose of three axes", "Transpose", n => { In(n, "x"); List(n, "perm", 0, 1, 2); }, "perm has 3");
        yield return ("Transpose with an axis twice", "Transpose", n => { In(n, "x"); List(n, "perm", 0, 1, 1, 2); }, "twice");
        yield return ("Conv with other channels", "Conv", n => In(n, "x", "w5"), "does not fit");
        yield return ("Conv with another bias", "Conv", n => In(n, "x", "w3", "b5"), "bias");
        yield return ("Conv with stride 0", "Conv", n => { In(n, "x", "w3"); List(n, "strides", 0, 0); }, "stride");
        yield return ("Conv with negative pads", "Conv", n => { In(n, "x", "w3"); List(n, "pads", -1, 0, 0, 0); }, "'pads' contains -1");
        yield return ("Conv with group 0", "Conv", n => { In(n, "x", "w3"); Attribute(n, "group", 0); }, "group");
        yield return ("Conv with another kernel_shape", "Conv", n => { In(n, "x", "w3"); List(n, "kernel_shape", 5, 5); }, "kernel_shape");
        yield return ("Conv with strides as one number", "Conv", n => { In(n, "x", "w3"); Attribute(n, "strides", 2); }, "expected Ints");
        yield return ("MaxPool without kernel", "MaxPool", n => In(n, "x"), "kernel_shape");
        yield return ("MaxPool larger than the picture", "MaxPool", n => { In(n, "x"); List(n, "kernel_shape", 20, 20); }, "does not fit");
        yield return ("MatMul of other sizes", "MatMul", n => In(n, "m22", "w3"), "do not fit");
        yield return ("Gemm of rank 4", "Gemm", n => In(n, "x", "m22"), "rank 2");
        yield return ("Slice with a step of 0", "Slice", n => In(n, "x", "zero", "one", "zero", "zero"), "step of 0");
        yield return ("Add that does not broadcast", "Add", n => In(n, "x", "b5"), "broadcast");
        yield return ("Split into sizes that do not add up", "Split", n => In(n, "x", "far"), "'split'");
        yield return ("Constant without a value", "Constant", n => n.Message(5, a => a.Text(1, "value").Message(5, t => t.Int(1, 3).Int(2, 1).Data(9, new byte[4])).Int(20, 4)), "4 bytes, expected 12");
        yield return ("attribute of a million and one numbers", "Transpose", n => { In(n, "x"); n.Message(5, a => a.Text(1, "perm").Data(8, new byte[(1 << 20) + 1]).Int(20, 7)); }, "more than 1048576");
    }
}
