using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace EdgeSparse.Cli.Output;

/// <summary>Machine-readable results. Every document names its schema; fields may be added to one, never change or go.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(KernelsReport))]
[JsonSerializable(typeof(CompileReport))]
[JsonSerializable(typeof(InspectReport))]
[JsonSerializable(typeof(VerifyReport))]
[JsonSerializable(typeof(BenchReport))]
[JsonSerializable(typeof(SynthReport))]
[JsonSerializable(typeof(TuneReport))]
[JsonSerializable(typeof(PruneReport))]
[JsonSerializable(typeof(SoupReport))]
[JsonSerializable(typeof(OptimizeReport))]
[JsonSerializable(typeof(PruneSweepReport))]
[JsonSerializable(typeof(TensorsReport))]
[JsonSerializable(typeof(TokensReport))]
[JsonSerializable(typeof(CompareReport))]
internal sealed partial class ReportContext : JsonSerializerContext;

/// <summary>Results of single pictures, one JSON document a line.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = false, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(PictureResult))]
internal sealed partial class LineContext : JsonSerializerContext;

internal static class Json
{
    public static void Write<T>(Terminal terminal, T report, JsonTypeInfo<T> type)
    {
        terminal.EndProgress();
        terminal.Output.WriteLine(JsonSerializer.Serialize(report, type));
    }

    /// <summary>The document as a file.</summary>
    public static void Save<T>(string path, T report, JsonTypeInfo<T> type) => FileOutput.Write(path, [.. JsonSerializer.SerializeToUtf8Bytes(report, type), (byte)'\n']);

    public static string Line(PictureResult result) => JsonSerializer.Serialize(result, LineContext.Default.PictureResult);

    /// <summary>JSON has no infinities; what is not finite becomes null.</summary>
    public static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
