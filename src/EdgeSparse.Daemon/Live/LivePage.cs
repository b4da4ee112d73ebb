namespace EdgeSparse.Daemon.Live;

/// <summary>The live page: one HTML document without anything from elsewhere.</summary>
internal static class LivePage
{
    public static byte[] Html { get; } = Load();

    private static byte[] Load()
    {
        using Stream stream = typeof(LivePage).Assembly.GetManifestResourceStream("live.html")
            ?? throw new InvalidOperationException("the live page is not part of the program");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
