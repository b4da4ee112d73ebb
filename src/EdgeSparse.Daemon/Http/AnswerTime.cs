using Microsoft.AspNetCore.Connections;

namespace EdgeSparse.Daemon.Http;

/// <summary>
/// A client may end its own side right behind its request and read on (nc, simple probes). Kestrel takes that end for a client that is gone, and drops the answer it was about to write.
/// Between the two it is told a little later, so that the answer gets out.
/// </summary>
internal static class AnswerTime
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    public static void UseAnswerTime(this IConnectionBuilder connections) => connections.Use(next => connection => ServeAsync(connection, next));

    private static async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        CancellationToken ended = connection.ConnectionClosed;
        using var later = new CancellationTokenSource();
        await using CancellationTokenRegistration registration = ended.UnsafeRegister(static state => ((CancellationTokenSource)state!).CancelAfter(Grace), later);
        connection.ConnectionClosed = later.Token;
        try
        {
            await next(connection);
        }
        finally
        {
            connection.ConnectionClosed = ended;
        }
    }
}
