using System.Runtime.InteropServices;
using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Backends.Onnx;

/// <summary>One input or output of a model that ONNX Runtime runs: where its bytes are, for the library and for the caller.</summary>
internal sealed unsafe class OnnxPort
{
    private const int Alignment = 64;

    private readonly OnnxRuntimeApi _api;
    private byte* _own;

    public OnnxPort(OnnxRuntimeApi api, string name)
    {
        _api = api;
        Name = name;
        NativeName = Marshal.StringToCoTaskMemUTF8(name);
    }

    public string Name { get; }

    /// <summary>The name as the library takes it.</summary>
    public nint NativeName { get; private set; }

    /// <summary>As the model declares it; undefined for what is not a tensor or of a type that EdgeSparse does not carry.</summary>
    public ElementType StoredType { get; set; }

    /// <summary>The type presented to callers.</summary>
    public ElementType Type => StoredType == ElementType.Float16 ? ElementType.Float32 : StoredType;

    /// <summary>As the model declares them, −1 where open.</summary>
    public long[] Dimensions { get; set; } = [];

    /// <summary>True where the model itself says that the shape is the same in every run.</summary>
    public bool IsFixed => StoredType != ElementType.Undefined && Array.TrueForAll(Dimensions, dimension => dimension > 0);

    /// <summary>Shape in the last run.</summary>
    public Shape Shape { get; private set; } = Shape.Scalar;

    public int Elements { get; private set; } = 1;

    public int SizeBytes { get; private set; }

    /// <summary>The bytes as callers see them.</summary>
    public byte* Data { get; private set; }

    /// <summary>Float16 as the library sees it, where <see cref="Data"/> is float32.</summary>
    public Half* HalfData { get; private set; }

    /// <summary>An OrtValue over <see cref="Data"/> or <see cref="HalfData"/>; 0 where the library allocates.</summary>
    public nint Value { get; private set; }

    public TensorInfo Info => new(Name, Type, Shape) { VaryingAxes = IsFixed ? [] : [.. Dimensions.Select((size, axis) => (size, axis)).Where(pair => pair.size < 0).Select(pair => pair.axis)] };

    public void SetShape(Shape shape)
    {
        Shape = shape;
        Elements = checked((int)shape.ElementCount);
        SizeBytes = checked(Elements * Type.SizeBytes());
    }

    /// <summary>Lays the tensor into memory of the caller's, or of its own where <paramref name="memory"/> is null.</summary>
    public void Place(nint memoryInfo, byte* memory)
    {
        FreeMemory();
        if (memory == null) memory = _own = Allocate(SizeBytes);
        Data = memory;
        long bytes = SizeBytes;
        void* stored = memory;
        if (StoredType == ElementType.Float16)
        {
            bytes = Elements * (long)sizeof(Half);
            HalfData = (Half*)Allocate(bytes);
            stored = HalfData;
        }
        Span<long> dimensions = stackalloc long[Limits.Rank];
        for (int i = 0; i < Shape.Rank; i++) dimensions[i] = Shape[i];
        nint value;
        fixed (long* pointer = dimensions)
        {
            _api.Check(((delegate* unmanaged[Cdecl]<nint, void*, nuint, long*, nuint, int, nint*, nint>)_api[OrtFunction.CreateTensorWithDataAsOrtValue])(
                memoryInfo, stored, (nuint)bytes, pointer, (nuint)Shape.Rank, (int)StoredType, &value));
        }
        Value = value;
    }

    /// <summary>Takes over where the library left an output.</summary>
    public void Take(byte* data)
    {
        if (StoredType != ElementType.Float16)
        {
            Data = data;
            return;
        }
        if (_own != null) NativeMemory.AlignedFree(_own);
        Data = _own = Allocate(SizeBytes);
        Widen((Half*)data);
    }

    public void Narrow()
    {
        if (HalfData == null) return;
        float* single = (float*)Data;
        for (int i = 0; i < Elements; i++) HalfData[i] = (Half)single[i];
    }

    public void Widen(Half* stored)
    {
        for (int i = 0; i < Elements; i++) ((float*)Data)[i] = (float)stored[i];
    }

    public void Free()
    {
        FreeMemory();
        if (NativeName != 0) Marshal.FreeCoTaskMem(NativeName);
        NativeName = 0;
    }

    private void FreeMemory()
    {
        if (Value != 0) ((delegate* unmanaged[Cdecl]<nint, void>)_api[OrtFunction.ReleaseValue])(Value);
        Value = 0;
        NativeMemory.AlignedFree(_own);
        NativeMemory.AlignedFree(HalfData);
        _own = null;
        HalfData = null;
        Data = null;
    }

    /// <summary>Zeros, aligned for vectors.</summary>
    private static byte* Allocate(long sizeBytes)
    {
        nuint size = (nuint)Math.Max(Alignment, sizeBytes);
        byte* memory = (byte*)NativeMemory.AlignedAlloc(size, Alignment);
        NativeMemory.Clear(memory, size);
        return memory;
    }
}
