using EdgeSparse.Kernels;

namespace EdgeSparse.Runtime.Costs;

public sealed partial class CostTable
{
    /// <summary>
    /// Figures for a machine that was not measured, one row a class in the order of <see cref="CostClasses.All"/>. Portable and Avx2 are rounded from a measurement on an AMD
    /// Zen 3 server core; Avx512 is estimated from Avx2's with vectors twice as wide; AdvSimd for a Cortex-A72 at 1.5 GHz from the static cycle counts of its inner loops.
    /// Only their proportions decide.
    /// </summary>
    public static CostTable Default(InstructionSet isa) => isa switch
    {
        InstructionSet.Avx512 => DefaultAvx512,
        InstructionSet.Avx2 => DefaultAvx2,
        InstructionSet.AdvSimd => DefaultAdvSimd,
        _ => DefaultPortable,
    };

    private static readonly CostTable DefaultAvx2 = new(InstructionSet.Avx2, "built in",
        Rates(52, 800, 70, 1.9, [new(32 << 10, 140, 90), new(512 << 10, 100, 100), new(16 << 20, 78, 70), new(long.MaxValue, 18, 13)]),
    [
        [100, 0.02, 0.06, 0.06],
        [500, 0.021, 0.16, 0.23],
        [500, 0.02, 0.1, 0.05],
        [120, 0.051],
        [100, 0.25, 0.3, 0.235, 0.23, 1, 0.09, 0.03, 0],
        [500, 0.295, 0.32, 0.22, 0.2, 6, 0.19, 0.26, 0.31],
        [500, 0.34, 0.36, 0.265, 0.26, 11, 0, 0.14, 0],
        [500, 0.036, 40, 0.053, 0.12],
        [200, 0.4, 0.3, 0.06],
    ]);

    private static readonly CostTable DefaultAvx512 = new(InstructionSet.Avx512, "built in",
        Rates(64, 1500, 70, 3, [new(32 << 10, 200, 100), new(1 << 20, 100, 60), new(16 << 20, 30, 25), new(long.MaxValue, 14, 10)]),
    [
        [100, 0.012, 0.04, 0.15],
        [500, 0.014, 0.3, 0.3],
        [500, 0.012, 0.15, 0.15],
        [120, 0.05],
        [100, 0.28, 0.4, 0.22, 0.18, 1, 0.06, 0.025, 0],
        [500, 0.33, 0.45, 0.27, 0.22, 14, 0, 0.25, 0.34],
        [500, 0.37, 0.4, 0.27, 0.22, 7.6, 0, 0.18, 0],
        [500, 0.035, 60, 0.09, 0.33],
        [200, 0.55, 0.3, 0.05],
    ]);

    private static readonly CostTable DefaultPortable = new(InstructionSet.Portable, "built in",
        Rates(26, 1500, 70, 1, [new(32 << 10, 86, 86), new(512 << 10, 86, 90), new(16 << 20, 70, 60), new(long.MaxValue, 14, 12)]),
    [
        [100, 0.068, 0.019, 0.39],
        [500, 0.072, 0.11, 0.39],
        [100, 0.064, 0.15, 0.34],
        [140, 0.056],
        [100, 0.25, 0.29, 0.22, 0.2, 1, 0.11, 0.06, 0],
        [100, 0.27, 0.345, 0.25, 0.22, 11, 0, 0.45, 0.5],
        [500, 0.265, 0.3, 0.25, 0.22, 8.5, 0, 0.1, 0],
        [500, 0.13, 110, 0.05, 0.47],
        [200, 0.25, 0.8, 0.1],
    ]);

    private static readonly CostTable DefaultAdvSimd = new(InstructionSet.AdvSimd, "built in",
        Rates(6, 5000, 4, 0.1, [new(32 << 10, 24, 12), new(1 << 20, 8, 6), new(long.MaxValue, 4, 3)]),
    [
        [300, 0.2, 0.6, 1],
        [1000, 0.22, 0.9, 1],
        [1000, 0.2, 0.6, 0.8],
        [300, 0.9],
        [300, 0.76, 1.1, 0.72, 0.7, 10, 0.5, 0.4, 0],
        [1000, 0.85, 1.3, 0.8, 0.76, 20, 0.3, 1, 1.5],
        [1000, 0.85, 1.1, 0.8, 0.76, 15, 0.8, 0.8, 0],
        [1000, 0.3, 250, 0.5, 1.2],
        [500, 1.2, 1.6, 0.6],
    ]);

    private static MachineCosts Rates(double peak, double handOver, double bytes, double functions, MemoryLevel[] memory) => new()
    {
        PeakMultiplyAddsPerNanosecond = peak,
        Memory = memory,
        HandOverNanoseconds = handOver,
        BytesPerNanosecond = bytes,
        FunctionsPerNanosecond = functions,
    };
}
