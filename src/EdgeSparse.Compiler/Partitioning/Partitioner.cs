using EdgeSparse.Compiler.Import;
using EdgeSparse.Kernels;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Compiler.Partitioning;

/// <summary>
/// Divides a model that the native engine cannot run whole: stretches that it can run become graphs, the others ONNX models of their own, and every weight goes to the part that
/// uses it.
/// </summary>
internal static class Partitioner
{
    /// <summary>What one more part costs: a call of ONNX Runtime, and waking its threads or ours.</summary>
    private const long LaunchNanoseconds = 20_000;

    /// <summary>The model in parts, or null with the reason in <paramref name="notes"/> where one engine must or should run it whole.</summary>
    public static PartitionedModel? Divide(OnnxModel model, CompileOptions options, List<string> notes)
    {
        if (Obstacle(model) is { } obstacle)
        {
            notes.Add($"the model cannot be divided between engines: {obstacle}");
            return null;
        }
        model.InlineExternalData();
        CostTable costs = options.Costs ?? CostTable.Default(InstructionSets.Best);
        ModelAnalysis analysis = OnnxImporter.Analyse(model, Import(options), costs);
        var models = new PartModels(model, analysis);
        foreach (OnnxValueInfo output in model.Graph.Outputs)
        {
            if (!models.IsConstant(output.Name) && !model.Graph.Inputs.Exists(input => input.Name == output.Name)) continue;
            notes.Add($"the model cannot be divided between engines: output '{output.Name}' is a constant or an input");
            return null;
        }
        AnalysedNode[] nodes = [.. analysis.Nodes.Where(node => !node.IsConstant)];
        int[] parts = Assign(nodes, analysis, models, model, costs, options.Backend == CompileBackend.Mixed);
        string?[] measured = Choose(nodes, parts, new EngineChoices(model, options));
        if (!parts.Any(part => part % 2 == 0))
        {
            if (measured.OfType<string>().FirstOrDefault() is { } times) notes.Add($"what the native engine could run is for ONNX Runtime all the same; {times}");
            else notes.Add(nodes.Any(node => node.Refusal is null) ? "the native engine could run parts of the model, but handing over to them would cost more than they take" : "the native engine can run no part of the model");
            return null;
        }
        if (parts.Distinct().Count() is > Limits.Parts and var count)
        {
            notes.Add($"the model cannot be divided between engines: it would have {count} parts, at most {Limits.Parts} are supported");
            return null;
        }
        return Build(model, nodes, parts, measured, analysis, models, options, notes);
    }

    private static ImportOptions Import(CompileOptions options)
    {
        var import = new ImportOptions();
        foreach ((string name, Shape shape) in options.InputShapes) import.InputShapes[name] = shape;
        return import;
    }

    /// <summary>What keeps a model whole, whatever its nodes are.</summary>
    private static string? Obstacle(OnnxModel model)
    {
        if (model.FunctionCount > 0) return "it has functions of its own";
        bool Half(int type) => type is 10 or 16;
        bool reduced = model.Graph.Initializers.Exists(tensor => Half(tensor.DataType)) || model.Graph.Inputs.Concat(model.Graph.Outputs).Any(info => Half(info.DataType))
            || model.Graph.Nodes.Exists(node => (node.OpType == "Cast" && Half((int)(node.Attribute("to")?.Int ?? 0))) || node.Attributes.Exists(attribute => attribute.Tensor is { } tensor && Half(tensor.DataType)));
        if (reduced) return "it computes in float16, which the native engine does in float32";
        if (model.Graph.Inputs.Find(input => input.Kind != "tensor" || TensorDecoder.GraphType(input.DataType) is null) is { } input) return $"input '{input.Name}' is no tensor that sessions carry";
        if (model.Graph.Outputs.Find(output => output.Kind != "tensor" || TensorDecoder.GraphType(output.DataType) is null) is { } output) return $"output '{output.Name}' is no tensor that sessions carry";
        return null;
    }

    private static int[] Assign(AnalysedNode[] nodes, ModelAnalysis analysis, PartModels models, OnnxModel model, CostTable costs, bool keepNative)
    {
        var indices = new Dictionary<string, int>(StringComparer.Ordinal);
        var values = new List<PartEdge>();
        int Index(string name)
        {
            if (indices.TryGetValue(name, out int index)) return index;
            indices.Add(name, index = values.Count);
            bool known = analysis.Known.TryGetValue(name, out Value? value);
            // What varies only goes from one call of ONNX Runtime to the next, which costs nothing.
            double bytes = known ? value!.Shape.ElementCount * value.Type.SizeBytes() : 0;
            values.Add(new PartEdge((long)(bytes / costs.Machine.BytesPerNanosecond), known || analysis.Foreign.GetValueOrDefault(name)?.DataType is > 0));
            return index;
        }
        foreach (OnnxValueInfo input in model.Graph.Inputs) Index(input.Name);
        PartNode[] list = [.. nodes.Select(node => new PartNode(node.Refusal is null, (long)node.Nanoseconds,
            [.. OnnxNames.Read(node.Node).Distinct().Where(name => !models.IsConstant(name)).Select(Index)], [.. node.Node.Outputs.Where(name => name.Length > 0).Select(Index)]))];
        return PartAssignment.Assign(list, values, LaunchNanoseconds, keepNative);
    }

    /// <summary>Gives the native parts to ONNX Runtime with which the whole model was measured to be faster. For each node what was measured of its part, in words.</summary>
    private static string?[] Choose(AnalysedNode[] nodes, int[] parts, EngineChoices choices)
    {
        var measured = new string?[parts.Length];
        var given = new HashSet<int>();
        foreach (int part in parts.Where(part => part % 2 == 0).Distinct().Order())
        {
            int[] members = [.. Enumerable.Range(0, parts.Length).Where(i => parts[i] == part)];
            bool elsewhere = choices.IsForOnnxRuntime(choices.Signature(members.Select(i => nodes[i].Node)), out string? words);
            if (elsewhere) given.Add(members[0]);
            foreach (int i in members) measured[i] = words;
        }
        // Numbers change with each that is given away, nodes do not.
        foreach (int node in given) PartAssignment.GiveAway(parts, parts[node]);
        return measured;
    }

    private static PartitionedModel? Build(OnnxModel model, AnalysedNode[] nodes, int[] parts, string?[] measured, ModelAnalysis analysis, PartModels models, CompileOptions options, List<string> notes)
    {
        var result = new PartitionedModel();
        var indices = new Dictionary<string, int>(StringComparer.Ordinal);
        int Index(string name)
        {
            if (!indices.TryGetValue(name, out int index))
            {
                indices.Add(name, index = result.Values.Count);
                result.Values.Add(Describe(name, analysis));
            }
            return index;
        }
        var readers = new Dictionary<string, HashSet<int>>(StringComparer.Ordinal);
        for (int i = 0; i < nodes.Length; i++)
        {
            foreach (string name in OnnxNames.Read(nodes[i].Node))
            {
                if (!readers.TryGetValue(name, out HashSet<int>? set)) readers[name] = set = [];
                set.Add(parts[i]);
            }
        }
        HashSet<string> outputs = [.. model.Graph.Outputs.Select(output => output.Name)];
        foreach (OnnxValueInfo input in model.Graph.Inputs)
        {
            if (models.IsConstant(input.Name)) continue;
            if (!readers.ContainsKey(input.Name))
            {
                notes.Add($"the model cannot be divided between engines: nothing reads input '{input.Name}'");
                return null;
            }
            result.Inputs.Add(Index(input.Name));
        }
        foreach (int part in parts.Distinct().Order())
        {
            OnnxNode[] members = [.. nodes.Where((_, i) => parts[i] == part).Select(node => node.Node)];
            HashSet<string> made = [.. members.SelectMany(node => node.Outputs)];
            string[] reads = [.. members.SelectMany(OnnxNames.Read).Distinct().Where(name => !made.Contains(name) && !models.IsConstant(name))];
            string[] makes = [.. members.SelectMany(node => node.Outputs).Where(name => name.Length > 0 && (outputs.Contains(name) || (readers.TryGetValue(name, out HashSet<int>? set) && set.Any(other => other != part))))];
            OnnxModel stretch = models.Build(result.Parts.Count, members, reads.Select(name => result.Values[Index(name)]), makes.Select(name => result.Values[Index(name)]));
            if (Part(stretch, native: part % 2 == 0, options, notes) is not { } built) return null;
            built.Operators = built.Graph?.Nodes.Count ?? members.Length;
            built.Inputs.AddRange(reads.Select(Index));
            built.Outputs.AddRange(makes.Select(Index));
            string[] times = [.. measured.Where((words, i) => parts[i] == part && words is not null).Distinct().OfType<string>()];
            if (part % 2 != 0)
            {
                AnalysedNode[] refused = [.. nodes.Where((node, i) => parts[i] == part && node.Refusal is not null)], causes = Array.FindAll(refused, node => node.IsCause);
                built.Reasons.AddRange((causes.Length > 0 ? causes : refused).Select(node => Shorten(node.Refusal!.ToString())).Distinct().Take(Math.Max(0, Limits.PartReasons - times.Length)));
                foreach (string words in times.Take(Limits.PartReasons)) built.Reasons.Add(Shorten($"{measured.Where((other, i) => parts[i] == part && other == words).Count()} operators that both engines have; {words}"));
            }
            else
            {
                built.Reasons.AddRange(times.Take(Limits.PartReasons).Select(Shorten));
            }
            result.Parts.Add(built);
        }
        foreach (OnnxValueInfo output in model.Graph.Outputs) result.Outputs.Add(Index(output.Name));
        Narrow(result);
        result.Validate();
        return result;
    }

    private static PartValue Describe(string name, ModelAnalysis analysis)
    {
        if (analysis.Known.TryGetValue(name, out Value? value)) return new PartValue(name, value.Type, value.Shape.Dimensions.ToArray());
        ForeignValue foreign = analysis.Foreign[name];
        return new PartValue(name, TensorDecoder.GraphType(foreign.DataType) ?? ElementType.Undefined, foreign.Dimensions is { Length: <= Limits.Rank } dimensions ? dimensions : null);
    }

    /// <summary>The graph of a native part, or the bytes of one for ONNX Runtime.</summary>
    private static ModelPart? Part(OnnxModel stretch, bool native, CompileOptions options, List<string> notes)
    {
        if (!native)
        {
            using var stream = new MemoryStream();
            stretch.Write(stream);
            return new ModelPart(stream.ToArray());
        }
        ImportResult imported = OnnxImporter.Import(stretch, new ImportOptions());
        var unsupported = new List<UnsupportedOperator>(imported.Unsupported);
        if (imported.Graph is { } graph)
        {
            ModelCompiler.Finish(graph, options, notes, unsupported);
            if (unsupported.Count == 0) return new ModelPart(graph);
        }
        notes.Add($"the model cannot be divided between engines: {unsupported[0]}");
        return null;
    }

    /// <summary>Native graphs tell what they make: where the model declares less, what crosses is fixed by them.</summary>
    private static void Narrow(PartitionedModel model)
    {
        foreach (ModelPart part in model.Parts)
        {
            if (part.Graph is not { } graph) continue;
            for (int i = 0; i < part.Outputs.Count; i++)
                model.Values[part.Outputs[i]] = new PartValue(model.Values[part.Outputs[i]].Name, graph.Outputs[i].Type, graph.Outputs[i].Shape.Dimensions.ToArray());
        }
    }

    private static string Shorten(string text) => System.Text.Encoding.UTF8.GetByteCount(text) <= Limits.NameBytes ? text : string.Concat(text.EnumerateRunes().TakeWhile(Fits()));

    private static Func<System.Text.Rune, bool> Fits()
    {
        int bytes = 0;
        return rune => (bytes += rune.Utf8SequenceLength) <= Limits.NameBytes;
    }
}
