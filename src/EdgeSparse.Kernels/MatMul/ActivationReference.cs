namespace EdgeSparse.Kernels.MatMul;

/// <summary>The definition of every fused activation, one value at a time in double precision.</summary>
public static class ActivationReference
{
    public static float Apply(float x, in Activation activation)
    {
        double v = x, alpha = activation.Alpha, beta = activation.Beta;
        return activation.Kind switch
        {
            ActivationKind.Clip => MathF.Min(MathF.Max(x, activation.Alpha), activation.Beta),
            ActivationKind.LeakyRelu => x >= 0 ? x : (float)(alpha * v),
            ActivationKind.Sigmoid => (float)Sigmoid(v),
            ActivationKind.Silu => (float)(v * Sigmoid(v)),
            ActivationKind.HardSigmoid => (float)Math.Min(Math.Max(alpha * v + beta, 0), 1),
            ActivationKind.HardSwish => (float)(v * Math.Min(Math.Max(v / 6 + 0.5, 0), 1)),
            ActivationKind.Gelu => (float)(0.5 * v * (1 + Erf(v / Math.Sqrt(2)))),
            ActivationKind.GeluTanh => (float)(0.5 * v * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v)))),
            ActivationKind.Tanh => (float)Math.Tanh(v),
            ActivationKind.Elu => x >= 0 ? x : (float)(alpha * (Math.Exp(v) - 1)),
            ActivationKind.Mish => (float)(v * Math.Tanh(Softplus(v))),
            ActivationKind.Softplus => (float)Softplus(v),
            _ => x,
        };
    }

    private static double Sigmoid(double v) => v >= 0 ? 1 / (1 + Math.Exp(-v)) : Math.Exp(v) / (1 + Math.Exp(v));

    private static double Softplus(double v) => Math.Max(v, 0) + Math.Log(1 + Math.Exp(-Math.Abs(v)));

    /// <summary>Error function: Taylor series below 3, continued fraction of the complement above.</summary>
    private static double Erf(double v)
    {
        double a = Math.Abs(v);
        if (double.IsNaN(v)) return v;
        if (a > 6) return Math.Sign(v);
        if (a < 3)
        {
            double term = a, sum = a;
            for (int n = 1; n < 100; n++)
            {
                term *= -a * a / n;
                sum += term / (2 * n + 1);
            }
            return Math.CopySign(sum * 2 / Math.Sqrt(Math.PI), v);
        }
        double tail = 0;
        for (int n = 60; n >= 1; n--) tail = n / 2.0 / (a + tail);
        return Math.CopySign(1 - Math.Exp(-a * a) / (Math.Sqrt(Math.PI) * (a + tail)), v);
    }
}
