using System.Runtime.InteropServices;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Model;

namespace EdgeSparse.Conformance;

/// <summary>The archive's tensors of 8 and fewer bits an element as sessions present them: floats as float32, integers as int8 and uint8. Written from ONNX's description of the formats.</summary>
internal static class NarrowTensors
{
    /// <summary>True for float8, float4, and integers of 4 and 2 bits, by the number of TensorProto.DataType.</summary>
    public static bool Has(int dataType) => dataType is >= 17 and <= 26;

    public static Tensor Decode(OnnxTensor tensor)
    {
        int bits = tensor.DataType switch { <= 20 or 24 => 8, <= 23 => 4, _ => 2 };
        var shape = new Shape(Array.ConvertAll(tensor.Dims, dim => (int)dim));
        byte[] bytes = tensor.RawData is { } raw ? raw.ToArray() : Varints(tensor.TypedData.Span);
        int[] codes = [.. Enumerable.Range(0, (int)shape.ElementCount).Select(i => bytes[i * bits / 8] >> i * bits % 8 & (1 << bits) - 1)];
        return tensor.DataType switch
        {
            21 or 25 => new Tensor(ElementType.UInt8, shape, Array.ConvertAll(codes, code => (byte)code)),
            22 or 26 => new Tensor(ElementType.Int8, shape, Array.ConvertAll(codes, code => (byte)(code << 8 - bits << 24 >> 24 >> 8 - bits))),
            _ => new Tensor(ElementType.Float32, shape, MemoryMarshal.AsBytes(Array.ConvertAll(codes, code => Value(tensor.DataType, code)).AsSpan()).ToArray()),
        };
    }

    private static float Value(int dataType, int code)
    {
        if (dataType == 24) return code == 255 ? float.NaN : MathF.ScaleB(1, code - 127);
        (int exponentBits, int mantissaBits, int bias) = dataType switch { 17 => (4, 3, 7), 18 => (4, 3, 8), 19 => (5, 2, 15), 20 => (5, 2, 16), _ => (2, 1, 1) };
        int sign = code >> exponentBits + mantissaBits, exponent = code >> mantissaBits & (1 << exponentBits) - 1, mantissa = code & (1 << mantissaBits) - 1;
        switch (dataType)
        {
            case 17 when exponent == 15 && mantissa == 7:
            case 18 or 20 when code == 0x80:
            case 19 when exponent == 31 && mantissa != 0:
                return float.NaN;
            case 19 when exponent == 31:
                return sign == 0 ? float.PositiveInfinity : float.NegativeInfinity;
        }
        float fraction = mantissa / (float)(1 << mantissaBits), magnitude = exponent == 0 ? MathF.ScaleB(fraction, 1 - bias) : MathF.ScaleB(1 + fraction, exponent - bias);
        return sign == 0 ? magnitude : -magnitude;
    }

    private static byte[] Varints(ReadOnlySpan<byte> wire)
    {
        var bytes = new List<byte>();
        while (!wire.IsEmpty)
        {
            int length = 1, value = wire[0] & 0x7F;
            for (; (wire[length - 1] & 0x80) != 0; length++)
                if (length < 4) value |= (wire[length] & 0x7F) << 7 * length;
            bytes.Add((byte)value);
            wire = wire[length..];
        }
        return [.. bytes];
    }
}
