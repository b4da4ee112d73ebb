using System.Security.Cryptography;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Partitioning;
using EdgeSparse.Compiler.SparseAttention;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Compiler.Tokens;
using EdgeSparse.Kernels;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Compiler;

/// <summary>ONNX file to package: import, passes, sparse weights, manifest, and the choice of the engine.</summary>
public static class ModelCompiler
{
    /// <summary>
    /// Compiles a model. A model that the chosen engine cannot run gives a result without package whose <see cref="CompileResult.Unsupported"/> names node,
    /// operator and domain. Throws <see cref="ModelFormatException"/> where the file is not a valid model or an input's shape is open, <see cref="TokenReductionException"/> where its tokens
    /// cannot be reduced as asked.
    /// </summary>
    public static CompileResult Compile(string onnxPath, CompileOptions options)
    {
        ArgumentNullException.ThrowIfNull(onnxPath);
        ArgumentNullException.ThrowIfNull(options);
        Check(options);
        return Compile(OnnxModel.Read(onnxPath), options);
    }

    /// <summary>The same of a model that was read already; manifest and labels are looked for beside <see cref="OnnxModel.Path"/>.</summary>
    public static CompileResult Compile(OnnxModel model, CompileOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        Check(options);
        var result = new CompileResult();
        Manifest manifest = ManifestFiles.Of(model.Path, options.Manifest, result.Notes);
        manifest.SourceSha256 = Convert.ToHexStringLower(SHA256.HashData(model.FileBytes.Span));
        if (options.Backend != CompileBackend.OnnxRuntime && Native(model, options, result) is { } graph)
        {
            string? measured = null;
            bool elsewhere = options.Backend == CompileBackend.Auto && options.Tokens is null && options.Attention is null && IsForOnnxRuntime(model, options, out measured);
            result.Backend = elsewhere ? CompileBackend.OnnxRuntime : CompileBackend.Native;
            result.Package = elsewhere ? new ModelPackage(manifest, null, OnnxBytes(model)) : new ModelPackage(manifest, graph);
            result.Notes.Add($"every operator is supported natively: the package is for {(elsewhere ? "ONNX Runtime all the same" : "the native engine")}{(measured is null ? "" : $"; {measured}")}");
            return result;
        }
        if (options.Attention is { } sparse)
            throw new SparseAttentionException($"sparse attention '{sparse}' needs the native engine, which cannot run {result.Unsupported[0]}{(result.Unsupported.Count > 1 ? $" and {result.Unsupported.Count - 1} more" : "")}");
        if (options.Tokens is { } reduction)
            throw new TokenReductionException($"token reduction '{reduction}' needs the native engine, which cannot run {result.Unsupported[0]}{(result.Unsupported.Count > 1 ? $" and {result.Unsupported.Count - 1} more" : "")}");
        result.Backend = options.Backend == CompileBackend.Native ? CompileBackend.Native : CompileBackend.OnnxRuntime;
        if (options.Backend == CompileBackend.Native || ForeignOperators(model, result.Unsupported)) return result;
        if (options.Backend is CompileBackend.Auto or CompileBackend.Mixed)
        {
            string cause = $"the native engine cannot run {result.Unsupported[0]}{(result.Unsupported.Count > 1 ? $" and {result.Unsupported.Count - 1} more" : "")}";
            if (Partitioner.Divide(model, options, result.Notes) is { } parts)
            {
                result.Backend = CompileBackend.Mixed;
                result.Package = new ModelPackage(manifest, parts);
                result.Notes.Add($"{cause}: the package is in {parts.Parts.Count} parts for both engines");
                return result;
            }
            if (options.Backend == CompileBackend.Mixed) return result;
            result.Notes.Add($"{cause}: the package is for ONNX Runtime");
        }
        result.Package = new ModelPackage(manifest, null, OnnxBytes(model));
        return result;
    }

    private static void Check(CompileOptions options)
    {
        if (options.Tokens is { } tokens && options.Backend == CompileBackend.OnnxRuntime) throw new TokenReductionException($"token reduction '{tokens}' needs the native engine, and the package is to be for ONNX Runtime");
        if (options.Attention is { } attention)
        {
            if (options.Backend == CompileBackend.OnnxRuntime) throw new SparseAttentionException($"sparse attention '{attention}' needs the native engine, and the package is to be for ONNX Runtime");
            if (options.Tokens is not null && attention.Kind == SparseAttentionKind.Window) throw new SparseAttentionException($"sparse attention '{attention}' needs all patches of the grid, and token reduction '{options.Tokens}' takes some away");
        }
    }

    /// <summary>The graph for the native engine, or null with the reasons in <paramref name="result"/>.</summary>
    private static Graph? Native(OnnxModel model, CompileOptions options, CompileResult result)
    {
        var import = new ImportOptions();
        foreach ((string name, Shape shape) in options.InputShapes) import.InputShapes[name] = shape;
        ImportResult imported = OnnxImporter.Import(model, import);
        result.Notes.AddRange(imported.Notes);
        result.Unsupported.AddRange(imported.Unsupported);
        if (imported.Graph is not { } graph) return null;
        Finish(graph, options, result.Notes, result.Unsupported, () =>
        {
            if (options.Attention is { } attention) AttentionSparsifier.Apply(graph, attention, options.Costs?.Isa ?? InstructionSets.Best, result.Notes);
            if (options.Tokens is not { } tokens) return;
            result.Tokens = TokenReduction.Apply(graph, tokens);
            result.Notes.Add(result.Tokens.ToString());
        });
        return result.Unsupported.Count == 0 ? graph : null;
    }

    /// <summary>Passes, what is to be done after them, and sparse weights; what no kernel computes is added to <paramref name="unsupported"/>, and ends it.</summary>
    internal static void Finish(Graph graph, CompileOptions options, List<string> notes, List<UnsupportedOperator> unsupported, Action? afterPasses = null)
    {
        if (options.Optimize) GraphPasses.Run(graph, notes);
        unsupported.AddRange(Unsupported(graph));
        if (unsupported.Count > 0) return;
        if (SparsityRecognition.Summary(SparsityRecognition.Of(graph)) is { } sparse) notes.Add(sparse);
        afterPasses?.Invoke();
        SparseSelection.Apply(graph, options.SparseThreshold, notes);
        GraphValidator.Validate(graph);
    }

    /// <summary>The operators of a graph for which the native engine has no kernel.</summary>
    public static IReadOnlyList<UnsupportedOperator> Unsupported(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var unsupported = new List<UnsupportedOperator>();
        foreach (Node node in graph.Nodes)
            if (NativeSupport.Check(node) is { } reason) unsupported.Add(new UnsupportedOperator(node.Name, node.Kind.ToString(), "ai.onnx", reason));
        return unsupported;
    }

    /// <summary>True where the native engine could run the whole model, but ONNX Runtime was measured to be faster.</summary>
    private static bool IsForOnnxRuntime(OnnxModel model, CompileOptions options, out string? measured)
    {
        var choices = new EngineChoices(model, options);
        return choices.IsForOnnxRuntime(choices.Signature([]), out measured);
    }

    /// <summary>Adds every operator of a domain that ONNX Runtime does not come with; true where there is one.</summary>
    private static bool ForeignOperators(OnnxModel model, List<UnsupportedOperator> unsupported)
    {
        bool foreign = false;
        var graphs = new Stack<OnnxGraph>([model.Graph]);
        while (graphs.TryPop(out OnnxGraph? graph))
        {
            foreach (OnnxNode node in graph.Nodes)
            {
                foreach (OnnxAttribute attribute in node.Attributes)
                    if (attribute.Graph is { } inner) graphs.Push(inner);
                string domain = OnnxOpset.Normalise(node.Domain);
                if (domain is "" or "ai.onnx.ml" or "com.microsoft" || model.FunctionCount > 0) continue;
                foreign = true;
                if (!unsupported.Exists(known => known.Node == node.DisplayName && known.Operator == node.OpType))
                    unsupported.Add(new UnsupportedOperator(node.DisplayName, node.OpType, domain, "ONNX Runtime has no operators of this domain"));
            }
        }
        return foreign;
    }

    /// <summary>The model as one file: external tensors are brought in.</summary>
    private static ReadOnlyMemory<byte> OnnxBytes(OnnxModel model)
    {
        if (!model.InlineExternalData()) return model.FileBytes;
        using var stream = new MemoryStream();
        model.Write(stream);
        return stream.GetBuffer().AsMemory(0, (int)stream.Length);
    }
}
