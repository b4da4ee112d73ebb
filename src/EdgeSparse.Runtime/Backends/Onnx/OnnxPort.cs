using System.Runtime.InteropServices;
using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Backends.Onnx;

/// <summary>One input or output of a model that ONNX Runtime runs: where its bytes are, for the library and for the caller.</summary>
internal sealed unsafe class OnnxPort
{
    private const int Alignment = 64;

    private readonly OnnxRuntimeApi _api;
    private byte* _own;
    private int _libraryType;
    private NarrowType? _narrow;
    private byte* _stored; // as the library sees it, where callers see a wider type

    public OnnxPort(OnnxRuntimeApi api, string name)
    {
        _api = api;
        Name = name;
        NativeName = Marshal.StringToCoTaskMemUTF8(name);
    }

    public string Name { get; }

    /// <summary>The name as the library takes it.</summary>
    public nint NativeName { get; private set; }

    /// <summary>The type presented to callers; undefined for what is not a tensor or of a type that EdgeSparse does not carry.</summary>
    public ElementType Type { get; private set; }

    /// <summary>As the model declares them, −1 where open.</summary>
    public long[] Dimensions { get; set; } = [];

    /// <summary>True where the model itself says that the shape is the same in every run.</summary>
    public bool IsFixed => Type != ElementType.Undefined && Array.TrueForAll(Dimensions, dimension => dimension > 0);

    /// <summary>Shape in the last run.</summary>
    public Shape Shape { get; private set; } = Shape.Scalar;

    public int Elements { get; private set; } = 1;

    public int SizeBytes { get; private set; }

    /// <summary>The bytes as callers see them.</summary>
    public byte* Data { get; private set; }

    /// <summary>An OrtValue over <see cref="Data"/>, or over the narrower elements that it is made of; 0 where the library allocates.</summary>
    public nint Value { get; private set; }

    public TensorInfo Info => new(Name, Type, Shape) { VaryingAxes = IsFixed ? [] : [.. Dimensions.Select((size, axis) => (size, axis)).Where(pair => pair.size < 0).Select(pair => pair.axis)] };

    /// <summary>Takes the type that the model declares, by the library's number of it. False where EdgeSparse does not carry it.</summary>
    public bool SetType(int libraryType, bool mayBeNarrow)
    {
        _libraryType = NarrowType.NumberToMake(libraryType);
        _narrow = NarrowType.Of(libraryType);
        // The numbers of types that are not narrow are those of ONNX.
        ElementType type = _narrow?.Presented ?? (libraryType is > 0 and <= byte.MaxValue ? (ElementType)libraryType : ElementType.Undefined);
        Type = type.SizeBytes() > 0 && (mayBeNarrow || _narrow is null) ? type : ElementType.Undefined;
        return Type != ElementType.Undefined;
    }

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
        if (_narrow is { } narrow)
        {
            bytes = narrow.StoredBytes(Elements);
            stored = _stored = Allocate(bytes);
        }
        Span<long> dimensions = stackalloc long[Limits.Rank];
        for (int i = 0; i < Shape.Rank; i++) dimensions[i] = Shape[i];
        nint value;
        fixed (long* pointer = dimensions)
        {
            _api.Check(((delegate* unmanaged[Cdecl]<nint, void*, nuint, long*, nuint, int, nint*, nint>)_api[OrtFunction.CreateTensorWithDataAsOrtValue])(
                memoryInfo, stored, (nuint)bytes, pointer, (nuint)Shape.Rank, _libraryType, &value));
        }
        Value = value;
    }

    /// <summary>Takes over where the library left an output.</summary>
    public void Take(byte* data)
    {
        if (_narrow is not { } narrow)
        {
            Data = data;
            return;
        }
        if (_own != null) NativeMemory.AlignedFree(_own);
        Data = _own = Allocate(SizeBytes);
        narrow.Widen(data, Data, Elements);
    }

    /// <summary>What callers wrote, for the library.</summary>
    public void Narrow()
    {
        if (_stored != null) _narrow!.Narrow(Data, _stored, Elements);
    }

    /// <summary>What the library wrote, for callers.</summary>
    public void Widen()
    {
        if (_stored != null) _narrow!.Widen(_stored, Data, Elements);
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
        NativeMemory.AlignedFree(_stored);
        _own = null;
        _stored = null;
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
