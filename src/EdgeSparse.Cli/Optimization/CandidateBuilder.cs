using EdgeSparse.Cli.Models;
using EdgeSparse.Compiler;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Compiler.Tokens;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Cli.Optimization;

/// <summary>A recipe carried out.</summary>
/// <param name="Package">Compiled from <paramref name="Onnx"/>.</param>
/// <param name="PackageBytes">The package as it is written.</param>
/// <param name="Onnx">The pruned ONNX file; token reductions are not in it.</param>
/// <param name="Zeros">Zeros of the pruned layers.</param>
/// <param name="Pruned">Weights of the pruned layers.</param>
internal sealed record Candidate(Recipe Recipe, ModelPackage Package, byte[] PackageBytes, byte[] Onnx, long Zeros, long Pruned)
{
    public Graph Graph => Package.Graph!;
}

/// <summary>Why a recipe cannot be carried out with this model.</summary>
internal sealed class RecipeException(string message) : Exception(message);

/// <summary>Carries recipes out, and predicts by the cost model what they gain.</summary>
internal sealed class CandidateBuilder
{
    /// <summary>Pruned files that are kept, so that token reductions can be tried on them.</summary>
    private const int KeptFiles = 16;

    /// <summary>What is taken for the share of the planned time that a reduction takes whose count of tokens follows from the picture: its plan knows only the most.</summary>
    private const double VaryingShare = 0.5;

    private readonly OptimizeRequest _request;
    private readonly byte[] _onnx;
    private readonly float[][] _pictures;
    private readonly double _denseNanoseconds;
    private readonly Dictionary<string, (byte[] Onnx, PruningResult Result)> _files = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();
    private readonly Dictionary<string, SensitivityTable> _sensitivities = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string[]> _slower = new(StringComparer.Ordinal);

    /// <param name="onnx">The dense model's bytes.</param>
    /// <param name="pictures">To calibrate with.</param>
    /// <param name="dense">The dense model's session.</param>
    /// <param name="denseMilliseconds">Its measured time.</param>
    public CandidateBuilder(OptimizeRequest request, byte[] onnx, float[][] pictures, NativeSession dense, double denseMilliseconds)
    {
        _request = request;
        _onnx = onnx;
        _pictures = pictures;
        DenseProducts = Products(dense);
        _denseNanoseconds = Math.Max(denseMilliseconds * 1e6, DenseProducts);
    }

    /// <summary>Predicted nanoseconds of the dense model's products.</summary>
    public double DenseProducts { get; }

    /// <summary>Predicted time as a share of the dense model's: what its products are predicted to save of the measured time. Null for a recipe that cannot be had.</summary>
    /// <remarks>The first recipe of a pattern with <see cref="SparsityAllocation.Measured"/> takes a pass over the pictures.</remarks>
    public double? Predict(Recipe recipe, IProgress<PruningProgress> progress, CancellationToken cancel)
    {
        try
        {
            // Time depends on how many weights stay and where, not on which: the largest stay here, which takes no calibration.
            byte[] onnx = _onnx;
            PruningResult? result = null;
            if (recipe.Pattern is not null)
            {
                OnnxModel model = Parse();
                result = ModelPruner.Prune(model, Options(recipe, [], progress, cancel) with { Criterion = PruningCriterion.Magnitude, Update = PruningUpdate.None, Allocation = Cheap(recipe.Allocation) }, [], Import(), cancellation: cancel);
                onnx = Bytes(model);
            }
            using NativeSession session = Session(Compile(onnx, recipe.Tokens).Graph!);
            bool varies = session.Outputs.Any(output => output.Name == TokenCount.OutputName);
            if (result is not null) _slower[recipe.PruningName] = NotSparse(session, result);
            double share = 1 - (DenseProducts - Products(session)) / _denseNanoseconds;
            return varies ? VaryingShare * share : share;
        }
        catch (Exception error) when (error is ArgumentException or TokenReductionException)
        {
            return null;
        }
    }

    /// <summary>Prunes with the calibration pictures and compiles. Throws <see cref="RecipeException"/> where the model cannot be changed so.</summary>
    public Candidate Build(Recipe recipe, IProgress<PruningProgress> progress, CancellationToken cancel)
    {
        try
        {
            if (recipe.Pattern is null) return Candidate(recipe, _onnx, null);
            if (!_files.TryGetValue(recipe.PruningName, out (byte[] Onnx, PruningResult Result) file))
            {
                OnnxModel model = Parse();
                PruningResult result = ModelPruner.Prune(model, Options(recipe, _slower.GetValueOrDefault(recipe.PruningName, []), progress, cancel), _pictures, Import(), progress, cancel);
                file = (Bytes(model), result);
                _files[recipe.PruningName] = file;
                _order.Enqueue(recipe.PruningName);
                if (_order.Count > KeptFiles) _files.Remove(_order.Dequeue());
            }
            return Candidate(recipe, file.Onnx, file.Result);
        }
        catch (Exception error) when (error is ArgumentException or TokenReductionException)
        {
            throw new RecipeException(error.Message);
        }
    }

    public NativeSession Session(Graph graph) => NativeSession.Create(graph, new SessionOptions { Threads = _request.Threads, Costs = _request.Costs });

    private Candidate Candidate(Recipe recipe, byte[] onnx, PruningResult? result)
    {
        ModelPackage package = Compile(onnx, recipe.Tokens);
        PrunedLayer[] pruned = [.. result?.Layers.Where(layer => layer.LeftDense is null) ?? []];
        return new Candidate(recipe, package, package.ToBytes(), onnx, pruned.Sum(layer => layer.Zeros), pruned.Sum(layer => layer.Parameters));
    }

    private PruningOptions Options(Recipe recipe, IReadOnlyList<string> slower, IProgress<PruningProgress> progress, CancellationToken cancel)
    {
        string[] dense = [.. slower.Concat(recipe.KeptDense).Distinct()];
        var options = new PruningOptions
        {
            Sparsity = recipe.Sparsity,
            Pattern = recipe.Pattern!,
            Allocation = recipe.Allocation,
            Costs = _request.Costs,
            Exclude = _request.Exclude,
            Seed = _request.Seed,
            Threads = _request.Threads,
        };
        SensitivityTable? sensitivity = recipe.Allocation == SparsityAllocation.Measured ? Sensitivity(options, progress, cancel).Without(dense) : null;
        return options with { Sensitivity = sensitivity, Exclude = [.. _request.Exclude, .. dense.Select(Literal)] };
    }

    /// <summary>What zeros of the options' pattern cost and bring in each layer, measured once.</summary>
    private SensitivityTable Sensitivity(PruningOptions options, IProgress<PruningProgress> progress, CancellationToken cancel)
    {
        if (!_sensitivities.TryGetValue(options.Pattern.Name, out SensitivityTable? table))
            table = _sensitivities[options.Pattern.Name] = ModelPruner.Measure(Parse(), options, _pictures, Import(), progress, cancel);
        return table;
    }

    /// <summary>One threshold would need a pass over the pictures for every share: it is predicted as the same share everywhere.</summary>
    private static SparsityAllocation Cheap(SparsityAllocation allocation) => allocation == SparsityAllocation.Global ? SparsityAllocation.Uniform : allocation;

    /// <summary>A layer's name as an expression that matches it alone.</summary>
    private static string Literal(string name) => name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal).Replace("?", "\\?", StringComparison.Ordinal);

    /// <summary>Pruned layers that the plan computes by the dense kernel all the same: zeros would only lose there.</summary>
    private static string[] NotSparse(NativeSession session, PruningResult result)
    {
        HashSet<string> dense = [.. session.Describe().Layers.Where(layer => layer.Candidates.Count > 0 && layer.Pattern is null).Select(layer => layer.Name)];
        PrunedLayer[] pruned = [.. result.Layers.Where(layer => layer.LeftDense is null)];
        string[] names = [.. pruned.Select(layer => layer.Name).Where(dense.Contains)];
        return names.Length < pruned.Length ? names : [];
    }

    private static double Products(NativeSession session) => session.Describe().Layers.Sum(layer => layer.Candidates.FirstOrDefault(way => way.Chosen)?.Nanoseconds ?? 0);

    private ModelPackage Compile(byte[] onnx, TokenReductionSpec? tokens)
    {
        var options = new CompileOptions { Backend = CompileBackend.Native, Tokens = tokens, Manifest = ManifestSource.Read(_request.Onnx, _request.Manifest) };
        foreach ((string name, Shape shape) in _request.InputShapes) options.InputShapes[name] = shape;
        CompileResult result = ModelCompiler.Compile(OnnxModel.Parse(onnx, _request.Onnx), options);
        return result.Package is { Graph: not null } package ? package : throw Compiling.Refused(_request.Onnx, result);
    }

    private OnnxModel Parse() => OnnxModel.Parse(_onnx, _request.Onnx);

    private ImportOptions Import()
    {
        var import = new ImportOptions();
        foreach ((string name, Shape shape) in _request.InputShapes) import.InputShapes[name] = shape;
        return import;
    }

    private static byte[] Bytes(OnnxModel model)
    {
        using var stream = new MemoryStream();
        model.Write(stream);
        return stream.ToArray();
    }
}
