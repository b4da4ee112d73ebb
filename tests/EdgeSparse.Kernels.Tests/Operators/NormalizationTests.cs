using EdgeSparse.Kernels.Normalization;

namespace EdgeSparse.Kernels.Tests;

public unsafe class NormalizationTests
{
    /// <summary>[outer, axis, inner]: every tail along the axis and across it.</summary>
    private static IEnumerable<(long Outer, long Axis, long Inner)> Shapes()
    {
        for (long n = 1; n <= 33; n++) yield return (2, n, 1);
        for (long n = 1; n <= 33; n += 2) yield return (2, 5, n);
        yield return (3, 197, 1);
        yield return (1, 1000, 1);
        yield return (1, 21, 300);
    }

    [Theory]
    [InlineData(SoftmaxKind.Softmax)]
    [InlineData(SoftmaxKind.LogSoftmax)]
    [InlineData(SoftmaxKind.Hardmax)]
    public void SoftmaxAlongAnyAxis(SoftmaxKind kind)
    {
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            foreach (var (outer, axis, inner) in Shapes())
            {
                foreach (float scale in new[] { 5f, 1e4f })
                {
                    var p = new SoftmaxParameters { Kind = kind, Isa = isa, Outer = outer, AxisSize = axis, Inner = inner };
                    Softmax.Prepare(ref p);
                    float[] x = Values.Make(1, outer * axis * inner).Select(v => v * scale).ToArray();
                    using GuardedBuffer source = GuardedBuffer.Of(x), y = GuardedBuffer.OfFloats(x.Length), scratch = new(p.ScratchBytes);
                    for (int task = p.TaskCount - 1; task >= 0; task--) Softmax.Run(&p, source.Floats, y.Floats, scratch.Start, task);
                    ForEachLine(outer, axis, inner, (at, stride) =>
                    {
                        double maximum = double.NegativeInfinity, sum = 0;
                        long first = -1;
                        for (long i = 0; i < axis; i++)
                        {
                            if (x[at + i * stride] <= maximum) continue;
                            maximum = x[at + i * stride];
                            first = i;
                        }
                        for (long i = 0; i < axis; i++) sum += Math.Exp(x[at + i * stride] - maximum);
                        for (long i = 0; i < axis; i++)
                        {
                            double shifted = x[at + i * stride] - maximum;
                            double expected = kind switch { SoftmaxKind.Softmax => Math.Exp(shifted) / sum, SoftmaxKind.LogSoftmax => shifted - Math.Log(sum), _ => i == first ? 1 : 0 };
                            // e^(x − m): the difference is exact to half a unit of its size.
                            double bound = kind == SoftmaxKind.Softmax ? expected * (3e-6 + 1.2e-7 * Math.Abs(shifted)) + 1e-44 : kind == SoftmaxKind.LogSoftmax ? 1e-6 + 2e-7 * Math.Abs(expected) : 0;
                            Assert.True(Math.Abs(expected - y.Floats[at + i * stride]) <= bound, $"{kind} {isa} [{outer},{axis},{inner}]: {y.Floats[at + i * stride]}, expected {expected}");
                        }
                    });
                }
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LayerAndRmsNormalization(bool rootMeanSquare)
    {
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            foreach (var (outer, axis, inner) in Shapes())
            {
                bool hasBias = !rootMeanSquare && axis % 2 == 0, hasScale = axis % 3 != 0;
                var p = new LayerNormalizationParameters { RootMeanSquare = rootMeanSquare, Isa = isa, Outer = outer, Size = axis, Inner = inner, Epsilon = 1e-3f, HasBias = hasBias, HasScale = hasScale };
                LayerNormalization.Prepare(ref p);
                float[] x = Values.Make(1, outer * axis * inner).Select(v => v * 3 + 1).ToArray(), s = Values.Make(2, axis), b = Values.Make(3, axis);
                using GuardedBuffer source = GuardedBuffer.Of(x), scale = GuardedBuffer.Of(s), bias = GuardedBuffer.Of(b), scratch = new(p.ScratchBytes);
                // In place.
                for (int task = p.TaskCount - 1; task >= 0; task--) LayerNormalization.Run(&p, source.Floats, hasScale ? scale.Floats : null, hasBias ? bias.Floats : null, source.Floats, scratch.Start, task);
                ForEachLine(outer, axis, inner, (at, stride) =>
                {
                    double mean = 0, variance = 0;
                    for (long i = 0; i < axis && !rootMeanSquare; i++) mean += x[at + i * stride] / (double)axis;
                    for (long i = 0; i < axis; i++) variance += Math.Pow(x[at + i * stride] - mean, 2) / axis;
                    for (long i = 0; i < axis; i++)
                    {
                        double expected = (x[at + i * stride] - mean) / Math.Sqrt(variance + 1e-3) * (hasScale ? s[i] : 1) + (hasBias ? b[i] : 0);
                        // The mean's rounding grows by 1/√ε where the line is constant.
                        Assert.Equal(expected, source.Floats[at + i * stride], 4e-5);
                    }
                });
            }
        }
    }

    [Fact]
    public void GroupInstanceAndBatchNormalization()
    {
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            foreach (long size in new long[] { 1, 3, 7, 16, 33 })
            {
                foreach (long groups in new long[] { 1, 2, 6 })
                {
                    if (size == 1 && groups == 6) continue;
                    float[] x = Values.Make(1, 2 * 6 * size).Select(v => v * 2 - 1).ToArray(), s = Values.Make(2, 6), b = Values.Make(3, 6);
                    var p = new GroupNormalizationParameters { Isa = isa, Batch = 2, Channels = 6, Size = size, Groups = groups, Epsilon = 1e-3f };
                    GroupNormalization.Prepare(ref p);
                    using GuardedBuffer source = GuardedBuffer.Of(x), scale = GuardedBuffer.Of(s), bias = GuardedBuffer.Of(b), y = GuardedBuffer.OfFloats(x.Length);
                    for (int task = p.TaskCount - 1; task >= 0; task--) GroupNormalization.Run(&p, source.Floats, scale.Floats, bias.Floats, y.Floats, null, task);
                    long count = 6 / groups * size;
                    for (long i = 0; i < x.Length; i++)
                    {
                        double[] group = x.AsSpan((int)(i / count * count), (int)count).ToArray().Select(v => (double)v).ToArray();
                        double mean = group.Average(), variance = group.Average(v => (v - mean) * (v - mean));
                        long channel = i / size % 6;
                        Assert.Equal((x[i] - mean) / Math.Sqrt(variance + 1e-3) * s[channel] + b[channel], y.Floats[i], 4e-5);
                    }
                }
                float[] data = Values.Make(5, 2 * 6 * size), means = Values.Make(6, 6), variances = Values.Absolute(Values.Make(7, 6)), scales = Values.Make(8, 6), biases = Values.Make(9, 6);
                var batch = new BatchNormalizationParameters { Isa = isa, Batch = 2, Channels = 6, Size = size, Epsilon = 1e-5f, Activation = Activation.Relu };
                BatchNormalization.Prepare(ref batch);
                using GuardedBuffer bx = GuardedBuffer.Of(data), bs = GuardedBuffer.Of(scales), bb = GuardedBuffer.Of(biases), bm = GuardedBuffer.Of(means), bv = GuardedBuffer.Of(variances);
                for (int task = 0; task < batch.TaskCount; task++) BatchNormalization.Run(&batch, bx.Floats, bs.Floats, bb.Floats, bm.Floats, bv.Floats, bx.Floats, null, task);
                for (long i = 0; i < data.Length; i++)
                {
                    long c = i / size % 6;
                    double expected = Math.Max(0, (data[i] - means[c]) / Math.Sqrt(variances[c] + 1e-5) * scales[c] + biases[c]);
                    Assert.True(Math.Abs(expected - bx.Floats[i]) <= 1e-6 * Math.Max(1, Math.Abs(expected)) * 20, $"batch {isa}: {bx.Floats[i]}, expected {expected}");
                }
            }
        }
    }

    [Fact]
    public void LpAndLocalResponseNormalization()
    {
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            foreach (var (outer, axis, inner) in Shapes())
            {
                foreach (int exponent in new[] { 1, 2 })
                {
                    float[] x = Values.Make(1, outer * axis * inner);
                    var p = new LpNormalizationParameters { Isa = isa, Outer = outer, AxisSize = axis, Inner = inner, P = exponent };
                    LpNormalization.Prepare(ref p);
                    using GuardedBuffer source = GuardedBuffer.Of(x), y = GuardedBuffer.OfFloats(x.Length), scratch = new(p.ScratchBytes);
                    for (int task = p.TaskCount - 1; task >= 0; task--) LpNormalization.Run(&p, source.Floats, y.Floats, scratch.Start, task);
                    ForEachLine(outer, axis, inner, (at, stride) =>
                    {
                        double norm = 0;
                        for (long i = 0; i < axis; i++) norm += Math.Pow(Math.Abs(x[at + i * stride]), exponent);
                        norm = Math.Pow(norm, 1.0 / exponent);
                        for (long i = 0; i < axis; i++) Assert.Equal(x[at + i * stride] / norm, y.Floats[at + i * stride], 1e-6);
                    });
                }
            }
            foreach (int size in new[] { 1, 2, 3, 5 })
            {
                foreach (long pixels in new long[] { 1, 9, 37 })
                {
                    float[] x = Values.Make(2, 2 * 7 * pixels).Select(v => v * 10).ToArray();
                    var p = new LocalResponseNormalizationParameters { Isa = isa, Batch = 2, Channels = 7, Pixels = pixels, Size = size, Alpha = 0.1f, Beta = 0.75f, Bias = 1.5f };
                    LocalResponseNormalization.Prepare(ref p);
                    using GuardedBuffer source = GuardedBuffer.Of(x), y = GuardedBuffer.OfFloats(x.Length);
                    for (int task = 0; task < p.TaskCount; task++) LocalResponseNormalization.Run(&p, source.Floats, y.Floats, null, task);
                    for (long i = 0; i < x.Length; i++)
                    {
                        long c = i / pixels % 7, image = i / pixels / 7;
                        double sum = 0;
                        for (long other = Math.Max(0, c - (size - 1) / 2); other <= Math.Min(6, c + size / 2); other++) sum += Math.Pow(x[(image * 7 + other) * pixels + i % pixels], 2);
                        Assert.Equal(x[i] / Math.Pow(1.5 + 0.1 / size * sum, 0.75), y.Floats[i], 1e-5);
                    }
                }
            }
        }
    }

    private static void ForEachLine(long outer, long axis, long inner, Action<long, long> action)
    {
        for (long o = 0; o < outer; o++)
            for (long i = 0; i < inner; i++) action(o * axis * inner + i, inner);
    }
}
