using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using EdgeSparse.Kernels;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Execution;
using EdgeSparse.Runtime.Planning;

namespace EdgeSparse.Arm64;

/// <summary>
/// Writes what model.c maps. Little endian; offsets are from the file's beginning, every block begins at a multiple of 64:
/// magic "ESARMPLN"; as 8-byte integers the layout's fingerprint, the number of steps, the offsets of steps, parameters and constants, the sizes of constants, arena and scratch,
/// the numbers of inputs and outputs; for each input its offset in the arena, the offset of its content and its bytes; for each output whether it lies in the constants, its offset there
/// or in the arena, the offset of the expected content, its bytes, 1 for float32 (else compared bit by bit), and the allowed difference as a share of the largest value (float64).
/// </summary>
internal static unsafe class PlanFile
{
    private const int HeaderIntegers = 11, InputIntegers = 3, OutputIntegers = 6;

    /// <summary>
    /// Float32 sums over thousands of terms in another order, layer after layer, with approximated functions between: as much as `edgesparse verify` allows an output to differ from that
    /// of another engine.
    /// </summary>
    private const double Tolerance = 1e-4;

    /// <summary>Plans the graph for NEON on one thread, computes the expected outputs here, and writes FILE and FILE.steps: for each step its kind, kernel and layer, tab-separated.</summary>
    public static void Write(Graph graph, string path)
    {
        using NativeSession session = NativeSession.Create(graph, new SessionOptions { Threads = 1 });
        for (int i = 0; i < session.Inputs.Count; i++) Fill(session.Inputs[i], session.Input(i), seed: i + 1);
        byte[][] inputs = [.. session.Inputs.Select((_, i) => session.Input(i).ToArray())];
        session.Run();

        PlannedGraph planned = Planner.Plan(graph, new SessionOptions { Threads = 1, Isa = InstructionSet.AdvSimd, PlanOnly = true });
        using BuiltPlan built = planned.Built;
        Plan* plan = built.Plan;
        var blocks = new List<byte[]>();
        long next = AlignUp(sizeof(long) * (HeaderIntegers + InputIntegers * inputs.Length + OutputIntegers * session.Outputs.Count));
        var header = new MemoryStream();
        var writer = new BinaryWriter(header);
        writer.Write("ESARMPLN"u8);
        writer.Write(PlanLayoutCheck.Fingerprint());
        writer.Write((long)plan->StepCount);
        writer.Write(Block(built.Steps));
        writer.Write(Block(built.Parameters));
        writer.Write(Block(built.Constants));
        writer.Write(built.Constants.SizeBytes);
        writer.Write(built.Arena.SizeBytes);
        writer.Write(built.Scratch.SizeBytes);
        writer.Write((long)inputs.Length);
        writer.Write((long)session.Outputs.Count);
        for (int i = 0; i < inputs.Length; i++)
        {
            writer.Write(planned.InputOffsets[i]);
            writer.Write(Add(inputs[i]));
            writer.Write((long)inputs[i].Length);
        }
        for (int i = 0; i < session.Outputs.Count; i++)
        {
            byte[] expected = session.Output(i).ToArray();
            writer.Write(planned.OutputPlaces[i].Space == AddressSpace.Constants ? 1L : 0L);
            writer.Write(planned.OutputPlaces[i].Offset);
            writer.Write(Add(expected));
            writer.Write((long)expected.Length);
            writer.Write(session.Outputs[i].Type == ElementType.Float32 ? 1L : 0L);
            writer.Write(Tolerance);
        }
        using (FileStream file = File.Create(path))
        {
            Append(file, header.ToArray());
            foreach (byte[] block in blocks) Append(file, block);
        }

        var steps = new StringBuilder();
        for (int i = 0; i < plan->StepCount; i++)
        {
            Step step = plan->Steps[i];
            LayerDescription? layer = step.Node < planned.Description.Layers.Count ? planned.Description.Layers[step.Node] : null;
            steps.Append(CultureInfo.InvariantCulture, $"{step.Kind}\t{layer?.Kernel ?? "output"}\t{layer?.EffectiveMultiplyAdds ?? 0}\t{layer?.Name}\n");
        }
        File.WriteAllText($"{path}.steps", steps.ToString());

        long Block(NativeBlock block) => Add(new ReadOnlySpan<byte>(block.Pointer, checked((int)block.SizeBytes)).ToArray());

        long Add(byte[] content)
        {
            long offset = next;
            blocks.Add(content);
            next = AlignUp(next + content.Length);
            return offset;
        }
    }

    private static void Append(FileStream file, byte[] content)
    {
        file.Write(content);
        file.SetLength(AlignUp(file.Length));
        file.Position = file.Length;
    }

    private static long AlignUp(long bytes) => NativeBlock.AlignUp(bytes);

    /// <summary>Repeatable values like those of a scaled picture, 0 to 1.</summary>
    private static void Fill(TensorInfo input, Span<byte> content, int seed)
    {
        if (input.Type != ElementType.Float32) throw new NotSupportedException($"input '{input.Name}' is {input.Type}, expected {ElementType.Float32}");
        var random = new Random(seed);
        foreach (ref float value in MemoryMarshal.Cast<byte, float>(content)) value = random.NextSingle();
    }
}
