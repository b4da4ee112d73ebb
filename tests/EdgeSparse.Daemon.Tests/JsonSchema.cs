using System.Text.Json;
using System.Text.RegularExpressions;

namespace EdgeSparse.Daemon.Tests;

/// <summary>
/// The part of JSON Schema 2020-12 that the repository's schemas use: type, const, required, properties, items, pattern, minimum, maximum. An unknown keyword
/// in a schema is an error, so that nothing is silently not checked; so is a member that a schema does not describe.
/// </summary>
internal sealed class JsonSchema(JsonElement schema)
{
    private static readonly HashSet<string> Annotations = ["$schema", "$id", "title", "description"];

    public static JsonSchema Load(string path) => new(JsonDocument.Parse(File.ReadAllText(path)).RootElement.Clone());

    /// <summary>What is wrong with the document, each with its place; empty where it is valid.</summary>
    public List<string> Errors(JsonElement document)
    {
        var errors = new List<string>();
        Check(schema, document, "$", errors);
        return errors;
    }

    private static void Check(JsonElement schema, JsonElement value, string place, List<string> errors)
    {
        foreach (JsonProperty keyword in schema.EnumerateObject())
        {
            switch (keyword.Name)
            {
                case "type":
                    if (!Types(keyword.Value).Any(type => Is(type, value))) errors.Add($"{place}: {value.ValueKind}, expected {keyword.Value}");
                    break;
                case "const":
                    if (!JsonElement.DeepEquals(keyword.Value, value)) errors.Add($"{place}: {value}, expected {keyword.Value}");
                    break;
                case "required":
                    foreach (JsonElement name in keyword.Value.EnumerateArray())
                        if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(name.GetString()!, out _)) errors.Add($"{place}: {name} is missing");
                    break;
                case "properties":
                    if (value.ValueKind != JsonValueKind.Object) break;
                    foreach (JsonProperty member in value.EnumerateObject())
                    {
                        if (keyword.Value.TryGetProperty(member.Name, out JsonElement of)) Check(of, member.Value, $"{place}.{member.Name}", errors);
                        else errors.Add($"{place}.{member.Name}: not described");
                    }
                    break;
                case "items":
                    if (value.ValueKind != JsonValueKind.Array) break;
                    int index = 0;
                    foreach (JsonElement item in value.EnumerateArray()) Check(keyword.Value, item, $"{place}[{index++}]", errors);
                    break;
                case "pattern":
                    if (value.ValueKind == JsonValueKind.String && !Regex.IsMatch(value.GetString()!, keyword.Value.GetString()!)) errors.Add($"{place}: '{value}' does not match {keyword.Value}");
                    break;
                case "minimum":
                    if (value.ValueKind == JsonValueKind.Number && value.GetDouble() < keyword.Value.GetDouble()) errors.Add($"{place}: {value} is below {keyword.Value}");
                    break;
                case "maximum":
                    if (value.ValueKind == JsonValueKind.Number && value.GetDouble() > keyword.Value.GetDouble()) errors.Add($"{place}: {value} is above {keyword.Value}");
                    break;
                default:
                    if (!Annotations.Contains(keyword.Name)) errors.Add($"{place}: this checker does not know the keyword {keyword.Name}");
                    break;
            }
        }
    }

    private static IEnumerable<string> Types(JsonElement type) =>
        type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().Select(item => item.GetString()!) : [type.GetString()!];

    private static bool Is(string type, JsonElement value) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "null" => value.ValueKind == JsonValueKind.Null,
        "number" => value.ValueKind == JsonValueKind.Number,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        _ => throw new InvalidOperationException($"unknown type {type}"),
    };
}
