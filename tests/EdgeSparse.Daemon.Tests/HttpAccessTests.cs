using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Http;
using EdgeSparse.Testing;

namespace EdgeSparse.Daemon.Tests;

/// <summary>Who may read over HTTP, TLS, and what is not HTTP at all.</summary>
public sealed class HttpAccessTests : IDisposable
{
    private const string Token = "0123456789abcdef-secret";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => _folder.Delete(recursive: true);

    private string TokenFile()
    {
        string path = Path.Combine(_folder.FullName, "token");
        File.WriteAllText(path, Token + "\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    private RunningDaemon WithToken() => new(_folder.FullName, options => options.Http.TokenFile = TokenFile());

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string path, AuthenticationHeaderValue? authorization = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative)) { Headers = { Authorization = authorization } };
        using HttpResponseMessage answer = await client.SendAsync(request);
        return answer.StatusCode;
    }

    [Fact]
    public async Task Nobody_Reads_Without_The_Token_And_Whoever_Shows_It_Does()
    {
        await using RunningDaemon daemon = WithToken();
        foreach (string path in (string[])["/", "/livez", "/readyz", "/healthz?verbose", "/metrics", "/api/status", "/cameras/street/frame.jpg", "/nowhere", "/?token=wrong", "/?token="])
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(daemon.Client, path));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(daemon.Client, "/livez", new AuthenticationHeaderValue("Bearer", Token)));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(daemon.Client, "/metrics", new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes("prometheus:" + Token)))));
        foreach ((string scheme, string value) in ((string, string)[])[("Bearer", Token + "x"), ("Bearer", Token[..^1]), ("Bearer", ""), ("Digest", Token), ("Basic", "%%%"), ("Basic", Convert.ToBase64String("no colon"u8)), ("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes("user:" + Token + "x")))])
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(daemon.Client, "/livez", new AuthenticationHeaderValue(scheme, value)));
        Assert.DoesNotContain(Token, daemon.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Visit_With_The_Token_Leaves_A_Cookie_And_Clears_The_Address()
    {
        await using RunningDaemon daemon = WithToken();
        using var handler = new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false };
        using var client = new HttpClient(handler) { BaseAddress = daemon.Client.BaseAddress };
        using HttpResponseMessage visit = await client.GetAsync(new Uri($"/?token={Token}", UriKind.Relative));
        Assert.Equal((HttpStatusCode.SeeOther, "/"), (visit.StatusCode, visit.Headers.Location!.OriginalString));
        string cookie = visit.Headers.GetValues("Set-Cookie").Single();
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Token, cookie, StringComparison.Ordinal);

        foreach ((string value, HttpStatusCode expected) in ((string, HttpStatusCode)[])[(cookie.Split(';')[0], HttpStatusCode.OK), ($"{AccessToken.CookieName}={Token}", HttpStatusCode.Unauthorized), ($"{AccessToken.CookieName}=", HttpStatusCode.Unauthorized)])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/", UriKind.Relative)) { Headers = { { "Cookie", value } } };
            using HttpResponseMessage page = await client.SendAsync(request);
            Assert.Equal(expected, page.StatusCode);
        }
    }

    [Theory]
    [InlineData("0.0.0.0:9464", null, false)]
    [InlineData("[::]:9464", null, false)]
    [InlineData("192.0.2.1:9464", null, false)]
    [InlineData("127.0.0.1:9464", null, true)]
    [InlineData("[::1]:9464", null, true)]
    [InlineData("0.0.0.0:9464", """ "tokenFile": "token" """, true)]
    [InlineData("0.0.0.0:9464", """ "tls": { "certificateFile": "c", "keyFile": "k", "clientCaFile": "a" } """, true)]
    [InlineData("0.0.0.0:9464", """ "tls": { "certificateFile": "c", "keyFile": "k" } """, false)]
    public void Beyond_Loopback_Only_With_A_Token_Or_Client_Certificates(string listen, string? more, bool accepted)
    {
        var layers = new ConfigurationLayers();
        layers.AddJson("/etc/test.json", Encoding.UTF8.GetBytes($$"""{ "http": { "listen": "{{listen}}" {{(more is null ? "" : ", " + more)}} } }"""));
        var reader = new ConfigurationReader(layers);
        OptionsReader.Read(reader, _ => null);
        if (accepted) Assert.Empty(reader.Problems);
        else Assert.Contains("anybody there could watch the cameras", Assert.Single(reader.Problems).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("short")]
    [InlineData("")]
    [InlineData("sixteen characters with spaces")]
    public void A_Token_That_Is_None_Is_Refused(string text)
    {
        string path = Path.Combine(_folder.FullName, "bad");
        File.WriteAllText(path, text);
        DaemonException refused = Assert.Throws<DaemonException>(() => AccessToken.Read(path, Rig.Quiet));
        Assert.Contains("openssl rand", refused.Message, StringComparison.Ordinal);
        if (text.Length > 0) Assert.DoesNotContain(text, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_Client_Certificates_Only_Their_Owners_Are_Served()
    {
        var authority = new TestCertificates(_folder.FullName, "ours");
        (string certificate, string key) = authority.Issue("localhost");
        (string, string) client = authority.Issue("client"), stranger = new TestCertificates(_folder.FullName, "theirs").Issue("client");
        await using var daemon = new RunningDaemon(_folder.FullName, options =>
        {
            options.Http.Tls.CertificateFile = certificate;
            options.Http.Tls.KeyFile = key;
            options.Http.Tls.ClientCaFile = authority.AuthorityFile;
        });
        Assert.Equal("""{"status":"ok"}""", await GetOverTlsAsync(daemon, authority, client));
        await Assert.ThrowsAnyAsync<Exception>(() => GetOverTlsAsync(daemon, authority, stranger));
        await Assert.ThrowsAnyAsync<Exception>(() => GetOverTlsAsync(daemon, authority, null));
        // Without TLS there is nobody to talk to.
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => daemon.GetAsync("/livez"));
        // A handshake that fails takes nothing down.
        Assert.Equal("""{"status":"ok"}""", await GetOverTlsAsync(daemon, authority, client));
    }

    private static async Task<string> GetOverTlsAsync(RunningDaemon daemon, TestCertificates files, (string Certificate, string Key)? client)
    {
        using var handler = new HttpClientHandler { CheckCertificateRevocationList = false };
        using var authority = X509CertificateLoader.LoadCertificateFromFile(files.AuthorityFile);
        handler.ServerCertificateCustomValidationCallback = (_, certificate, _, _) =>
        {
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(authority);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            return chain.Build(certificate!);
        };
        if (client is { } pair) handler.ClientCertificates.Add(X509Certificate2.CreateFromPemFile(pair.Certificate, pair.Key));
        using var http = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(60) };
        return await http.GetStringAsync(new Uri($"https://{daemon.Daemon.HttpEndPoint}/livez"));
    }

    [Fact]
    public void A_Certificate_Without_Its_Key_Is_Refused_And_No_Secret_Is_Told()
    {
        var authority = new TestCertificates(_folder.FullName, "ours");
        DaemonException refused = Assert.Throws<DaemonException>(() => ServerTls.Create("http:tls", new ServerTlsOptions { CertificateFile = authority.Issue("localhost").Certificate, KeyFile = authority.Issue("client").Key }));
        Assert.Contains("http:tls", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>What is sent, and the status that must come back; 0 = the connection ends without an answer, or with any refusal.</summary>
    public static TheoryData<string, int> Malformed => new()
    {
        { "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 200 },
        { "GET /livez HTTP/1.0\r\n\r\n", 200 },
        { "GET /livez HTTP/1.0\r\nHost: evil.example\r\n\r\n", 421 },
        { "GET /livez HTTP/1.1\r\n\r\n", 400 },
        { "GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400 },
        { "GET /livez HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
        { "GET /livez HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421 },
        { "GET /livez HTTP/3.7\r\nHost: localhost\r\n\r\n", 505 },
        { "GET /livez\r\n\r\n", 400 },
        { "GET  /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 400 },
        { "G\0T /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 400 },
        { "GET /li\0vez HTTP/1.1\r\nHost: localhost\r\n\r\n", 400 },
        { "GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400 },
        { "GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404 },
        { "GET /cameras/..%2f..%2fetc/frame.jpg HTTP/1.1\r\nHost: localhost\r\n\r\n", 404 },
        { "GET /cameras//frame.jpg HTTP/1.1\r\nHost: localhost\r\n\r\n", 404 },
        { "GET /cameras/street/frame.jpg/x HTTP/1.1\r\nHost: localhost\r\n\r\n", 404 },
        { "POST /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405 },
        { "DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405 },
        { "GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400 },
        { "GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n", 400 },
        { "GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400 },
        { "GET /livez HTTP/1.1\r\nHost: localhost\r\nNo colon\r\n\r\n", 400 },
        { "GET /livez HTTP/1.1\r\nHost: localhost\r\n: no name\r\n\r\n", 400 },
        { "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: a\r\n folded\r\n\r\n", 400 },
        { "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: \0\r\n\r\n", 400 },
        { "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 405 },
        { "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n", 0 },
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0 },
        { "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 0 },
        { "\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00\r\n\r\n", 0 },
        { "\r\n\r\n\r\n\r\n", 0 },
        { "GET /livez?" + new string('a', 9000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 414 },
        { "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + new string('a', 9000) + "\r\n\r\n", 431 },
        { "GET /livez HTTP/1.1\r\nHost: localhost\r\n" + string.Concat(Enumerable.Range(0, 200).Select(i => $"X{i}: 1\r\n")) + "\r\n", 431 },
    };

    [Fact]
    public async Task What_Is_Not_Http_Is_Answered_Or_Dropped_And_Nothing_Grows()
    {
        await using var daemon = new RunningDaemon(_folder.FullName);
        await daemon.UntilAsync("/readyz", (status, _) => status == 200);
        var wrong = new List<string>();
        foreach ((string request, int expected) in Malformed.Select(row => ((string)row[0], (int)row[1])))
        {
            // A client that says no more is answered like one that could; where there is no answer, only the end of what it sends ends the connection.
            foreach (bool more in expected == 0 ? (bool[])[false] : [true, false])
            {
                string answer = await RawAsync(daemon, Encoding.Latin1.GetBytes(request), more);
                int status = answer.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? int.Parse(answer.AsSpan(9, 3), System.Globalization.CultureInfo.InvariantCulture) : 0;
                if (expected == 0 ? status is >= 200 and < 300 : status != expected) wrong.Add($"{status}, expected {expected}{(more ? "" : " after the end")}: {request.AsSpan(0, Math.Min(80, request.Length))}");
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));

        // Every truncation of a good request, the connection then closed: no answer of success, no exception that counts, and the server goes on.
        byte[] good = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray();
        for (int length = 0; length < good.Length; length++) Assert.DoesNotContain("200 OK", await RawAsync(daemon, good.AsMemory(0, length), more: false), StringComparison.Ordinal);
        Assert.Equal(200, (await daemon.GetAsync("/readyz")).Status);
    }

    /// <summary>Sends the bytes, and where there is to be no <paramref name="more"/> the end of the stream; returns the first that come back, or all until the connection ends.</summary>
    private static async Task<string> RawAsync(RunningDaemon daemon, ReadOnlyMemory<byte> bytes, bool more)
    {
        using var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(daemon.Daemon.HttpEndPoint!);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var answer = new StringBuilder();
        byte[] buffer = new byte[4096];
        try
        {
            await client.SendAsync(bytes, limit.Token);
            if (!more) client.Shutdown(SocketShutdown.Send);
            for (int length; (length = await client.ReceiveAsync(buffer, limit.Token)) > 0;)
            {
                answer.Append(Encoding.Latin1.GetString(buffer, 0, length));
                if (more && answer.Length >= 12) break;
            }
        }
        catch (SocketException)
        {
            // Reset: an end as well.
        }
        return answer.ToString();
    }
}
