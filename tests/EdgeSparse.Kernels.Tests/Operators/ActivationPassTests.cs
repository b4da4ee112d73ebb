using EdgeSparse.Kernels.Elementwise;

namespace EdgeSparse.Kernels.Tests;

public unsafe class ActivationPassTests
{
    private static readonly (ActivationKind Kind, UnaryFunction Function, float Alpha, float Beta)[] Kinds =
    [
        (ActivationKind.Clip, UnaryFunction.Clip, 0, 6), (ActivationKind.LeakyRelu, UnaryFunction.LeakyRelu, 0.1f, 0), (ActivationKind.Sigmoid, UnaryFunction.Sigmoid, 0, 0),
        (ActivationKind.Silu, UnaryFunction.Silu, 0, 0), (ActivationKind.HardSigmoid, UnaryFunction.HardSigmoid, 0.2f, 0.5f), (ActivationKind.HardSwish, UnaryFunction.HardSwish, 0, 0),
        (ActivationKind.Gelu, UnaryFunction.Gelu, 0, 0), (ActivationKind.GeluTanh, UnaryFunction.GeluTanh, 0, 0), (ActivationKind.Tanh, UnaryFunction.Tanh, 0, 0),
        (ActivationKind.Elu, UnaryFunction.Elu, 1.5f, 0), (ActivationKind.Mish, UnaryFunction.Mish, 0, 0), (ActivationKind.Softplus, UnaryFunction.Softplus, 0, 0),
    ];

    [Fact]
    public void EveryKindIsCovered() => Assert.Equal(Enum.GetValues<ActivationKind>().Length - 1, Kinds.Length);

    [Fact]
    public void AppliesToRowsAndLeavesTheGapsAlone()
    {
        const int rows = 3, count = 21, stride = 29;
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            foreach (var (kind, function, alpha, beta) in Kinds)
            {
                float[] before = Values.Make(3, rows * stride).Select(v => v * 8).ToArray();
                // The last row ends at the guard page.
                using GuardedBuffer y = GuardedBuffer.Of(before.AsSpan(0, (rows - 1) * stride + count));
                ActivationPass.Apply(isa, y.Floats, rows, stride, count, new Activation { Kind = kind, Alpha = alpha, Beta = beta });
                for (int i = 0; i < y.Span.Length; i++)
                {
                    double expected = i % stride < count ? Unary.Evaluate(function, before[i], alpha, beta) : before[i];
                    Assert.True(Math.Abs(expected - y.Span[i]) <= 2e-6 * Math.Max(1, Math.Abs(expected)), $"{kind} {isa}: element {i} is {y.Span[i]}, expected {expected}");
                }
            }
        }
    }
}
