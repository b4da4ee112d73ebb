using EdgeSparse.Compiler;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Backends.Onnx;
using EdgeSparse.Testing;

namespace EdgeSparse.Conformance;

/// <summary>What became of a case that was compiled with <c>auto</c>.</summary>
internal enum AutoOutcome
{
    Native,
    Mixed,
    OnnxRuntime,
    /// <summary>ONNX Runtime's CPU provider has no such operator, type or version.</summary>
    NotInOnnxRuntime,
    /// <summary>Strings, sequences or optionals go in or out, which sessions refuse by name.</summary>
    NotCarried,
    Failed,
}

/// <summary>
/// Runs one case as a user would: the file is compiled with <c>auto</c>, and the package run by whatever engines it is for. What goes in and out is of the types that sessions present:
/// narrow ones are wider there.
/// </summary>
internal static class AutoCaseRunner
{
    // An element of a Fourier transform is a sum over all inputs, so its error is measured by the largest: four units of float32.
    private const double SpectrumTolerance = 1e-6;
    private const int String = 8;

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1031", Justification = "Whatever a case throws is that case's failure, and the other cases still run.")]
    public static (AutoOutcome Outcome, string Reason) Run(NodeCase node, string folder)
    {
        try
        {
            OnnxModel model = OnnxModel.Parse(node.Model, node.Name);
            string path = Path.Combine(folder, "model.onnx");
            File.WriteAllBytes(path, node.Model);
            if (model.Graph.Inputs.Concat(model.Graph.Outputs).FirstOrDefault(info => info.Kind != "tensor" || info.DataType == String) is { } refused) return Refused(refused, path);
            AutoOutcome engine = AutoOutcome.Failed;
            foreach (int set in node.Sets)
            {
                (engine, string reason) = RunSet(node, model, set, path);
                if (engine > AutoOutcome.OnnxRuntime) return (engine, reason);
            }
            return (engine, "");
        }
        catch (OnnxRuntimeException e) when (IsLacking(e.Message))
        {
            return (AutoOutcome.NotInOnnxRuntime, e.Message);
        }
        catch (Exception e)
        {
            return (AutoOutcome.Failed, $"{e.GetType().Name}: {e.Message}");
        }
    }

    /// <summary>How the library says that it has no kernel for an operator, a type, a version or a form.</summary>
    private static bool IsLacking(string message) => new[] { "Could not find an implementation", "Failed to find kernel", "is not supported", "are not supported" }.Any(words => message.Contains(words, StringComparison.Ordinal));

    /// <summary>A model that no session carries is compiled, and refused with the name of what it is refused for when it is loaded.</summary>
    private static (AutoOutcome, string) Refused(OnnxValueInfo info, string path)
    {
        ModelPackage? package = ModelCompiler.Compile(path, new CompileOptions()).Package;
        if (package is null) return (AutoOutcome.Failed, "was not compiled");
        string message = Assert.Throws<OnnxRuntimeException>(() => SessionFactory.Create(package, new SessionOptions { Threads = 1 }, Library()).Dispose()).Message;
        // StringNormalizer asks for its language before types are looked at, and not every machine has it.
        if (message.Contains("Failed to construct locale", StringComparison.Ordinal)) return (AutoOutcome.NotCarried, message);
        string expected = info.Kind == "tensor" ? "string" : "a sequence, an optional or a map";
        return message.Contains($"'{info.Name}'", StringComparison.Ordinal) && message.Contains(expected, StringComparison.Ordinal) ? (AutoOutcome.NotCarried, message) : (AutoOutcome.Failed, message);
    }

    private static OnnxRuntimeOptions Library() => new() { LibraryPath = OnnxRuntimeLibrary.Path, Threads = 1 };

    private static (AutoOutcome, string) RunSet(NodeCase node, OnnxModel model, int set, string path)
    {
        var options = new CompileOptions();
        var inputs = new Dictionary<string, Tensor>();
        int index = 0;
        foreach (OnnxValueInfo input in model.Graph.Inputs)
        {
            if (model.Graph.Initializers.Exists(tensor => tensor.Name == input.Name)) continue;
            OnnxTensor stored = NodeCaseRunner.ReadTensor(node.Inputs[(set, index++)], node.Name);
            if (stored.DataType != input.DataType) return (AutoOutcome.Failed, "the archive's data do not have the type that the model declares");
            inputs[input.Name] = Decode(stored);
            options.InputShapes[input.Name] = inputs[input.Name].Shape;
        }
        CompileResult compiled = ModelCompiler.Compile(path, options);
        if (compiled.Package is not { } package) return (AutoOutcome.NotInOnnxRuntime, string.Join("; ", compiled.Unsupported));
        using IInferenceSession session = SessionFactory.Create(package, new SessionOptions { Threads = 1 }, Library() with { InputShapes = options.InputShapes });
        for (int i = 0; i < session.Inputs.Count; i++)
        {
            Tensor input = inputs[session.Inputs[i].Name];
            if (input.Type != session.Inputs[i].Type) return (AutoOutcome.Failed, $"input '{session.Inputs[i].Name}' is {session.Inputs[i].Type}, expected {input.Type}");
            input.Data.Span.CopyTo(session.Input(i));
        }
        session.Run();
        double ofLargest = model.Graph.Nodes.Exists(operation => operation.OpType is "DFT" or "STFT") ? SpectrumTolerance : 0;
        for (int i = 0; i < session.Outputs.Count; i++)
        {
            OnnxTensor stored = NodeCaseRunner.ReadTensor(node.Outputs[(set, i)], node.Name);
            if (stored.DataType != model.Graph.Outputs[i].DataType) return (AutoOutcome.Failed, "the archive's data do not have the type that the model declares");
            if (NodeCaseRunner.Difference(Decode(stored), session.Outputs[i] with { Shape = session.OutputShape(i) }, session.Output(i), stored.DataType, ofLargest) is { } difference)
                return (AutoOutcome.Failed, $"{session.Backend}: output {i} '{session.Outputs[i].Name}': {difference}");
        }
        return (compiled.Backend switch { CompileBackend.Native => AutoOutcome.Native, CompileBackend.Mixed => AutoOutcome.Mixed, _ => AutoOutcome.OnnxRuntime }, "");
    }

    private static Tensor Decode(OnnxTensor stored) => NarrowTensors.Has(stored.DataType) ? NarrowTensors.Decode(stored) : new TensorDecoder("").Decode(stored);
}
