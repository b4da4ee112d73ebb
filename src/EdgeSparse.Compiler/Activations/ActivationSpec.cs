using System.Globalization;

namespace EdgeSparse.Compiler.Activations;

/// <summary>How activations are made sparse.</summary>
public enum ActivationMethod
{
    /// <summary>Only zeros are skipped: the result stays the same. For MLPs with ReLU.</summary>
    Relu,
    /// <summary>Values up to a threshold count as zero, one threshold for each layer, so that a given share remains over the calibration pictures (TEAL, CATS).</summary>
    Threshold,
    /// <summary>Values up to mean + d·σ of their token count as zero, one d for each layer, so that a given share remains over the calibration pictures (statistical top-k, Spark Transformer).</summary>
    Top,
}

/// <summary>Which activations of MLPs to skip, as written: <c>relu</c>, <c>threshold:keep=0.3</c>, <c>top:keep=0.2,layers=2-5</c>. Layers are MLPs, counted from 1.</summary>
/// <param name="Text">As written.</param>
/// <param name="Method">What counts.</param>
/// <param name="Keep">Share of a layer's activations that remain; 1 for <see cref="ActivationMethod.Relu"/>.</param>
/// <param name="FirstLayer">First MLP.</param>
/// <param name="LastLayer">Last MLP; <see cref="int.MaxValue"/> where none was named.</param>
public sealed record ActivationSpec(string Text, ActivationMethod Method, double Keep, int FirstLayer, int LastLayer)
{
    private const string Forms = "relu, threshold:keep=0.3 or top:keep=0.3, each with layers=2-5 where only some MLPs are meant";

    /// <summary>Reads a specification. Throws <see cref="FormatException"/>, naming what was found and what was expected.</summary>
    public static ActivationSpec Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string name = colon < 0 ? text : text[..colon];
        ActivationMethod method = name switch
        {
            "relu" => ActivationMethod.Relu,
            "threshold" => ActivationMethod.Threshold,
            "top" => ActivationMethod.Top,
            _ => throw new FormatException($"activation '{text}': method '{name}' is not known, expected {Forms}"),
        };
        double? keep = null;
        (int First, int Last)? layers = null;
        foreach (string argument in colon < 0 ? [] : text[(colon + 1)..].Split(','))
        {
            int equals = argument.IndexOf('=', StringComparison.Ordinal);
            string value = equals < 0 ? "" : argument[(equals + 1)..];
            switch (equals < 0 ? argument : argument[..equals])
            {
                case "keep" when keep is null && method != ActivationMethod.Relu:
                    keep = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double share) && share is > 0 and < 1 ? share
                        : throw new FormatException($"activation '{text}': keep is '{value}', expected a number between 0 and 1");
                    break;
                case "layers" when layers is null:
                    layers = Range(text, value);
                    break;
                default:
                    throw new FormatException($"activation '{text}': unexpected '{argument}', expected {Forms}");
            }
        }
        if (keep is null && method != ActivationMethod.Relu) throw new FormatException($"activation '{text}': keep is missing, expected {Forms}");
        return new ActivationSpec(text, method, keep ?? 1, layers?.First ?? 1, layers?.Last ?? int.MaxValue);
    }

    private static (int, int) Range(string text, string value)
    {
        string[] ends = value.Split('-');
        if (ends.Length is 1 or 2 && int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out int first) && int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int last)
            && first >= 1 && last >= first) return (first, last);
        throw new FormatException($"activation '{text}': layers is '{value}', expected numbers from 1 such as 3 or 2-5");
    }
}
