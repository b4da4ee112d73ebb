using EdgeSparse.Kernels.Elementwise;

namespace EdgeSparse.Kernels.Tests;

public unsafe class CastTests
{
    private static readonly ScalarType[] Types = Enum.GetValues<ScalarType>().Where(t => t != ScalarType.Undefined).ToArray();

    [Fact]
    public void SmallNumbersSurviveEveryPairOfTypes()
    {
        foreach (ScalarType from in Types)
        {
            foreach (ScalarType to in Types)
            {
                double[] values = from == ScalarType.Bool || to == ScalarType.Bool ? [0, 1, 1, 0, 1] : [0, 1, 2, 100, 127, 64, 33, 7, 5];
                double[] roundTrip = Convert<double>(ScalarType.Float64, Convert<byte>(to, Convert<byte>(from, values, ScalarType.Float64), from), to);
                Assert.Equal(values, roundTrip);
            }
        }
    }

    [Fact]
    public void FloatToIntegerTruncatesAndSaturates()
    {
        float[] x = [1.9f, -1.9f, 0.5f, -0.5f, 2147483520f, 3e9f, -3e9f, float.NaN];
        Assert.Equal(new[] { 1, -1, 0, 0, 2147483520, int.MaxValue, int.MinValue, 0 }, Convert<int>(ScalarType.Int32, x, ScalarType.Float32));
        Assert.Equal(new long[] { 1, -1, 0, 0, 2147483520, 3000000000, -3000000000, 0 }, Convert<long>(ScalarType.Int64, x, ScalarType.Float32));
        Assert.Equal(new byte[] { 1, 1, 1, 1, 1, 1, 1, 1 }, Convert<byte>(ScalarType.Bool, x, ScalarType.Float32));
        Assert.Equal(new byte[] { 0xFF, 0x00 }, Convert<byte>(ScalarType.UInt8, new[] { -1, 256 }, ScalarType.Int32));
    }

    [Fact]
    public void HalfPrecisionRoundsToNearestEven()
    {
        Assert.Equal(new[] { (Half)1.0009766f, Half.PositiveInfinity, (Half)6e-8f }, Convert<Half>(ScalarType.Float16, new[] { 1.0009766f, 1e6f, 6e-8f }, ScalarType.Float32));
        Assert.Equal(new ushort[] { 0x3F80, 0x3F80, 0x3F82, 0x3F81, 0x7F80, 0xFFC0 },
            Convert<ushort>(ScalarType.BFloat16, new[] { 1f, 1.00390625f, 1.01171875f, 1.0040f, float.MaxValue, float.NaN }, ScalarType.Float32));
        Assert.Equal(new[] { 1f, -2f }, Convert<float>(ScalarType.Float32, new ushort[] { 0x3F80, 0xC000 }, ScalarType.BFloat16));
    }

    [Fact]
    public void VectorPathsReachEveryTail()
    {
        for (int count = 1; count < 20; count++)
        {
            byte[] bytes = Enumerable.Range(0, count).Select(i => (byte)(i * 13)).ToArray();
            Assert.Equal(bytes.Select(b => (float)b), Convert<float>(ScalarType.Float32, bytes, ScalarType.UInt8));
            int[] integers = bytes.Select(b => b - 100).ToArray();
            float[] floats = Convert<float>(ScalarType.Float32, integers, ScalarType.Int32);
            Assert.Equal(integers.Select(b => (float)b), floats);
            Assert.Equal(integers, Convert<int>(ScalarType.Int32, floats, ScalarType.Float32));
        }
    }

    private static TResult[] Convert<TResult>(ScalarType to, Array x, ScalarType from) where TResult : unmanaged
    {
        var bytes = new byte[System.Buffer.ByteLength(x)];
        System.Buffer.BlockCopy(x, 0, bytes, 0, bytes.Length);
        byte[] y = Convert(to, bytes, from);
        return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, TResult>(y).ToArray();
    }

    private static byte[] Convert(ScalarType to, byte[] x, ScalarType from)
    {
        var p = new CastParameters { From = from, To = to, Count = x.Length / from.SizeBytes() };
        Cast.Prepare(ref p);
        using GuardedBuffer source = new(x.Length), result = new(p.Count * to.SizeBytes());
        x.CopyTo(new Span<byte>(source.Start, x.Length));
        for (int task = 0; task < p.TaskCount; task++) Cast.Run(&p, source.Start, result.Start, null, task);
        return new Span<byte>(result.Start, (int)result.SizeBytes).ToArray();
    }
}
