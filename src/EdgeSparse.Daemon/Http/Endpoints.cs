using System.Net;
using System.Text;
using EdgeSparse.Daemon.Live;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Mqtt;
using Microsoft.AspNetCore.Http;

namespace EdgeSparse.Daemon.Http;

/// <summary>
/// The paths that are served, GET and HEAD only: /livez /readyz /healthz /metrics /api/status, and with the page / and /cameras/NAME/frame.jpg and
/// /cameras/NAME/stream.mjpeg.
/// </summary>
internal sealed class Endpoints(DaemonState state, MqttBrokerStatistics? broker)
{
    private const string Json = "application/json; charset=utf-8";
    private const string Text = "text/plain; charset=utf-8";
    private const string Boundary = "edgesparse-frame";

    public async Task AnswerAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        HttpResponse response = context.Response;
        response.Headers.CacheControl = "no-store";
        response.Headers.XContentTypeOptions = "nosniff";
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
        {
            response.Headers.Allow = "GET, HEAD";
            await Answer(context, 405, Text, "only GET and HEAD are served\n"u8.ToArray());
        }
        else if (!state.Options.Http.AsksWho && !IsOwnHost(request.Host))
        {
            await Answer(context, 421, Text, "address this server by its number or as localhost\n"u8.ToArray());
        }
        else
        {
            await Route(context, request.Path.Value ?? "/");
        }
    }

    /// <summary>
    /// Numbers and localhost only: a web page from elsewhere whose name was made to resolve to this address (DNS rebinding) must not read the cameras. Where a token or certificate is asked for, such a page has none.
    /// </summary>
    public static bool IsOwnHost(HostString host) =>
        host.Host.Length == 0 || host.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(host.Host.Trim('[', ']'), out _);

    private Task Route(HttpContext context, string path)
    {
        switch (path)
        {
            case "/livez":
                return Health(context, HealthReport.Live(state));
            case "/readyz" or "/healthz":
                return Health(context, HealthReport.Ready(state));
            case "/metrics":
                return Answer(context, 200, Metrics.PrometheusWriter.ContentType, Encoding.UTF8.GetBytes(MetricsPage.Write(state, broker)));
            case "/api/status":
                return Answer(context, 200, Json, StatusDocument.Write(state, broker));
        }
        if (state.Options.Http.Page)
        {
            if (path == "/") return Page(context);
            string[] parts = path.Split('/');
            if (parts is ["", "cameras", _, "frame.jpg"] && state.Cameras.Find(parts[2]) is { } camera) return Frame(context, camera.Picture);
            if (parts is ["", "cameras", _, "stream.mjpeg"] && state.Cameras.Find(parts[2]) is { } watched) return Stream(context, watched.Picture);
        }
        return Answer(context, 404, Text, "not found; there are / /api/status /metrics /livez /readyz /healthz?verbose\n"u8.ToArray());
    }

    private static Task Health(HttpContext context, HealthReport report) =>
        Answer(context, report.HttpStatus, Json, report.ToJson(verbose: context.Request.Query.ContainsKey("verbose")));

    private static Task Page(HttpContext context)
    {
        context.Response.Headers.ContentSecurityPolicy =
            "default-src 'none'; img-src 'self' blob: data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        return Answer(context, 200, "text/html; charset=utf-8", LivePage.Html);
    }

    /// <summary>The newest picture, or with <c>?after=N</c> the first newer than number N; the answer's number is in X-Frame-Number.</summary>
    private static async Task Frame(HttpContext context, LivePicture picture)
    {
        _ = long.TryParse(context.Request.Query["after"], out long after);
        (long number, byte[] jpeg) = await picture.NextAsync(after, TimeSpan.FromSeconds(5), context.RequestAborted);
        if (number == 0)
        {
            await Answer(context, 503, Text, "no frame within 5 s; see /healthz?verbose\n"u8.ToArray());
            return;
        }
        context.Response.Headers["X-Frame-Number"] = number.ToString();
        await Answer(context, 200, "image/jpeg", jpeg);
    }

    /// <summary>Pictures one after the other until the client leaves or the source ends, for players and dashboards.</summary>
    private static async Task Stream(HttpContext context, LivePicture picture)
    {
        context.Response.ContentType = $"multipart/x-mixed-replace; boundary={Boundary}";
        if (HttpMethods.IsHead(context.Request.Method)) return;
        CancellationToken gone = context.RequestAborted;
        long number = 0;
        while (!gone.IsCancellationRequested)
        {
            (number, byte[] jpeg) = await picture.NextAsync(number, TimeSpan.FromSeconds(10), gone);
            if (number == 0) return;
            await context.Response.Body.WriteAsync(Encoding.ASCII.GetBytes($"--{Boundary}\r\nContent-Type: image/jpeg\r\nContent-Length: {jpeg.Length}\r\n\r\n"), gone);
            await context.Response.Body.WriteAsync(jpeg, gone);
            await context.Response.Body.WriteAsync("\r\n"u8.ToArray(), gone);
            await context.Response.Body.FlushAsync(gone);
        }
    }

    private static async Task Answer(HttpContext context, int status, string type, byte[] body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }
}
