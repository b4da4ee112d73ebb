using System.Net;
using System.Net.Sockets;

namespace EdgeSparse.Testing;

/// <summary>
/// Ports for servers in processes of their own. They lie below those that the kernel gives to connections (from 32768 on): one of those can be taken by any connection before the server
/// binds it, even by one to that very port, which then is connected to itself.
/// </summary>
public static class FreePorts
{
    private const int First = 20_000, Count = 12_000;
    private static int next = Random.Shared.Next(Count);

    /// <summary>A port that is free just now, and that no other call of this process is given soon.</summary>
    public static int Next()
    {
        for (int attempt = 0; attempt < Count; attempt++)
        {
            int port = First + (int)((uint)Interlocked.Increment(ref next) % Count);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Somebody's.
            }
        }
        throw new InvalidOperationException($"no port from {First} to {First + Count - 1} is free");
    }
}
