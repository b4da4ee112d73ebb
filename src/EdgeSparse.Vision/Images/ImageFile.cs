using EdgeSparse.Model;

namespace EdgeSparse.Vision;

/// <summary>JPEG and PNG files, told apart by their first bytes. Alpha is dropped, grey becomes RGB, 16-bit samples keep their high byte.</summary>
public static class ImageFile
{
    /// <summary>Largest file that is read.</summary>
    public const long MaxFileBytes = 128L << 20;

    private static ReadOnlySpan<byte> JpegSignature => [0xFF, 0xD8, 0xFF];

    /// <summary>File name extensions that <see cref="Save"/> writes and folders are searched for.</summary>
    public static bool HasImageExtension(string path) =>
        Path.GetExtension(path.AsSpan()) is var extension
        && (extension.Equals(".jpg", StringComparison.OrdinalIgnoreCase) || extension.Equals(".jpeg", StringComparison.OrdinalIgnoreCase)
            || extension.Equals(".png", StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads a file. Errors: <see cref="IOException"/>, <see cref="ImageFormatException"/> with the path in its message, <see cref="ImageLibraryException"/>.</summary>
    public static Frame Load(string path)
    {
        var frame = new Frame(1, 1);
        try
        {
            Load(path, frame);
            return frame;
        }
        catch
        {
            frame.Dispose();
            throw;
        }
    }

    /// <summary>As <see cref="Load(string)"/>, into a frame that is reused.</summary>
    public static void Load(string path, Frame frame)
    {
        long length = new FileInfo(path).Length;
        if (length > MaxFileBytes) throw new ImageFormatException($"{path}: {length} bytes; at most {MaxFileBytes} are read");
        byte[] data = File.ReadAllBytes(path);
        try
        {
            Load(data, frame);
        }
        catch (ImageFormatException e)
        {
            throw new ImageFormatException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>Decodes the bytes of a JPEG or PNG file.</summary>
    public static Frame Load(ReadOnlySpan<byte> data)
    {
        var frame = new Frame(1, 1);
        try
        {
            Load(data, frame);
            return frame;
        }
        catch
        {
            frame.Dispose();
            throw;
        }
    }

    /// <summary>Decodes the bytes of a JPEG or PNG file into a frame that is reused.</summary>
    public static void Load(ReadOnlySpan<byte> data, Frame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        if (data.StartsWith(Png.Signature))
        {
            PngReader.Decode(data, frame);
        }
        else if (data.StartsWith(JpegSignature))
        {
            using var decoder = new JpegDecoder();
            decoder.Decode(data, frame);
        }
        else
        {
            throw new ImageFormatException($"neither JPEG nor PNG: the file of {data.Length} bytes starts with {Convert.ToHexString(data[..Math.Min(8, data.Length)])}");
        }
    }

    /// <summary>Writes a JPEG (.jpg, .jpeg) or PNG (.png) file by the extension of <paramref name="path"/>; an existing file is replaced as a whole or not at all.</summary>
    public static void Save(string path, Frame frame, int jpegQuality = 92)
    {
        ArgumentNullException.ThrowIfNull(frame);
        string extension = Path.GetExtension(path);
        bool png = extension.Equals(".png", StringComparison.OrdinalIgnoreCase);
        if (!png && !HasImageExtension(path)) throw new ArgumentException($"'{path}': the extension must be .png, .jpg or .jpeg", nameof(path));
        if (png)
        {
            using var bytes = new MemoryStream();
            PngWriter.Encode(frame, bytes);
            AtomicFile.Write(path, bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
        }
        else
        {
            using var encoder = new JpegEncoder();
            AtomicFile.Write(path, encoder.Encode(frame, jpegQuality));
        }
    }
}
