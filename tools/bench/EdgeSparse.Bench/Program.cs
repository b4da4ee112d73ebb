using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using EdgeSparse.Kernels;
using EdgeSparse.Kernels.Attention;
using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.DepthwiseConvolution;
using EdgeSparse.Kernels.MatMul;
using EdgeSparse.Kernels.Measurement;
using EdgeSparse.Kernels.SparseMatMul;

namespace EdgeSparse.Bench;

/// <summary>
/// Times the product kernels on one thread, warm, and prints the rate of each shape beside the processor's measured peak.
/// Usage: EdgeSparse.Bench [sparsity = 0.9] [instruction set] [filter]; with a filter only lines that contain it are measured ("depthwise", "3x3/2");
/// "sparse-table" prints the sparse product of MobileNetV2's 1×1 layers against a roofline, and of the other patterns, instead; "sparse-table 196x" those lines of it. The figure is that of the fastest of many runs, so a busy machine disturbs it little.
/// </summary>
internal static unsafe partial class Program
{
    /// <summary>Pixels × outputs × inputs of MobileNetV2's 1×1 layers, as in XNNPACK's bench/models/mobilenet_v2_spmm.txt.</summary>
    private static readonly (int Pixels, int Outputs, int Inputs)[] MobileNetV2 =
    [
        (12544, 16, 32), (12544, 96, 16), (3136, 24, 96), (3136, 144, 24), (3136, 24, 144), (784, 32, 144), (784, 192, 32), (784, 32, 192), (196, 64, 192), (196, 384, 64),
        (196, 64, 384), (196, 96, 384), (196, 576, 96), (196, 96, 576), (49, 160, 576), (49, 960, 160), (49, 160, 960), (49, 320, 960), (49, 1280, 320),
    ];

    /// <summary>Channels, input size, kernel and stride: the depthwise layers of MobileNetV2, and 5×5 ones of MobileNetV3 and EfficientNet.</summary>
    private static readonly (int Channels, int Size, int Kernel, int Stride)[] DepthwiseLayers =
    [
        (32, 112, 3, 1), (96, 112, 3, 2), (144, 56, 3, 1), (144, 56, 3, 2), (192, 28, 3, 1), (192, 28, 3, 2), (384, 14, 3, 1), (576, 14, 3, 1), (576, 14, 3, 2), (960, 7, 3, 1),
        (72, 56, 5, 2), (120, 28, 5, 1), (480, 14, 5, 1), (672, 14, 5, 2), (960, 7, 5, 1),
    ];

    private static InstructionSet isa = InstructionSets.Best;
    private static string filter = "";
    private static double peak;

    private static void Main(string[] arguments)
    {
        double sparsity = 0.9;
        foreach (string argument in arguments)
        {
            if (double.TryParse(argument, CultureInfo.InvariantCulture, out double share)) sparsity = share;
            else if (Enum.TryParse(argument, ignoreCase: true, out InstructionSet set)) isa = set;
            else filter = argument;
        }
        peak = MeasurePeak();
        Console.WriteLine($"{isa}, one thread, peak {peak / 1e9:F1} GFLOP/s; sparse rates count non-zeros");
        if (filter.StartsWith("sparse-table", StringComparison.OrdinalIgnoreCase))
        {
            SparseTable(sparsity);
            PatternTable();
            return;
        }
        foreach ((int pixels, int outputs, int inputs) in MobileNetV2) Dense(ConvolutionParameters.Create(inputs, 1, pixels, outputs, 1, 1));
        Dense(Padded(64, 56, 64, 3, 1));
        Dense(Padded(128, 28, 128, 3, 1));
        Dense(Padded(256, 14, 256, 3, 1));
        Dense(Padded(512, 7, 512, 3, 1));
        Dense(Padded(16, 55, 64, 3, 1));
        Dense(Padded(64, 13, 256, 3, 1));
        Dense(Padded(12, 208, 16, 3, 1));
        foreach ((int outputs, int kernel) in ((int, int)[])[(32, 3), (64, 3), (64, 7)]) Dense(Padded(3, 224, outputs, kernel, 2));
        foreach ((int channels, int size, int kernel, int stride) in DepthwiseLayers) Depthwise(channels, size, kernel, stride);
        foreach ((int pixels, int outputs, int inputs) in MobileNetV2) Sparse(ConvolutionParameters.Create(inputs, 1, pixels, outputs, 1, 1), sparsity);
        Sparse(Padded(64, 56, 64, 3, 1), sparsity);
        Sparse(Padded(128, 28, 128, 3, 1), sparsity);
        Sparse(Padded(512, 7, 512, 3, 1), sparsity);
        Product(197, 384, 1152);
        Product(197, 384, 1536);
        Product(197, 1536, 384);
        Product(1, 1280, 1000);
        SparseProduct(197, 384, 1536, sparsity);
        SparseProduct(197, 1536, 384, sparsity);
        Attention(6, 197, 64);
        Attention(6, 785, 64);
    }

    private static ConvolutionParameters Padded(int inputs, int size, int outputs, int kernel, int stride)
    {
        ConvolutionParameters p = ConvolutionParameters.Create(inputs, size, size, outputs, kernel, kernel);
        p.StrideHeight = p.StrideWidth = stride;
        p.PadTop = p.PadLeft = p.PadBottom = p.PadRight = kernel / 2;
        return p;
    }

    private static string Shape(in ConvolutionParameters p)
        => $"{p.OutputPlane} x {p.OutputChannels} x {p.InputChannels} {p.KernelHeight}x{p.KernelWidth}/{p.StrideHeight}";

    private static void Dense(ConvolutionParameters p)
    {
        p.Isa = isa;
        p.ConstantWeights = true;
        ConvolutionF32.Prepare(ref p);
        float* x = Random((long)p.InputChannels * p.InputPlane), w = Random((long)p.OutputChannels * p.Inner), y = Random((long)p.OutputChannels * p.OutputPlane), bias = Random(p.OutputChannels);
        byte* packed = Allocate(ConvolutionF32.PackedBytes(in p)), scratch = Allocate(p.ScratchBytes);
        ConvolutionF32.Pack(in p, w, packed);
        Report("dense", Shape(in p), p.MultiplyAdds, () =>
        {
            ConvolutionParameters q = p;
            for (int i = 0; i < q.TaskCount; i++) ConvolutionF32.Run(&q, x, packed, bias, null, y, scratch, i);
        });
    }

    private static void Depthwise(int channels, int size, int kernel, int stride)
    {
        ConvolutionParameters p = Padded(channels, size, channels, kernel, stride);
        p.Groups = channels;
        p.Isa = isa;
        DepthwiseConvolutionF32.Prepare(ref p);
        float* x = Random((long)p.InputChannels * p.InputPlane), w = Random((long)p.OutputChannels * p.Inner), y = Random((long)p.OutputChannels * p.OutputPlane), bias = Random(p.OutputChannels);
        byte* packed = Allocate(DepthwiseConvolutionF32.PackedBytes(in p)), scratch = Allocate(p.ScratchBytes);
        DepthwiseConvolutionF32.Pack(in p, w, packed);
        Report("depthwise", Shape(in p), p.MultiplyAdds, () =>
        {
            ConvolutionParameters q = p;
            for (int i = 0; i < q.TaskCount; i++) DepthwiseConvolutionF32.Run(&q, x, packed, bias, null, y, scratch, i);
        });
    }

    private static void Sparse(ConvolutionParameters p, double sparsity)
    {
        SparseWeights weights = RandomSparse(p.OutputChannels, p.Inner, sparsity);
        p.Isa = isa;
        SparseConvolutionF32.Prepare(ref p, weights);
        float* x = Random((long)p.InputChannels * p.InputPlane), y = Random((long)p.OutputChannels * p.OutputPlane), bias = Random(p.OutputChannels);
        byte* packed = Allocate(SparseConvolutionF32.PackedBytes(in p, weights)), scratch = Allocate(p.ScratchBytes);
        SparseConvolutionF32.Pack(in p, weights, packed);
        PlanePaddingParameters padding = PlanePadding.Prepare(in p);
        bool pads = SparseConvolutionF32.NeedsPadding(in p);
        float* padded = pads ? (float*)Allocate(padding.PaddedBytes) : x;
        Report($"sparse {1 - weights.Sparsity:F2}", Shape(in p), (long)weights.NonZeros * p.OutputPlane, () =>
        {
            ConvolutionParameters q = p;
            PlanePaddingParameters pad = padding;
            for (int i = 0; pads && i < pad.TaskCount; i++) PlanePadding.Run(&pad, x, padded, i);
            for (int i = 0; i < q.TaskCount; i++) SparseConvolutionF32.Run(&q, padded, packed, bias, null, y, scratch, i);
        });
    }

    private static void Product(int rows, int inner, int columns)
    {
        MatMulParameters p = MatMulParameters.Create(rows, inner, columns);
        p.TransposeB = p.ConstantB = true;
        p.Isa = isa;
        MatMulF32.Prepare(ref p);
        float* a = Random((long)rows * inner), b = Random((long)inner * columns), y = Random((long)rows * columns), bias = Random(columns);
        byte* packed = Allocate(MatMulF32.PackedBytes(in p)), scratch = Allocate(p.ScratchBytes);
        MatMulF32.Pack(in p, b, packed);
        Report("matmul", $"{rows} x {inner} x {columns}", p.MultiplyAdds, () =>
        {
            MatMulParameters q = p;
            for (int i = 0; i < q.TaskCount; i++) MatMulF32.Run(&q, a, packed, bias, null, y, scratch, i);
        });
    }

    private static void SparseProduct(int tokens, int inputs, int outputs, double sparsity)
    {
        SparseWeights weights = RandomSparse(outputs, inputs, sparsity);
        var p = new SparseMatMulParameters { Tokens = tokens, Inputs = inputs, Outputs = outputs, Isa = isa };
        SparseMatMulF32.Prepare(ref p, weights);
        float* x = Random((long)tokens * inputs), y = Random((long)tokens * outputs), bias = Random(outputs);
        byte* packed = Allocate(SparseMatMulF32.PackedBytes(in p, weights)), scratch = Allocate(p.ScratchBytes);
        SparseMatMulF32.Pack(in p, weights, packed);
        Report($"sparse matmul {1 - weights.Sparsity:F2}", $"{tokens} x {inputs} x {outputs}", (long)weights.NonZeros * tokens, () =>
        {
            SparseMatMulParameters q = p;
            for (int i = 0; i < q.TaskCount; i++) SparseMatMulF32.Run(&q, x, packed, bias, null, y, scratch, i);
        });
    }

    private static void Attention(int heads, int tokens, int size)
    {
        AttentionParameters p = AttentionParameters.Create(1, heads, tokens, tokens, size, size, 1 / MathF.Sqrt(size));
        p.Isa = isa;
        AttentionF32.Prepare(ref p);
        long count = (long)heads * tokens * size;
        float* q = Random(count), k = Random(count), v = Random(count), y = Random(count);
        byte* scratch = Allocate(p.ScratchBytes);
        Report("attention", $"{heads} heads x {tokens} x {size}", 2L * heads * tokens * tokens * size, () =>
        {
            AttentionParameters copy = p;
            for (int i = 0; i < copy.TaskCount; i++) AttentionF32.Run(&copy, q, k, v, null, y, null, scratch, i);
        });
    }

    private static void Report(string kernel, string shape, long multiplyAdds, Action run)
    {
        string name = $"{kernel,-20} {shape,-26}";
        if (!name.Contains(filter, StringComparison.OrdinalIgnoreCase)) return;
        double seconds = Fastest(run);
        double rate = 2 * multiplyAdds / seconds;
        Console.WriteLine($"{name} {seconds * 1e6,10:F1} us {rate / 1e9,8:F1} GFLOP/s {rate / peak,6:P0}");
    }

    /// <summary>Shortest of the runs in about `limitSeconds`, at least seven.</summary>
    internal static double Fastest(Action run, double limitSeconds = 0.25)
    {
        double best = double.MaxValue;
        long stop = Stopwatch.GetTimestamp() + (long)(Stopwatch.Frequency * limitSeconds);
        for (int i = 0; i < 7 || (i < 2000 && Stopwatch.GetTimestamp() < stop); i++)
        {
            double start = ThreadSeconds();
            run();
            best = Math.Min(best, ThreadSeconds() - start);
        }
        return best;
    }

    /// <summary>Processor time of this thread.</summary>
    private static double ThreadSeconds()
    {
        const int threadProcessorTime = 3;
        if (ClockGetTime(threadProcessorTime, out TimeSpecification time) != 0) throw new InvalidOperationException("clock_gettime failed");
        return time.Seconds + time.Nanoseconds * 1e-9;
    }

    private struct TimeSpecification
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out TimeSpecification time);

    /// <summary>Independent fused multiply-adds on registers, as wide as the instruction set's vectors.</summary>
    private static double MeasurePeak()
    {
        const int rounds = 20000;
        long multiplyAdds = MachineRates.MultiplyAdds(isa, rounds);
        return 2.0 * multiplyAdds / Fastest(() => MachineRates.MultiplyAdds(isa, rounds));
    }

    internal static void Free(void* memory) => NativeMemory.AlignedFree(memory);

    internal static byte* Allocate(long sizeBytes) => (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(sizeBytes, 64), 64);

    private static float* Random(long count)
    {
        var random = new Random(1);
        var values = (float*)Allocate(count * sizeof(float));
        for (long i = 0; i < count; i++) values[i] = random.NextSingle() - 0.5f;
        return values;
    }

    /// <summary>Zeros at random, the same ones in every blockRows adjacent rows.</summary>
    private static SparseWeights RandomSparse(int rows, int columns, double sparsity, int blockRows = 1)
    {
        var random = new Random(2);
        var dense = new float[rows * columns];
        for (int block = 0; block < rows; block += blockRows)
            for (int column = 0; column < columns; column++)
                if (random.NextDouble() >= sparsity)
                    for (int row = block; row < Math.Min(block + blockRows, rows); row++) dense[row * columns + column] = random.NextSingle() + 0.5f;
        return SparseWeights.FromDense(dense, rows, columns);
    }
}
