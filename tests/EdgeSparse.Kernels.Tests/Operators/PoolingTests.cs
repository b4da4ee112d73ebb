using EdgeSparse.Kernels.Pooling;

namespace EdgeSparse.Kernels.Tests;

public unsafe class PoolingTests
{
    [Theory]
    [InlineData(PoolingKind.Max, 1)]
    [InlineData(PoolingKind.Average, 1)]
    [InlineData(PoolingKind.Lp, 1)]
    [InlineData(PoolingKind.Lp, 2)]
    [InlineData(PoolingKind.Lp, 3)]
    public void MatchesTheDefinition(PoolingKind kind, int exponent)
    {
        // height, width, kernel, stride, dilation (of height and width), pads top, left, bottom, right, ceil
        int[][] geometries =
        [
            [7, 7, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 0], [8, 33, 2, 2, 2, 2, 1, 1, 0, 0, 0, 0, 0], [5, 18, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0], [9, 9, 5, 5, 1, 1, 1, 1, 2, 2, 2, 2, 0],
            [10, 11, 2, 3, 3, 2, 2, 3, 0, 1, 1, 2, 0], [6, 6, 3, 3, 2, 2, 1, 1, 0, 0, 0, 0, 1], [7, 20, 3, 2, 2, 3, 1, 2, 1, 0, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], [1, 50, 1, 7, 1, 4, 1, 1, 0, 3, 0, 3, 0],
            [4, 4, 3, 3, 2, 2, 1, 1, 2, 2, 2, 2, 1], [13, 3, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 0],
        ];
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            foreach (int[] g in geometries)
            {
                foreach (bool include in kind == PoolingKind.Average ? new[] { false, true } : [false])
                {
                    var p = new PoolingParameters
                    {
                        Kind = kind, Isa = isa, Planes = 3, Height = g[0], Width = g[1], KernelHeight = g[2], KernelWidth = g[3], StrideHeight = g[4], StrideWidth = g[5], DilationHeight = g[6], DilationWidth = g[7],
                        PadTop = g[8], PadLeft = g[9], PadBottom = g[10], PadRight = g[11], CountIncludePad = include, P = exponent,
                    };
                    p.OutputHeight = Pool.OutputSize(g[0], g[2], g[4], g[6], g[8], g[10], g[12] != 0);
                    p.OutputWidth = Pool.OutputSize(g[1], g[3], g[5], g[7], g[9], g[11], g[12] != 0);
                    Check(p);
                }
            }
        }
    }

    /// <summary>Maxima with stride 2 have their own loops: every tail, rows at the edges of the plane, rows that end short of the padding.</summary>
    [Theory]
    [InlineData(2, 0, 1)]
    [InlineData(3, 0, 1)]
    [InlineData(3, 1, 1)]
    [InlineData(3, 1, 2)]
    public void EveryWidthOfMaximaWithStride2(int kernel, int pad, int dilationHeight)
    {
        for (int width = kernel; width <= 70; width++)
        {
            foreach (InstructionSet isa in Instructions.Runnable)
            {
                var p = new PoolingParameters
                {
                    Kind = PoolingKind.Max, Isa = isa, Planes = 2, Height = 9, Width = width, KernelHeight = kernel, KernelWidth = kernel, StrideHeight = 2, StrideWidth = 2, DilationHeight = dilationHeight,
                    DilationWidth = 1, PadTop = pad, PadLeft = pad, PadBottom = pad, PadRight = pad, OutputHeight = Pool.OutputSize(9, kernel, 2, dilationHeight, pad, pad, false),
                    OutputWidth = Pool.OutputSize(width, kernel, 2, 1, pad, pad, width % 2 == 0),
                };
                Check(p);
            }
        }
    }

    /// <summary>Wide maxima of stride 1, made of overlapping powers of two.</summary>
    [Fact]
    public void WideMaximaMatchTheDefinition()
    {
        foreach (InstructionSet isa in Instructions.Runnable)
            foreach (int kernel in (int[])[4, 5, 7, 8, 9, 13])
                foreach (int width in (int[])[7, 13, 18, 33])
                    foreach (int pad in (int[])[0, kernel / 2])
                    {
                        if (width + 2 * pad < kernel) continue;
                        var p = new PoolingParameters
                        {
                            Kind = PoolingKind.Max, Isa = isa, Planes = 3, Height = 13, Width = width, KernelHeight = kernel, KernelWidth = kernel, StrideHeight = 1, StrideWidth = 1,
                            DilationHeight = 1, DilationWidth = 1, PadTop = pad, PadLeft = pad, PadBottom = pad, PadRight = pad,
                            OutputHeight = Pool.OutputSize(13, kernel, 1, 1, pad, pad, false), OutputWidth = Pool.OutputSize(width, kernel, 1, 1, pad, pad, false),
                        };
                        Check(p);
                    }
    }

    private static void Check(PoolingParameters p)
    {
        Pool.Prepare(ref p);
        using GuardedBuffer x = GuardedBuffer.Of(Values.Make(4, p.Planes * p.Height * p.Width)), y = GuardedBuffer.OfFloats(p.Planes * p.OutputHeight * p.OutputWidth), scratch = new(p.ScratchBytes);
        for (int task = p.TaskCount - 1; task >= 0; task--) Pool.Run(&p, x.Floats, y.Floats, scratch.Start, task);
        for (int i = 0; i < y.Span.Length; i++)
        {
            int ox = i % p.OutputWidth, oy = i / p.OutputWidth % p.OutputHeight, plane = i / p.OutputWidth / p.OutputHeight;
            double sum = p.Kind == PoolingKind.Max ? double.NegativeInfinity : 0, count = 0;
            for (int ky = 0; ky < p.KernelHeight; ky++)
            {
                for (int kx = 0; kx < p.KernelWidth; kx++)
                {
                    int iy = oy * p.StrideHeight - p.PadTop + ky * p.DilationHeight, ix = ox * p.StrideWidth - p.PadLeft + kx * p.DilationWidth;
                    bool inside = iy >= 0 && iy < p.Height && ix >= 0 && ix < p.Width;
                    if (inside || (p.CountIncludePad && iy < p.Height + p.PadBottom && ix < p.Width + p.PadRight)) count++;
                    if (!inside) continue;
                    double value = x.Floats[(plane * p.Height + iy) * p.Width + ix];
                    sum = p.Kind == PoolingKind.Max ? Math.Max(sum, value) : sum + (p.Kind == PoolingKind.Lp ? Math.Pow(Math.Abs(value), p.P) : value);
                }
            }
            double expected = p.Kind switch { PoolingKind.Max => sum, PoolingKind.Average => sum / count, _ => Math.Pow(sum, 1.0 / p.P) };
            Assert.True(Math.Abs(expected - y.Floats[i]) <= (p.Kind == PoolingKind.Max ? 0 : 4e-6), $"{p.Kind} {p.Isa} {p.Height}x{p.Width} k{p.KernelHeight}x{p.KernelWidth}: element {i} is {y.Floats[i]}, expected {expected}");
        }
    }

    [Fact]
    public void GlobalPoolsReachEveryTail()
    {
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            foreach (PoolingKind kind in Enum.GetValues<PoolingKind>())
            {
                for (int size = 1; size <= 70; size += size < 34 ? 1 : 9)
                {
                    for (int exponent = 1; exponent <= (kind == PoolingKind.Lp ? 3 : 1); exponent++)
                    {
                        var p = new GlobalPoolingParameters { Kind = kind, Isa = isa, Planes = 3, PlaneSize = size, P = exponent };
                        GlobalPool.Prepare(ref p);
                        using GuardedBuffer x = GuardedBuffer.Of(Values.Make(size, 3 * size)), y = GuardedBuffer.OfFloats(3);
                        for (int task = 0; task < p.TaskCount; task++) GlobalPool.Run(&p, x.Floats, y.Floats, null, task);
                        for (int plane = 0; plane < 3; plane++)
                        {
                            double[] row = x.Span.Slice(plane * size, size).ToArray().Select(v => (double)v).ToArray();
                            double expected = kind switch { PoolingKind.Max => row.Max(), PoolingKind.Average => row.Average(), _ => Math.Pow(row.Sum(v => Math.Pow(Math.Abs(v), exponent)), 1.0 / exponent) };
                            Assert.Equal(expected, y.Floats[plane], 1e-5);
                        }
                    }
                }
            }
        }
    }
}
