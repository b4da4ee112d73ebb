using System.Globalization;
using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Backends.Onnx;

/// <summary>
/// An element type that callers see as a wider one of the same values: float16, bfloat16 and the formats of 8 and fewer bits. On the way back floats are rounded to the nearest, ties to
/// even; in 8 bits and fewer, what is beyond the largest becomes the largest. Formats: "ONNX Concepts", float stored in 8 bits, 4 bit and 2 bit integer types.
/// </summary>
internal abstract unsafe class NarrowType(ElementType presented, int bits)
{
    /// <summary>By the library's numbers of types, which from 24 on are not those of ONNX.</summary>
    private static readonly Dictionary<int, NarrowType> Types = new()
    {
        [10] = new Float16Type(),
        [16] = new BFloat16Type(),
        [17] = new SmallFloat(8, SmallFloat.E4M3FN),
        [18] = new SmallFloat(8, SmallFloat.E4M3FNUZ),
        [19] = new SmallFloat(8, SmallFloat.E5M2),
        [20] = new SmallFloat(8, SmallFloat.E5M2FNUZ),
        [21] = new SmallInteger(ElementType.UInt8, 4),
        [22] = new SmallInteger(ElementType.Int8, 4),
        [23] = new SmallFloat(4, SmallFloat.E2M1),
        [24] = new SmallInteger(ElementType.UInt8, 2),
        [25] = new SmallInteger(ElementType.Int8, 2),
        [26] = new SmallFloat(8, SmallFloat.E8M0, hasSign: false),
    };

    /// <summary>The type as callers see it.</summary>
    public ElementType Presented { get; } = presented;

    /// <summary>Bits of one element as stored; the first of those that share a byte is in its low bits.</summary>
    protected int Bits { get; } = bits;

    /// <summary>The type that the library numbers so; null where it is none of these.</summary>
    public static NarrowType? Of(int type) => Types.GetValueOrDefault(type);

    /// <summary>The number by which the library makes a tensor of the type that it tells by <paramref name="type"/>: it takes ONNX's there, which from 24 on are others than its own (seen in 1.30).</summary>
    public static int NumberToMake(int type) => type switch
    {
        24 => 25, // uint2
        25 => 26, // int2
        26 => 24, // float8e8m0
        _ => type,
    };

    /// <summary>ONNX's name of what the library numbers so and sessions do not carry.</summary>
    public static string NameOf(int type) => type switch
    {
        8 => "string",
        14 => "complex64",
        15 => "complex128",
        _ => "number " + type.ToString(CultureInfo.InvariantCulture),
    };

    public long StoredBytes(int elements) => ((long)elements * Bits + 7) / 8;

    public abstract void Widen(byte* stored, byte* wide, int elements);

    public abstract void Narrow(byte* wide, byte* stored, int elements);

    protected int Code(byte* stored, int i) => stored[(long)i * Bits / 8] >> (int)((long)i * Bits % 8) & (1 << Bits) - 1;

    /// <summary>Codes are written in order, the first of a byte clears it.</summary>
    protected void SetCode(byte* stored, int i, int code)
    {
        int shift = (int)((long)i * Bits % 8);
        byte* target = stored + (long)i * Bits / 8;
        *target = (byte)(shift == 0 ? code : *target | code << shift);
    }

    private sealed class Float16Type() : NarrowType(ElementType.Float32, 16)
    {
        public override void Widen(byte* stored, byte* wide, int elements)
        {
            for (int i = 0; i < elements; i++) ((float*)wide)[i] = (float)((Half*)stored)[i];
        }

        public override void Narrow(byte* wide, byte* stored, int elements)
        {
            for (int i = 0; i < elements; i++) ((Half*)stored)[i] = (Half)((float*)wide)[i];
        }
    }

    private sealed class BFloat16Type() : NarrowType(ElementType.Float32, 16)
    {
        public override void Widen(byte* stored, byte* wide, int elements)
        {
            for (int i = 0; i < elements; i++) ((uint*)wide)[i] = (uint)((ushort*)stored)[i] << 16;
        }

        public override void Narrow(byte* wide, byte* stored, int elements)
        {
            for (int i = 0; i < elements; i++)
            {
                uint bits = ((uint*)wide)[i];
                ((ushort*)stored)[i] = (ushort)(float.IsNaN(((float*)wide)[i]) ? bits >> 16 | 0x40 : bits + 0x7FFF + (bits >> 16 & 1) >> 16);
            }
        }
    }

    /// <summary>A float whose codes are few enough to list their values.</summary>
    private sealed class SmallFloat : NarrowType
    {
        private readonly float[] _values;
        /// <summary>Code of the largest finite value; from 0 to it values ascend.</summary>
        private readonly int _largest;
        private readonly bool _hasSign;

        public SmallFloat(int bits, Func<int, float> value, bool hasSign = true) : base(ElementType.Float32, bits)
        {
            _hasSign = hasSign;
            _values = [.. Enumerable.Range(0, 1 << bits).Select(value)];
            while (_largest + 1 < _values.Length && float.IsFinite(_values[_largest + 1]) && _values[_largest + 1] > _values[_largest]) _largest++;
        }

        public static float E4M3FN(int code) => (code & 0x7F) == 0x7F ? float.NaN : Value(code, 4, 3, 7);

        public static float E4M3FNUZ(int code) => code == 0x80 ? float.NaN : Value(code, 4, 3, 8);

        public static float E5M2(int code) => (code & 0x7F) switch
        {
            > 0x7C => float.NaN,
            0x7C => code > 0x7F ? float.NegativeInfinity : float.PositiveInfinity,
            _ => Value(code, 5, 2, 15),
        };

        public static float E5M2FNUZ(int code) => code == 0x80 ? float.NaN : Value(code, 5, 2, 16);

        public static float E2M1(int code) => Value(code, 2, 1, 1);

        public static float E8M0(int code) => code == 0xFF ? float.NaN : (float)Math.Pow(2, code - 127);

        public override void Widen(byte* stored, byte* wide, int elements)
        {
            for (int i = 0; i < elements; i++) ((float*)wide)[i] = _values[Code(stored, i)];
        }

        public override void Narrow(byte* wide, byte* stored, int elements)
        {
            for (int i = 0; i < elements; i++) SetCode(stored, i, Nearest(((float*)wide)[i]));
        }

        /// <summary>(−1)^sign · 2^(exponent − bias) · 1.mantissa, below the smallest exponent 0.mantissa.</summary>
        private static float Value(int code, int exponentBits, int mantissaBits, int bias)
        {
            int mantissa = code & (1 << mantissaBits) - 1, exponent = code >> mantissaBits & (1 << exponentBits) - 1;
            double magnitude = Math.ScaleB(exponent == 0 ? mantissa : mantissa | 1 << mantissaBits, Math.Max(exponent, 1) - bias - mantissaBits);
            return (float)(code >> exponentBits + mantissaBits == 0 ? magnitude : -magnitude);
        }

        /// <summary>What is not finite has a code of its own where the format has one, else that of the largest value.</summary>
        private int Nearest(float x)
        {
            if (!float.IsFinite(x) && Array.IndexOf(_values, x) is >= 0 and var own) return own;
            int sign = _hasSign && float.IsNegative(x) ? 1 << Bits - 1 : 0;
            double magnitude = float.IsNaN(x) ? double.PositiveInfinity : _hasSign ? Math.Abs((double)x) : x;
            int low = 0, high = _largest;
            while (low < high)
            {
                int middle = (low + high + 1) / 2;
                if (_values[middle] <= magnitude) low = middle;
                else high = middle - 1;
            }
            if (low < _largest)
            {
                double tie = ((double)_values[low] + _values[low + 1]) / 2;
                if (magnitude > tie || magnitude == tie && low % 2 != 0) low++;
            }
            // Formats without a negative zero have their NaN in its place.
            return low == 0 && float.IsNaN(_values[sign]) ? 0 : sign | low;
        }
    }

    private sealed class SmallInteger(ElementType presented, int bits) : NarrowType(presented, bits)
    {
        public override void Widen(byte* stored, byte* wide, int elements)
        {
            for (int i = 0; i < elements; i++)
            {
                int code = Code(stored, i);
                wide[i] = (byte)(Presented == ElementType.Int8 && code >> Bits - 1 != 0 ? code - (1 << Bits) : code);
            }
        }

        public override void Narrow(byte* wide, byte* stored, int elements)
        {
            for (int i = 0; i < elements; i++)
            {
                int value = Presented == ElementType.Int8 ? Math.Clamp((sbyte)wide[i], -(1 << Bits - 1), (1 << Bits - 1) - 1) : Math.Min(wide[i], (1 << Bits) - 1);
                SetCode(stored, i, value & (1 << Bits) - 1);
            }
        }
    }
}
