using EdgeSparse.Kernels.Resizing;

namespace EdgeSparse.Kernels.Tests;

public unsafe class ResizeTests
{
    /// <summary>ONNX's own test cases (backend/test/case/node/resize.py) on 1…16 in rows of four, or as given.</summary>
    [Theory]
    [InlineData(ResizeMode.Cubic, ResizeCoordinates.HalfPixel, 0.8, 3, new[] { 1.47119141f, 2.78125f, 4.08251953f, 6.71142578f, 8.02148438f, 9.32275391f, 11.91650391f, 13.2265625f, 14.52783203f })]
    [InlineData(ResizeMode.Linear, ResizeCoordinates.AlignCorners, 0.6, 2, new[] { 1f, 3.142857f, 9.571428f, 11.714286f })]
    [InlineData(ResizeMode.Cubic, ResizeCoordinates.AlignCorners, 0.8, 3, new[] { 1f, 2.39519159f, 3.79038317f, 6.58076634f, 7.97595793f, 9.37114951f, 12.16153268f, 13.55672427f, 14.95191585f })]
    public void MatchesPublishedResults(ResizeMode mode, ResizeCoordinates coordinates, double scale, int size, float[] expected)
    {
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            ResizeParameters p = Parameters(mode, coordinates, isa, [1, 1, 4, 4], [1, 1, size, size], [1, 1, scale, scale]);
            float[] y = Run(p, Enumerable.Range(1, 16).Select(v => (float)v).ToArray());
            for (int i = 0; i < expected.Length; i++) Assert.Equal(expected[i], y[i], 2e-5f);
        }
    }

    [Fact]
    public void AntialiasMatchesPublishedResults()
    {
        ResizeParameters p = Parameters(ResizeMode.Linear, ResizeCoordinates.HalfPixel, InstructionSets.Best, [1, 1, 4, 4], [1, 1, 2, 2], [1, 1, 0.6, 0.6]);
        p.Antialias = true;
        float[] y = Run(p, Enumerable.Range(1, 16).Select(v => (float)v).ToArray());
        float[] expected = [2.875f, 4.5f, 9.375f, 11f];
        for (int i = 0; i < 4; i++) Assert.Equal(expected[i], y[i], 1e-5f);
    }

    public static TheoryData<ResizeMode, ResizeCoordinates> Kinds
    {
        get
        {
            var data = new TheoryData<ResizeMode, ResizeCoordinates>();
            foreach (ResizeMode mode in Enum.GetValues<ResizeMode>()) foreach (ResizeCoordinates coordinates in Enum.GetValues<ResizeCoordinates>()) data.Add(mode, coordinates);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void MatchesTheDefinition(ResizeMode mode, ResizeCoordinates coordinates)
    {
        (long[] Shape, long[] Result)[] shapes =
        [
            ([1, 2, 5, 7], [1, 2, 10, 14]), ([2, 2, 6, 6], [2, 2, 4, 3]), ([1, 1, 3, 4], [1, 1, 7, 33]), ([1, 3, 4, 19], [1, 3, 4, 38]), ([9, 4], [4, 4]), ([13], [26]), ([2, 3, 4, 5], [2, 6, 4, 10]),
            ([2, 5, 6, 3], [2, 10, 9, 3]), ([2, 3, 4], [4, 5, 6]), ([1, 1, 1, 1], [1, 1, 3, 2]), ([1, 1, 20, 20], [1, 1, 40, 40]), ([1, 2, 20, 21], [1, 2, 1, 1]),
        ];
        foreach (var (shape, result) in shapes)
        {
            double[] scales = shape.Zip(result, (from, to) => (double)to / from).ToArray();
            float[] x = Values.Make(2, BinaryTests.Count(shape));
            for (int variant = 0; variant < 4; variant++)
            {
                foreach (InstructionSet isa in Instructions.Runnable)
                {
                    ResizeParameters p = Parameters(mode, coordinates, isa, shape, result, scales);
                    p.Nearest = (ResizeNearest)variant;
                    p.ExcludeOutside = variant == 1;
                    p.Antialias = variant == 2 && mode != ResizeMode.Nearest;
                    p.ExtrapolationValue = 7;
                    for (int axis = 0; axis < shape.Length; axis++)
                    {
                        p.RoiStart[axis] = axis == shape.Length - 1 ? -0.25 : 0;
                        p.RoiEnd[axis] = axis == shape.Length - 1 ? 0.75 : 1;
                    }
                    float[] expected = Direct(p, x), y = Run(p, x);
                    for (int i = 0; i < y.Length; i++)
                        Assert.True(Math.Abs(expected[i] - y[i]) <= (mode == ResizeMode.Nearest ? 0 : 2e-6), $"{mode} {coordinates} {isa} variant {variant} [{string.Join(',', shape)}] to [{string.Join(',', result)}]: element {i} is {y[i]}, expected {expected[i]}");
                }
            }
        }
    }

    [Fact]
    public void NearestMovesAnyType()
    {
        foreach (ScalarType type in new[] { ScalarType.UInt8, ScalarType.Int16, ScalarType.Int64 })
        {
            ResizeParameters p = Parameters(ResizeMode.Nearest, ResizeCoordinates.Asymmetric, InstructionSet.Portable, [2, 3], [4, 6], [2, 2]);
            p.Type = type;
            p.Nearest = ResizeNearest.Floor;
            Resize.Prepare(ref p);
            int size = type.SizeBytes();
            using GuardedBuffer x = new(6 * size), y = new(24 * size), scratch = new(p.ScratchBytes);
            new Random(3).NextBytes(new Span<byte>(x.Start, 6 * size));
            for (int task = 0; task < p.TaskCount; task++) Resize.Run(&p, x.Start, y.Start, scratch.Start, task);
            for (int i = 0; i < 24; i++)
                Assert.True(new Span<byte>(y.Start + i * size, size).SequenceEqual(new Span<byte>(x.Start + (i / 12 * 3 + i % 6 / 2) * size, size)));
        }
    }

    private static ResizeParameters Parameters(ResizeMode mode, ResizeCoordinates coordinates, InstructionSet isa, long[] shape, long[] result, double[] scales)
    {
        var p = new ResizeParameters { Mode = mode, Coordinates = coordinates, Type = ScalarType.Float32, Isa = isa, Rank = shape.Length, CubicA = -0.75 };
        for (int axis = 0; axis < shape.Length; axis++)
        {
            p.Shape[axis] = shape[axis];
            p.ResultShape[axis] = result[axis];
            p.Scales[axis] = scales[axis];
        }
        return p;
    }

    private static float[] Run(ResizeParameters p, float[] x)
    {
        Resize.Prepare(ref p);
        long count = 1;
        for (int axis = 0; axis < p.Rank; axis++) count *= p.ResultShape[axis];
        using GuardedBuffer source = GuardedBuffer.Of(x), y = GuardedBuffer.OfFloats(count), scratch = new(p.ScratchBytes);
        for (int task = p.TaskCount - 1; task >= 0; task--) Resize.Run(&p, source.Start, y.Start, scratch.Start, task);
        return y.Span.ToArray();
    }

    /// <summary>The ONNX reference in its own order of steps: one axis after the other, each line resampled in double precision.</summary>
    private static float[] Direct(ResizeParameters p, float[] x)
    {
        double[] data = x.Select(v => (double)v).ToArray();
        long[] shape = new long[p.Rank];
        for (int axis = 0; axis < p.Rank; axis++) shape[axis] = p.Shape[axis];
        for (int axis = p.Rank - 1; axis >= 0; axis--)
        {
            long size = shape[axis], to = p.ResultShape[axis], inner = 1, outer = 1;
            for (int i = 0; i < axis; i++) outer *= shape[i];
            for (int i = axis + 1; i < p.Rank; i++) inner *= shape[i];
            var next = new double[outer * to * inner];
            for (long o = 0; o < outer; o++)
                for (long j = 0; j < to; j++)
                    for (long i = 0; i < inner; i++) next[(o * to + j) * inner + i] = Sample(p, axis, j, k => data[(o * size + k) * inner + i]);
            data = next;
            shape[axis] = to;
        }
        return data.Select(v => (float)v).ToArray();
    }

    private static double Sample(ResizeParameters p, int axis, long j, Func<long, double> line)
    {
        double size = p.Shape[axis], scale = p.Scales[axis], length = size * scale;
        bool unchanged = p.Shape[axis] == p.ResultShape[axis] && (p.Coordinates != ResizeCoordinates.TfCropAndResize || (p.RoiStart[axis] == 0 && p.RoiEnd[axis] == 1));
        if (unchanged) return line(j);
        double at = p.Coordinates switch
        {
            ResizeCoordinates.AlignCorners => length == 1 ? 0 : j * (size - 1) / (length - 1),
            ResizeCoordinates.Asymmetric => j / scale,
            ResizeCoordinates.PytorchHalfPixel => length == 1 ? -0.5 : (j + 0.5) / scale - 0.5,
            ResizeCoordinates.TfCropAndResize => (length == 1 ? (p.RoiEnd[axis] - p.RoiStart[axis]) * (size - 1) / 2 : j * (p.RoiEnd[axis] - p.RoiStart[axis]) * (size - 1) / (length - 1)) + p.RoiStart[axis] * (size - 1),
            ResizeCoordinates.HalfPixelSymmetric => size / 2 * (1 - p.ResultShape[axis] / length) + (j + 0.5) / scale - 0.5,
            _ => (j + 0.5) / scale - 0.5,
        };
        if (p.Coordinates == ResizeCoordinates.TfCropAndResize && (at < 0 || at > size - 1)) return p.ExtrapolationValue;
        long Clamp(double k) => (long)Math.Clamp(k, 0, size - 1);
        double floor = Math.Floor(at);
        if (p.Mode == ResizeMode.Nearest)
        {
            return line(Clamp(p.Nearest switch
            {
                ResizeNearest.RoundPreferFloor => at - floor <= 0.5 ? floor : floor + 1,
                ResizeNearest.RoundPreferCeil => at - floor < 0.5 ? floor : floor + 1,
                ResizeNearest.Floor => floor,
                _ => Math.Ceiling(at),
            }));
        }
        double shrink = p.Antialias ? Math.Min(1, scale) : 1, a = p.CubicA, sum = 0, weights = 0;
        int reach = (int)Math.Ceiling((p.Mode == ResizeMode.Linear ? 1 : 2) / shrink) + 1;
        for (double k = floor - reach; k <= floor + reach + 1; k++)
        {
            double t = Math.Abs(k - at) * shrink;
            double weight = p.Mode == ResizeMode.Linear ? Math.Max(0, 1 - t) : t <= 1 ? (a + 2) * t * t * t - (a + 3) * t * t + 1 : t < 2 ? a * t * t * t - 5 * a * t * t + 8 * a * t - 4 * a : 0;
            if (p.ExcludeOutside && (k < 0 || k > size - 1)) weight = 0;
            weights += weight;
            sum += weight * line(Clamp(k));
        }
        return p.ExcludeOutside || p.Antialias ? sum / weights : sum;
    }
}
