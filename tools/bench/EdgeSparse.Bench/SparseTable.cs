using System.Globalization;
using EdgeSparse.Kernels;
using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.SparseMatMul;

namespace EdgeSparse.Bench;

/// <summary>The sparse product of MobileNetV2's 1×1 layers against a roofline measured on the machine, and the share of zeros from which it beats the dense one.</summary>
internal static unsafe partial class Program
{
    private static readonly double[] BreakEvenSparsities = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

    /// <summary>
    /// Lower bound of the time of one call, as the largest of: multiply-adds of the non-zeros at the measured peak; vector loads of pixels into registers, one a non-zero (one a block of
    /// `blockRows`) and vector of pixels, at the measured rate of loads from L1; bytes that must move once (pixels and weights in, results out) at the measured bandwidths of
    /// reading and writing in a working set of that size, one after the other.
    /// </summary>
    private static double Roofline(in ConvolutionParameters p, SparseWeights weights, int blockRows, Roof roof)
    {
        double products = (double)weights.NonZeros * p.OutputPlane;
        double input = 4.0 * p.InputChannels * p.InputPlane, output = 4.0 * p.OutputChannels * p.OutputPlane, packed = weights.NonZeros * (4 + 4.0 / blockRows);
        double moved = (input + packed) / roof.Read(input + output + packed) + output / roof.Write(input + output + packed);
        return Math.Max(Math.Max(2 * products / peak, products / blockRows * sizeof(float) / roof.Read(0)), moved);
    }

    private static void SparseTable(double sparsity)
    {
        Roof roof = Roof.Measure(isa);
        Console.WriteLine();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"sparse product at {sparsity:P0} zeros; roofline of {peak / 1e9:F0} GFLOP/s and, by working set, {roof}"));
        Console.WriteLine($"{"pixels x out x in",-16} {"dense us",9} | {"us",8} {"GFLOP/s",7} {"peak",5} {"roof",5} {"gain",5} {"even",5} | {"4x1 us",8} {"GFLOP/s",7} {"peak",5} {"roof",5} {"gain",5} {"even",5}");
        foreach ((int pixels, int outputs, int inputs) in MobileNetV2)
        {
            ConvolutionParameters p = ConvolutionParameters.Create(inputs, 1, pixels, outputs, 1, 1);
            string shape = $"{pixels}x{outputs}x{inputs}";
            if (!$"sparse-table {shape}".Contains(filter, StringComparison.OrdinalIgnoreCase)) continue;
            p.Isa = isa;
            double dense = DenseSeconds(p);
            var line = new System.Text.StringBuilder(string.Create(CultureInfo.InvariantCulture, $"{shape,-16} {dense * 1e6,9:F1}"));
            foreach (int blockRows in (int[])[1, 4])
            {
                SparseWeights weights = RandomSparse(outputs, inputs, sparsity, blockRows);
                double seconds = SparseSeconds(p, weights, out ConvolutionParameters prepared), rate = 2.0 * weights.NonZeros * pixels / seconds;
                line.Append(CultureInfo.InvariantCulture,
                    $" | {seconds * 1e6,8:F1} {rate / 1e9,7:F1} {rate / peak,5:P0} {Roofline(in prepared, weights, blockRows, roof) / seconds,5:P0} {dense / seconds,4:F1}x {BreakEven(p, blockRows, dense),5:P0}");
            }
            Console.WriteLine(line);
        }
        Console.WriteLine($"peak and roof: shares reached, counting non-zeros; gain: times as fast as our dense; even: least share of zeros at which it is as fast as our dense, {BreakEvenSparsities[0]:P0} where it is at all measured ones");
    }

    /// <summary>N of every M adjacent inputs of an output, and constant fan-in: times of the plain kernel, which runs them with rows of one trip count.</summary>
    private static void PatternTable()
    {
        (string Name, int Keep, int Group)[] patterns = [("2:4", 2, 4), ("1:4", 1, 4), ("2:8", 2, 8), ("1:8", 1, 8), ("fan-in", 0, 0)];
        Console.WriteLine();
        Console.WriteLine("other patterns: time, share of peak counting non-zeros, and times as fast as our dense; fan-in keeps a tenth of the inputs of every output");
        Console.WriteLine($"{"pixels x out x in",-16} {string.Concat(patterns.Select(pattern => $" | {pattern.Name + " us",9} {"peak",5} {"gain",5}"))}");
        foreach ((int pixels, int outputs, int inputs) in MobileNetV2)
        {
            ConvolutionParameters p = ConvolutionParameters.Create(inputs, 1, pixels, outputs, 1, 1);
            string shape = $"{pixels}x{outputs}x{inputs}";
            if (!$"sparse-table {shape}".Contains(filter, StringComparison.OrdinalIgnoreCase)) continue;
            p.Isa = isa;
            double dense = DenseSeconds(p);
            var line = new System.Text.StringBuilder($"{shape,-16} ");
            foreach ((_, int keep, int group) in patterns)
            {
                SparseWeights weights = group > 0 ? RandomGroups(outputs, inputs, keep, group) : RandomGroups(outputs, inputs, (inputs + 9) / 10, inputs);
                double seconds = SparseSeconds(p, weights, out _);
                line.Append(CultureInfo.InvariantCulture, $" | {seconds * 1e6,9:F1} {2.0 * weights.NonZeros * pixels / seconds / peak,5:P0} {dense / seconds,4:F1}x");
            }
            Console.WriteLine(line);
        }
    }

    /// <summary>`keep` non-zeros at random in every `group` adjacent columns of a row.</summary>
    private static SparseWeights RandomGroups(int rows, int columns, int keep, int group)
    {
        var random = new Random(2);
        var dense = new float[rows * columns];
        int[] order = new int[group];
        for (int begin = 0; begin < dense.Length; begin += columns)
        {
            for (int column = 0; column < columns; column += group)
            {
                int size = Math.Min(group, columns - column);
                for (int i = 0; i < size; i++) order[i] = i;
                random.Shuffle(order.AsSpan(0, size));
                for (int i = 0; i < Math.Min(keep, size); i++) dense[begin + column + order[i]] = random.NextSingle() + 0.5f;
            }
        }
        return SparseWeights.FromDense(dense, rows, columns);
    }

    /// <summary>The least share of zeros at which the sparse product takes no longer than the dense one, between two measured shares on a straight line.</summary>
    private static double BreakEven(ConvolutionParameters p, int blockRows, double dense)
    {
        double previous = double.NaN, previousRatio = double.NaN;
        foreach (double sparsity in BreakEvenSparsities)
        {
            double ratio = SparseSeconds(p, RandomSparse(p.OutputChannels, p.InputChannels, sparsity, blockRows), out _) / dense;
            if (ratio <= 1) return double.IsNaN(previous) ? sparsity : previous + (sparsity - previous) * (previousRatio - 1) / (previousRatio - ratio);
            (previous, previousRatio) = (sparsity, ratio);
        }
        return 1;
    }

    private static double DenseSeconds(ConvolutionParameters p)
    {
        ConvolutionF32.Prepare(ref p);
        using Buffers b = new(p, ConvolutionF32.PackedBytes(in p));
        float* w = Random((long)p.OutputChannels * p.Inner);
        ConvolutionF32.Pack(in p, w, b.Packed);
        Free(w);
        return Fastest(() =>
        {
            ConvolutionParameters q = p;
            for (int i = 0; i < q.TaskCount; i++) ConvolutionF32.Run(&q, b.X, b.Packed, b.Bias, null, b.Y, b.Scratch, i);
        }, TableSeconds);
    }

    private static double SparseSeconds(ConvolutionParameters p, SparseWeights weights, out ConvolutionParameters prepared)
    {
        SparseConvolutionF32.Prepare(ref p, weights);
        prepared = p;
        using Buffers b = new(p, SparseConvolutionF32.PackedBytes(in p, weights));
        SparseConvolutionF32.Pack(in p, weights, b.Packed);
        return Fastest(() =>
        {
            ConvolutionParameters q = p;
            for (int i = 0; i < q.TaskCount; i++) SparseConvolutionF32.Run(&q, b.X, b.Packed, b.Bias, null, b.Y, b.Scratch, i);
        }, TableSeconds);
    }

    /// <summary>Time for one figure of the table.</summary>
    private const double TableSeconds = 0.06;

    /// <summary>Operands of a 1×1 convolution.</summary>
    private sealed class Buffers(ConvolutionParameters p, long packedBytes) : IDisposable
    {
        public readonly float* X = Random((long)p.InputChannels * p.InputPlane), Y = Random((long)p.OutputChannels * p.OutputPlane), Bias = Random(p.OutputChannels);
        public readonly byte* Packed = Allocate(packedBytes), Scratch = Allocate(p.ScratchBytes);

        public void Dispose()
        {
            Free(X);
            Free(Y);
            Free(Bias);
            Free(Packed);
            Free(Scratch);
        }
    }
}
