namespace EdgeSparse.Kernels;

/// <summary>An element-wise function applied to a result before it is stored for good.</summary>
public enum ActivationKind : int
{
    None = 0,
    /// <summary>min(max(x, alpha), beta): also ReLU (0, +∞) and ReLU6 (0, 6).</summary>
    Clip,
    /// <summary>x where x ≥ 0, else alpha·x.</summary>
    LeakyRelu,
    Sigmoid,
    /// <summary>x·sigmoid(x).</summary>
    Silu,
    /// <summary>min(max(alpha·x + beta, 0), 1).</summary>
    HardSigmoid,
    /// <summary>x·min(max(x/6 + 1/2, 0), 1).</summary>
    HardSwish,
    /// <summary>x·Φ(x) with the error function.</summary>
    Gelu,
    /// <summary>GELU by its tanh approximation.</summary>
    GeluTanh,
    Tanh,
    /// <summary>x where x ≥ 0, else alpha·(eˣ − 1).</summary>
    Elu,
    Mish,
    Softplus,
}

/// <summary>A fused activation with its parameters; blittable, part of kernel parameter structures.</summary>
public struct Activation
{
    public ActivationKind Kind;
    public float Alpha;
    public float Beta;

    public static Activation None => default;

    public static Activation Relu => new() { Kind = ActivationKind.Clip, Alpha = 0, Beta = float.PositiveInfinity };

    public static Activation Clip(float minimum, float maximum) => new() { Kind = ActivationKind.Clip, Alpha = minimum, Beta = maximum };

    /// <summary>Lower bound a kernel may apply in registers: −∞ unless this is <see cref="ActivationKind.Clip"/>.</summary>
    public readonly float Minimum => Kind == ActivationKind.Clip ? Alpha : float.NegativeInfinity;

    /// <summary>Upper bound a kernel may apply in registers: +∞ unless this is <see cref="ActivationKind.Clip"/>.</summary>
    public readonly float Maximum => Kind == ActivationKind.Clip ? Beta : float.PositiveInfinity;

    /// <summary>True where the clamp of <see cref="Minimum"/> and <see cref="Maximum"/> is not the whole activation, so a second pass over the tile is due.</summary>
    public readonly bool NeedsPass => Kind is not (ActivationKind.None or ActivationKind.Clip);
}
