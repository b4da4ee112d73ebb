using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Planning;

/// <summary>
/// Decides before lowering which tensors share memory, so that no data is moved where a view will do:
/// reshapes, contiguous slices and splits are views of their input; inputs of a concatenation along the outermost axis are made in place inside it;
/// an element-wise result overwrites an operand that nobody reads afterwards.
/// </summary>
internal sealed class StorageAssignment
{
    /// <summary>The input of Conv and MatMul that is added to the product.</summary>
    private const int ResidualInput = 3;

    private readonly Graph _graph;
    private readonly PlanBuilder _builder;
    private readonly Dictionary<Storage, int> _lastUse = new(ReferenceEqualityComparer.Instance);

    private StorageAssignment(Graph graph, PlanBuilder builder)
    {
        _graph = graph;
        _builder = builder;
    }

    /// <summary>Gives every input and every node's outputs their places in <paramref name="builder"/>.</summary>
    public static void Assign(Graph graph, PlanBuilder builder) => new StorageAssignment(graph, builder).Run();

    private void Run()
    {
        AttentionLayout.Assign(_graph, _builder);
        foreach (Value input in _graph.Inputs) _builder.Locate(input, Operand.In(new Storage(PlanBuilder.Bytes(input)) { IsInput = true }));
        foreach (Node node in _graph.Nodes) LocateOutputs(node);
        foreach (Node node in _graph.Nodes)
            if (node.Kind == OperatorKind.Concat && node.Outputs[0].Shape.Product(0, Axis(node)) == 1) PlaceParts(node);
        FindLastUses();
        for (int i = 0; i < _graph.Nodes.Count; i++) Overwrite(_graph.Nodes[i], i);
    }

    /// <summary>True for a node whose outputs are all empty or views of its input.</summary>
    public static bool NeedsNoSteps(Node node)
    {
        for (int i = 0; i < node.Outputs.Count; i++)
            if (node.Outputs[i].Shape.ElementCount > 0 && ViewOffset(node, i) < 0) return false;
        return true;
    }

    /// <summary>True where an input of a concatenation already lies at its place in the output, <paramref name="offset"/> bytes from its start.</summary>
    public static bool IsInPlace(Operand input, Operand output, long offset)
    {
        if (input.Storage is null || output.Storage is null) return false;
        (Storage outer, long outerOffset) = output.Storage.Outermost();
        (Storage inner, long innerOffset) = input.Storage.Outermost();
        return inner == outer && innerOffset + input.Offset == outerOffset + output.Offset + offset;
    }

    /// <summary>Offset in elements of the contiguous block of its input that a node's output is, or −1 where it is not one.</summary>
    public static long ViewOffset(Node node, int output)
    {
        Shape x = node.Inputs[0]!.Shape, y = node.Outputs[output].Shape;
        switch (node.Kind)
        {
            case OperatorKind.Reshape:
                return 0;
            case OperatorKind.Cast:
                return node.Inputs[0]!.Type == node.Outputs[0].Type ? 0 : -1;
            case OperatorKind.Expand or OperatorKind.Tile:
                return x.ElementCount == y.ElementCount ? 0 : -1;
            case OperatorKind.Concat:
                return node.Inputs.Count == 1 ? 0 : -1;
            case OperatorKind.Transpose:
                return KeepsOrder(x, node.Attributes.Integers("perm")) ? 0 : -1;
            case OperatorKind.Split:
            {
                int axis = Axis(node);
                if (x.Product(0, axis) != 1) return -1;
                long offset = 0;
                for (int i = 0; i < output; i++) offset += node.Outputs[i].Shape.ElementCount;
                return offset;
            }
            case OperatorKind.Slice:
            {
                long[] starts = node.Attributes.Integers("starts"), steps = node.Attributes.Integers("steps");
                long offset = 0, stride = 1;
                bool partial = false;
                for (int axis = x.Rank - 1; axis >= 0; axis--)
                {
                    // Beyond the innermost axis that is cut, only one index may be taken of each.
                    if (y[axis] != 1 && (partial || steps[axis] != 1)) return -1;
                    partial |= y[axis] != x[axis];
                    offset += starts[axis] * stride;
                    stride *= x[axis];
                }
                return offset;
            }
            default:
                return -1;
        }
    }

    private static int Axis(Node node) => (int)node.Attributes.Integer("axis");

    /// <summary>True where a permutation leaves the axes longer than 1 in their order, so that no element moves.</summary>
    private static bool KeepsOrder(Shape shape, long[] permutation)
    {
        long previous = -1;
        foreach (long axis in permutation)
        {
            if (shape[(int)axis] == 1) continue;
            if (axis < previous) return false;
            previous = axis;
        }
        return true;
    }

    private void LocateOutputs(Node node)
    {
        for (int i = 0; i < node.Outputs.Count; i++)
        {
            Value output = node.Outputs[i];
            long offset = output.Shape.ElementCount == 0 ? -1 : _builder.IsAbsorbed(node) ? 0 : ViewOffset(node, i);
            if (_builder.View(output) is { } view) _builder.Locate(output, _builder.Locate(view.Base).At(view.Offset * output.Type.SizeBytes()));
            else if (offset >= 0) _builder.Locate(output, _builder.Locate(node.Inputs[0]).At(offset * output.Type.SizeBytes()));
            else _builder.Locate(output, Operand.In(new Storage(PlanBuilder.Bytes(output))));
        }
    }

    private void PlaceParts(Node node)
    {
        if (NeedsNoSteps(node)) return;
        Operand output = _builder.Locate(node.Outputs[0]);
        long offset = 0;
        foreach (Value? input in node.Inputs)
        {
            long bytes = PlanBuilder.Bytes(input!);
            if (input!.Constant is null && bytes > 0 && Whole(_builder.Locate(input), bytes) is { } storage && storage != output.Storage!.Outermost().Outermost)
                storage.PlaceInside(output.Storage, output.Offset + offset);
            offset += bytes;
        }
    }

    /// <summary>The outermost storage that an operand fills completely and that may be moved; else null.</summary>
    private static Storage? Whole(Operand operand, long bytes)
    {
        if (operand.Storage is null) return null;
        Storage outermost = operand.Storage.Outermost().Outermost;
        return !outermost.IsInput && outermost.SizeBytes == bytes ? outermost : null;
    }

    private void FindLastUses()
    {
        for (int i = 0; i < _graph.Nodes.Count; i++)
        {
            foreach (Value? input in _graph.Nodes[i].Inputs) Use(input, i);
            foreach (Value output in _graph.Nodes[i].Outputs) Use(output, i);
        }
        foreach (Value output in _graph.Outputs) Use(output, int.MaxValue);
    }

    private void Use(Value? value, int node)
    {
        // To locate a constant is to put its dense elements into the plan, which only its reader may ask for.
        if (value is not { Constant: null } || _builder.Locate(value).Storage is not { } storage) return;
        Storage outermost = storage.Outermost().Outermost;
        if (!_lastUse.TryGetValue(outermost, out int last) || last < node) _lastUse[outermost] = node;
    }

    /// <summary>
    /// Lets the result take the place of an operand of the same shape that is read for the last time. Element-wise kernels read an element of such an
    /// operand before they write that element, and no later; products do so with their residual; scatters, Trilu and most normalisations change their first operand.
    /// </summary>
    private void Overwrite(Node node, int index)
    {
        bool elementwise = node.Kind is (>= OperatorKind.Abs and <= OperatorKind.Cast) or (>= OperatorKind.Add and <= OperatorKind.Where);
        bool product = node.Kind is OperatorKind.Conv or OperatorKind.MatMul;
        bool changesFirst = node.Kind is OperatorKind.ScatterElements or OperatorKind.ScatterNd or OperatorKind.Trilu or OperatorKind.BatchNormalization
            or OperatorKind.GroupNormalization or OperatorKind.InstanceNormalization or OperatorKind.LayerNormalization or OperatorKind.RmsNormalization
            or OperatorKind.LpNormalization or OperatorKind.Softmax or OperatorKind.LogSoftmax;
        if (!elementwise && !product && !changesFirst) return;
        Value output = node.Outputs[0];
        if (NeedsNoSteps(node)) return;
        long bytes = PlanBuilder.Bytes(output);
        Operand target = _builder.Locate(output);
        int last = changesFirst ? 1 : node.Inputs.Count;
        for (int i = product ? ResidualInput : 0; i < last; i++)
        {
            if (node.Inputs[i] is not { Constant: null } input || input.Shape != output.Shape || input.Type.SizeBytes() != output.Type.SizeBytes()) continue;
            if (Whole(_builder.Locate(input), bytes) is not { } storage || storage == target.Storage!.Outermost().Outermost || _lastUse[storage] != index) continue;
            if (!OthersAreElsewhere(node, i, storage, sameShapeAllowed: elementwise)) continue;
            storage.PlaceInside(target.Storage, target.Offset);
            return;
        }
    }

    /// <summary>True where no other operand lies in the storage; what is read element by element alike (the same shape) may.</summary>
    private bool OthersAreElsewhere(Node node, int overwritten, Storage storage, bool sameShapeAllowed)
    {
        for (int i = 0; i < node.Inputs.Count; i++)
        {
            if (i == overwritten || node.Inputs[i] is not { Constant: null } other) continue;
            if (sameShapeAllowed && other.Shape == node.Inputs[overwritten]!.Shape) continue;
            if (_builder.Locate(other).Storage?.Outermost().Outermost == storage) return false;
        }
        return true;
    }
}
