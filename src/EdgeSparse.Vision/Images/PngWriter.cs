using System.Buffers.Binary;
using System.IO.Compression;

namespace EdgeSparse.Vision;

/// <summary>RGB24 to PNG: 8 bits, not interlaced, for every row the filter with the smallest sum of absolute differences (as the specification advises).</summary>
internal static class PngWriter
{
    public static void Encode(Frame frame, Stream target)
    {
        target.Write(Png.Signature);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, frame.Width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], frame.Height);
        header[8] = 8;
        header[9] = Png.ColorRgb;
        header[10..].Clear();
        WriteChunk(target, Png.ChunkHeader, header);

        using var compressed = new MemoryStream();
        using (var deflate = new ZLibStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            int rowBytes = frame.StrideBytes;
            byte[] best = new byte[rowBytes + 1], candidate = new byte[rowBytes + 1], above = new byte[rowBytes];
            for (int y = 0; y < frame.Height; y++)
            {
                ReadOnlySpan<byte> row = frame.Row(y);
                long bestCost = long.MaxValue;
                for (int filter = 0; filter < 5; filter++)
                {
                    long cost = Filter(filter, row, above, candidate);
                    if (cost >= bestCost) continue;
                    bestCost = cost;
                    (best, candidate) = (candidate, best);
                }
                deflate.Write(best);
                row.CopyTo(above);
            }
        }
        WriteChunk(target, Png.ChunkData, compressed.GetBuffer().AsSpan(0, (int)compressed.Length));
        WriteChunk(target, Png.ChunkEnd, default);
    }

    private static long Filter(int filter, ReadOnlySpan<byte> row, ReadOnlySpan<byte> above, Span<byte> target)
    {
        target[0] = (byte)filter;
        long cost = 0;
        for (int i = 0; i < row.Length; i++)
        {
            int left = i >= 3 ? row[i - 3] : 0;
            int aboveLeft = i >= 3 ? above[i - 3] : 0;
            int predicted = filter switch
            {
                0 => 0,
                1 => left,
                2 => above[i],
                3 => (left + above[i]) >> 1,
                _ => Png.Paeth(left, above[i], aboveLeft),
            };
            byte value = (byte)(row[i] - predicted);
            target[i + 1] = value;
            cost += Math.Abs((int)(sbyte)value);
        }
        return cost;
    }

    private static void WriteChunk(Stream target, uint type, ReadOnlySpan<byte> data)
    {
        Span<byte> word = stackalloc byte[8];
        BinaryPrimitives.WriteInt32BigEndian(word, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(word[4..], type);
        target.Write(word);
        target.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(word, Png.Crc(data, Png.Crc(word[4..])));
        target.Write(word[..4]);
    }
}
