using System.Text.Json;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Mqtt;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Daemon.Scenes;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Bridge;

/// <summary>
/// A camera as a device of Home Assistant (MQTT discovery by device, since release 2024.11): a sensor for each label's count, available while device and camera are.
/// </summary>
internal static class HomeAssistantDiscovery
{
    /// <summary>Below the discovery prefix.</summary>
    public static string Topic(string device, string camera) => $"device/{Identifier(device, camera)}/config";

    /// <param name="device">This box.</param>
    /// <param name="camera">Its camera.</param>
    /// <param name="model">Names the labels.</param>
    /// <param name="labels">Topic levels of the labels, by class; see <see cref="CountPublisher"/>.</param>
    /// <param name="zones">The camera's zones, each a sensor for each of its labels; null = none.</param>
    /// <param name="topic">The topic of this box as the broker elsewhere has it.</param>
    public static byte[] Payload(string device, string camera, ModelIdentity model, IReadOnlyList<string> labels, ZoneCounter? zones, Func<string, string> topic)
    {
        var topics = new Topics(device);
        string identifier = Identifier(device, camera);
        return JsonText.Object(json =>
        {
            json.WriteStartObject("device"u8);
            json.WriteStartArray("identifiers"u8);
            json.WriteStringValue(identifier);
            json.WriteEndArray();
            json.WriteString("name"u8, $"{device} {camera}");
            json.WriteString("manufacturer"u8, "EdgeSparse");
            json.WriteString("model"u8, $"{model.Name} {model.Version}");
            json.WriteString("sw_version"u8, DaemonState.Version);
            json.WriteEndObject();
            json.WriteStartObject("origin"u8);
            json.WriteString("name"u8, "EdgeSparse");
            json.WriteString("sw_version"u8, DaemonState.Version);
            json.WriteEndObject();
            json.WriteStartObject("components"u8);
            for (int id = 0; id < labels.Count; id++) WriteSensor(labels[id], model.Label(id), topics.Count(camera, labels[id]));
            foreach (Zone zone in zones?.Zones ?? [])
                foreach (int id in ZonePublisher.Labels(zone, labels.Count))
                    WriteSensor($"{zone.Name}_{labels[id]}", $"{zone.Name} {model.Label(id)}", topics.ZoneCount(camera, zone.Name, "counts", labels[id]));
            json.WriteEndObject();

            void WriteSensor(string key, string name, string state)
            {
                json.WriteStartObject(key);
                json.WriteString("platform"u8, "sensor");
                json.WriteString("name"u8, name);
                json.WriteString("unique_id"u8, $"{identifier}_{key}");
                json.WriteString("state_topic"u8, topic(state));
                json.WriteString("state_class"u8, "measurement");
                json.WriteStartArray("availability"u8);
                WriteAvailability(json, topic(topics.Status));
                WriteAvailability(json, topic(topics.CameraStatus(camera)));
                json.WriteEndArray();
                json.WriteString("availability_mode"u8, "all");
                json.WriteEndObject();
            }
        });
    }

    private static string Identifier(string device, string camera) => $"edgesparse_{device}_{camera}";

    /// <summary>Home Assistant ignores a state that is neither of its two words, so "stopped" and others become the second.</summary>
    private static void WriteAvailability(Utf8JsonWriter json, string topic)
    {
        json.WriteStartObject();
        json.WriteString("topic"u8, topic);
        json.WriteString("value_template"u8, "{{ 'online' if value_json.state == 'online' else 'offline' }}");
        json.WriteEndObject();
    }
}
