using System.Text.Json;

namespace EdgeSparse.Daemon.Commands;

/// <summary>A command that cannot be carried out; the message says why.</summary>
internal sealed class CommandException(string message) : Exception(message);

/// <summary>
/// A command's payload: a JSON object with the members that its verb knows, or nothing. <c>id</c>, any short text, comes back in the answer.
/// </summary>
internal sealed record CommandRequest(string Camera, double? FramesPerSecond, string Model, string Version)
{
    public const int MaximumBytes = 1024;
    private const int MaximumTextLength = 128;

    /// <summary>The members that each verb may have besides <c>id</c>.</summary>
    private static string[] Members(string verb) => verb switch
    {
        "snapshot" => ["camera"],
        "set-rate" => ["camera", "fps"],
        "select-model" => ["model", "version"],
        _ => [],
    };

    /// <summary>Throws <see cref="CommandException"/>.</summary>
    /// <param name="verb">What is asked for.</param>
    /// <param name="payload">The members.</param>
    /// <param name="id">The request's identifier, also where another member is wrong; empty where it has none.</param>
    public static CommandRequest Parse(string verb, ReadOnlySpan<byte> payload, out string id)
    {
        id = "";
        var request = new CommandRequest("", null, "", "");
        if (payload.Length == 0) return request;
        if (payload.Length > MaximumBytes) throw new CommandException($"{payload.Length} bytes, at most {MaximumBytes} are taken");
        string[] members = Members(verb);
        try
        {
            var reader = new Utf8JsonReader(payload);
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            if (reader.BytesConsumed != payload.Length && payload[(int)reader.BytesConsumed..].IndexOfAnyExcept(" \t\r\n"u8) >= 0) throw new CommandException("more follows the JSON object");
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new CommandException("expected a JSON object");
            foreach (JsonProperty member in document.RootElement.EnumerateObject())
                if (member.NameEquals("id"u8)) id = Text(member);
            foreach (JsonProperty member in document.RootElement.EnumerateObject())
            {
                if (member.Name != "id" && !members.Contains(member.Name))
                    throw new CommandException($"unknown member; {verb} takes {string.Join(", ", members.Append("id"))}");
                request = member.Name switch
                {
                    "id" => request,
                    "camera" => request with { Camera = Text(member) },
                    "model" => request with { Model = Text(member) },
                    "version" => request with { Version = Text(member) },
                    _ => request with { FramesPerSecond = Rate(member) },
                };
            }
            return request;
        }
        catch (JsonException)
        {
            throw new CommandException("not valid JSON");
        }
        catch (InvalidOperationException)
        {
            throw new CommandException("not valid text");
        }
    }

    private static string Text(JsonProperty member)
    {
        string? text = member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString() : null;
        return text is { Length: <= MaximumTextLength } && !text.Any(char.IsControl) ? text : throw new CommandException($"{member.Name}: expected a text of at most {MaximumTextLength} characters");
    }

    private static double Rate(JsonProperty member) =>
        member.Value.ValueKind == JsonValueKind.Number && member.Value.TryGetDouble(out double rate) && rate is >= 0 and <= 1000
            ? rate
            : throw new CommandException($"{member.Name}: expected a number from 0 (all) to 1000");
}
