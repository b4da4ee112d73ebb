using System.Numerics;

namespace EdgeSparse.Kernels.Elementwise;

/// <summary>Functions of two arguments.</summary>
public enum BinaryFunction : int
{
    Add,
    Subtract,
    Multiply,
    /// <summary>Integers truncate towards zero; division of an integer by zero gives 0.</summary>
    Divide,
    Maximum,
    Minimum,
    Power,
    /// <summary>Remainder with the sign of the divisor (ONNX Mod with fmod = 0); 0 where an integer divisor is 0.</summary>
    Modulo,
    /// <summary>Remainder with the sign of the dividend (ONNX Mod with fmod = 1); 0 where an integer divisor is 0.</summary>
    Remainder,
    /// <summary>a where a ≥ 0, else a·b.</summary>
    PRelu,
    /// <summary>Bits for integers, truth for Bool.</summary>
    And,
    Or,
    Xor,
    ShiftLeft,
    ShiftRight,
    /// <summary>From here on the result is Bool.</summary>
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// <summary>Parameters of <see cref="Binary"/>.</summary>
public unsafe struct BinaryParameters
{
    public BinaryFunction Function;

    /// <summary>Type of both operands, and of the result unless the function is a comparison.</summary>
    public ScalarType Type;

    public InstructionSet Isa;

    /// <summary>Applied to the result of Add, Subtract, Multiply and Divide of Float32.</summary>
    public Activation Activation;

    public int RankA, RankB;

    public fixed long ShapeA[Broadcast.MaximumRank], ShapeB[Broadcast.MaximumRank];

    /// <summary>Derived: the walk over the operands.</summary>
    public Broadcast Plan;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>y = f(a, b) element by element with NumPy broadcasting; y may be an operand that has the result's shape and type. Float32 runs on vectors, other types element by element.</summary>
public static unsafe partial class Binary
{
    /// <summary>Elements between two passes of an activation: they stay in the first-level cache.</summary>
    private const long ActivationBlock = 2048;

    /// <summary>Checks function, type and shapes; derives the plan and <see cref="BinaryParameters.TaskCount"/>.</summary>
    /// <exception cref="ArgumentException">The function is not defined for the type, or the shapes do not broadcast.</exception>
    public static void Prepare(ref BinaryParameters p)
    {
        if (!IsDefined(p.Function, p.Type)) throw new ArgumentException($"Binary.{p.Function} is not defined for {p.Type}");
        if (p.RankA is < 0 or > Broadcast.MaximumRank || p.RankB is < 0 or > Broadcast.MaximumRank)
            throw new ArgumentException($"Binary.{p.Function}: ranks {p.RankA} and {p.RankB}, at most {Broadcast.MaximumRank}");
        if (p.Activation.Kind != ActivationKind.None && (p.Type != ScalarType.Float32 || p.Function > BinaryFunction.Divide))
            throw new ArgumentException($"Binary.{p.Function} of {p.Type} takes no activation");
        fixed (long* a = p.ShapeA, b = p.ShapeB) p.Plan = Broadcast.Create($"Binary.{p.Function}", new(a, p.RankA), new(b, p.RankB), default);
        p.TaskCount = TaskSplit.CountFlat(p.Plan.Count);
        p.ScratchBytes = 0;
    }

    /// <summary>True where the result is Bool whatever the operands are.</summary>
    public static bool IsComparison(BinaryFunction function) => function >= BinaryFunction.Equal;

    /// <summary>Whether the function exists for operands of a type.</summary>
    public static bool IsDefined(BinaryFunction function, ScalarType type) => function switch
    {
        BinaryFunction.And or BinaryFunction.Or or BinaryFunction.Xor => type == ScalarType.Bool || IsInteger(type),
        BinaryFunction.ShiftLeft or BinaryFunction.ShiftRight => IsInteger(type),
        BinaryFunction.PRelu => type is ScalarType.Float32 or ScalarType.Float64 || IsInteger(type),
        BinaryFunction.Equal => type is ScalarType.Bool or ScalarType.Float32 or ScalarType.Float64 || IsInteger(type),
        >= BinaryFunction.Add and <= BinaryFunction.GreaterOrEqual => type is ScalarType.Float32 or ScalarType.Float64 || IsInteger(type),
        _ => false,
    };

    private static bool IsInteger(ScalarType type) => type is ScalarType.Int8 or ScalarType.UInt8 or ScalarType.Int16 or ScalarType.UInt16
        or ScalarType.Int32 or ScalarType.UInt32 or ScalarType.Int64 or ScalarType.UInt64;

    /// <summary>Runs one task: a share of the elements of <paramref name="y"/>.</summary>
    public static void Run(BinaryParameters* p, void* a, void* b, void* y, byte* scratch, int task)
    {
        Broadcast* plan = &p->Plan;
        BroadcastWalk walk = default;
        walk.Begin(plan, TaskSplit.StartFlat(plan->Count, p->TaskCount, task), TaskSplit.StartFlat(plan->Count, p->TaskCount, task + 1));
        long strideA = plan->StrideA[plan->Rank - 1], strideB = plan->StrideB[plan->Rank - 1];
        while (walk.Next(plan))
        {
            switch (p->Type)
            {
                case ScalarType.Float32: RunFloat32(p, (float*)a + walk.OffsetA, strideA, (float*)b + walk.OffsetB, strideB, y, walk.Start, walk.Length); break;
                case ScalarType.Float64: RunNumber(p->Function, (double*)a + walk.OffsetA, strideA, (double*)b + walk.OffsetB, strideB, (double*)y, walk.Start, walk.Length); break;
                case ScalarType.Bool:
                case ScalarType.UInt8: RunInteger(p->Function, (byte*)a + walk.OffsetA, strideA, (byte*)b + walk.OffsetB, strideB, (byte*)y, walk.Start, walk.Length); break;
                case ScalarType.Int8: RunInteger(p->Function, (sbyte*)a + walk.OffsetA, strideA, (sbyte*)b + walk.OffsetB, strideB, (sbyte*)y, walk.Start, walk.Length); break;
                case ScalarType.Int16: RunInteger(p->Function, (short*)a + walk.OffsetA, strideA, (short*)b + walk.OffsetB, strideB, (short*)y, walk.Start, walk.Length); break;
                case ScalarType.UInt16: RunInteger(p->Function, (ushort*)a + walk.OffsetA, strideA, (ushort*)b + walk.OffsetB, strideB, (ushort*)y, walk.Start, walk.Length); break;
                case ScalarType.Int32: RunInteger(p->Function, (int*)a + walk.OffsetA, strideA, (int*)b + walk.OffsetB, strideB, (int*)y, walk.Start, walk.Length); break;
                case ScalarType.UInt32: RunInteger(p->Function, (uint*)a + walk.OffsetA, strideA, (uint*)b + walk.OffsetB, strideB, (uint*)y, walk.Start, walk.Length); break;
                case ScalarType.Int64: RunInteger(p->Function, (long*)a + walk.OffsetA, strideA, (long*)b + walk.OffsetB, strideB, (long*)y, walk.Start, walk.Length); break;
                case ScalarType.UInt64: RunInteger(p->Function, (ulong*)a + walk.OffsetA, strideA, (ulong*)b + walk.OffsetB, strideB, (ulong*)y, walk.Start, walk.Length); break;
            }
        }
    }

    private static void RunFloat32(BinaryParameters* p, float* a, long strideA, float* b, long strideB, void* results, long start, long count)
    {
        InstructionSet isa = p->Isa;
        if (p->Activation.Kind == ActivationKind.None)
        {
            float* y = (float*)results + start;
            byte* flags = (byte*)results + start;
            switch (p->Function)
            {
                case BinaryFunction.Add: BinaryLoop.Run<AddOperation>(isa, a, strideA, b, strideB, y, count); break;
                case BinaryFunction.Subtract: BinaryLoop.Run<SubtractOperation>(isa, a, strideA, b, strideB, y, count); break;
                case BinaryFunction.Multiply: BinaryLoop.Run<MultiplyOperation>(isa, a, strideA, b, strideB, y, count); break;
                case BinaryFunction.Divide: BinaryLoop.Run<DivideOperation>(isa, a, strideA, b, strideB, y, count); break;
                case BinaryFunction.Maximum: BinaryLoop.Run<MaximumOperation>(isa, a, strideA, b, strideB, y, count); break;
                case BinaryFunction.Minimum: BinaryLoop.Run<MinimumOperation>(isa, a, strideA, b, strideB, y, count); break;
                case BinaryFunction.PRelu: BinaryLoop.Run<PReluOperation>(isa, a, strideA, b, strideB, y, count); break;
                case BinaryFunction.Equal: BinaryLoop.RunPredicate<EqualOperation>(isa, a, strideA, b, strideB, flags, count); break;
                case BinaryFunction.Less: BinaryLoop.RunPredicate<LessOperation>(isa, a, strideA, b, strideB, flags, count); break;
                case BinaryFunction.LessOrEqual: BinaryLoop.RunPredicate<LessOrEqualOperation>(isa, a, strideA, b, strideB, flags, count); break;
                case BinaryFunction.Greater: BinaryLoop.RunPredicate<GreaterOperation>(isa, a, strideA, b, strideB, flags, count); break;
                case BinaryFunction.GreaterOrEqual: BinaryLoop.RunPredicate<GreaterOrEqualOperation>(isa, a, strideA, b, strideB, flags, count); break;
                case BinaryFunction.Power: Power(isa, a, strideA, b, strideB, y, count); break;
                default: RunNumber(p->Function, a, strideA, b, strideB, (float*)results, start, count); break;
            }
            return;
        }
        for (long i = 0; i < count; i += ActivationBlock)
        {
            long n = Math.Min(ActivationBlock, count - i);
            float* y = (float*)results + start + i;
            float* left = a + i * strideA;
            float* right = b + i * strideB;
            switch (p->Function)
            {
                case BinaryFunction.Add: BinaryLoop.Run<AddOperation>(isa, left, strideA, right, strideB, y, n); break;
                case BinaryFunction.Subtract: BinaryLoop.Run<SubtractOperation>(isa, left, strideA, right, strideB, y, n); break;
                case BinaryFunction.Multiply: BinaryLoop.Run<MultiplyOperation>(isa, left, strideA, right, strideB, y, n); break;
                default: BinaryLoop.Run<DivideOperation>(isa, left, strideA, right, strideB, y, n); break;
            }
            ActivationPass.Apply(isa, y, 1, n, n, p->Activation);
        }
    }

    /// <summary>The exponents that models use (2, 3, ½, 1, −1, one for a whole run) on vectors, others by the double-precision power function.</summary>
    private static void Power(InstructionSet isa, float* a, long strideA, float* b, long strideB, float* y, long count)
    {
        float exponent = *b;
        if (strideB == 0 && strideA == 1 && exponent is 2 or 3 or 1 or -1 or 0.5f)
        {
            switch (exponent)
            {
                case 2: UnaryLoop.Run<SquareOperation>(isa, a, y, count, 0, 0); return;
                case 3: UnaryLoop.Run<CubeOperation>(isa, a, y, count, 0, 0); return;
                case -1: UnaryLoop.Run<ReciprocalOperation>(isa, a, y, count, 0, 0); return;
                case 0.5f: UnaryLoop.Run<SquareRootPowerOperation>(isa, a, y, count, 0, 0); return;
                default: Buffer.MemoryCopy(a, y, count * sizeof(float), count * sizeof(float)); return;
            }
        }
        RunNumber(BinaryFunction.Power, a, strideA, b, strideB, y, 0, count);
    }

    private static void RunNumber<T>(BinaryFunction function, T* a, long strideA, T* b, long strideB, T* results, long start, long count) where T : unmanaged, INumber<T>
    {
        T* y = results + start;
        byte* flags = (byte*)results + start;
        switch (function)
        {
            case BinaryFunction.Add: for (long i = 0; i < count; i++) y[i] = unchecked(a[i * strideA] + b[i * strideB]); break;
            case BinaryFunction.Subtract: for (long i = 0; i < count; i++) y[i] = unchecked(a[i * strideA] - b[i * strideB]); break;
            case BinaryFunction.Multiply: for (long i = 0; i < count; i++) y[i] = unchecked(a[i * strideA] * b[i * strideB]); break;
            case BinaryFunction.Divide: for (long i = 0; i < count; i++) y[i] = a[i * strideA] / b[i * strideB]; break;
            case BinaryFunction.Maximum: for (long i = 0; i < count; i++) y[i] = Larger(a[i * strideA], b[i * strideB]); break;
            case BinaryFunction.Minimum: for (long i = 0; i < count; i++) y[i] = Smaller(a[i * strideA], b[i * strideB]); break;
            case BinaryFunction.PRelu: for (long i = 0; i < count; i++) y[i] = a[i * strideA] < T.Zero ? unchecked(a[i * strideA] * b[i * strideB]) : a[i * strideA]; break;
            case BinaryFunction.Power: for (long i = 0; i < count; i++) y[i] = T.CreateTruncating(Math.Pow(double.CreateTruncating(a[i * strideA]), double.CreateTruncating(b[i * strideB]))); break;
            case BinaryFunction.Remainder: for (long i = 0; i < count; i++) y[i] = a[i * strideA] % b[i * strideB]; break;
            case BinaryFunction.Modulo: for (long i = 0; i < count; i++) y[i] = FloorRemainder(a[i * strideA], b[i * strideB]); break;
            case BinaryFunction.Equal: for (long i = 0; i < count; i++) flags[i] = a[i * strideA] == b[i * strideB] ? (byte)1 : (byte)0; break;
            case BinaryFunction.Less: for (long i = 0; i < count; i++) flags[i] = a[i * strideA] < b[i * strideB] ? (byte)1 : (byte)0; break;
            case BinaryFunction.LessOrEqual: for (long i = 0; i < count; i++) flags[i] = a[i * strideA] <= b[i * strideB] ? (byte)1 : (byte)0; break;
            case BinaryFunction.Greater: for (long i = 0; i < count; i++) flags[i] = a[i * strideA] > b[i * strideB] ? (byte)1 : (byte)0; break;
            case BinaryFunction.GreaterOrEqual: for (long i = 0; i < count; i++) flags[i] = a[i * strideA] >= b[i * strideB] ? (byte)1 : (byte)0; break;
        }
    }

    private static void RunInteger<T>(BinaryFunction function, T* a, long strideA, T* b, long strideB, T* results, long start, long count) where T : unmanaged, IBinaryInteger<T>
    {
        T* y = results + start;
        int bits = sizeof(T) * 8;
        switch (function)
        {
            case BinaryFunction.Divide: for (long i = 0; i < count; i++) y[i] = Quotient(a[i * strideA], b[i * strideB]); break;
            case BinaryFunction.Remainder: for (long i = 0; i < count; i++) y[i] = IntegerRemainder(a[i * strideA], b[i * strideB]); break;
            case BinaryFunction.Modulo:
                for (long i = 0; i < count; i++)
                {
                    T divisor = b[i * strideB];
                    T rest = IntegerRemainder(a[i * strideA], divisor);
                    y[i] = !T.IsZero(rest) && T.IsNegative(rest) != T.IsNegative(divisor) ? rest + divisor : rest;
                }
                break;
            case BinaryFunction.Power: for (long i = 0; i < count; i++) y[i] = IntegerPower(a[i * strideA], b[i * strideB]); break;
            case BinaryFunction.And: for (long i = 0; i < count; i++) y[i] = a[i * strideA] & b[i * strideB]; break;
            case BinaryFunction.Or: for (long i = 0; i < count; i++) y[i] = a[i * strideA] | b[i * strideB]; break;
            case BinaryFunction.Xor: for (long i = 0; i < count; i++) y[i] = a[i * strideA] ^ b[i * strideB]; break;
            case BinaryFunction.ShiftLeft: for (long i = 0; i < count; i++) y[i] = ShiftAmount(b[i * strideB]) is int n && n < bits ? a[i * strideA] << n : T.Zero; break;
            case BinaryFunction.ShiftRight: for (long i = 0; i < count; i++) y[i] = ShiftAmount(b[i * strideB]) is int n && n < bits ? a[i * strideA] >> n : T.Zero; break;
            default: RunNumber(function, a, strideA, b, strideB, results, start, count); break;
        }
    }

    private static int ShiftAmount<T>(T value) where T : unmanaged, IBinaryInteger<T> => T.IsNegative(value) ? int.MaxValue : int.CreateSaturating(value);

    private static T Larger<T>(T a, T b) where T : unmanaged, INumber<T> => a > b || T.IsNaN(a) ? a : b;

    private static T Smaller<T>(T a, T b) where T : unmanaged, INumber<T> => a < b || T.IsNaN(a) ? a : b;

    private static T FloorRemainder<T>(T a, T b) where T : unmanaged, INumber<T>
    {
        T rest = a % b;
        return rest != T.Zero && T.IsNegative(rest) != T.IsNegative(b) ? rest + b : rest;
    }

    /// <summary>a/b without the processor's exceptions: 0 for b = 0, and the wrapped −a for b = −1.</summary>
    private static T Quotient<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> =>
        T.IsZero(b) ? T.Zero : T.IsNegative(b) && T.IsZero(b + T.One) ? unchecked(T.Zero - a) : a / b;

    private static T IntegerRemainder<T>(T a, T b) where T : unmanaged, IBinaryInteger<T> =>
        T.IsZero(b) || (T.IsNegative(b) && T.IsZero(b + T.One)) ? T.Zero : a % b;

    /// <summary>aᵇ modulo the type's range; for b &lt; 0 the truncated reciprocal.</summary>
    private static T IntegerPower<T>(T a, T b) where T : unmanaged, IBinaryInteger<T>
    {
        if (T.IsNegative(b)) return a == T.One ? T.One : T.IsNegative(a) && T.IsZero(a + T.One) ? (T.IsOddInteger(b) ? a : T.One) : T.Zero;
        T result = T.One;
        for (; !T.IsZero(b); b >>= 1, a = unchecked(a * a))
        {
            if (T.IsOddInteger(b)) result = unchecked(result * a);
        }
        return result;
    }
}
