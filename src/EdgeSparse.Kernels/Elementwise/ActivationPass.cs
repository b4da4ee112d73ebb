namespace EdgeSparse.Kernels.Elementwise;

/// <summary>Applies an <see cref="Activation"/> in place: the second pass over a tile that is still in the cache.</summary>
public static unsafe class ActivationPass
{
    /// <summary>y[r, i] = f(y[r, i]) for r &lt; rows, i &lt; count, with the widest instruction set of this process.</summary>
    /// <param name="y">First element of the first row.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="rowStrideElements">Elements from one row's start to the next one's.</param>
    /// <param name="count">Elements per row.</param>
    /// <param name="activation">The function and its constants.</param>
    public static void Apply(float* y, long rows, long rowStrideElements, long count, in Activation activation) =>
        Apply(InstructionSets.Best, y, rows, rowStrideElements, count, activation);

    /// <summary>As above with a given instruction set.</summary>
    public static void Apply(InstructionSet isa, float* y, long rows, long rowStrideElements, long count, in Activation activation)
    {
        if (rowStrideElements == count)
        {
            count *= rows;
            rows = 1;
        }
        float alpha = activation.Alpha, beta = activation.Beta;
        ActivationKind kind = activation.Kind;
        if (count <= 0) return;
        switch (kind)
        {
            case ActivationKind.Clip: UnaryLoop.Run<ClipOperation>(isa, y, y, rows, rowStrideElements, count, alpha, beta); break;
            case ActivationKind.LeakyRelu: UnaryLoop.Run<LeakyReluOperation>(isa, y, y, rows, rowStrideElements, count, alpha, beta); break;
            case ActivationKind.Sigmoid: UnaryLoop.Run<SigmoidOperation>(isa, y, y, rows, rowStrideElements, count, alpha, beta); break;
            case ActivationKind.Silu: UnaryLoop.Run<SiluOperation>(isa, y, y, rows, rowStrideElements, count, alpha, beta); break;
            case ActivationKind.HardSigmoid: UnaryLoop.Run<HardSigmoidOperation>(isa, y, y, rows, rowStrideElements, count, alpha, beta); break;
            case ActivationKind.HardSwish: UnaryLoop.Run<HardSwishOperation>(isa, y, y, rows, rowStrideElements, count, alpha, beta); break;
            case ActivationKind.Gelu: UnaryLoop.Run<GeluOperation>(isa, y, y, rows, rowStrideElements, count, alpha, beta); break;
            case ActivationKind.GeluTanh: UnaryLoop.Run<GeluTanhOperation>(isa, y, y, rows, rowStrideElements, count, alpha, beta); break;
            case ActivationKind.Tanh: UnaryLoop.Run<TanhOperation>(isa, y, y, rows, rowStrideElements, count, alpha, beta); break;
            case ActivationKind.Elu: UnaryLoop.Run<EluOperation>(isa, y, y, rows, rowStrideElements, count, alpha, beta); break;
            case ActivationKind.Mish: UnaryLoop.Run<MishOperation>(isa, y, y, rows, rowStrideElements, count, alpha, beta); break;
            case ActivationKind.Softplus: UnaryLoop.Run<SoftplusOperation>(isa, y, y, rows, rowStrideElements, count, alpha, beta); break;
        }
    }
}
