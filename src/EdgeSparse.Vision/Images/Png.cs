namespace EdgeSparse.Vision;

/// <summary>What reader and writer of PNG share (https://www.w3.org/TR/png-3/).</summary>
internal static class Png
{
    public const uint ChunkHeader = 0x49484452;
    public const uint ChunkPalette = 0x504C5445;
    public const uint ChunkData = 0x49444154;
    public const uint ChunkEnd = 0x49454E44;

    public const int ColorGrey = 0;
    public const int ColorRgb = 2;
    public const int ColorPalette = 3;
    public const int ColorGreyAlpha = 4;
    public const int ColorRgba = 6;

    private static readonly uint[] s_crcTable = MakeCrcTable();

    public static ReadOnlySpan<byte> Signature => [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>CRC-32 of a chunk's type and data (PNG specification, annex D).</summary>
    public static uint Crc(ReadOnlySpan<byte> data, uint crc = 0)
    {
        crc = ~crc;
        foreach (byte b in data) crc = s_crcTable[(byte)(crc ^ b)] ^ (crc >> 8);
        return ~crc;
    }

    public static byte Paeth(int left, int above, int aboveLeft)
    {
        int toLeft = Math.Abs(above - aboveLeft);
        int toAbove = Math.Abs(left - aboveLeft);
        int toAboveLeft = Math.Abs(left + above - (2 * aboveLeft));
        if (toLeft <= toAbove && toLeft <= toAboveLeft) return (byte)left;
        return (byte)(toAbove <= toAboveLeft ? above : aboveLeft);
    }

    private static uint[] MakeCrcTable()
    {
        var table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            uint c = i;
            for (int bit = 0; bit < 8; bit++) c = (c & 1) != 0 ? 0xEDB88320 ^ (c >> 1) : c >> 1;
            table[i] = c;
        }
        return table;
    }
}
