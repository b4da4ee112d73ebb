using System.Runtime.InteropServices;
using System.Text;

namespace EdgeSparse.Arm64;

/// <summary>
/// Writes the cases that harness.c runs. Little endian, every field 8 bytes unless said otherwise:
/// magic "ESARMCHK"; then for each case: 1, operation, task count, scratch bytes, parameter bytes, 64 bytes of name (kernel · shape class, zero-terminated), the parameter structure;
/// six buffers, each: kind (0 none, 1 input, 2 float32 result, 3 result compared bit by bit), bytes, content. The content of a result is the expected one, for kind 2 followed by the
/// allowed error of each element (float32). A result buffer is first filled with the bytes of <c>initial</c> if the kernel works in place, else with NaN bytes: kind 4 is a float32 result
/// that begins as given: content, expected, allowed errors. At the end: 0.
/// </summary>
internal sealed unsafe class CaseFile : IDisposable
{
    public const int BufferCount = 6, NameBytes = 64;

    private readonly string path;
    /// <summary>Cases by kernel in the order of first appearance.</summary>
    private readonly List<(string Kernel, MemoryStream Cases, List<string> Names)> kernels = [];

    public CaseFile(string path) => this.path = path;

    public int Count { get; private set; }

    public void Add<T>(Operation operation, string name, in T parameters, int taskCount, long scratchBytes, params Tensor[] buffers) where T : unmanaged
    {
        byte[] text = Encoding.UTF8.GetBytes(name);
        if (text.Length >= NameBytes || buffers.Length > BufferCount) throw new ArgumentException($"case '{name}': name of {text.Length} bytes, {buffers.Length} buffers");
        string kernel = name.Split(" · ")[0];
        int index = kernels.FindIndex(entry => entry.Kernel == kernel);
        if (index < 0)
        {
            index = kernels.Count;
            kernels.Add((kernel, new MemoryStream(), []));
        }
        kernels[index].Names.Add(name);
        var writer = new BinaryWriter(kernels[index].Cases);
        writer.Write(1L);
        writer.Write((long)operation);
        writer.Write((long)taskCount);
        writer.Write(scratchBytes);
        writer.Write((long)sizeof(T));
        writer.Write(text);
        writer.Write(new byte[NameBytes - text.Length]);
        writer.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in parameters)));
        for (int i = 0; i < BufferCount; i++)
        {
            Tensor tensor = i < buffers.Length ? buffers[i] : Tensor.None;
            writer.Write((long)tensor.Kind);
            writer.Write((long)tensor.Content.Length);
            writer.Write(tensor.Initial);
            writer.Write(tensor.Content);
            writer.Write(MemoryMarshal.AsBytes<float>(tensor.Allowed));
        }
        writer.Flush();
        Count++;
    }

    /// <summary>Writes the file, the cases of a kernel together, and FILE.names: a line for each case, in the file's order.</summary>
    public void Dispose()
    {
        using FileStream file = File.Create(path);
        file.Write("ESARMCHK"u8);
        foreach (var (_, cases, _) in kernels)
        {
            cases.Position = 0;
            cases.CopyTo(file);
            cases.Dispose();
        }
        file.Write(BitConverter.GetBytes(0L));
        File.WriteAllLines($"{path}.names", kernels.SelectMany(kernel => kernel.Names));
    }
}

/// <summary>One buffer of a case.</summary>
internal sealed record Tensor(int Kind, byte[] Content, byte[] Initial, float[] Allowed)
{
    public static Tensor None { get; } = new(0, [], [], []);

    public static Tensor Input<T>(params T[] values) where T : unmanaged => new(1, MemoryMarshal.AsBytes<T>(values).ToArray(), [], []);

    /// <summary>A result whose elements may differ by the allowed errors.</summary>
    public static Tensor Result(float[] expected, float[] allowed) => new(2, MemoryMarshal.AsBytes<float>(expected).ToArray(), [], allowed);

    /// <summary>A result whose bits are known.</summary>
    public static Tensor Exact<T>(params T[] expected) where T : unmanaged => new(3, MemoryMarshal.AsBytes<T>(expected).ToArray(), [], []);

    /// <summary>A buffer that is changed in place.</summary>
    public static Tensor InPlace(float[] initial, float[] expected, float[] allowed) =>
        new(4, MemoryMarshal.AsBytes<float>(expected).ToArray(), MemoryMarshal.AsBytes<float>(initial).ToArray(), allowed);
}
