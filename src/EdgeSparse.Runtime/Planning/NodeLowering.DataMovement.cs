using EdgeSparse.Kernels;
using EdgeSparse.Kernels.DataMovement;
using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.Resizing;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Execution;
using ResizeMode = EdgeSparse.Kernels.Resizing.ResizeMode;

namespace EdgeSparse.Runtime.Planning;

/// <summary>Operators that move data without computing, on every element type.</summary>
internal sealed unsafe partial class NodeLowering
{
    /// <summary>Copies <paramref name="bytes"/> bytes.</summary>
    private void Copy(Operand from, Operand to, long bytes)
    {
        if (bytes == 0) return;
        BlockCopyParameters p = default;
        BlockCopy.PrepareWhole(ref p, bytes);
        EmitBlockCopy(p, from, to, "Copy");
    }

    private void EmitBlockCopy(in BlockCopyParameters p, Operand from, Operand to, string kernel) =>
        _builder.Emit(StepKind.BlockCopy, p, p.TaskCount, p.ScratchBytes, 2.0 * p.Rows * p.RowBytes / BytesPerNanosecond, kernel, from, to);

    private string? LowerConcat(Node node)
    {
        Value y = node.Outputs[0];
        int axis = (int)node.Attributes.Integer("axis");
        long offset = 0;
        long bytesPerIndex = checked(y.Shape.Product(axis + 1, y.Shape.Rank) * y.Type.SizeBytes());
        bool outermost = y.Shape.Product(0, axis) == 1;
        foreach (Value? part in node.Inputs)
        {
            long size = part!.Shape[axis];
            Operand input = _builder.Locate(part);
            if (size > 0 && !(outermost && StorageAssignment.IsInPlace(input, Output(node), offset * bytesPerIndex)))
            {
                BlockCopyParameters p = default;
                BlockCopy.PrepareConcat(ref p, Longs(y.Shape), axis, offset, size, y.Type.SizeBytes());
                EmitBlockCopy(p, input, Output(node), "Concat");
            }
            offset += size;
        }
        return null;
    }

    private string? LowerSplit(Node node)
    {
        Value x = node.Inputs[0]!;
        int axis = (int)node.Attributes.Integer("axis");
        long offset = 0;
        for (int i = 0; i < node.Outputs.Count; i++)
        {
            long size = node.Outputs[i].Shape[axis];
            BlockCopyParameters p = default;
            BlockCopy.PrepareSplit(ref p, Longs(x.Shape), axis, offset, size, x.Type.SizeBytes());
            if (size > 0) EmitBlockCopy(p, Input(node, 0), Output(node, i), "Split");
            offset += size;
        }
        return null;
    }

    private string? LowerStridedCopy(Node node)
    {
        Value x = node.Inputs[0]!, y = node.Outputs[0];
        AttributeMap a = node.Attributes;
        var p = new StridedCopyParameters { ElementBytes = x.Type.SizeBytes(), Isa = _builder.Isa };
        long[] shape = Longs(x.Shape);
        switch (node.Kind)
        {
            case OperatorKind.Transpose:
                StridedCopy.PrepareTranspose(ref p, shape, Array.ConvertAll(a.Integers("perm"), axis => (int)axis));
                break;
            case OperatorKind.Slice:
                StridedCopy.PrepareSlice(ref p, shape, a.Integers("starts"), a.Integers("steps"), a.Integers("sizes"));
                break;
            case OperatorKind.Expand:
                StridedCopy.PrepareExpand(ref p, shape, Longs(y.Shape));
                break;
            case OperatorKind.Tile:
                StridedCopy.PrepareTile(ref p, shape, a.Integers("repeats"));
                break;
            case OperatorKind.DepthToSpace:
                StridedCopy.PrepareDepthToSpace(ref p, shape, (int)a.Integer("blocksize"), a.Text("mode", "DCR") == "CRD");
                break;
            case OperatorKind.SpaceToDepth:
                if (a.Text("mode", "DCR") != "DCR") return "mode CRD is defined for DepthToSpace only";
                StridedCopy.PrepareSpaceToDepth(ref p, shape, (int)a.Integer("blocksize"));
                break;
            default:
                return NoKernel(node);
        }
        _builder.Emit(StepKind.StridedCopy, p, p.TaskCount, p.ScratchBytes, 2 * MoveTime(y), $"{node.Kind}{8 * p.ElementBytes}Bit", Input(node, 0), Output(node));
        return null;
    }

    private string? LowerPad(Node node)
    {
        Value x = node.Inputs[0]!, y = node.Outputs[0];
        long[] pads = node.Attributes.Integers("pads");
        var p = new PadParameters
        {
            Type = Scalar(x),
            Isa = _builder.Isa,
            Rank = x.Shape.Rank,
            Value = node.Attributes.Number("value", 0),
            Mode = node.Attributes.Text("mode", "constant") switch
            {
                "constant" => PadMode.Constant,
                "reflect" => PadMode.Reflect,
                "edge" => PadMode.Edge,
                "wrap" => PadMode.Wrap,
                string mode => throw new ModelFormatException($"{node}: pad mode '{mode}'"),
            },
        };
        if (p.Rank == 0)
        {
            Copy(Input(node, 0), Output(node), PlanBuilder.Bytes(y));
            return null;
        }
        CopyShape(x.Shape, p.Shape);
        for (int axis = 0; axis < p.Rank; axis++)
        {
            p.Before[axis] = pads[axis];
            p.After[axis] = pads[p.Rank + axis];
        }
        Pad.Prepare(ref p);
        _builder.Emit(StepKind.Pad, p, p.TaskCount, p.ScratchBytes, MoveTime(x, y), $"Pad{8 * x.Type.SizeBytes()}Bit", Input(node, 0), Output(node));
        return null;
    }

    private string? LowerGather(Node node)
    {
        Value x = node.Inputs[0]!, indices = node.Inputs[1]!, y = node.Outputs[0];
        int axis = (int)node.Attributes.Integer("axis");
        var p = new GatherParameters
        {
            Outer = x.Shape.Product(0, axis),
            AxisSize = x.Shape[axis],
            SliceBytes = checked(x.Shape.Product(axis + 1, x.Shape.Rank) * x.Type.SizeBytes()),
            IndexCount = indices.Shape.ElementCount,
            IndexType = Scalar(indices),
        };
        Gather.Prepare(ref p);
        _builder.Emit(StepKind.Gather, p, p.TaskCount, p.ScratchBytes, 2 * MoveTime(y), "Gather", Input(node, 0), Input(node, 1), Output(node));
        return null;
    }

    private string? LowerGatherElements(Node node)
    {
        GatherElementsParameters p = Places(node);
        GatherElements.Prepare(ref p);
        _builder.Emit(StepKind.GatherElements, p, p.TaskCount, p.ScratchBytes, p.Count / FunctionsPerNanosecond, "GatherElements", Input(node, 0), Input(node, 1), Output(node));
        return null;
    }

    private string? LowerScatterElements(Node node)
    {
        var p = new ScatterElementsParameters { Type = Scalar(node.Inputs[0]!), Reduction = Reduction(node), Places = Places(node) };
        ScatterElements.Prepare(ref p);
        _builder.Emit(StepKind.ScatterElements, p, p.TaskCount, p.ScratchBytes, 0, "ScatterElements", Input(node, 0), Input(node, 1), Input(node, 2), Output(node));
        return null;
    }

    private string? LowerGatherNd(Node node)
    {
        GatherNdParameters p = Tuples(node);
        p.BatchAxes = (int)node.Attributes.Integer("batch_dims", 0);
        GatherNd.Prepare(ref p);
        _builder.Emit(StepKind.GatherNd, p, p.TaskCount, p.ScratchBytes, 2 * MoveTime(node.Outputs[0]), "GatherNd", Input(node, 0), Input(node, 1), Output(node));
        return null;
    }

    private string? LowerScatterNd(Node node)
    {
        var p = new ScatterNdParameters { Type = Scalar(node.Inputs[0]!), Reduction = Reduction(node), Places = Tuples(node) };
        ScatterNd.Prepare(ref p);
        _builder.Emit(StepKind.ScatterNd, p, p.TaskCount, p.ScratchBytes, 0, "ScatterNd", Input(node, 0), Input(node, 1), Input(node, 2), Output(node));
        return null;
    }

    private static GatherElementsParameters Places(Node node)
    {
        Value x = node.Inputs[0]!, indices = node.Inputs[1]!;
        var p = new GatherElementsParameters
        {
            ElementBytes = x.Type.SizeBytes(),
            IndexType = Scalar(indices),
            Rank = x.Shape.Rank,
            Axis = (int)node.Attributes.Integer("axis"),
        };
        CopyShape(x.Shape, p.Shape);
        CopyShape(indices.Shape, p.IndexShape);
        return p;
    }

    private static GatherNdParameters Tuples(Node node)
    {
        Value x = node.Inputs[0]!, indices = node.Inputs[1]!;
        var p = new GatherNdParameters
        {
            ElementBytes = x.Type.SizeBytes(),
            IndexType = Scalar(indices),
            Rank = x.Shape.Rank,
            TupleLength = indices.Shape[-1],
            TupleCount = indices.Shape.Product(0, indices.Shape.Rank - 1),
        };
        CopyShape(x.Shape, p.Shape);
        return p;
    }

    private static ScatterReduction Reduction(Node node) => node.Attributes.Text("reduction", "none") switch
    {
        "none" => ScatterReduction.None,
        "add" => ScatterReduction.Add,
        "mul" => ScatterReduction.Multiply,
        "max" => ScatterReduction.Maximum,
        "min" => ScatterReduction.Minimum,
        string reduction => throw new ModelFormatException($"{node}: reduction '{reduction}'"),
    };

    private string? LowerOneHot(Node node)
    {
        Value indices = node.Inputs[0]!, values = node.Inputs[1]!;
        int axis = (int)node.Attributes.Integer("axis");
        Operand index = Input(node, 0);
        ScalarType indexType = Scalar(indices);
        if (indexType is not (ScalarType.Int32 or ScalarType.Int64))
        {
            var cast = new CastParameters { From = indexType, To = ScalarType.Int64, Isa = _builder.Isa, Count = indices.Shape.ElementCount };
            Cast.Prepare(ref cast);
            Operand converted = PlanBuilder.Temporary(checked(cast.Count * sizeof(long)));
            _builder.Emit(StepKind.Cast, cast, cast.TaskCount, cast.ScratchBytes, 0, $"Cast{Suffix(indices.Type)}ToI64", index, converted);
            (index, indexType) = (converted, ScalarType.Int64);
        }
        var p = new OneHotParameters
        {
            ElementBytes = values.Type.SizeBytes(),
            IndexType = indexType,
            Outer = indices.Shape.Product(0, axis),
            Inner = indices.Shape.Product(axis, indices.Shape.Rank),
            Depth = node.Attributes.Integer("depth"),
        };
        OneHot.Prepare(ref p);
        _builder.Emit(StepKind.OneHot, p, p.TaskCount, p.ScratchBytes, 2 * MoveTime(node.Outputs[0]), "OneHot", index, Input(node, 1), Output(node));
        return null;
    }

    private string? LowerTrilu(Node node)
    {
        Value x = node.Inputs[0]!;
        var p = new TriluParameters
        {
            ElementBytes = x.Type.SizeBytes(),
            Batch = x.Shape.Product(0, x.Shape.Rank - 2),
            Rows = x.Shape[-2],
            Columns = x.Shape[-1],
            Upper = node.Attributes.Flag("upper", true),
            K = node.Attributes.Integer("k", 0),
        };
        Trilu.Prepare(ref p);
        _builder.Emit(StepKind.Trilu, p, p.TaskCount, p.ScratchBytes, 2 * MoveTime(x), "Trilu", Input(node, 0), Output(node));
        return null;
    }

    private string? LowerResize(Node node)
    {
        Value x = node.Inputs[0]!, y = node.Outputs[0];
        AttributeMap a = node.Attributes;
        if (x.Shape.Rank == 0)
        {
            Copy(Input(node, 0), Output(node), PlanBuilder.Bytes(y));
            return null;
        }
        var p = new ResizeParameters
        {
            Type = Scalar(x),
            Isa = _builder.Isa,
            Rank = x.Shape.Rank,
            CubicA = a.Number("cubic_coeff_a", -0.75),
            ExcludeOutside = a.Flag("exclude_outside"),
            Antialias = a.Flag("antialias"),
            ExtrapolationValue = a.Number("extrapolation_value", 0),
            Mode = a.Text("mode", "nearest") switch
            {
                "nearest" => ResizeMode.Nearest,
                "linear" => ResizeMode.Linear,
                "cubic" => ResizeMode.Cubic,
                string mode => throw new ModelFormatException($"{node}: mode '{mode}'"),
            },
            Coordinates = a.Text("coordinate_transformation_mode", "half_pixel") switch
            {
                "half_pixel" => ResizeCoordinates.HalfPixel,
                "half_pixel_symmetric" => ResizeCoordinates.HalfPixelSymmetric,
                "pytorch_half_pixel" => ResizeCoordinates.PytorchHalfPixel,
                "align_corners" => ResizeCoordinates.AlignCorners,
                "asymmetric" => ResizeCoordinates.Asymmetric,
                "tf_crop_and_resize" => ResizeCoordinates.TfCropAndResize,
                string coordinates => throw new ModelFormatException($"{node}: coordinate transformation '{coordinates}'"),
            },
            Nearest = a.Text("nearest_mode", "round_prefer_floor") switch
            {
                "round_prefer_floor" => ResizeNearest.RoundPreferFloor,
                "round_prefer_ceil" => ResizeNearest.RoundPreferCeil,
                "floor" => ResizeNearest.Floor,
                "ceil" => ResizeNearest.Ceil,
                string nearest => throw new ModelFormatException($"{node}: nearest mode '{nearest}'"),
            },
        };
        CopyShape(x.Shape, p.Shape);
        CopyShape(y.Shape, p.ResultShape);
        double[] scales = a.Numbers("scales");
        double[]? roi = a.Contains("roi") ? a.Numbers("roi") : null;
        for (int axis = 0; axis < p.Rank; axis++)
        {
            p.Scales[axis] = scales[axis];
            p.RoiStart[axis] = roi is null ? 0 : roi[axis];
            p.RoiEnd[axis] = roi is null ? 1 : roi[p.Rank + axis];
        }
        Resize.Prepare(ref p);
        _builder.Emit(StepKind.Resize, p, p.TaskCount, p.ScratchBytes, y.Shape.ElementCount / FunctionsPerNanosecond, $"Resize{p.Mode}{Suffix(x.Type)}", Input(node, 0), Output(node));
        return null;
    }

    private static long[] Longs(Shape shape)
    {
        var dimensions = new long[shape.Rank];
        for (int axis = 0; axis < dimensions.Length; axis++) dimensions[axis] = shape[axis];
        return dimensions;
    }
}
