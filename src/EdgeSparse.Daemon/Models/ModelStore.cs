using System.Text.Json;
using EdgeSparse.Devices;
using EdgeSparse.Model;

namespace EdgeSparse.Daemon.Models;

/// <summary>
/// Models and what is known about them, in the state folder. Every change is one file replaced durably, so that after a crash either the old state or the new one is there:
/// <c>models/state.json</c>, <c>models/last-update.json</c>, <c>models/NAME/SHA256.esm</c> and its signature. Packages are written before the state names them and deleted after it
/// no longer does; what a crash leaves over is deleted at the next start.
/// </summary>
internal sealed class ModelStore
{
    private const string StateFile = "state.json";
    public const string ReportFile = "last-update.json";
    private const int MaximumStateBytes = 1 << 20;

    private readonly string _folder;
    private readonly Log _log;
    private readonly SortedDictionary<string, ModelSlot> _slots = new(StringComparer.Ordinal);

    /// <summary>Reads the state, or begins with none; never throws for what is on the disk.</summary>
    public ModelStore(string folder, Log log)
    {
        _folder = folder;
        _log = log;
        try
        {
            Directory.CreateDirectory(folder);
            ReadState();
            LastReport = ReadReport();
            DeleteLeftovers();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log.Warning($"models: {folder} cannot be used: {e.Message}; the configured models are used, and updates will fail");
        }
    }

    public IReadOnlyDictionary<string, ModelSlot> Slots => _slots;

    public UpdateReport? LastReport { get; private set; }

    public ModelSlot Slot(string name) => _slots.GetValueOrDefault(name) ?? new ModelSlot();

    public string PathOf(string name, StoredModel model) => Path.Combine(_folder, name, model.Sha256 + ".esm");

    /// <summary>Writes a package and its signature. Throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>; the state is as it was.</summary>
    public void Write(string name, StoredModel model, ReadOnlySpan<byte> package, ReadOnlySpan<byte> signature)
    {
        string path = PathOf(name, model), folder = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
            DurableFile.SyncFolder(_folder);
        }
        try
        {
            if (signature.Length > 0) DurableFile.Replace(PackageSignature.PathFor(path), signature);
            DurableFile.Replace(path, package);
        }
        catch
        {
            DeleteLeftovers();
            throw;
        }
    }

    /// <summary>Makes the state durable, then deletes packages that it no longer names. Throws as <see cref="Write"/> does; then nothing changed.</summary>
    public void Set(string name, ModelSlot slot)
    {
        ModelSlot? before = _slots.GetValueOrDefault(name);
        if (slot == before) return;
        _slots[name] = slot;
        try
        {
            DurableFile.Replace(Path.Combine(_folder, StateFile), JsonText.Object(WriteState));
        }
        catch
        {
            if (before is null) _slots.Remove(name);
            else _slots[name] = before;
            throw;
        }
        DeleteLeftovers();
    }

    /// <summary>Keeps the report; where the disk takes nothing, in memory only.</summary>
    public void Report(UpdateReport report)
    {
        try
        {
            DurableFile.Replace(Path.Combine(_folder, ReportFile), JsonText.Object(json => WriteReport(json, report)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log.Warning($"models: {ReportFile} cannot be written: {e.Message}");
        }
        LastReport = report;
    }

    public static void WriteReport(Utf8JsonWriter json, UpdateReport report)
    {
        json.WriteString("time"u8, report.Time.UtcDateTime);
        json.WriteString("file"u8, report.File);
        json.WriteString("result"u8, report.Word);
        json.WriteString("message"u8, report.Message);
        json.WriteString("model"u8, report.Model);
        json.WriteString("version"u8, report.Version);
        json.WriteString("sha256"u8, report.Sha256);
        json.WriteNumber("release"u8, report.Release);
        json.WriteString("key"u8, report.KeyId);
    }

    private void WriteState(Utf8JsonWriter json)
    {
        json.WriteNumber("format"u8, 1);
        json.WriteStartObject("models"u8);
        foreach ((string name, ModelSlot slot) in _slots)
        {
            json.WriteStartObject(name);
            WriteModel(json, "current", slot.Current);
            if (slot.HasPrevious) WriteModel(json, "previous", slot.Previous);
            json.WriteBoolean("on_trial"u8, slot.OnTrial);
            json.WriteNumber("starts"u8, slot.Starts);
            json.WriteNumber("highest_release"u8, slot.HighestRelease);
            json.WriteString("configured_sha256"u8, slot.ConfiguredSha256);
            json.WriteString("attempt_sha256"u8, slot.AttemptSha256);
            json.WriteNumber("attempts"u8, slot.Attempts);
            json.WriteStartArray("failed"u8);
            foreach (string sha256 in slot.Failed) json.WriteStringValue(sha256);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, string name, StoredModel? model)
    {
        if (model is null)
        {
            json.WriteNull(name);
            return;
        }
        json.WriteStartObject(name);
        json.WriteString("sha256"u8, model.Sha256);
        json.WriteString("version"u8, model.Version);
        json.WriteNumber("release"u8, model.Release);
        json.WriteString("key"u8, model.KeyId);
        json.WriteEndObject();
    }

    private void ReadState()
    {
        string path = Path.Combine(_folder, StateFile);
        if (!File.Exists(path)) return;
        try
        {
            if (new FileInfo(path).Length > MaximumStateBytes) throw new FormatException($"more than {MaximumStateBytes} bytes");
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            JsonElement root = document.RootElement;
            if (root.GetProperty("format").GetInt32() != 1) throw new FormatException($"format {root.GetProperty("format")}, expected 1");
            foreach (JsonProperty slot in root.GetProperty("models").EnumerateObject()) _slots[Name(slot.Name)] = ReadSlot(slot.Value);
        }
        catch (Exception e) when (e is JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            _slots.Clear();
            string aside = path + ".damaged";
            File.Move(path, aside, overwrite: true);
            _log.Error($"models: {path} is damaged ({e.Message}) and was moved to {aside}; the configured models are used, and which releases were installed is forgotten");
        }
    }

    private static ModelSlot ReadSlot(JsonElement json) => new()
    {
        Current = ReadModel(json.GetProperty("current")),
        HasPrevious = json.TryGetProperty("previous", out JsonElement previous),
        Previous = previous.ValueKind == JsonValueKind.Undefined ? null : ReadModel(previous),
        OnTrial = json.GetProperty("on_trial").GetBoolean(),
        Starts = json.GetProperty("starts").GetInt32(),
        HighestRelease = json.GetProperty("highest_release").GetInt64(),
        ConfiguredSha256 = json.GetProperty("configured_sha256").GetString() ?? "",
        AttemptSha256 = json.GetProperty("attempt_sha256").GetString() ?? "",
        Attempts = json.GetProperty("attempts").GetInt32(),
        Failed = [.. json.GetProperty("failed").EnumerateArray().Select(failed => failed.GetString() ?? "")],
    };

    private static StoredModel? ReadModel(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.Null) return null;
        string sha256 = json.GetProperty("sha256").GetString() ?? "";
        // It becomes a file's name.
        if (sha256.Length != 64 || !sha256.All(char.IsAsciiHexDigitLower)) throw new FormatException($"sha256 '{sha256}'");
        return new StoredModel(sha256, json.GetProperty("version").GetString() ?? "", json.GetProperty("release").GetInt64(), json.GetProperty("key").GetString() ?? "");
    }

    private static string Name(string name) =>
        name.Length is > 0 and <= 64 && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') ? name : throw new FormatException($"a model named '{name}'");

    private UpdateReport? ReadReport()
    {
        string path = Path.Combine(_folder, ReportFile);
        if (!File.Exists(path) || new FileInfo(path).Length > MaximumStateBytes) return null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            JsonElement json = document.RootElement;
            UpdateOutcome outcome = Text("result") switch { "installed" => UpdateOutcome.Installed, "rolled-back" => UpdateOutcome.RolledBack, _ => UpdateOutcome.Rejected };
            return new UpdateReport(json.GetProperty("time").GetDateTimeOffset(), Text("file"), Text("model"), Text("version"), Text("sha256"), json.GetProperty("release").GetInt64(), Text("key"), outcome, Text("message"));

            string Text(string name) => json.GetProperty(name).GetString() ?? "";
        }
        catch (Exception e) when (e is JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Deletes what the state does not name: half-written files, packages that nothing needs any more. A file that cannot be deleted is no reason to fail.</summary>
    private void DeleteLeftovers()
    {
        try
        {
            foreach (string file in Directory.EnumerateFiles(_folder, ".*.incoming")) File.Delete(file);
            foreach (string folder in Directory.EnumerateDirectories(_folder))
            {
                string name = Path.GetFileName(folder);
                if (name == "inbox") continue;
                ModelSlot slot = Slot(name);
                foreach (string file in Directory.EnumerateFiles(folder))
                {
                    string sha256 = Path.GetFileName(file).Split('.')[0];
                    if (sha256.Length == 0 || (sha256 != slot.Current?.Sha256 && sha256 != slot.Previous?.Sha256)) File.Delete(file);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log.Debug($"models: {e.Message}");
        }
    }
}
