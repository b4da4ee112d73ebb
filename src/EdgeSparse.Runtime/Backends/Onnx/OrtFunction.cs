namespace EdgeSparse.Runtime.Backends.Onnx;

/// <summary>Positions in OrtApi (onnxruntime_c_api.h); once given they never change.</summary>
internal static class OrtFunction
{
    public const int GetErrorMessage = 2;
    public const int CreateEnv = 3;
    public const int CreateSession = 7;
    public const int CreateSessionFromArray = 8;
    public const int Run = 9;
    public const int CreateSessionOptions = 10;
    public const int SetSessionGraphOptimizationLevel = 23;
    public const int SetIntraOpNumThreads = 24;
    public const int SetInterOpNumThreads = 25;
    public const int SessionGetInputCount = 30;
    public const int SessionGetOutputCount = 31;
    public const int SessionGetInputTypeInfo = 33;
    public const int SessionGetOutputTypeInfo = 34;
    public const int SessionGetInputName = 36;
    public const int SessionGetOutputName = 37;
    public const int CreateTensorWithDataAsOrtValue = 49;
    public const int GetTensorMutableData = 51;
    public const int CastTypeInfoToTensorInfo = 55;
    public const int GetTensorElementType = 60;
    public const int GetDimensionsCount = 61;
    public const int GetDimensions = 62;
    public const int GetTensorTypeAndShape = 65;
    public const int CreateCpuMemoryInfo = 69;
    public const int AllocatorFree = 76;
    public const int GetAllocatorWithDefaultOptions = 78;
    public const int ReleaseStatus = 93;
    public const int ReleaseMemoryInfo = 94;
    public const int ReleaseSession = 95;
    public const int ReleaseValue = 96;
    public const int ReleaseTypeInfo = 98;
    public const int ReleaseTensorTypeAndShapeInfo = 99;
    public const int ReleaseSessionOptions = 100;
    public const int GetAvailableProviders = 125;
    public const int ReleaseAvailableProviders = 126;
    public const int AddSessionConfigEntry = 130;
    // From here on those of single providers, which are looked for when a provider is set up.
    public const int AppendTensorRt = 170;
    public const int CreateTensorRtOptions = 171;
    public const int UpdateTensorRtOptions = 172;
    public const int ReleaseTensorRtOptions = 174;
    public const int AppendCuda = 204;
    public const int CreateCudaOptions = 205;
    public const int UpdateCudaOptions = 206;
    public const int ReleaseCudaOptions = 208;

    /// <summary>Those without which nothing can be done.</summary>
    public static ReadOnlySpan<int> Required =>
    [
        GetErrorMessage, CreateEnv, CreateSession, CreateSessionFromArray, Run, CreateSessionOptions, SetSessionGraphOptimizationLevel, SetIntraOpNumThreads, SetInterOpNumThreads, SessionGetInputCount,
        SessionGetOutputCount, SessionGetInputTypeInfo, SessionGetOutputTypeInfo, SessionGetInputName, SessionGetOutputName, CreateTensorWithDataAsOrtValue, GetTensorMutableData, CastTypeInfoToTensorInfo,
        GetTensorElementType, GetDimensionsCount, GetDimensions, GetTensorTypeAndShape, CreateCpuMemoryInfo, AllocatorFree, GetAllocatorWithDefaultOptions, ReleaseStatus, ReleaseMemoryInfo, ReleaseSession,
        ReleaseValue, ReleaseTypeInfo, ReleaseTensorTypeAndShapeInfo, ReleaseSessionOptions, GetAvailableProviders, ReleaseAvailableProviders, AddSessionConfigEntry,
    ];
}
