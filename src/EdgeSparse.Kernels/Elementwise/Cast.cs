using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace EdgeSparse.Kernels.Elementwise;

/// <summary>Parameters of <see cref="Cast"/>.</summary>
public struct CastParameters
{
    public ScalarType From, To;

    public InstructionSet Isa;

    /// <summary>Elements.</summary>
    public long Count;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>
/// y[i] = (To)x[i] between all element types. Float to integer truncates and saturates, NaN becomes 0; integer to integer wraps; to Bool is ≠ 0; to a narrower float rounds to nearest even.
/// </summary>
public static unsafe class Cast
{
    /// <summary>Checks the types and derives <see cref="CastParameters.TaskCount"/>.</summary>
    /// <exception cref="ArgumentException">A type is unknown or the count negative.</exception>
    public static void Prepare(ref CastParameters p)
    {
        if (p.From.SizeBytes() == 0 || p.To.SizeBytes() == 0 || p.Count < 0) throw new ArgumentException($"Cast: {p.Count} elements from {p.From} to {p.To}");
        p.TaskCount = TaskSplit.CountFlat(p.Count);
        p.ScratchBytes = 0;
    }

    /// <summary>Runs one task: a share of the elements.</summary>
    public static void Run(CastParameters* p, void* x, void* y, byte* scratch, int task)
    {
        long start = TaskSplit.StartFlat(p->Count, p->TaskCount, task);
        long count = TaskSplit.StartFlat(p->Count, p->TaskCount, task + 1) - start;
        byte* source = (byte*)x + start * p->From.SizeBytes();
        byte* destination = (byte*)y + start * p->To.SizeBytes();
        switch (p->From)
        {
            case var same when same == p->To: Buffer.MemoryCopy(source, destination, count * p->To.SizeBytes(), count * p->To.SizeBytes()); break;
            case ScalarType.Float32 when p->To == ScalarType.Int32: ToInt32((float*)source, (int*)destination, count); break;
            case ScalarType.Int32 when p->To == ScalarType.Float32: ToFloat32((int*)source, (float*)destination, count); break;
            case ScalarType.UInt8 or ScalarType.Bool when p->To == ScalarType.Float32: ToFloat32(source, (float*)destination, count); break;
            case ScalarType.Float32: From((float*)source, p->To, destination, count); break;
            case ScalarType.Float64: From((double*)source, p->To, destination, count); break;
            case ScalarType.Float16: From((Half*)source, p->To, destination, count); break;
            case ScalarType.BFloat16: FromBFloat16((ushort*)source, p->To, destination, count); break;
            case ScalarType.Bool or ScalarType.UInt8: From(source, p->To, destination, count); break;
            case ScalarType.Int8: From((sbyte*)source, p->To, destination, count); break;
            case ScalarType.Int16: From((short*)source, p->To, destination, count); break;
            case ScalarType.UInt16: From((ushort*)source, p->To, destination, count); break;
            case ScalarType.Int32: From((int*)source, p->To, destination, count); break;
            case ScalarType.UInt32: From((uint*)source, p->To, destination, count); break;
            case ScalarType.Int64: From((long*)source, p->To, destination, count); break;
            case ScalarType.UInt64: From((ulong*)source, p->To, destination, count); break;
        }
    }

    private static void From<T>(T* x, ScalarType to, void* y, long count) where T : unmanaged, INumberBase<T>
    {
        switch (to)
        {
            case ScalarType.Float32: Convert(x, (float*)y, count); break;
            case ScalarType.Float64: Convert(x, (double*)y, count); break;
            case ScalarType.Float16: Convert(x, (Half*)y, count); break;
            case ScalarType.BFloat16: for (long i = 0; i < count; i++) ((ushort*)y)[i] = ToBFloat16(float.CreateTruncating(x[i])); break;
            case ScalarType.Bool: for (long i = 0; i < count; i++) ((byte*)y)[i] = T.IsZero(x[i]) ? (byte)0 : (byte)1; break;
            case ScalarType.UInt8: Convert(x, (byte*)y, count); break;
            case ScalarType.Int8: Convert(x, (sbyte*)y, count); break;
            case ScalarType.Int16: Convert(x, (short*)y, count); break;
            case ScalarType.UInt16: Convert(x, (ushort*)y, count); break;
            case ScalarType.Int32: Convert(x, (int*)y, count); break;
            case ScalarType.UInt32: Convert(x, (uint*)y, count); break;
            case ScalarType.Int64: Convert(x, (long*)y, count); break;
            case ScalarType.UInt64: Convert(x, (ulong*)y, count); break;
        }
    }

    private static void Convert<TFrom, TTo>(TFrom* x, TTo* y, long count) where TFrom : unmanaged, INumberBase<TFrom> where TTo : unmanaged, INumberBase<TTo>
    {
        for (long i = 0; i < count; i++) y[i] = TTo.CreateTruncating(x[i]);
    }

    private static void FromBFloat16(ushort* x, ScalarType to, byte* y, long count)
    {
        int size = to.SizeBytes();
        for (long i = 0; i < count; i++)
        {
            float value = BitConverter.Int32BitsToSingle(x[i] << 16);
            From(&value, to, y + i * size, 1);
        }
    }

    /// <summary>Rounds to nearest even; NaN stays NaN.</summary>
    private static ushort ToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (float.IsNaN(value)) return (ushort)((bits >> 16) | 0x40);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private static void ToInt32(float* x, int* y, long count)
    {
        long i = 0;
        for (; i <= count - 4; i += 4) Vector128.ConvertToInt32(Vector128.Load(x + i)).Store(y + i);
        for (; i < count; i++) y[i] = int.CreateTruncating(x[i]);
    }

    private static void ToFloat32(int* x, float* y, long count)
    {
        long i = 0;
        for (; i <= count - 4; i += 4) Vector128.ConvertToSingle(Vector128.Load(x + i)).Store(y + i);
        for (; i < count; i++) y[i] = x[i];
    }

    private static void ToFloat32(byte* x, float* y, long count)
    {
        long i = 0;
        for (; i <= count - 4; i += 4)
        {
            Vector128<uint> wide = Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)(x + i)).AsByte()));
            Vector128.ConvertToSingle(wide.AsInt32()).Store(y + i);
        }
        for (; i < count; i++) y[i] = x[i];
    }
}
