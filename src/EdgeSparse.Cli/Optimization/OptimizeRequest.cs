using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Compiler.Synthesis;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Cli.Optimization;

/// <summary>What <c>edgesparse optimize</c> was asked for.</summary>
/// <param name="Output">The package to write.</param>
/// <param name="OutputOnnx">The pruned ONNX file to write beside it, or null.</param>
/// <param name="ReportFolder">Folder of the report, or null.</param>
/// <param name="Calibrate">Pictures to calibrate with.</param>
/// <param name="Judge">Pictures to judge by; null: those of <paramref name="Calibrate"/> that calibration leaves.</param>
/// <param name="CalibrationPictures">Most pictures to calibrate with; without <paramref name="Judge"/> half of all at most.</param>
/// <param name="Views">Of each calibration picture so many parts are calibrated with too.</param>
/// <param name="MaxDrop">Most that accuracy, mAP or agreement may lose, as a share.</param>
/// <param name="TimeLimit">When to stop, from the start; null: when all is searched.</param>
/// <param name="Seconds">How long each candidate is timed, in turn with the dense model.</param>
/// <param name="Patterns">In which zeros may stand.</param>
/// <param name="Allocations">How layers may share them.</param>
/// <param name="TokenMethods">Token reductions to try where the model has attention; empty: none.</param>
/// <param name="Exclude">Layers that stay dense.</param>
internal sealed record OptimizeRequest(
    string Onnx, string Output, string? OutputOnnx, string? ReportFolder, string? Manifest, Dictionary<string, Shape> InputShapes, string Calibrate, string? Judge, int CalibrationPictures, int Views, int JudgedPictures,
    double MaxDrop, TimeSpan? TimeLimit, double Seconds, ulong Seed, int Threads, CostTable? Costs, IReadOnlyList<PruningPattern> Patterns, IReadOnlyList<SparsityAllocation> Allocations,
    IReadOnlyList<string> TokenMethods, IReadOnlyList<string> Exclude);
