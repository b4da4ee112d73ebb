namespace EdgeSparse.Kernels.Elementwise;

public static unsafe partial class Unary
{
    /// <summary>The definition of each function in double precision; also what Float64 tensors and the rare functions use.</summary>
    public static double Evaluate(UnaryFunction function, double x, double alpha, double beta) => function switch
    {
        UnaryFunction.Abs => Math.Abs(x),
        UnaryFunction.Acos => Math.Acos(x),
        UnaryFunction.Acosh => Math.Acosh(x),
        UnaryFunction.Asin => Math.Asin(x),
        UnaryFunction.Asinh => Math.Asinh(x),
        UnaryFunction.Atan => Math.Atan(x),
        UnaryFunction.Atanh => Math.Atanh(x),
        UnaryFunction.Ceiling => Math.Ceiling(x),
        UnaryFunction.Celu => x < 0 ? alpha * ExpMinusOne(x / alpha) : x,
        UnaryFunction.Clip => double.IsNaN(x) ? x : Math.Min(Math.Max(x, alpha), beta),
        UnaryFunction.Cos => Math.Cos(x),
        UnaryFunction.Cosh => Math.Cosh(x),
        UnaryFunction.Elu => x < 0 ? alpha * ExpMinusOne(x) : x,
        UnaryFunction.Erf => ErrorFunction(x),
        UnaryFunction.Exp => Math.Exp(x),
        UnaryFunction.Floor => Math.Floor(x),
        UnaryFunction.Gelu => double.IsNegativeInfinity(x) ? 0 : 0.5 * x * ComplementaryErrorFunction(-x * Math.Sqrt(0.5)),
        UnaryFunction.GeluTanh => double.IsNegativeInfinity(x) ? 0 : 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
        UnaryFunction.HardSigmoid => Math.Min(Math.Max(alpha * x + beta, 0), 1),
        UnaryFunction.HardSwish => x * Math.Min(Math.Max(x / 6 + 0.5, 0), 1),
        UnaryFunction.LeakyRelu => x < 0 ? alpha * x : x,
        UnaryFunction.Log => Math.Log(x),
        UnaryFunction.Mish => double.IsNegativeInfinity(x) ? 0 : x * Math.Tanh(Softplus(x)),
        UnaryFunction.Negate => -x,
        UnaryFunction.Reciprocal => 1 / x,
        UnaryFunction.Round => Math.Round(x),
        UnaryFunction.Selu => beta * (x < 0 ? alpha * ExpMinusOne(x) : x),
        UnaryFunction.Shrink => x < -alpha ? x + beta : x > alpha ? x - beta : 0,
        UnaryFunction.Sigmoid => 1 / (1 + Math.Exp(-x)),
        UnaryFunction.Sign => x > 0 ? 1 : x < 0 ? -1 : double.IsNaN(x) ? x : 0,
        UnaryFunction.Silu => double.IsNegativeInfinity(x) ? 0 : x / (1 + Math.Exp(-x)),
        UnaryFunction.Sin => Math.Sin(x),
        UnaryFunction.Sinh => Math.Sinh(x),
        UnaryFunction.Softplus => Softplus(x),
        UnaryFunction.Softsign => x / (1 + Math.Abs(x)),
        UnaryFunction.Sqrt => Math.Sqrt(x),
        UnaryFunction.Square => x * x,
        UnaryFunction.Tan => Math.Tan(x),
        UnaryFunction.Tanh => Math.Tanh(x),
        UnaryFunction.ThresholdedRelu => x > alpha ? x : 0,
        _ => x,
    };

    private static double Softplus(double x) => Math.Max(x, 0) + LogOnePlus(Math.Exp(-Math.Abs(x)));

    private static double LogOnePlus(double x)
    {
        double u = 1 + x;
        return u == 1 ? x : Math.Log(u) * (x / (u - 1));
    }

    private static double ExpMinusOne(double x)
    {
        if (Math.Abs(x) > 0.5) return Math.Exp(x) - 1;
        double term = x, sum = x;
        for (int n = 2; n < 20; n++) sum += term *= x / n;
        return sum;
    }

    /// <summary>erf x by its Taylor series near zero, else by the continued fraction of the complement.</summary>
    public static double ErrorFunction(double x)
    {
        if (double.IsNaN(x)) return x;
        if (Math.Abs(x) >= 2) return x > 0 ? 1 - ComplementaryErrorFunction(x) : ComplementaryErrorFunction(-x) - 1;
        double term = x, sum = x;
        for (int n = 1; n < 60; n++)
        {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }
        return sum * (2 / Math.Sqrt(Math.PI));
    }

    /// <summary>1 − erf x without cancellation for large x.</summary>
    private static double ComplementaryErrorFunction(double x)
    {
        if (x < 2) return 1 - ErrorFunction(x);
        if (double.IsPositiveInfinity(x)) return 0;
        double fraction = 0;
        for (int n = 120; n > 0; n--) fraction = n * 0.5 / (x + fraction);
        return Math.Exp(-x * x) / Math.Sqrt(Math.PI) / (x + fraction);
    }
}
