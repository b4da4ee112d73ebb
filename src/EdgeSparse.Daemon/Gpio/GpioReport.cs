using System.Text.Json;
using EdgeSparse.Daemon.Http;
using EdgeSparse.Daemon.Metrics;

namespace EdgeSparse.Daemon.Gpio;

/// <summary>GPIO lines in health, metrics, status and messages.</summary>
internal static class GpioReport
{
    public static void AddChecks(List<HealthCheck> checks, GpioService gpio)
    {
        foreach (GpioPort port in gpio.Ports)
            checks.Add(port.Trouble.Length == 0 ? new HealthCheck($"gpio {port.Name}", HealthStatus.Ok, port.Word) : new HealthCheck($"gpio {port.Name}", HealthStatus.Degraded, port.Trouble));
    }

    public static void WriteMetrics(PrometheusWriter writer, GpioService gpio)
    {
        writer.Family("edgesparse_gpio_up", "gauge", "1 while the line is ours.");
        foreach (GpioPort port in gpio.Ports) writer.Sample("edgesparse_gpio_up", port.Trouble.Length == 0 ? 1 : 0, Labels(port));
        writer.Family("edgesparse_gpio_on", "gauge", "1 while the line is on.");
        foreach (GpioPort port in gpio.Ports) writer.Sample("edgesparse_gpio_on", port.IsOn == true ? 1 : 0, Labels(port));
        writer.Family("edgesparse_gpio_changes_total", "counter", "How often the line turned on or off.");
        foreach (GpioPort port in gpio.Ports) writer.Sample("edgesparse_gpio_changes_total", port.Changes, Labels(port));
    }

    /// <summary>A member <c>gpio</c>, a list.</summary>
    public static void WriteJson(Utf8JsonWriter json, GpioService gpio)
    {
        json.WriteStartArray("gpio"u8);
        foreach (GpioPort port in gpio.Ports)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, port.Name);
            WritePort(json, port);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    /// <summary>The members that tell of one port.</summary>
    public static void WritePort(Utf8JsonWriter json, GpioPort port)
    {
        json.WriteString("state"u8, port.Word);
        json.WriteString("direction"u8, port.IsInput ? "input" : "output");
        json.WriteString("line"u8, port.Line?.Info.ToString() ?? port.LineName);
        json.WriteString("trouble"u8, port.Trouble);
    }

    private static (string Name, string Value)[] Labels(GpioPort port) => [("line", port.Name), ("direction", port.IsInput ? "input" : "output")];
}
