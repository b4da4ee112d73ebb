using EdgeSparse.Model;
using EdgeSparse.Runtime.Backends.Onnx;

namespace EdgeSparse.Runtime.Tests.Backends;

/// <summary>Elements of 16 and fewer bits as callers see them, and back. The numbers of types are the library's.</summary>
public sealed unsafe class NarrowTypeTests
{
    private static float[] Widen(int type, byte[] stored, int elements)
    {
        var wide = new float[elements];
        fixed (byte* from = stored)
        fixed (float* to = wide) NarrowType.Of(type)!.Widen(from, (byte*)to, elements);
        return wide;
    }

    private static byte[] Narrow(int type, params float[] wide)
    {
        NarrowType narrow = NarrowType.Of(type)!;
        var stored = new byte[narrow.StoredBytes(wide.Length)];
        Array.Fill(stored, (byte)0xFF); // what a frame before left
        fixed (float* from = wide)
        fixed (byte* to = stored) narrow.Narrow((byte*)from, to, wide.Length);
        return stored;
    }

    [Theory]
    [InlineData(17, 0x38, 1, 0x01, 1 / 512f, 0x7E, 448, 0xC0, -2)]
    [InlineData(18, 0x40, 1, 0x01, 1 / 1024f, 0x7F, 240, 0xC8, -2)]
    [InlineData(19, 0x3C, 1, 0x01, 1 / 65536f, 0x7B, 57344, 0x7C, float.PositiveInfinity)]
    [InlineData(20, 0x40, 1, 0x01, 1 / 131072f, 0x7F, 57344, 0x80, float.NaN)]
    [InlineData(26, 0x7F, 1, 0x00, 5.877472e-39f, 0xFE, 1.7014118e38f, 0xFF, float.NaN)]
    public void Float8_has_the_values_of_its_format(int type, int a, float valueA, int b, float valueB, int c, float valueC, int d, float valueD)
    {
        byte[] codes = [(byte)a, (byte)b, (byte)c, (byte)d];
        Assert.Equal([valueA, valueB, valueC, valueD], Widen(type, codes, 4));
        Assert.Equal(codes, Narrow(type, valueA, valueB, valueC, valueD));
    }

    [Fact]
    public void Float4_and_integers_share_bytes_first_in_the_low_bits()
    {
        Assert.Equal([0.5f, 6, -1, -6, 1.5f], Widen(23, [0x71, 0xFA, 0x03], 5));
        Assert.Equal([0x71, 0xFA, 0x03], Narrow(23, 0.5f, 6, -1, -6, 1.5f));
        sbyte[] signed = new sbyte[5];
        byte[] back = new byte[3], two = new byte[2];
        fixed (byte* stored = (byte[])[0x87, 0xF1, 0x02])
        fixed (sbyte* wide = signed)
        fixed (byte* again = back) // int4
        {
            NarrowType.Of(22)!.Widen(stored, (byte*)wide, 5);
            NarrowType.Of(22)!.Narrow((byte*)wide, again, 5);
        }
        Assert.Equal([7, -8, 1, -1, 2], signed);
        Assert.Equal([0x87, 0xF1, 0x02], back);
        fixed (byte* wide = (byte[])[3, 2, 9, 0, 1]) // uint2, and what is too large for it
        fixed (byte* again = two) NarrowType.Of(24)!.Narrow(wide, again, 5);
        Assert.Equal([0b00_11_10_11, 0b01], two);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(18)]
    [InlineData(19)]
    [InlineData(20)]
    [InlineData(23)]
    [InlineData(26)]
    public void What_is_widened_is_narrowed_to_what_it_was(int type)
    {
        bool pairs = NarrowType.Of(type)!.StoredBytes(2) == 1, words = NarrowType.Of(type)!.StoredBytes(1) == 2;
        byte[] codes = [.. Enumerable.Range(0, words ? 1 << 16 : 256).SelectMany(code => words ? new[] { (byte)code, (byte)(code >> 8) } : [(byte)code])];
        float[] wide = Widen(type, codes, pairs ? 512 : words ? 1 << 16 : 256);
        byte[] back = Narrow(type, wide);
        // A NaN comes back as one, if not of the same bits.
        Assert.Equal(wide, Widen(type, back, wide.Length));
        if (!wide.Contains(float.NaN)) Assert.Equal(codes, back);
    }

    [Theory]
    [InlineData(17, 17, 16)] // a tie between 16 and 18 goes to the even code
    [InlineData(17, 19, 20)]
    [InlineData(17, 17.001f, 18)]
    [InlineData(17, 1e9f, 448)]
    [InlineData(17, float.NegativeInfinity, -448)]
    [InlineData(18, -0.0f, 0)]
    [InlineData(18, -1e-9f, 0)]
    [InlineData(19, 1e9f, 57344)]
    [InlineData(23, 2.5f, 2)]
    [InlineData(23, -9, -6)]
    [InlineData(26, 3, 2)]
    [InlineData(26, 3.5f, 4)]
    [InlineData(26, -1, 5.877472e-39f)]
    [InlineData(16, 1.00390625f, 1)]
    [InlineData(16, 1.01171875f, 1.015625f)]
    public void Floats_are_rounded_to_the_nearest(int type, float value, float expected) => Assert.Equal(expected, Widen(type, Narrow(type, value), 1)[0]);

    [Fact]
    public void Other_types_are_as_they_are()
    {
        foreach (ElementType type in (ElementType[])[ElementType.Float32, ElementType.Int8, ElementType.Int64, ElementType.Bool, ElementType.Float64]) Assert.Null(NarrowType.Of((int)type));
        Assert.Null(NarrowType.Of(99));
    }
}
