using EdgeSparse.Kernels;

namespace EdgeSparse.Model;

/// <summary>The activation that a product or an element-wise operator carries (OPERATORS.md, "Fused activation"), and its names.</summary>
public static class FusedActivation
{
    /// <summary>Attribute values in the order of documentation; <c>relu</c> is <see cref="ActivationKind.Clip"/> from 0 to +∞.</summary>
    private static readonly string[] Names =
        ["relu", "clip", "leaky_relu", "sigmoid", "silu", "hard_sigmoid", "hard_swish", "gelu", "gelu_tanh", "tanh", "elu", "mish", "softplus"];

    /// <summary>The node's fused activation, <see cref="Activation.None"/> where it has none. Throws <see cref="ModelFormatException"/> for an unknown name.</summary>
    public static Activation Of(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return Read(new NodeReader(node));
    }

    internal static Activation Read(NodeReader read)
    {
        if (!read.Has("activation"))
        {
            if (read.Has("activation_alpha") || read.Has("activation_beta")) throw read.Fail("attribute 'activation_alpha' or 'activation_beta' without 'activation'");
            return Activation.None;
        }
        string name = read.Text("activation", Names);
        float Alpha(double absent) => (float)read.Number("activation_alpha", absent);
        float Beta(double absent) => (float)read.Number("activation_beta", absent);
        return name switch
        {
            "relu" => Activation.Relu,
            "clip" => Activation.Clip(Alpha(double.NegativeInfinity), Beta(double.PositiveInfinity)),
            "leaky_relu" => new Activation { Kind = ActivationKind.LeakyRelu, Alpha = Alpha(0.01) },
            "elu" => new Activation { Kind = ActivationKind.Elu, Alpha = Alpha(1) },
            "hard_sigmoid" => new Activation { Kind = ActivationKind.HardSigmoid, Alpha = Alpha(0.2), Beta = Beta(0.5) },
            "sigmoid" => new Activation { Kind = ActivationKind.Sigmoid },
            "silu" => new Activation { Kind = ActivationKind.Silu },
            "hard_swish" => new Activation { Kind = ActivationKind.HardSwish },
            "gelu" => new Activation { Kind = ActivationKind.Gelu },
            "gelu_tanh" => new Activation { Kind = ActivationKind.GeluTanh },
            "tanh" => new Activation { Kind = ActivationKind.Tanh },
            "mish" => new Activation { Kind = ActivationKind.Mish },
            "softplus" => new Activation { Kind = ActivationKind.Softplus },
            _ => throw read.Fail($"activation '{name}' is not implemented"),
        };
    }
}
