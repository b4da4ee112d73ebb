using System.Runtime.InteropServices;
using EdgeSparse.Model;

namespace EdgeSparse.Runtime;

/// <summary>Runs the self-test of a package on a session, and makes one. Overwrites the session's inputs.</summary>
public static class SessionSelfTest
{
    /// <summary>Share of an output's greatest magnitude by which its elements may differ: room for other instruction sets, engines and half precision.</summary>
    public const double Tolerance = 0.02;

    /// <summary>
    /// What the model does wrong here, or null. Without a stored test (<paramref name="test"/> null) its inputs are run as they are, zeros in a new session, and only
    /// looked at for values that are not finite.
    /// </summary>
    public static string? Problem(IInferenceSession session, SelfTest? test)
    {
        ArgumentNullException.ThrowIfNull(session);
        if (test is null)
        {
            session.Run();
            return NotFinite(session);
        }
        foreach (NamedTensor input in test.Inputs)
        {
            int index = Find(session.Inputs, input.Name);
            if (index < 0) return $"the self-test is for an input '{input.Name}', which the model does not have";
            Span<byte> target = session.Input(index);
            if (session.Inputs[index].Type != input.Tensor.Type || target.Length != input.Tensor.Data.Length) return $"the self-test's input '{input.Name}' is {input.Tensor.Type} {input.Tensor.Shape}, the model's {session.Inputs[index].Type} {session.Inputs[index].Shape}";
            input.Tensor.Data.Span.CopyTo(target);
        }
        if (test.Inputs.Count != session.Inputs.Count) return $"the self-test has {test.Inputs.Count} inputs, the model {session.Inputs.Count}";
        session.Run();
        foreach (ExpectedOutput output in test.Outputs)
        {
            int index = Find(session.Outputs, output.Name);
            if (index < 0) return $"the self-test is for an output '{output.Name}', which the model does not have";
            if (SelfTest.Difference(output, session.Output(index)) is { } difference) return difference;
        }
        return null;
    }

    /// <summary>Where an output of the last run holds a value that is not finite; null where none does. Allocates only where it finds one.</summary>
    public static string? NotFinite(IInferenceSession session)
    {
        ArgumentNullException.ThrowIfNull(session);
        for (int i = 0; i < session.Outputs.Count; i++)
            if (session.Outputs[i].Type == ElementType.Float32 && NotFinite(session.Output(i)) is >= 0 and int at) return $"output '{session.Outputs[i].Name}' [{at}] is not finite";
        return null;
    }

    /// <summary>Runs the inputs as they are in the session now, and keeps them with the outputs.</summary>
    public static SelfTest Record(IInferenceSession session)
    {
        ArgumentNullException.ThrowIfNull(session);
        List<NamedTensor> inputs = [];
        for (int i = 0; i < session.Inputs.Count; i++)
            inputs.Add(new NamedTensor(session.Inputs[i].Name, new Tensor(session.Inputs[i].Type, session.Inputs[i].Shape, session.Input(i).ToArray())));
        session.Run();
        List<ExpectedOutput> outputs = [];
        for (int i = 0; i < session.Outputs.Count; i++)
        {
            TensorInfo output = session.Outputs[i];
            // What differs from run to run in shape has no one answer.
            if (output.VaryingAxes.Count > 0) continue;
            byte[] bytes = session.Output(i).ToArray();
            double tolerance = 0;
            if (output.Type == ElementType.Float32)
            {
                if (NotFinite(bytes) >= 0) throw new ModelFormatException($"output '{output.Name}' is not finite for this input; a self-test needs an input that the model can answer");
                foreach (float value in MemoryMarshal.Cast<byte, float>(bytes)) tolerance = Math.Max(tolerance, Math.Abs((double)value));
                tolerance = Math.Max(tolerance * Tolerance, 1e-6);
            }
            outputs.Add(new ExpectedOutput(output.Name, new Tensor(output.Type, output.Shape, bytes), tolerance));
        }
        if (outputs.Count == 0) throw new ModelFormatException("no output has a fixed shape, so there is nothing that a self-test could compare");
        return new SelfTest(inputs, outputs);
    }

    private static int NotFinite(ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(bytes);
        for (int i = 0; i < values.Length; i++)
            if (!float.IsFinite(values[i])) return i;
        return -1;
    }

    private static int Find(IReadOnlyList<TensorInfo> tensors, string name)
    {
        for (int i = 0; i < tensors.Count; i++)
            if (tensors[i].Name == name) return i;
        return -1;
    }
}
