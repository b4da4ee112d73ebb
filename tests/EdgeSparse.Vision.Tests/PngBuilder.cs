using System.Buffers.Binary;
using System.IO.Compression;

namespace EdgeSparse.Vision.Tests;

/// <summary>Writes PNG files of every kind from samples, independently of the library: its own CRC (bit by bit), filters and interlace.</summary>
internal static class PngBuilder
{
    public static readonly byte[] Signature = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    public static int Channels(int colorType) => colorType switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };

    /// <param name="samples">[height, width, channels], each below 2^depth.</param>
    public static byte[] Build(int width, int height, int depth, int colorType, bool interlaced, ushort[] samples, byte[]? palette, Random random)
    {
        var file = new MemoryStream();
        file.Write(Signature);
        WriteChunk(file, "IHDR", Header(width, height, depth, colorType, interlaced));
        if (palette is not null) WriteChunk(file, "PLTE", palette);
        WriteChunk(file, "tEXt", "Comment\0ignored"u8.ToArray());
        var raw = new MemoryStream();
        int channels = Channels(colorType);
        (int X, int Y, int StepX, int StepY)[] passes = interlaced
            ? [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
            : [(0, 0, 1, 1)];
        foreach ((int x0, int y0, int stepX, int stepY) in passes)
        {
            byte[]? above = null;
            for (int y = y0; y < height && x0 < width; y += stepY)
            {
                var bits = new List<int>();
                for (int x = x0; x < width; x += stepX)
                {
                    for (int c = 0; c < channels; c++)
                    {
                        int sample = samples[(((y * width) + x) * channels) + c];
                        for (int bit = depth - 1; bit >= 0; bit--) bits.Add(sample >> bit & 1);
                    }
                }
                var row = new byte[(bits.Count + 7) / 8];
                for (int i = 0; i < bits.Count; i++) row[i / 8] |= (byte)(bits[i] << (7 - (i % 8)));
                WriteFiltered(raw, random.Next(5), row, above ?? new byte[row.Length], Math.Max(1, channels * depth / 8));
                above = row;
            }
        }
        byte[] packed = Deflate(raw.ToArray());
        int cut = packed.Length / 3;
        WriteChunk(file, "IDAT", packed[..cut]);
        WriteChunk(file, "IDAT", packed[cut..]);
        WriteChunk(file, "IEND", []);
        return file.ToArray();
    }

    public static byte[] Header(int width, int height, int depth, int colorType, bool interlaced)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9], header[12]) = ((byte)depth, (byte)colorType, (byte)(interlaced ? 1 : 0));
        return header;
    }

    public static byte[] Deflate(byte[] data)
    {
        var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true)) zlib.Write(data);
        return packed.ToArray();
    }

    public static void WriteChunk(Stream file, string type, byte[] data)
    {
        var chunk = new byte[12 + data.Length];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        for (int i = 0; i < 4; i++) chunk[4 + i] = (byte)type[i];
        data.CopyTo(chunk, 8);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + data.Length), Crc(chunk.AsSpan(4, 4 + data.Length)));
        file.Write(chunk);
    }

    /// <summary>Recomputes the checksum of every whole chunk, so that damage inside the data reaches the decoder.</summary>
    public static void RepairChecksums(Span<byte> file)
    {
        int position = 8;
        while (position + 12 <= file.Length)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(file[position..]);
            if (length > file.Length - position - 12) return;
            BinaryPrimitives.WriteUInt32BigEndian(file[(position + 8 + (int)length)..], Crc(file.Slice(position + 4, 4 + (int)length)));
            position += 12 + (int)length;
        }
    }

    private static uint Crc(ReadOnlySpan<byte> data)
    {
        uint crc = 0xFFFFFFFF;
        foreach (byte b in data)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
        }
        return ~crc;
    }

    private static void WriteFiltered(MemoryStream raw, int filter, byte[] row, byte[] above, int step)
    {
        raw.WriteByte((byte)filter);
        for (int i = 0; i < row.Length; i++)
        {
            int a = i >= step ? row[i - step] : 0, b = above[i], c = i >= step ? above[i - step] : 0;
            int p = a + b - c;
            int nearest = Math.Abs(p - a) <= Math.Abs(p - b) && Math.Abs(p - a) <= Math.Abs(p - c) ? a : Math.Abs(p - b) <= Math.Abs(p - c) ? b : c;
            raw.WriteByte((byte)(row[i] - filter switch { 0 => 0, 1 => a, 2 => b, 3 => (a + b) / 2, _ => nearest }));
        }
    }
}
