using System.Buffers.Binary;
using EdgeSparse.Model;
using static EdgeSparse.Compiler.Import.ClaimedTypes;

namespace EdgeSparse.Compiler.Import;

/// <summary>Operators that only change the shape, that answer questions about it, and constants.</summary>
internal static class Shapes
{
    public static IEnumerable<OperatorClaim> Claims()
    {
        yield return new("", "Reshape", 6, [Any, Indices], Reshape, "a shape that is not a constant", [1]);
        yield return new("", "Flatten", 1, [Any], context =>
        {
            Value x = context.Input(0);
            int rank = x.Shape.Rank;
            long stated = context.Int("axis", 1);
            int axis = stated == rank ? rank : context.Axis(stated, Math.Max(rank, 1));
            context.Return(context.Reshape(x, checked((int)x.Shape.Product(0, axis)), checked((int)x.Shape.Product(axis, rank))));
        });
        yield return new("", "Squeeze", 1, [Any, Indices], Squeeze, "axes that are not constants", [1]);
        yield return new("", "Unsqueeze", 1, [Any, Indices], Unsqueeze, "axes that are not constants", [1]);
        yield return new("", "Identity", 1, [Any], context => context.Return(context.Input(0)), "sequences and optional types");
        yield return new("", "Dropout", 6, [Any], Dropout, "training mode with a ratio other than 0", [1, 2]);
        yield return new("", "Shape", 1, [Any], context =>
        {
            long[] dims = Array.ConvertAll(context.Input(0).Shape.Dimensions.ToArray(), size => (long)size);
            long Bound(long value) => Math.Clamp(value < 0 ? value + dims.Length : value, 0, dims.Length);
            long start = Bound(context.Int("start", 0)), end = Bound(context.Int("end", dims.Length));
            context.Return(context.Int64s(dims.AsSpan((int)start, (int)Math.Max(0, end - start))));
        });
        yield return new("", "Size", 1, [Any], context =>
            context.Return(new Value($"{context.Name}:constant", Tensor.FromInt64s(Shape.Scalar, [context.Input(0).Shape.ElementCount]))));
        yield return new("", "Constant", 1, [], Constant, "strings");
        yield return new("", "ConstantOfShape", 9, [Indices], ConstantOfShape, "a shape that is not a constant", [0]);
        yield return new("", "Range", 11, [Numbers], Range, "bounds that are not constants", [0, 1, 2]);
        yield return new("", "EyeLike", 9, [Any], EyeLike);
    }

    private static void Reshape(NodeContext context)
    {
        Value x = context.Input(0);
        long[] target = context.ConstantInts(1, "shape");
        bool allowZero = context.Flag("allowzero");
        if (target.Length > Limits.Rank) throw context.Malformed($"shape of {target.Length} dimensions, at most {Limits.Rank} are supported");
        var shape = new int[target.Length];
        int open = -1;
        long known = 1;
        for (int i = 0; i < shape.Length; i++)
        {
            long size = target[i];
            if (size == 0 && !allowZero) size = i < x.Shape.Rank ? x.Shape[i] : throw context.Malformed($"shape [{string.Join(',', target)}] copies dimension {i} of {x.Shape}");
            if (size == -1)
            {
                if (open >= 0) throw context.Malformed($"shape [{string.Join(',', target)}] leaves two dimensions open");
                open = i;
                continue;
            }
            if (size < 0 || size > Limits.Dimension) throw context.Malformed($"shape [{string.Join(',', target)}]");
            shape[i] = (int)size;
            known = checked(known * size);
        }
        if (open >= 0)
        {
            if (known == 0 || x.Shape.ElementCount % known != 0) throw context.Malformed($"{x.Shape} does not fit shape [{string.Join(',', target)}]");
            shape[open] = checked((int)(x.Shape.ElementCount / known));
        }
        context.Return(context.Reshape(x, shape));
    }

    private static void Squeeze(NodeContext context)
    {
        Value x = context.Input(0);
        int rank = x.Shape.Rank;
        long[]? axes = context.Opset >= 13 ? context.OptionalInts(1, "axes") : context.Ints("axes");
        var squeezed = new bool[rank];
        if (axes is null)
        {
            for (int i = 0; i < rank; i++) squeezed[i] = x.Shape[i] == 1;
        }
        else
        {
            foreach (long stated in axes)
            {
                int axis = context.Axis(stated, rank);
                if (x.Shape[axis] != 1) throw context.Malformed($"axis {axis} of {x.Shape} is not 1");
                squeezed[axis] = true;
            }
        }
        context.Return(context.Reshape(x, x.Shape.Dimensions.ToArray().Where((_, i) => !squeezed[i]).ToArray()));
    }

    private static void Unsqueeze(NodeContext context)
    {
        Value x = context.Input(0);
        long[] axes = (context.Opset >= 13 ? context.ConstantInts(1, "axes") : context.Ints("axes")) ?? throw context.Malformed("attribute 'axes' is missing");
        int rank = x.Shape.Rank + axes.Length;
        if (rank > Limits.Rank) throw context.Malformed($"rank {rank}, at most {Limits.Rank} is supported");
        var added = new bool[rank];
        foreach (long stated in axes)
        {
            int axis = context.Axis(stated, rank);
            if (added[axis]) throw context.Malformed($"axis {axis} twice");
            added[axis] = true;
        }
        var shape = new int[rank];
        int next = 0;
        for (int i = 0; i < rank; i++) shape[i] = added[i] ? 1 : x.Shape[next++];
        context.Return(context.Reshape(x, shape));
    }

    private static void Dropout(NodeContext context)
    {
        Value x = context.Input(0);
        context.Ignore("ratio", "seed", "is_test");
        if (context.Optional(2) is not null)
        {
            bool training = context.Constant(2, "training_mode").Data.Span.ContainsAnyExcept((byte)0);
            if (training && (context.Optional(1) is null || context.ConstantNumber(1, "ratio") != 0)) throw context.Refuse("training mode");
        }
        context.Return(x, context.Wants(1) ? context.Filled(ElementType.Bool, x.Shape, [1]) : null);
    }

    private static void Constant(NodeContext context)
    {
        Tensor tensor = context.Tensor("value") is { } dense ? context.Decoder.Decode(dense)
            : context.SparseTensor("sparse_value") is { } sparse ? context.Decoder.Decode(sparse)
            : context.Has("value_float") ? Tensor.FromFloats(Shape.Scalar, [(float)context.Number("value_float", 0)])
            : context.Has("value_int") ? Tensor.FromInt64s(Shape.Scalar, [context.Int("value_int")])
            : context.Floats("value_floats") is { } floats ? Tensor.FromFloats(new Shape(floats.Length), floats)
            : context.Ints("value_ints") is { } ints ? Tensor.FromInt64s(new Shape(ints.Length), ints)
            : throw context.Refuse("no numeric value");
        context.Return(new Value($"{context.Name}:constant", tensor));
    }

    private static void ConstantOfShape(NodeContext context)
    {
        long[] dims = context.ConstantInts(0, "shape");
        if (dims.Length > Limits.Rank || Array.Exists(dims, dim => dim < 0 || dim > Limits.Dimension)) throw context.Malformed($"shape [{string.Join(',', dims)}]");
        var shape = new Shape(Array.ConvertAll(dims, dim => (int)dim));
        Tensor value = context.Tensor("value") is { } stated ? context.Decoder.Decode(stated) : Tensor.FromFloats(new Shape(1), [0]);
        if (value.Shape.ElementCount != 1) throw context.Malformed($"value of shape {value.Shape}, expected one element");
        context.Return(context.Filled(value.Type, shape, value.Data.Span));
    }

    private static void Range(NodeContext context)
    {
        ElementType type = context.Input(0).Type;
        double start = context.ConstantNumber(0, "start"), limit = context.ConstantNumber(1, "limit"), delta = context.ConstantNumber(2, "delta");
        double count = Math.Max(0, Math.Ceiling((limit - start) / delta));
        if (!(count <= Limits.Dimension)) throw context.Malformed($"range from {start} to {limit} by {delta}");
        var values = new byte[(int)count * type.SizeBytes()];
        for (int i = 0; i < (int)count; i++) Write(context, type, start + i * delta, values.AsSpan(i * type.SizeBytes()));
        context.Return(new Value($"{context.Name}:constant", new Tensor(type, new Shape((int)count), values)));
    }

    private static void EyeLike(NodeContext context)
    {
        Value x = context.Input(0);
        if (x.Shape.Rank != 2) throw context.Malformed($"input {x.Shape}, expected rank 2");
        int dataType = (int)context.Int("dtype", (long)x.Type);
        if (TensorDecoder.GraphType(dataType) is not { } type) throw context.Refuse($"dtype {TensorDecoder.TypeName(dataType)}");
        long k = context.Int("k", 0);
        int size = type.SizeBytes();
        context.Decoder.Charge(x.Shape.ElementCount * size, $"constant of node '{context.Name}'");
        var values = new byte[x.Shape.ElementCount * size];
        for (long row = Math.Max(0, -k); row < x.Shape[0] && row + k < x.Shape[1]; row++) Write(context, type, 1, values.AsSpan((int)((row * x.Shape[1] + row + k) * size)));
        context.Return(new Value($"{context.Name}:constant", new Tensor(type, x.Shape, values)));
    }

    private static void Write(NodeContext context, ElementType type, double value, Span<byte> to)
    {
        switch (type)
        {
            case ElementType.Float32: BinaryPrimitives.WriteSingleLittleEndian(to, (float)value); break;
            case ElementType.Float64: BinaryPrimitives.WriteDoubleLittleEndian(to, value); break;
            case ElementType.Int64 or ElementType.UInt64: BinaryPrimitives.WriteInt64LittleEndian(to, (long)value); break;
            case ElementType.Int32 or ElementType.UInt32: BinaryPrimitives.WriteInt32LittleEndian(to, (int)(long)value); break;
            case ElementType.Int16 or ElementType.UInt16: BinaryPrimitives.WriteInt16LittleEndian(to, (short)(long)value); break;
            case ElementType.Int8 or ElementType.UInt8 or ElementType.Bool: to[0] = (byte)(long)value; break;
            default: throw context.Refuse($"elements of {type}");
        }
    }
}
