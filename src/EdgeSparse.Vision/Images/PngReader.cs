using System.Buffers.Binary;
using System.IO.Compression;

namespace EdgeSparse.Vision;

/// <summary>PNG to RGB24: all colour types, bit depths 1 to 16, Adam7 interlace; checksums are verified. Alpha and transparency chunks are ignored.</summary>
internal static class PngReader
{
    private static ReadOnlySpan<byte> PassX => [0, 4, 0, 2, 0, 1, 0];

    private static ReadOnlySpan<byte> PassY => [0, 0, 4, 0, 2, 0, 1];

    private static ReadOnlySpan<byte> PassStepX => [8, 8, 4, 4, 2, 2, 1];

    private static ReadOnlySpan<byte> PassStepY => [8, 8, 8, 4, 4, 2, 2];

    private readonly record struct Header(int Width, int Height, int Depth, int ColorType, bool Interlaced)
    {
        public int Channels => ColorType switch { Png.ColorRgb => 3, Png.ColorGreyAlpha => 2, Png.ColorRgba => 4, _ => 1 };

        public int BitsPerPixel => Channels * Depth;

        public int RowBytes(int width) => (int)((((long)width * BitsPerPixel) + 7) / 8);
    }

    public static void Decode(ReadOnlySpan<byte> file, Frame frame)
    {
        Header header = default;
        ReadOnlySpan<byte> palette = default;
        var compressed = new MemoryStream();
        bool seenHeader = false, seenEnd = false, dataClosed = false;
        int position = Png.Signature.Length;
        while (!seenEnd)
        {
            if (file.Length - position < 12) throw new ImageFormatException($"PNG ends at byte {file.Length} without its end chunk");
            uint length = BinaryPrimitives.ReadUInt32BigEndian(file[position..]);
            if (length > file.Length - position - 12) throw new ImageFormatException($"PNG chunk at byte {position} claims {length} bytes; the file has {file.Length - position - 12} left");
            ReadOnlySpan<byte> typeAndData = file.Slice(position + 4, 4 + (int)length);
            uint type = BinaryPrimitives.ReadUInt32BigEndian(typeAndData);
            ReadOnlySpan<byte> data = typeAndData[4..];
            if (Png.Crc(typeAndData) != BinaryPrimitives.ReadUInt32BigEndian(file[(position + 8 + (int)length)..]))
                throw new ImageFormatException($"PNG chunk at byte {position}: checksum does not match");
            if (!seenHeader && type != Png.ChunkHeader) throw new ImageFormatException("PNG does not start with its header chunk");
            switch (type)
            {
                case Png.ChunkHeader:
                    if (seenHeader) throw new ImageFormatException("PNG has two header chunks");
                    header = ReadHeader(data);
                    seenHeader = true;
                    break;
                case Png.ChunkPalette:
                    if (data.Length == 0 || data.Length % 3 != 0 || data.Length > 768) throw new ImageFormatException($"PNG palette of {data.Length} bytes");
                    palette = data;
                    break;
                case Png.ChunkData:
                    if (dataClosed) throw new ImageFormatException("PNG data chunks are not consecutive");
                    compressed.Write(data);
                    break;
                case Png.ChunkEnd:
                    seenEnd = true;
                    break;
                default:
                    if ((type & 0x20000000) == 0) throw new ImageFormatException($"PNG has an unknown critical chunk 0x{type:X8} at byte {position}");
                    break;
            }
            if (type != Png.ChunkData && compressed.Length > 0) dataClosed = true;
            position += 12 + (int)length;
        }
        if (compressed.Length == 0) throw new ImageFormatException("PNG has no data");
        if (header.ColorType == Png.ColorPalette && palette.IsEmpty) throw new ImageFormatException("PNG with a palette colour type has no palette");
        compressed.Position = 0;
        frame.Resize(header.Width, header.Height);
        try
        {
            using var inflated = new ZLibStream(compressed, CompressionMode.Decompress);
            ReadPixels(header, palette, inflated, frame);
        }
        catch (InvalidDataException e)
        {
            throw new ImageFormatException($"PNG data: {e.Message}", e);
        }
        catch (EndOfStreamException e)
        {
            throw new ImageFormatException("PNG data ends before the last row", e);
        }
    }

    private static Header ReadHeader(ReadOnlySpan<byte> data)
    {
        if (data.Length != 13) throw new ImageFormatException($"PNG header of {data.Length} bytes, expected 13");
        uint width = BinaryPrimitives.ReadUInt32BigEndian(data);
        uint height = BinaryPrimitives.ReadUInt32BigEndian(data[4..]);
        if (width == 0 || height == 0 || (ulong)width * height > Frame.MaxPixels)
            throw new ImageFormatException($"PNG of {width}x{height} pixels; 1 to {Frame.MaxPixels} pixels are read");
        (int depth, int color) = (data[8], data[9]);
        bool valid = color switch
        {
            Png.ColorGrey => depth is 1 or 2 or 4 or 8 or 16,
            Png.ColorPalette => depth is 1 or 2 or 4 or 8,
            Png.ColorRgb or Png.ColorGreyAlpha or Png.ColorRgba => depth is 8 or 16,
            _ => false,
        };
        if (!valid) throw new ImageFormatException($"PNG with colour type {color} and bit depth {depth}");
        if (data[10] != 0 || data[11] != 0 || data[12] > 1) throw new ImageFormatException($"PNG with methods {data[10]}, {data[11]}, {data[12]}; expected 0, 0, 0 or 1");
        return new Header((int)width, (int)height, depth, color, data[12] == 1);
    }

    private static void ReadPixels(Header header, ReadOnlySpan<byte> palette, Stream inflated, Frame frame)
    {
        int pixelBytes = Math.Max(1, header.BitsPerPixel / 8);
        int maxRow = 1 + header.RowBytes(header.Width);
        var current = new byte[maxRow];
        var previous = new byte[maxRow];
        for (int pass = header.Interlaced ? 0 : 6; pass < 7; pass++)
        {
            (int startX, int startY, int stepX, int stepY) = header.Interlaced ? (PassX[pass], PassY[pass], PassStepX[pass], PassStepY[pass]) : (0, 0, 1, 1);
            int width = (header.Width - startX + stepX - 1) / stepX;
            int height = (header.Height - startY + stepY - 1) / stepY;
            if (width <= 0 || height <= 0) continue;
            int rowBytes = header.RowBytes(width);
            previous.AsSpan().Clear();
            for (int row = 0; row < height; row++)
            {
                inflated.ReadExactly(current, 0, rowBytes + 1);
                Unfilter(current[0], current.AsSpan(1, rowBytes), previous.AsSpan(1, rowBytes), pixelBytes);
                Span<byte> target = frame.Row(startY + (row * stepY))[(startX * 3)..];
                ExpandRow(header, palette, current.AsSpan(1, rowBytes), target, width, stepX * 3);
                (current, previous) = (previous, current);
            }
        }
        // Reading on to the end of the stream makes the inflater verify its checksum; anything beyond the last row is an error.
        if (inflated.ReadByte() >= 0) throw new ImageFormatException("PNG data goes on behind the last row");
    }

    private static void Unfilter(int filter, Span<byte> row, ReadOnlySpan<byte> above, int pixelBytes)
    {
        switch (filter)
        {
            case 0:
                break;
            case 1:
                for (int i = pixelBytes; i < row.Length; i++) row[i] += row[i - pixelBytes];
                break;
            case 2:
                for (int i = 0; i < row.Length; i++) row[i] += above[i];
                break;
            case 3:
                for (int i = 0; i < row.Length; i++) row[i] += (byte)(((i >= pixelBytes ? row[i - pixelBytes] : 0) + above[i]) >> 1);
                break;
            case 4:
                for (int i = 0; i < row.Length; i++)
                    row[i] += i >= pixelBytes ? Png.Paeth(row[i - pixelBytes], above[i], above[i - pixelBytes]) : above[i];
                break;
            default:
                throw new ImageFormatException($"PNG row with filter {filter}; expected 0 to 4");
        }
    }

    /// <summary>One row of samples to RGB; pixels are written <paramref name="stepBytes"/> apart (interlace).</summary>
    private static void ExpandRow(Header header, ReadOnlySpan<byte> palette, ReadOnlySpan<byte> row, Span<byte> target, int width, int stepBytes)
    {
        int sampleBytes = header.Depth / 8;
        switch (header.ColorType)
        {
            case Png.ColorRgb or Png.ColorRgba:
                int sourceStep = header.Channels * sampleBytes;
                for (int x = 0; x < width; x++)
                {
                    ReadOnlySpan<byte> pixel = row.Slice(x * sourceStep, sourceStep);
                    (target[x * stepBytes], target[(x * stepBytes) + 1], target[(x * stepBytes) + 2]) = (pixel[0], pixel[sampleBytes], pixel[2 * sampleBytes]);
                }
                break;
            case Png.ColorPalette:
                for (int x = 0; x < width; x++)
                {
                    int index = Sample(row, x, header.Depth) * 3;
                    if (index >= palette.Length) throw new ImageFormatException($"PNG pixel with palette entry {index / 3}; the palette has {palette.Length / 3}");
                    palette.Slice(index, 3).CopyTo(target[(x * stepBytes)..]);
                }
                break;
            default:
                int scale = header.Depth < 8 ? 255 / ((1 << header.Depth) - 1) : 1;
                for (int x = 0; x < width; x++)
                {
                    byte grey = header.Depth >= 8 ? row[x * header.Channels * sampleBytes] : (byte)(Sample(row, x, header.Depth) * scale);
                    target.Slice(x * stepBytes, 3).Fill(grey);
                }
                break;
        }
    }

    private static int Sample(ReadOnlySpan<byte> row, int x, int depth)
    {
        if (depth == 8) return row[x];
        int bit = x * depth;
        return (row[bit >> 3] >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
    }
}
