using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Cli.Models;

/// <summary>.npy files as inputs and outputs of a session.</summary>
internal static class TensorFiles
{
    /// <summary>A tensor's name as part of a file name: what is not a letter, digit, '.', '-' or '_' becomes '_'.</summary>
    public static string FileName(string tensor) => string.Concat(tensor.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '_'));

    /// <summary>An output with the shape that it has after the last run.</summary>
    public static TensorInfo LastOutput(IInferenceSession session, int index) => session.Outputs[index] with { Shape = session.OutputShape(index), VaryingAxes = [] };

    /// <summary>Copies a file's array to input <paramref name="index"/>; float16 and float64 become the float32 that the session takes.</summary>
    public static void Load(string path, IInferenceSession session, int index)
    {
        Tensor tensor = NpyFile.Read(path);
        TensorInfo input = session.Inputs[index];
        if (tensor.Shape != input.Shape) throw new CliException(ExitCode.Data, $"{path}: shape {tensor.Shape}, input '{input.Name}' expects {input.Shape}");
        Convert(tensor, input.Type, path, $"input '{input.Name}'").Span.CopyTo(session.Input(index));
    }

    /// <summary>
    /// How many runs' worth of <paramref name="tensor"/> the stored array is: 1 where the shapes are equal, N where samples are stacked on a new leading axis [N, shape…] or
    /// along the first, [N·first, rest…]; 0 where it does not fit.
    /// </summary>
    public static int Samples(Shape stored, Shape tensor)
    {
        if (stored == tensor) return 1;
        if (stored.Rank == tensor.Rank + 1 && stored.Dimensions[1..].SequenceEqual(tensor.Dimensions)) return stored[0];
        bool alongFirst = stored.Rank == tensor.Rank && stored.Rank > 0 && tensor[0] > 0 && stored.Dimensions[1..].SequenceEqual(tensor.Dimensions[1..]) && stored[0] % tensor[0] == 0;
        return alongFirst ? stored[0] / tensor[0] : 0;
    }

    /// <summary>The array's bytes as <paramref name="type"/>; only floats are converted.</summary>
    public static ReadOnlyMemory<byte> Convert(Tensor tensor, ElementType type, string path, string what)
    {
        if (tensor.Type == type) return tensor.Data;
        if (type != ElementType.Float32 || tensor.Type is not (ElementType.Float16 or ElementType.Float64))
            throw new CliException(ExitCode.Data, $"{path}: elements are {tensor.Type}, {what} expects {type}");
        var floats = new float[tensor.Shape.ElementCount];
        if (tensor.Type == ElementType.Float16)
        {
            ReadOnlySpan<Half> halves = tensor.Span<Half>();
            for (int i = 0; i < floats.Length; i++) floats[i] = (float)halves[i];
        }
        else
        {
            ReadOnlySpan<double> doubles = tensor.Span<double>();
            for (int i = 0; i < floats.Length; i++) floats[i] = (float)doubles[i];
        }
        return Tensor.FromFloats(tensor.Shape, floats).Data;
    }

    /// <summary>Fills every input with seeded values: floats and small integers of a fixed distribution, so that two sessions get the same.</summary>
    public static void Randomize(IInferenceSession session, ulong seed)
    {
        for (int index = 0; index < session.Inputs.Count; index++)
        {
            var random = new SeededRandom(seed + (ulong)index);
            TensorInfo input = session.Inputs[index];
            Span<byte> bytes = session.Input(index);
            switch (input.Type)
            {
                case ElementType.Float32:
                    foreach (ref float value in System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes)) value = random.Normal();
                    break;
                case ElementType.Float64:
                    foreach (ref double value in System.Runtime.InteropServices.MemoryMarshal.Cast<byte, double>(bytes)) value = random.Normal();
                    break;
                case ElementType.Int64:
                    foreach (ref long value in System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(bytes)) value = random.Below(8);
                    break;
                case ElementType.Int32:
                    foreach (ref int value in System.Runtime.InteropServices.MemoryMarshal.Cast<byte, int>(bytes)) value = random.Below(8);
                    break;
                case ElementType.UInt8 or ElementType.Int8:
                    foreach (ref byte value in bytes) value = (byte)random.Below(128);
                    break;
                case ElementType.Bool:
                    foreach (ref byte value in bytes) value = (byte)random.Below(2);
                    break;
                default: throw new CliException(ExitCode.Data, $"input '{input.Name}' is {input.Type}: give it as .npy, no random values are made for this type");
            }
        }
    }
}
