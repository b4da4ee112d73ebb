using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using EdgeSparse.EndToEnd.Support;
using EdgeSparse.Testing;

namespace EdgeSparse.EndToEnd;

/// <summary>The published daemon with its embedded defaults: what <c>make run</c> starts.</summary>
public sealed class DaemonTests
{
    [ProgramFact("mosquitto_sub")]
    public async Task Streams_detections_to_mosquitto_sub_over_both_sockets_and_drains_on_SIGTERM()
    {
        using var daemon = new RunningDaemon();
        await daemon.WaitForOkAsync("/readyz");

        foreach (string[] server in (string[][])[["-h", "127.0.0.1", "-p", $"{daemon.MqttPort}"], ["--unix", daemon.Socket]])
        {
            Outcome received = Programs.RunProgram("mosquitto_sub", [.. server, "-t", "edgesparse/+/cameras/+/detections", "-C", "5", "-W", "60"]);
            Assert.True(received.ExitCode == 0, $"mosquitto_sub {string.Join(' ', server)}: {received.Error}\n{daemon.Log}");
            string[] messages = received.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(5, messages.Length);
            long previous = -1;
            foreach (string message in messages)
            {
                using JsonDocument result = JsonDocument.Parse(message);
                Assert.Equal("edgesparse.detections/1", result.RootElement.GetProperty("schema").GetString());
                long sequence = result.RootElement.GetProperty("seq").GetInt64();
                Assert.True(sequence > previous, $"sequence {sequence} after {previous}");
                previous = sequence;
            }
        }

        // The synthetic street is busy: within some frames the detector must see something.
        Outcome seen = Programs.RunProgram("mosquitto_sub",
            "-h", "127.0.0.1", "-p", $"{daemon.MqttPort}", "-t", "edgesparse/+/cameras/+/detections", "-C", "30", "-W", "60");
        int detections = seen.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Sum(message => JsonDocument.Parse(message).RootElement.GetProperty("detections").GetArrayLength());
        Assert.True(detections > 10, $"{detections} detections in 30 frames");

        Outcome status = Programs.RunProgram("mosquitto_sub", "--unix", daemon.Socket, "-t", "edgesparse/+/status", "-C", "1", "-W", "30");
        Assert.Contains("online", status.Output, StringComparison.Ordinal);

        Assert.Equal(0, daemon.Terminate().ExitCode);
        Assert.False(File.Exists(daemon.Socket), "the socket file is left behind");
    }

    [Fact]
    public async Task Answers_health_metrics_and_status()
    {
        using var daemon = new RunningDaemon();
        await daemon.WaitForOkAsync("/readyz");
        await daemon.WaitForOkAsync("/livez");
        Assert.Contains("checks", await daemon.WaitForOkAsync("/healthz?verbose"), StringComparison.Ordinal);
        string metrics = await daemon.WaitForOkAsync("/metrics");
        foreach (string name in (string[])["edgesparse_frames_total", "edgesparse_inference_seconds_bucket", "edgesparse_stage_seconds_bucket", "process_resident_memory_bytes", "edgesparse_model_info"])
            Assert.Contains(name, metrics, StringComparison.Ordinal);
        using JsonDocument status = JsonDocument.Parse(await daemon.WaitForOkAsync("/api/status"));
        Assert.Equal(JsonValueKind.Object, status.RootElement.ValueKind);
        Assert.Equal(0, daemon.Terminate().ExitCode);
    }

    [ProgramFact("chromium")]
    public async Task The_live_page_renders_in_a_browser()
    {
        using var daemon = new RunningDaemon();
        await daemon.WaitForOkAsync("/readyz");
        using var folder = new WorkFolder();
        string picture = folder["page.png"];
        Outcome browser = Programs.RunProgram("chromium",
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--window-size=1280,900", $"--user-data-dir={folder["profile"]}", "--timeout=8000", "--virtual-time-budget=4000",
            $"--screenshot={picture}", daemon.Address + "/");
        Assert.True(File.Exists(picture), $"no screenshot: {browser.Error}");
        // A page with a camera picture does not compress to little; an empty one does.
        Assert.True(new FileInfo(picture).Length > 60_000, $"the screenshot has {new FileInfo(picture).Length} bytes: is the page empty?");
        Assert.Equal(0, daemon.Terminate().ExitCode);
    }

    [Fact]
    public async Task A_busy_port_is_a_one_line_error()
    {
        using var first = new RunningDaemon();
        await first.WaitForOkAsync("/livez");
        Outcome second = Programs.RunDaemon("--http:listen", $"127.0.0.1:{first.HttpPort}", "--mqtt:tcp", $"127.0.0.1:{FreePorts.Next()}");
        Assert.Equal(69, second.ExitCode);
        Assert.Contains($"{first.HttpPort}", second.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", second.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stale_socket_file_is_replaced_and_a_live_one_is_not()
    {
        using var folder = new WorkFolder();
        string path = folder["mqtt.sock"];
        // A daemon that is killed leaves its socket file behind.
        using (var killed = new RunningDaemon($"--mqtt:socket={path}")) await killed.WaitForOkAsync("/livez");
        Assert.True(File.Exists(path), "the killed daemon left no socket file");

        using var daemon = new RunningDaemon($"--mqtt:socket={path}");
        await daemon.WaitForOkAsync("/livez");
        Outcome second = Programs.RunDaemon("--http:listen", $"127.0.0.1:{FreePorts.Next()}", "--mqtt:tcp", $"127.0.0.1:{FreePorts.Next()}", "--mqtt:socket", daemon.Socket);
        Assert.Equal(69, second.ExitCode);
        Assert.Contains("mqtt.sock", second.Error, StringComparison.Ordinal);
        Assert.Equal(0, daemon.Terminate().ExitCode);
    }

    [Theory]
    [InlineData("""{ "camreas": {} }""", "camreas")]
    [InlineData("""{ "http": { "listen": 7 } }""", "http:listen")]
    [InlineData("""{ "threads": "many" }""", "threads")]
    [InlineData("""{ "model": "/nowhere/model.esm" }""", "/nowhere/model.esm")]
    [InlineData("""{ "threads": """, "json")]
    public void A_wrong_configuration_is_refused_with_file_and_key(string json, string expected)
    {
        using var folder = new WorkFolder();
        string file = folder["edgesparse.json"];
        File.WriteAllText(file, json);
        Outcome outcome = Programs.RunDaemon("--config", file, "--check-config");
        Assert.Equal(78, outcome.ExitCode);
        Assert.Contains(expected, outcome.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("edgesparse.json", outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_sample_configuration_is_accepted()
    {
        string sample = Path.Combine(TestData.RepositoryRoot, "firmware-config", "etc", "edgesparse", "edgesparse.json");
        Outcome outcome = Programs.RunDaemon("--config", sample, "--check-config", "--model", Path.Combine(Programs.Models, "street.esm"));
        Assert.True(outcome.ExitCode == 0, outcome.Error);
    }

    [DataFact]
    public void The_clip_is_decoded_to_its_end_with_every_frame_accounted_for()
    {
        string clip = TestData.Path("clips", "intel_one-by-one-person-detection.mp4");
        using var daemon = new RunningDaemon("--exitAtEnd", "true", "--cameras:clip:source", $"file:{clip}", "--cameras:clip:pace", "every-frame");
        Outcome outcome = daemon.WaitForExit();
        Assert.True(outcome.ExitCode == 0, outcome.Error);
        Match accounts = Regex.Match(outcome.Error, @"(\d+) decoded, (\d+) processed, (\d+) dropped");
        Assert.True(accounts.Success, outcome.Error);
        int decoded = int.Parse(accounts.Groups[1].Value, CultureInfo.InvariantCulture);
        Assert.Equal(decoded, int.Parse(accounts.Groups[2].Value, CultureInfo.InvariantCulture) + int.Parse(accounts.Groups[3].Value, CultureInfo.InvariantCulture));
        Assert.True(decoded >= 1350, $"{decoded} frames decoded of 139 s at 10 fps");
    }
}
