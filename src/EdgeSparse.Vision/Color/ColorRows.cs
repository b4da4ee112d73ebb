using System.Runtime.Intrinsics;

namespace EdgeSparse.Vision;

/// <summary>
/// Rows of pixels between layouts, 16 at a time by portable 128-bit vectors, the rest one by one with the same arithmetic. Formulas: <see cref="ColorConversion"/>. Never reads or
/// writes outside the rows it is given.
/// </summary>
internal static unsafe class ColorRows
{
    /// <summary>Y [width], U and V [width / 2] to RGB [width, 3]; width is even.</summary>
    public static void YuvToRgb(byte* y, byte* u, byte* v, byte* rgb, int width)
    {
        int x = 0;
        for (; x <= width - 16; x += 16)
        {
            (Vector128<int> u0, Vector128<int> u1) = Chroma(u + (x / 2));
            (Vector128<int> v0, Vector128<int> v1) = Chroma(v + (x / 2));
            Vector128<byte> luma = Vector128.Load(y + x);
            (Vector128<ushort> low, Vector128<ushort> high) = Vector128.Widen(luma);
            (Vector128<int> y0, Vector128<int> y1) = Luma(low);
            (Vector128<int> y2, Vector128<int> y3) = Luma(high);
            Vector128<int> red0 = v0 * 409, red1 = v1 * 409;
            Vector128<int> green0 = (u0 * -100) - (v0 * 208), green1 = (u1 * -100) - (v1 * 208);
            Vector128<int> blue0 = u0 * 516, blue1 = u1 * 516;
            StoreRgb(Channel(y0, y1, y2, y3, red0, red1), Channel(y0, y1, y2, y3, green0, green1), Channel(y0, y1, y2, y3, blue0, blue1), rgb + (x * 3));
        }
        for (; x < width; x++)
        {
            int c = (298 * (y[x] - 16)) + 128, d = u[x / 2] - 128, e = v[x / 2] - 128;
            rgb[x * 3] = Clip((c + (409 * e)) >> 8);
            rgb[(x * 3) + 1] = Clip((c - (100 * d) - (208 * e)) >> 8);
            rgb[(x * 3) + 2] = Clip((c + (516 * d)) >> 8);
        }
    }

    /// <summary>[a0, b0, a1, b1, …] to [a0, a1, …] and [b0, b1, …], <paramref name="pairs"/> of each. The three do not overlap.</summary>
    public static void Deinterleave(byte* source, byte* first, byte* second, int pairs)
    {
        int i = 0;
        for (; i <= pairs - 16; i += 16)
        {
            Vector128<ushort> low = Vector128.Load(source + (2 * i)).AsUInt16(), high = Vector128.Load(source + (2 * i) + 16).AsUInt16();
            Vector128<ushort> mask = Vector128.Create((ushort)0xFF);
            Vector128.Narrow(low & mask, high & mask).Store(first + i);
            Vector128.Narrow(low >>> 8, high >>> 8).Store(second + i);
        }
        for (; i < pairs; i++) (first[i], second[i]) = (source[2 * i], source[(2 * i) + 1]);
    }

    /// <summary>[width] to [width, 3] with R = G = B.</summary>
    public static void GrayToRgb(byte* gray, byte* rgb, int width)
    {
        int x = 0;
        for (; x <= width - 16; x += 16)
        {
            Vector128<byte> value = Vector128.Load(gray + x);
            StoreRgb(value, value, value, rgb + (x * 3));
        }
        for (; x < width; x++) rgb[x * 3] = rgb[(x * 3) + 1] = rgb[(x * 3) + 2] = gray[x];
    }

    /// <summary>[width, 3] to [width, 3] with the first and third of every three bytes exchanged.</summary>
    public static void SwapRedBlue(byte* source, byte* target, int width)
    {
        int i = 0, length = width * 3;
        // Five pixels at a time; the sixteenth byte is written again by the next step.
        for (; i <= length - 16; i += 15)
            Vector128.Shuffle(Vector128.Load(source + i), Vector128.Create((byte)2, 1, 0, 5, 4, 3, 8, 7, 6, 11, 10, 9, 14, 13, 12, 15)).Store(target + i);
        for (; i < length; i += 3) (target[i], target[i + 1], target[i + 2]) = (source[i + 2], source[i + 1], source[i]);
    }

    /// <summary>Eight chroma bytes minus 128 as two vectors of int.</summary>
    private static (Vector128<int> Low, Vector128<int> High) Chroma(byte* source)
    {
        Vector128<short> values = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)source).AsByte()).AsInt16() - Vector128.Create((short)128);
        return Vector128.Widen(values);
    }

    /// <summary>298·(Y − 16) + 128.</summary>
    private static (Vector128<int> Low, Vector128<int> High) Luma(Vector128<ushort> values)
    {
        (Vector128<int> low, Vector128<int> high) = Vector128.Widen(values.AsInt16());
        Vector128<int> offset = Vector128.Create(128 - (298 * 16));
        return ((low * 298) + offset, (high * 298) + offset);
    }

    /// <summary>16 bytes: clip((luma + chroma) >> 8), each chroma value used for two pixels.</summary>
    private static Vector128<byte> Channel(Vector128<int> y0, Vector128<int> y1, Vector128<int> y2, Vector128<int> y3, Vector128<int> chroma0, Vector128<int> chroma1)
    {
        Vector128<int> a = Clip((y0 + Vector128.Shuffle(chroma0, Vector128.Create(0, 0, 1, 1))) >> 8), b = Clip((y1 + Vector128.Shuffle(chroma0, Vector128.Create(2, 2, 3, 3))) >> 8);
        Vector128<int> c = Clip((y2 + Vector128.Shuffle(chroma1, Vector128.Create(0, 0, 1, 1))) >> 8), d = Clip((y3 + Vector128.Shuffle(chroma1, Vector128.Create(2, 2, 3, 3))) >> 8);
        return Vector128.Narrow(Vector128.Narrow(a, b).AsUInt16(), Vector128.Narrow(c, d).AsUInt16());
    }

    private static Vector128<int> Clip(Vector128<int> value) => Vector128.Min(Vector128.Max(value, Vector128<int>.Zero), Vector128.Create(255));

    private static byte Clip(int value) => (byte)Math.Clamp(value, 0, 255);

    /// <summary>16 pixels; an index of 255 in a shuffle gives 0.</summary>
    private static void StoreRgb(Vector128<byte> r, Vector128<byte> g, Vector128<byte> b, byte* rgb)
    {
        (Vector128.Shuffle(r, Vector128.Create((byte)0, 255, 255, 1, 255, 255, 2, 255, 255, 3, 255, 255, 4, 255, 255, 5))
            | Vector128.Shuffle(g, Vector128.Create((byte)255, 0, 255, 255, 1, 255, 255, 2, 255, 255, 3, 255, 255, 4, 255, 255))
            | Vector128.Shuffle(b, Vector128.Create((byte)255, 255, 0, 255, 255, 1, 255, 255, 2, 255, 255, 3, 255, 255, 4, 255))).Store(rgb);
        (Vector128.Shuffle(r, Vector128.Create((byte)255, 255, 6, 255, 255, 7, 255, 255, 8, 255, 255, 9, 255, 255, 10, 255))
            | Vector128.Shuffle(g, Vector128.Create((byte)5, 255, 255, 6, 255, 255, 7, 255, 255, 8, 255, 255, 9, 255, 255, 10))
            | Vector128.Shuffle(b, Vector128.Create((byte)255, 5, 255, 255, 6, 255, 255, 7, 255, 255, 8, 255, 255, 9, 255, 255))).Store(rgb + 16);
        (Vector128.Shuffle(r, Vector128.Create((byte)255, 11, 255, 255, 12, 255, 255, 13, 255, 255, 14, 255, 255, 15, 255, 255))
            | Vector128.Shuffle(g, Vector128.Create((byte)255, 255, 11, 255, 255, 12, 255, 255, 13, 255, 255, 14, 255, 255, 15, 255))
            | Vector128.Shuffle(b, Vector128.Create((byte)10, 255, 255, 11, 255, 255, 12, 255, 255, 13, 255, 255, 14, 255, 255, 15))).Store(rgb + 32);
    }
}
