// Models FILE.plan MODEL
//
// Plans a model for NEON and writes the plan with its weights, an input and the outputs computed here. MODEL: an ONNX file, or a network of `edgesparse synth`, with its
// sparsity and pattern: mobilenet_v2, mobilenet_v2:0.9, mobilenet_v2:0.9:4x1.
using System.Globalization;
using EdgeSparse.Arm64;
using EdgeSparse.Compiler;
using EdgeSparse.Compiler.Synthesis;

if (args is not [string target, string model])
{
    Console.Error.WriteLine("usage: Models FILE.plan FILE.onnx|ARCH[:SPARSITY[:PATTERN]]");
    return 64;
}
string onnx = model;
if (!model.EndsWith(".onnx", StringComparison.Ordinal))
{
    string[] parts = model.Split(':');
    var options = new SynthesisOptions
    {
        Sparsity = parts.Length > 1 ? double.Parse(parts[1], CultureInfo.InvariantCulture) : 0,
        Pattern = parts.Length > 2 ? PruningPattern.Parse(parts[2]) ?? throw new FormatException($"'{parts[2]}' is not a pattern") : PruningPattern.Unstructured,
    };
    onnx = $"{target}.onnx";
    using FileStream file = File.Create(onnx);
    SyntheticModel.Build(parts[0], options).Write(file);
}
CompileResult compiled = ModelCompiler.Compile(onnx, new CompileOptions { Backend = CompileBackend.Native });
if (compiled.Package?.Graph is not { } graph)
{
    Console.Error.WriteLine($"{model}: {(compiled.Unsupported.Count > 0 ? compiled.Unsupported[0].ToString() : "cannot be compiled")}");
    return 1;
}
PlanFile.Write(graph, target);
return 0;
