namespace EdgeSparse.Kernels.DataMovement;

/// <summary>Index tensors: Int32 or Int64, negative values counting from the end.</summary>
internal static unsafe class Indices
{
    public static void Check(string name, ScalarType type)
    {
        if (type is not (ScalarType.Int32 or ScalarType.Int64)) throw new ArgumentException($"{name}: indices of type {type}, expected Int32 or Int64");
    }

    public static long Read(void* indices, ScalarType type, long position) => type == ScalarType.Int32 ? ((int*)indices)[position] : ((long*)indices)[position];

    /// <summary>An index brought into 0 … size − 1: negative ones count from the end, what is still outside is clamped.</summary>
    public static long Resolve(long index, long size) => Math.Clamp(index < 0 ? index + size : index, 0, Math.Max(0, size - 1));

    /// <summary>Copies one slice of a few or many bytes.</summary>
    public static void CopySlice(byte* from, byte* to, long bytes)
    {
        switch (bytes)
        {
            case 1: *to = *from; break;
            case 2: *(ushort*)to = *(ushort*)from; break;
            case 4: *(uint*)to = *(uint*)from; break;
            case 8: *(ulong*)to = *(ulong*)from; break;
            default: Buffer.MemoryCopy(from, to, bytes, bytes); break;
        }
    }
}
