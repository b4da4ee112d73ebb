using System.Numerics;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Elementwise;

/// <summary>Functions of one argument.</summary>
public enum UnaryFunction : int
{
    Abs,
    Acos,
    Acosh,
    Asin,
    Asinh,
    Atan,
    Atanh,
    /// <summary>All bits inverted; integer types.</summary>
    BitwiseNot,
    Ceiling,
    /// <summary>max(0, x) + min(0, alpha·(e^(x/alpha) − 1)).</summary>
    Celu,
    /// <summary>min(max(x, alpha), beta); ReLU is alpha = 0, beta = +∞. Unbounded sides are ∓∞ whatever the type.</summary>
    Clip,
    Cos,
    Cosh,
    /// <summary>x where x ≥ 0, else alpha·(eˣ − 1).</summary>
    Elu,
    Erf,
    Exp,
    Floor,
    /// <summary>x·Φ(x) with the error function.</summary>
    Gelu,
    /// <summary>GELU by its tanh approximation.</summary>
    GeluTanh,
    /// <summary>min(max(alpha·x + beta, 0), 1).</summary>
    HardSigmoid,
    HardSwish,
    /// <summary>Result is Bool. alpha ≠ 0: −∞ counts; beta ≠ 0: +∞ counts.</summary>
    IsInfinity,
    /// <summary>Result is Bool.</summary>
    IsNaN,
    /// <summary>x where x ≥ 0, else alpha·x.</summary>
    LeakyRelu,
    Log,
    Mish,
    Negate,
    /// <summary>Bool.</summary>
    Not,
    Reciprocal,
    /// <summary>Halves to even.</summary>
    Round,
    /// <summary>beta·(x where x ≥ 0, else alpha·(eˣ − 1)): beta is ONNX's gamma.</summary>
    Selu,
    /// <summary>x + beta below −alpha, x − beta above alpha, else 0: alpha is ONNX's lambd, beta its bias.</summary>
    Shrink,
    Sigmoid,
    Sign,
    Silu,
    Sin,
    Sinh,
    Softplus,
    Softsign,
    Sqrt,
    Tan,
    Tanh,
    /// <summary>x where x > alpha, else 0.</summary>
    ThresholdedRelu,
    Square,
}

/// <summary>Parameters of <see cref="Unary"/>.</summary>
public struct UnaryParameters
{
    public UnaryFunction Function;

    /// <summary>Type of the argument, and of the result except for <see cref="UnaryFunction.IsInfinity"/> and <see cref="UnaryFunction.IsNaN"/>, whose result is Bool.</summary>
    public ScalarType Type;

    public InstructionSet Isa;

    /// <summary>Constants of the function, as <see cref="UnaryFunction"/> says.</summary>
    public double Alpha, Beta;

    /// <summary>Elements.</summary>
    public long Count;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>
/// y[i] = f(x[i]); y may be x where the types are equal. Float32 runs on vectors (the inverse trigonometric and hyperbolic functions excepted), other types element by element.
/// Error bounds of the vector functions stand at <see cref="Simd.VectorMath"/>.
/// </summary>
public static unsafe partial class Unary
{
    /// <summary>Checks the combination of function and type and derives <see cref="UnaryParameters.TaskCount"/>.</summary>
    /// <exception cref="ArgumentException">The function is not defined for the type, or the count is negative.</exception>
    public static void Prepare(ref UnaryParameters p)
    {
        if (p.Count < 0) throw new ArgumentException($"Unary.{p.Function}: negative count {p.Count}");
        if (!IsDefined(p.Function, p.Type)) throw new ArgumentException($"Unary.{p.Function} is not defined for {p.Type}");
        p.TaskCount = TaskSplit.CountFlat(p.Count);
        p.ScratchBytes = 0;
    }

    /// <summary>Whether the function exists for an argument type.</summary>
    public static bool IsDefined(UnaryFunction function, ScalarType type) => function switch
    {
        UnaryFunction.Not => type == ScalarType.Bool,
        UnaryFunction.BitwiseNot => IsInteger(type),
        UnaryFunction.Abs or UnaryFunction.Clip or UnaryFunction.Negate or UnaryFunction.Sign or UnaryFunction.Square or UnaryFunction.Floor or UnaryFunction.Ceiling or UnaryFunction.Round =>
            IsInteger(type) || type is ScalarType.Float32 or ScalarType.Float64,
        _ => type is ScalarType.Float32 or ScalarType.Float64,
    };

    private static bool IsInteger(ScalarType type) => type is ScalarType.Int8 or ScalarType.UInt8 or ScalarType.Int16 or ScalarType.UInt16
        or ScalarType.Int32 or ScalarType.UInt32 or ScalarType.Int64 or ScalarType.UInt64;

    /// <summary>Runs one task: a share of the elements of <paramref name="x"/> and <paramref name="y"/>.</summary>
    public static void Run(UnaryParameters* p, void* x, void* y, byte* scratch, int task)
    {
        long start = TaskSplit.StartFlat(p->Count, p->TaskCount, task);
        long count = TaskSplit.StartFlat(p->Count, p->TaskCount, task + 1) - start;
        if (p->Type == ScalarType.Float32) RunFloat32(p, (float*)x + start, y, start, count);
        else RunScalar(p, x, y, start, count);
    }

    private static void RunFloat32(UnaryParameters* p, float* x, void* results, long start, long count)
    {
        float* y = (float*)results + start;
        InstructionSet isa = p->Isa;
        float alpha = (float)p->Alpha, beta = (float)p->Beta;
        switch (p->Function)
        {
            case UnaryFunction.IsNaN:
            case UnaryFunction.IsInfinity:
                for (long i = 0; i < count; i++) ((byte*)results + start)[i] = Classify(p, x[i]);
                break;
            case UnaryFunction.Sin:
            case UnaryFunction.Cos:
            case UnaryFunction.Tan:
                RunTrigonometric(p->Function, isa, x, y, count);
                break;
            case UnaryFunction.Abs: UnaryLoop.Run<AbsOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Ceiling: UnaryLoop.Run<CeilingOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Celu: UnaryLoop.Run<CeluOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Clip: UnaryLoop.Run<ClipOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Cosh: UnaryLoop.Run<CoshOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Elu: UnaryLoop.Run<EluOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Erf: UnaryLoop.Run<ErfOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Exp: UnaryLoop.Run<ExpOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Floor: UnaryLoop.Run<FloorOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Gelu: UnaryLoop.Run<GeluOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.GeluTanh: UnaryLoop.Run<GeluTanhOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.HardSigmoid: UnaryLoop.Run<HardSigmoidOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.HardSwish: UnaryLoop.Run<HardSwishOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.LeakyRelu: UnaryLoop.Run<LeakyReluOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Log: UnaryLoop.Run<LogOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Mish: UnaryLoop.Run<MishOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Negate: UnaryLoop.Run<NegateOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Reciprocal: UnaryLoop.Run<ReciprocalOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Round: UnaryLoop.Run<RoundOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Selu: UnaryLoop.Run<SeluOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Shrink: UnaryLoop.Run<ShrinkOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Sigmoid: UnaryLoop.Run<SigmoidOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Sign: UnaryLoop.Run<SignOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Silu: UnaryLoop.Run<SiluOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Sinh: UnaryLoop.Run<SinhOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Softplus: UnaryLoop.Run<SoftplusOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Softsign: UnaryLoop.Run<SoftsignOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Sqrt: UnaryLoop.Run<SqrtOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Tanh: UnaryLoop.Run<TanhOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.ThresholdedRelu: UnaryLoop.Run<ThresholdedReluOperation>(isa, x, y, count, alpha, beta); break;
            case UnaryFunction.Square: UnaryLoop.Run<SquareOperation>(isa, x, y, count, alpha, beta); break;
            default:
                for (long i = 0; i < count; i++) y[i] = (float)Evaluate(p->Function, x[i], p->Alpha, p->Beta);
                break;
        }
    }

    /// <summary>The vector form holds up to a limit; a block with an argument beyond it is done in double precision.</summary>
    private static void RunTrigonometric(UnaryFunction function, InstructionSet isa, float* x, float* y, long count)
    {
        const long Block = 256;
        for (long i = 0; i < count; i += Block)
        {
            long n = Math.Min(Block, count - i);
            bool near = true;
            for (long j = 0; j < n; j++) near &= Math.Abs(x[i + j]) <= VectorMath.SinCosLimit;
            if (!near)
            {
                for (long j = 0; j < n; j++) y[i + j] = (float)Evaluate(function, x[i + j], 0, 0);
            }
            else if (function == UnaryFunction.Sin) UnaryLoop.Run<SinOperation>(isa, x + i, y + i, n, 0, 0);
            else if (function == UnaryFunction.Cos) UnaryLoop.Run<CosOperation>(isa, x + i, y + i, n, 0, 0);
            else UnaryLoop.Run<TanOperation>(isa, x + i, y + i, n, 0, 0);
        }
    }

    private static byte Classify(UnaryParameters* p, double x)
    {
        bool result = p->Function == UnaryFunction.IsNaN ? double.IsNaN(x)
            : (p->Alpha != 0 && x == double.NegativeInfinity) || (p->Beta != 0 && x == double.PositiveInfinity);
        return result ? (byte)1 : (byte)0;
    }

    private static void RunScalar(UnaryParameters* p, void* x, void* y, long start, long count)
    {
        switch (p->Type)
        {
            case ScalarType.Float64:
                if (p->Function is UnaryFunction.IsNaN or UnaryFunction.IsInfinity)
                {
                    for (long i = start; i < start + count; i++) ((byte*)y)[i] = Classify(p, ((double*)x)[i]);
                }
                else
                {
                    for (long i = start; i < start + count; i++) ((double*)y)[i] = Evaluate(p->Function, ((double*)x)[i], p->Alpha, p->Beta);
                }
                break;
            case ScalarType.Bool:
                for (long i = start; i < start + count; i++) ((byte*)y)[i] = ((byte*)x)[i] == 0 ? (byte)1 : (byte)0;
                break;
            case ScalarType.Int8: RunInteger(p, (sbyte*)x + start, (sbyte*)y + start, count); break;
            case ScalarType.UInt8: RunInteger(p, (byte*)x + start, (byte*)y + start, count); break;
            case ScalarType.Int16: RunInteger(p, (short*)x + start, (short*)y + start, count); break;
            case ScalarType.UInt16: RunInteger(p, (ushort*)x + start, (ushort*)y + start, count); break;
            case ScalarType.Int32: RunInteger(p, (int*)x + start, (int*)y + start, count); break;
            case ScalarType.UInt32: RunInteger(p, (uint*)x + start, (uint*)y + start, count); break;
            case ScalarType.Int64: RunInteger(p, (long*)x + start, (long*)y + start, count); break;
            case ScalarType.UInt64: RunInteger(p, (ulong*)x + start, (ulong*)y + start, count); break;
        }
    }

    private static void RunInteger<T>(UnaryParameters* p, T* x, T* y, long count) where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        switch (p->Function)
        {
            case UnaryFunction.Abs: for (long i = 0; i < count; i++) y[i] = T.Sign(x[i]) < 0 ? unchecked(T.Zero - x[i]) : x[i]; break;
            case UnaryFunction.Negate: for (long i = 0; i < count; i++) y[i] = unchecked(T.Zero - x[i]); break;
            case UnaryFunction.Sign: for (long i = 0; i < count; i++) y[i] = T.Sign(x[i]) switch { < 0 => T.Zero - T.One, 0 => T.Zero, _ => T.One }; break;
            case UnaryFunction.Square: for (long i = 0; i < count; i++) y[i] = unchecked(x[i] * x[i]); break;
            case UnaryFunction.BitwiseNot: for (long i = 0; i < count; i++) y[i] = ~x[i]; break;
            case UnaryFunction.Clip:
                T minimum = T.CreateSaturating(p->Alpha), maximum = T.CreateSaturating(p->Beta);
                for (long i = 0; i < count; i++)
                {
                    T value = x[i] < minimum ? minimum : x[i];
                    y[i] = value > maximum ? maximum : value;
                }
                break;
            default: for (long i = 0; i < count; i++) y[i] = x[i]; break;
        }
    }
}
