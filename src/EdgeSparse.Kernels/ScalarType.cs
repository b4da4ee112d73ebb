namespace EdgeSparse.Kernels;

/// <summary>The type of a buffer's elements as kernels see it. The numbers are those of ONNX TensorProto.DataType, so a graph's element type converts by a cast.</summary>
public enum ScalarType : byte
{
    Undefined = 0,
    Float32 = 1,
    UInt8 = 2,
    Int8 = 3,
    UInt16 = 4,
    Int16 = 5,
    Int32 = 6,
    Int64 = 7,
    /// <summary>One byte, 0 or 1.</summary>
    Bool = 9,
    Float16 = 10,
    Float64 = 11,
    UInt32 = 12,
    UInt64 = 13,
    BFloat16 = 16,
}

/// <summary>Properties of <see cref="ScalarType"/>.</summary>
public static class ScalarTypes
{
    /// <summary>Bytes of one element; 0 for <see cref="ScalarType.Undefined"/> and unknown values.</summary>
    public static int SizeBytes(this ScalarType type) => type switch
    {
        ScalarType.UInt8 or ScalarType.Int8 or ScalarType.Bool => 1,
        ScalarType.UInt16 or ScalarType.Int16 or ScalarType.Float16 or ScalarType.BFloat16 => 2,
        ScalarType.Float32 or ScalarType.Int32 or ScalarType.UInt32 => 4,
        ScalarType.Int64 or ScalarType.Float64 or ScalarType.UInt64 => 8,
        _ => 0,
    };

    /// <summary>True for the floating-point types.</summary>
    public static bool IsFloat(this ScalarType type) => type is ScalarType.Float32 or ScalarType.Float64 or ScalarType.Float16 or ScalarType.BFloat16;
}
