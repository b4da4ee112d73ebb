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
    /// <summary>A type that sessions do not carry in or out: strings, sequences, optionals, float8, int4.</summary>
    NotCarried,
    Failed,
}

/// <summary>Runs one case as a user would: the file is compiled with <c>auto</c>, and the package run by whatever engines it is for.</summary>
internal static class AutoCaseRunner
{
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1031", Justification = "Whatever a case throws is that case's failure, and the other cases still run.")]
    public static (AutoOutcome Outcome, string Reason) Run(NodeCase node, string folder)
    {
        try
        {
            OnnxModel model = OnnxModel.Parse(node.Model, node.Name);
            if (model.Graph.Inputs.Concat(model.Graph.Outputs).FirstOrDefault(info => info.Kind != "tensor") is { } other) return (AutoOutcome.NotCarried, $"'{other.Name}' is {(other.Kind.Length == 0 ? "of no declared type" : $"a {other.Kind}")}");
            if (model.Graph.Inputs.Concat(model.Graph.Outputs).FirstOrDefault(info => ((ElementType)info.DataType).SizeBytes() == 0) is { } exotic) return (AutoOutcome.NotCarried, $"'{exotic.Name}' is {TensorDecoder.TypeName(exotic.DataType)}");
            string path = Path.Combine(folder, "model.onnx");
            File.WriteAllBytes(path, node.Model);
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

    /// <summary>How the library says that it has no kernel for an operator, a type or a version.</summary>
    private static bool IsLacking(string message) => new[] { "NOT_IMPLEMENTED", "Could not find an implementation", "is not a registered function/op", "No Op registered", "is under development", "ai.onnx.preview", "Unsupported model IR version", "not supported" }
        .Any(words => message.Contains(words, StringComparison.OrdinalIgnoreCase));

    private static (AutoOutcome, string) RunSet(NodeCase node, OnnxModel model, int set, string path)
    {
        var decoder = new TensorDecoder("");
        var options = new CompileOptions();
        var inputs = new Dictionary<string, Tensor>();
        int index = 0;
        foreach (OnnxValueInfo input in model.Graph.Inputs)
        {
            if (model.Graph.Initializers.Exists(tensor => tensor.Name == input.Name)) continue;
            OnnxTensor stored = NodeCaseRunner.ReadTensor(node.Inputs[(set, index++)], node.Name);
            if (stored.DataType != input.DataType) return (AutoOutcome.Failed, "the archive's data do not have the type that the model declares");
            inputs[input.Name] = decoder.Decode(stored);
            options.InputShapes[input.Name] = inputs[input.Name].Shape;
        }
        CompileResult compiled = ModelCompiler.Compile(path, options);
        if (compiled.Package is not { } package) return (AutoOutcome.NotInOnnxRuntime, string.Join("; ", compiled.Unsupported));
        var library = new OnnxRuntimeOptions { LibraryPath = OnnxRuntimeLibrary.Path, Threads = 1, InputShapes = options.InputShapes };
        using IInferenceSession session = SessionFactory.Create(package, new SessionOptions { Threads = 1 }, library);
        for (int i = 0; i < session.Inputs.Count; i++)
        {
            Tensor input = inputs[session.Inputs[i].Name];
            if (input.Type != session.Inputs[i].Type) return (AutoOutcome.NotCarried, $"input '{session.Inputs[i].Name}' is {session.Inputs[i].Type}");
            input.Data.Span.CopyTo(session.Input(i));
        }
        session.Run();
        for (int i = 0; i < session.Outputs.Count; i++)
        {
            OnnxTensor stored = NodeCaseRunner.ReadTensor(node.Outputs[(set, i)], node.Name);
            if (stored.DataType != model.Graph.Outputs[i].DataType) return (AutoOutcome.Failed, "the archive's data do not have the type that the model declares");
            Tensor expected = decoder.Decode(stored);
            if (expected.Type != session.Outputs[i].Type) return (AutoOutcome.NotCarried, $"output '{session.Outputs[i].Name}' is {session.Outputs[i].Type}");
            if (NodeCaseRunner.Difference(expected, session.Outputs[i] with { Shape = session.OutputShape(i) }, session.Output(i), stored.DataType) is { } difference)
                return (AutoOutcome.Failed, $"{session.Backend}: output {i} '{session.Outputs[i].Name}': {difference}");
        }
        return (compiled.Backend switch { CompileBackend.Native => AutoOutcome.Native, CompileBackend.Mixed => AutoOutcome.Mixed, _ => AutoOutcome.OnnxRuntime }, "");
    }
}
