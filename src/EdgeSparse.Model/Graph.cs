namespace EdgeSparse.Model;

/// <summary>
/// A model as a directed acyclic graph of operators over tensors of static shape. Nodes are in execution order.
/// What each operator means, with its inputs, attributes and shapes, is written in OPERATORS.md.
/// </summary>
public sealed class Graph
{
    public string Name { get; set; } = "";

    /// <summary>Values given from outside for every run, in the model's order.</summary>
    public List<Value> Inputs { get; } = [];

    /// <summary>Values handed out after every run, in the model's order; one may be an input or a constant.</summary>
    public List<Value> Outputs { get; } = [];

    /// <summary>Operators in an order in which every value is made before it is used.</summary>
    public List<Node> Nodes { get; } = [];

    /// <summary>Which nodes read each value; a node appears once for each input slot that reads it.</summary>
    public Dictionary<Value, List<Node>> Consumers()
    {
        var consumers = new Dictionary<Value, List<Node>>(ReferenceEqualityComparer.Instance);
        foreach (Node node in Nodes)
        {
            foreach (Value? input in node.Inputs)
            {
                if (input is null) continue;
                if (!consumers.TryGetValue(input, out List<Node>? list)) consumers[input] = list = [];
                list.Add(node);
            }
        }
        return consumers;
    }
}

/// <summary>A tensor in the graph: a graph input, a constant, or what one node makes. Identity is by reference.</summary>
public sealed class Value
{
    public Value(string name, ElementType type, Shape shape)
    {
        Name = name;
        Type = type;
        Shape = shape;
    }

    public Value(string name, Tensor constant)
        : this(name, (constant ?? throw new ArgumentNullException(nameof(constant))).Type, constant.Shape) => Constant = constant;

    public string Name { get; set; }

    public ElementType Type { get; set; }

    public Shape Shape { get; set; }

    /// <summary>The constant's tensor, or null for a value known only when the model runs.</summary>
    public Tensor? Constant { get; set; }

    public override string ToString() => $"{Name} {Type} {Shape}";
}

/// <summary>One operator application. An absent optional input is null; trailing absent inputs are left out.</summary>
public sealed class Node
{
    public Node(OperatorKind kind, string name)
    {
        Kind = kind;
        Name = name;
    }

    public OperatorKind Kind { get; set; }

    public string Name { get; set; }

    public List<Value?> Inputs { get; } = [];

    public List<Value> Outputs { get; } = [];

    public AttributeMap Attributes { get; } = new();

    /// <summary>Input <paramref name="index"/>, or null where it is absent.</summary>
    public Value? Input(int index) => index < Inputs.Count ? Inputs[index] : null;

    public override string ToString() => $"{Kind} '{Name}'";
}
