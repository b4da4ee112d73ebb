using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Testing;

namespace EdgeSparse.Daemon.Tests;

/// <summary>The whole daemon in this process: HTTP, the broker over both sockets, the end.</summary>
public sealed class DaemonTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Health_Metrics_And_Status_Answer()
    {
        await using var daemon = new RunningDaemon(_folder.FullName);
        await daemon.UntilAsync("/readyz", (status, body) => status == 200 && body == """{"status":"ok"}""");
        Assert.Equal((200, """{"status":"ok"}"""), await daemon.GetAsync("/livez"));
        (int status, string verbose) = await daemon.GetAsync("/healthz?verbose");
        Assert.Equal(200, status);
        Assert.Contains("""{"name":"cameras","status":"ok","detail":"1 of 1 give results"}""", verbose, StringComparison.Ordinal);

        JsonElement document = JsonDocument.Parse((await daemon.GetAsync("/api/status")).Body).RootElement;
        Assert.Equal("gate-01", document.GetProperty("device").GetString());
        JsonElement camera = document.GetProperty("cameras")[0];
        Assert.Equal("running", camera.GetProperty("state").GetString());
        Assert.Equal("one-person", camera.GetProperty("model").GetProperty("name").GetString());
        Assert.True(document.GetProperty("resident_memory_bytes").GetInt64() > 1 << 20);
    }

    [Fact]
    public async Task Metrics_Are_Prometheus_Text_And_Add_Up()
    {
        await using var daemon = new RunningDaemon(_folder.FullName);
        await daemon.UntilAsync("/api/status", (_, body) => JsonDocument.Parse(body).RootElement.GetProperty("cameras")[0].GetProperty("frames").GetProperty("processed").GetInt64() >= 20);
        using HttpResponseMessage answer = await daemon.Client.GetAsync(new Uri("/metrics", UriKind.Relative));
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Dictionary<string, double> samples = PrometheusText.Parse(await answer.Content.ReadAsStringAsync());

        Assert.True(samples["process_resident_memory_bytes"] > 1 << 20);
        Assert.True(samples["edgesparse_frames_total{camera=\"street\",result=\"processed\"}"] >= 20);
        Assert.True(samples["edgesparse_detections_total{camera=\"street\",label=\"person\"}"] >= 20);
        Assert.Contains(samples.Keys, key => key.StartsWith("edgesparse_model_info{camera=\"street\",name=\"one-person\",version=\"1.0.0\",sha256=\"", StringComparison.Ordinal));
        Assert.Equal(1, samples["edgesparse_camera_up{camera=\"street\"}"]);
        foreach (string stage in (string[])["capture", "queue", "preprocess", "inference", "decode", "publish"])
        {
            string labels = $"camera=\"street\",stage=\"{stage}\"";
            Assert.True(samples[$"edgesparse_stage_seconds_count{{{labels}}}"] >= 20, stage);
            Assert.Equal(samples[$"edgesparse_stage_seconds_count{{{labels}}}"], samples[$"edgesparse_stage_seconds_bucket{{{labels},le=\"+Inf\"}}"]);
        }
        Assert.True(samples["edgesparse_inference_seconds_sum{camera=\"street\"}"] > 0);
        Assert.True(samples["edgesparse_mqtt_messages_received_total"] >= 20);
        double captured = samples["edgesparse_frames_captured_total{camera=\"street\"}"];
        double accounted = samples.Where(sample => sample.Key.StartsWith("edgesparse_frames_total", StringComparison.Ordinal)).Sum(sample => sample.Value);
        Assert.InRange(captured - accounted, -2, 3);
    }

    [Fact]
    public async Task The_Page_Is_Whole_And_Pictures_Come_In_Order()
    {
        await using var daemon = new RunningDaemon(_folder.FullName);
        using HttpResponseMessage page = await daemon.Client.GetAsync(new Uri("/", UriKind.Relative));
        string html = await page.Content.ReadAsStringAsync();
        Assert.Equal("text/html", page.Content.Headers.ContentType!.MediaType);
        Assert.Contains("default-src 'none'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        // Nothing from elsewhere: no address but the namespace of the icon.
        Assert.DoesNotMatch("(src|href)=[\"'](https?:)?//", html);
        Assert.DoesNotContain("@import", html, StringComparison.Ordinal);

        long previous = 0;
        for (int i = 0; i < 3; i++)
        {
            using HttpResponseMessage picture = await daemon.Client.GetAsync(new Uri($"/cameras/street/frame.jpg?after={previous}", UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, picture.StatusCode);
            byte[] jpeg = await picture.Content.ReadAsByteArrayAsync();
            using Vision.Frame frame = Vision.ImageFile.Load(jpeg);
            Assert.Equal((160, 120), (frame.Width, frame.Height));
            long number = long.Parse(picture.Headers.GetValues("X-Frame-Number").Single(), CultureInfo.InvariantCulture);
            Assert.True(number > previous);
            previous = number;
        }
    }

    [Fact]
    public async Task The_Mjpeg_Stream_Gives_One_Picture_After_The_Other()
    {
        await using var daemon = new RunningDaemon(_folder.FullName);
        using HttpResponseMessage answer = await daemon.Client.GetAsync(new Uri("/cameras/street/stream.mjpeg", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("multipart/x-mixed-replace", answer.Content.Headers.ContentType!.MediaType);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(), System.Text.Encoding.Latin1);
        int parts = 0;
        while (parts < 3)
        {
            string? line = await reader.ReadLineAsync();
            Assert.NotNull(line);
            if (line.Contains("--edgesparse-frame", StringComparison.Ordinal)) parts++;
        }
    }

    [Fact]
    public async Task Wrong_Paths_Methods_And_Hosts_Are_Refused()
    {
        await using var daemon = new RunningDaemon(_folder.FullName, options => options.Http.Page = true);
        Assert.Equal(404, (await daemon.GetAsync("/nothing")).Status);
        Assert.Equal(404, (await daemon.GetAsync("/cameras/other/frame.jpg")).Status);
        using HttpResponseMessage post = await daemon.Client.PostAsync(new Uri("/livez", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, post.StatusCode);
        using var rebound = new HttpRequestMessage(HttpMethod.Get, "/api/status") { Headers = { Host = "evil.example" } };
        using HttpResponseMessage answer = await daemon.Client.SendAsync(rebound);
        Assert.Equal(HttpStatusCode.MisdirectedRequest, answer.StatusCode);
        using var local = new HttpRequestMessage(HttpMethod.Get, "/livez") { Headers = { Host = "localhost" } };
        using HttpResponseMessage good = await daemon.Client.SendAsync(local);
        Assert.Equal(HttpStatusCode.OK, good.StatusCode);
        using var head = new HttpRequestMessage(HttpMethod.Head, "/metrics");
        using HttpResponseMessage headed = await daemon.Client.SendAsync(head);
        Assert.Equal("", await headed.Content.ReadAsStringAsync());
        Assert.True(headed.Content.Headers.ContentLength > 1000);
    }

    [Fact]
    public async Task Without_The_Page_There_Are_No_Pictures()
    {
        await using var daemon = new RunningDaemon(_folder.FullName, options => options.Http.Page = false);
        Assert.Equal(404, (await daemon.GetAsync("/")).Status);
        Assert.Equal(404, (await daemon.GetAsync("/cameras/street/frame.jpg")).Status);
        Assert.Equal(200, (await daemon.GetAsync("/livez")).Status);
    }

    [Fact]
    public async Task A_Camera_Without_Frames_Is_Not_Ready_And_Says_Why()
    {
        await using var daemon = new RunningDaemon(_folder.FullName, options => options.Cameras.Add(
            new CameraOptions { Name = "gone", Source = new SourceOptions(SourceKind.Images, Path.Combine(_folder.FullName, "absent")) }));
        string body = await daemon.UntilAsync("/readyz?verbose", (status, text) => status == 503 && text.Contains("no such folder", StringComparison.Ordinal));
        Assert.Contains("no camera gives results", body, StringComparison.Ordinal);
        Assert.Equal(200, (await daemon.GetAsync("/livez")).Status);
    }

    [Fact]
    public async Task It_Ends_By_Itself_When_The_Sources_End_And_Goes_Quietly()
    {
        string pictures = Path.Combine(_folder.FullName, "pictures");
        Directory.CreateDirectory(pictures);
        using (var frame = new Vision.Frame(64, 48))
        {
            for (int i = 0; i < 5; i++)
            {
                frame.Fill((byte)(i * 50), 10, 10);
                Vision.ImageFile.Save(Path.Combine(pictures, $"{i}.png"), frame);
            }
        }
        File.WriteAllText(Path.Combine(pictures, "2b.jpg"), "not a picture");
        await using var daemon = new RunningDaemon(_folder.FullName, options =>
        {
            options.ExitAtEnd = true;
            options.Cameras.Add(new CameraOptions { Name = "album", Source = new SourceOptions(SourceKind.Images, pictures), Pace = Pace.EveryFrame });
        });
        await daemon.Ended;
        Assert.Contains("camera album: 6 decoded, 5 processed, 0 dropped, 1 corrupt", daemon.Log, StringComparison.Ordinal);
        Assert.Contains("2b.jpg", daemon.Log, StringComparison.Ordinal);
        Assert.False(File.Exists(daemon.Socket));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Where_Nothing_Is_To_Listen_Nothing_Does(bool broker)
    {
        await using var daemon = new RunningDaemon(_folder.FullName, options =>
        {
            options.Http.Enabled = false;
            options.Mqtt.Enabled = broker;
            options.Mqtt.Tcp = "";
            options.Mqtt.Socket = "";
        });
        CameraPipeline camera = daemon.Daemon.State.Cameras.Single();
        Assert.True(SpinWait.SpinUntil(() => camera.Metrics.Processed.Value >= 10, TimeSpan.FromSeconds(60)), daemon.Log);
        await daemon.StopAsync();
        Assert.Contains("stopped after", daemon.Log, StringComparison.Ordinal);
    }

    [ProgramFact("mosquitto_sub")]
    public async Task Mosquitto_Receives_Results_And_Status_Over_Both_Sockets()
    {
        await using var daemon = new RunningDaemon(_folder.FullName, options =>
        {
            options.Cameras.Add(new CameraOptions { Name = "street", Width = 160, Height = 120, FramesPerSecond = 50, QualityOfService = 1 });
            options.Cameras.Add(new CameraOptions { Name = "yard", Width = 160, Height = 120, FramesPerSecond = 50, Model = TestPackage.Classifier(_folder.FullName) });
            options.Cameras.Add(new CameraOptions { Name = "off", Enabled = false });
        });
        JsonSchema detections = ResultMessageTests.Schema("detections-1.json"), classifications = ResultMessageTests.Schema("classifications-1.json");
        string[] topics = [.. ((string[])["status", "info", "stats", "cameras/off/status", "cameras/street/detections", "cameras/yard/classifications"]).Select(topic => $"edgesparse/gate-01/{topic}")];
        foreach (string[] address in (string[][])[["-h", "127.0.0.1", "-p", $"{daemon.Mqtt.Port}"], ["--unix", daemon.Socket]])
        {
            List<(string Topic, JsonElement Document)> messages = await Mosquitto([.. address, "-V", "5", "-q", "1", "-v", "-W", "60", "-t", "edgesparse/gate-01/#"],
                received => received.Count >= 60 && topics.All(topic => received.Exists(message => message.Topic == topic)));
            Assert.Contains(messages, message => message.Topic == "edgesparse/gate-01/status" && message.Document.GetProperty("state").GetString() == "online");
            Assert.Contains(messages, message => message.Topic == "edgesparse/gate-01/info" && message.Document.GetProperty("cameras").GetArrayLength() == 2);
            Assert.Contains(messages, message => message.Topic == "edgesparse/gate-01/cameras/off/status" && message.Document.GetProperty("state").GetString() == "disabled");
            var street = messages.Where(message => message.Topic == "edgesparse/gate-01/cameras/street/detections").ToList();
            var yard = messages.Where(message => message.Topic == "edgesparse/gate-01/cameras/yard/classifications").ToList();
            Assert.All(street, message => Assert.Empty(detections.Errors(message.Document)));
            Assert.All(yard, message => Assert.Empty(classifications.Errors(message.Document)));
            Assert.Equal("person", street[0].Document.GetProperty("detections")[0].GetProperty("label").GetString());
            long first = street[0].Document.GetProperty("seq").GetInt64();
            Assert.Equal(street.Select((_, i) => first + i), street.Select(message => message.Document.GetProperty("seq").GetInt64()));
        }
    }

    [ProgramDataFact("ffmpeg")]
    public async Task A_Video_Is_Decoded_To_Its_End_And_Every_Frame_Accounted_For()
    {
        await using var daemon = new RunningDaemon(_folder.FullName, options =>
        {
            options.ExitAtEnd = true;
            options.Cameras.Add(new CameraOptions
            {
                Name = "clip",
                Source = new SourceOptions(SourceKind.File, TestData.Path("clips", "intel_one-by-one-person-detection.mp4")),
                Pace = Pace.EveryFrame,
            });
        });
        await daemon.Ended;
        // The container says 1394 frames.
        Assert.Contains("camera clip: 1394 decoded, 1394 processed, 0 dropped, 0 corrupt", daemon.Log, StringComparison.Ordinal);
        Assert.Contains("camera clip: 768x432 from file:", daemon.Log, StringComparison.Ordinal);
    }

    [ProgramFact("ffmpeg")]
    public async Task A_File_That_Is_No_Video_Is_A_Failing_Source_With_Ffmpegs_Reason()
    {
        string path = Path.Combine(_folder.FullName, "broken.mp4");
        File.WriteAllText(path, "this is no video");
        await using var daemon = new RunningDaemon(_folder.FullName, options =>
            options.Cameras.Add(new CameraOptions { Name = "clip", Source = new SourceOptions(SourceKind.File, path) }));
        string body = await daemon.UntilAsync("/readyz?verbose", (_, text) => text.Contains("ffmpeg cannot decode", StringComparison.Ordinal));
        Assert.Contains(path, body, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_And_Insufficient_Packages_Are_Refused_With_65()
    {
        string good = TestPackage.Detector(_folder.FullName);
        byte[] bytes = File.ReadAllBytes(good);
        bytes[^1] ^= 1;
        string damaged = Path.Combine(_folder.FullName, "damaged.esm");
        File.WriteAllBytes(damaged, bytes);
        foreach (string path in (string[])[damaged, TestPackage.WithoutDecoder(_folder.FullName)])
        {
            var options = new DaemonOptions { Device = "d" };
            options.Http.Enabled = false;
            options.Mqtt.Tcp = "127.0.0.1:0";
            options.Cameras.Add(new CameraOptions { Name = "a", Model = path });
            DaemonException e = Assert.Throws<DaemonException>(() => new EdgeSparseDaemon(options, Rig.Quiet, TimeProvider.System));
            Assert.Equal(ExitCode.Data, e.ExitCode);
            Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', e.Message);
        }
    }

    /// <summary>What mosquitto_sub receives, up to the message with which it is <paramref name="enough"/>; that it came is asserted.</summary>
    private static async Task<List<(string Topic, JsonElement Document)>> Mosquitto(string[] arguments, Func<List<(string Topic, JsonElement Document)>, bool> enough)
    {
        using Process process = Process.Start(new ProcessStartInfo("mosquitto_sub", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        List<(string Topic, JsonElement Document)> received = [];
        while (!enough(received))
        {
            string? line = await process.StandardOutput.ReadLineAsync();
            if (line is null) Assert.Fail($"mosquitto_sub {string.Join(' ', arguments)} ended after {string.Join(", ", received.CountBy(message => message.Topic))}: {await error}");
            string[] parts = line.Split(' ', 2);
            received.Add((parts[0], JsonDocument.Parse(parts[1]).RootElement));
        }
        process.Kill();
        return received;
    }
}

/// <summary>A fact that needs a program and is skipped, with the reason, where it is absent.</summary>
internal sealed class ProgramFactAttribute : FactAttribute
{
    public ProgramFactAttribute(string program)
    {
        if (!IsInstalled(program)) Skip = $"skipped: no {program}";
    }

    public static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));
}

/// <summary>A fact that needs a program and the shared test data.</summary>
internal sealed class ProgramDataFactAttribute : FactAttribute
{
    public ProgramDataFactAttribute(string program)
    {
        if (TestData.Folder is null) Skip = TestData.SkipReason;
        else if (!ProgramFactAttribute.IsInstalled(program)) Skip = $"skipped: no {program}";
    }
}

/// <summary>Reads the text format strictly: every sample belongs to the family announced last, no family or sample comes twice.</summary>
internal static partial class PrometheusText
{
    public static Dictionary<string, double> Parse(string text)
    {
        var samples = new Dictionary<string, double>();
        var families = new HashSet<string>();
        string family = "", type = "";
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] words = line.Split(' ');
            if (words[0] == "#" && words[1] == "HELP")
            {
                family = words[2];
                Assert.True(families.Add(family), $"family {family} comes twice");
                continue;
            }
            if (words[0] == "#" && words[1] == "TYPE")
            {
                Assert.Equal(family, words[2]);
                type = words[3];
                Assert.Contains(type, (string[])["counter", "gauge", "histogram"]);
                continue;
            }
            Match match = Sample().Match(line);
            Assert.True(match.Success, line);
            string name = match.Groups["name"].Value;
            string of = type == "histogram" ? Suffix().Replace(name, "") : name;
            Assert.Equal(family, of);
            if (type == "counter") Assert.EndsWith("_total", name, StringComparison.Ordinal);
            samples.Add(match.Groups["id"].Value, double.Parse(match.Groups["value"].Value, CultureInfo.InvariantCulture));
        }
        return samples;
    }

    [GeneratedRegex("""^(?<id>(?<name>[a-z_][a-z0-9_]*)(\{[a-z0-9_]+="([^"\\]|\\.)*"(,[a-z0-9_]+="([^"\\]|\\.)*")*\})?) (?<value>[0-9.eE+-]+)$""")]
    private static partial Regex Sample();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Suffix();
}
