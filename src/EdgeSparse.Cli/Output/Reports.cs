namespace EdgeSparse.Cli.Output;

/// <summary>A model as reports name it.</summary>
internal sealed record ModelName(string File, string Name, string Version, string? Sha256);

internal sealed record TensorReport(string Name, string Type, int[] Shape);

internal sealed record KernelReport(string Operation, string Name, string InstructionSet, bool Usable);

internal sealed record KernelsReport(
    string Schema, string Processor, int Processors, string[] ProcessorFeatures, string InstructionSet, string BestOfProcessor, bool RebuildWouldHelp, bool AheadOfTime, KernelReport[] Kernels);

internal sealed record CompileReport(
    string Schema, ModelName Model, string Output, long OutputBytes, string Backend, string[] Reasons, TensorReport[] Inputs, TensorReport[] Outputs,
    int Layers, long Parameters, long Zeros, int PackedLayers, long MultiplyAdds, PartReport[]? Parts = null);

internal sealed record CandidateReport(string Kernel, int Threads, double PredictedMicroseconds, double? MeasuredMicroseconds, bool Chosen);

/// <summary>The least time that the layer's multiply-adds and bytes take on this machine, and which of the two it is.</summary>
internal sealed record RooflineReport(double ArithmeticMicroseconds, double MemoryMicroseconds, double MultiplyAddsPerByte, double? ShareOfPeak, double? ShareOfRoofline);

internal sealed record LayerReport(
    int Index, string Name, string Operator, string Kernel, int[][] InputShapes, int[][] OutputShapes, long Parameters, long Zeros, string? Pattern, long MultiplyAdds,
    long EffectiveMultiplyAdds, long BytesMoved, int Tasks, bool Parallel, double? Milliseconds, double? LeastMilliseconds = null, string? Signature = null,
    CandidateReport[]? Candidates = null, RooflineReport? Roofline = null);

/// <summary>A stretch of a model for one engine; bytes in and out are those that cross from and to other parts, of tensors whose shape is known.</summary>
internal sealed record PartReport(
    int Index, string Engine, int Operators, string[] Inputs, string[] Outputs, long BytesIn, long BytesOut, string[] Reasons);

/// <summary>Where a layer's zeros stand; shared masks and sets of channels are numbered from 1, null where no other layer has the same.</summary>
internal sealed record LayerSparsityReport(
    string Layer, string Operator, int Outputs, int Inputs, long Zeros, string? Pattern, int EmptyOutputs, int EmptyInputs, int? SharedMask, int? OutputChannels, int? InputChannels);

internal sealed record InspectReport(
    string Schema, ModelName Model, string Backend, string[] Reasons, TensorReport[] Inputs, TensorReport[] Outputs, string InstructionSet, int Threads, int Steps, long ArenaBytes,
    long ConstantBytes, long ScratchBytes, long ActivationBytes, long Parameters, long Zeros, long MultiplyAdds, long EffectiveMultiplyAdds, LayerReport[] Layers, string? Costs = null,
    PartReport[]? Parts = null, int[]? Tokens = null, bool TokensVary = false, LayerSparsityReport[]? Sparsity = null);

internal sealed record OutputComparison(
    string Name, int[] Shape, long Elements, double? MaxAbsoluteError, double? MaxRelativeError, long BeyondTolerance, long? WorstIndex, double? WorstActual, double? WorstExpected, bool Passed);

internal sealed record VerifyReport(
    string Schema, ModelName Model, string Backend, string Reference, double AbsoluteTolerance, double RelativeTolerance, bool Passed, OutputComparison[] Outputs);

internal sealed record EngineTiming(
    string Backend, long Runs, double MinMilliseconds, double P50Milliseconds, double P95Milliseconds, double P99Milliseconds, double MeanMilliseconds, double FramesPerSecond,
    double? GigaflopsPerSecond);

internal sealed record BenchReport(
    string Schema, ModelName Model, string Processor, string InstructionSet, int Threads, double Seconds, long? MultiplyAdds, long? EffectiveMultiplyAdds, EngineTiming? Native,
    EngineTiming? Onnxruntime, double? Speedup, LayerReport[]? Layers, string? Costs = null, EngineTiming? OneThread = null, double? ThreadSpeedup = null,
    ModelName? BaselineModel = null, EngineTiming? Baseline = null, double? BaselineSpeedup = null, EngineTiming? Mixed = null);

internal sealed record MemoryReport(long? SizeBytes, double LoadBytesPerNanosecond, double StoreBytesPerNanosecond);

internal sealed record FormulaReport(string Kernel, Dictionary<string, double> Nanoseconds, int Measurements, double MeanRelativeError);

internal sealed record TuneReport(
    string Schema, string Processor, string InstructionSet, string File, double Seconds, double PeakGigaflopsPerSecond, double HandOverMicroseconds, double BytesPerNanosecond,
    double FunctionsPerNanosecond, MemoryReport[] Memory, FormulaReport[] Formulas, string? Model, int Threads, int MeasuredLayers, EngineReport[] Engines);

/// <summary>A part of a model, or the whole (part −1), with the time of the whole model when either engine runs it.</summary>
internal sealed record EngineReport(int Part, int Operators, string Other, double NativeMilliseconds, double OtherMilliseconds, int Runs);

internal sealed record SynthReport(string Schema, string Architecture, string Output, long OutputBytes, string Pattern, ulong Seed, long Parameters, long Zeros, double Sparsity);

internal sealed record TensorsReport(string Schema, ModelName Model, string Backend, double Milliseconds, TensorReport[] Outputs, string? Folder);

internal sealed record FrameSize(int Width, int Height);

internal sealed record BoxReport(float XMin, float YMin, float XMax, float YMax);

/// <summary>A detection, or for a classifier a class (no box).</summary>
internal sealed record ResultReport(string Label, int LabelId, float Score, BoxReport? Box);

internal sealed record LatencyReport(double Preprocess, double Inference, double Decode);

internal sealed record PictureResult(
    string Schema, string File, FrameSize Frame, ModelName Model, LatencyReport LatencySeconds, ResultReport[] Detections);
