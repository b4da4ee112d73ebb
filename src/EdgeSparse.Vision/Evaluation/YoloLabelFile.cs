using System.Globalization;
using EdgeSparse.Model;

namespace EdgeSparse.Vision;

/// <summary>
/// True boxes as YOLO's tools store them: a text file for each picture, a line for each box: class, then centre x, centre y, width and height as shares of the picture.
/// </summary>
public static class YoloLabelFile
{
    /// <summary>Largest file that is read.</summary>
    public const long MaxFileBytes = 4 << 20;

    /// <summary>Reads a file. Errors: <see cref="IOException"/>, <see cref="ModelFormatException"/> with file and line.</summary>
    public static Detection[] Read(string path)
    {
        long length = new FileInfo(path).Length;
        if (length > MaxFileBytes) throw new ModelFormatException($"{path}: {length} bytes; at most {MaxFileBytes} are read");
        return Parse(File.ReadAllText(path), path);
    }

    /// <summary>Reads the text of a file; <paramref name="path"/> is named in errors.</summary>
    public static Detection[] Parse(string text, string path)
    {
        ArgumentNullException.ThrowIfNull(text);
        var boxes = new List<Detection>();
        int number = 0;
        Span<float> values = stackalloc float[4];
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            number++;
            string[] words = line.ToString().Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0) continue;
            bool valid = words.Length == 5 & int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out int label) && label < Limits.Labels;
            for (int i = 0; valid && i < values.Length; i++)
                valid = float.TryParse(words[i + 1], NumberStyles.Float, CultureInfo.InvariantCulture, out values[i]) && values[i] is >= 0 and <= 1;
            if (!valid) throw new ModelFormatException($"{path}: line {number} is '{(line.Length > 80 ? line[..80] : line)}', expected 'class cx cy width height' with the four shares from 0 to 1");
            boxes.Add(new Detection(label, 1, values[0] - values[2] / 2, values[1] - values[3] / 2, values[0] + values[2] / 2, values[1] + values[3] / 2));
        }
        return [.. boxes];
    }
}
