using System.Text;

namespace EdgeSparse.Model;

/// <summary>The ranges of a manifest's values, so that whoever preprocesses and decodes by it may trust them.</summary>
internal static class ManifestValidator
{
    private const int DescriptionBytes = 1 << 14;

    /// <summary>Null if the manifest is valid, else the member and what is wrong with it.</summary>
    public static string? Problem(Manifest manifest)
    {
        if (manifest.Name.Length is 0 or > 64 || !manifest.Name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-'))
            return $"name '{manifest.Name}', expected 1 to 64 of a-z, 0-9 and -";
        if (manifest.Version.Length is 0 or > 64 || manifest.Version.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '+')))
            return $"version '{manifest.Version}', expected 1 to 64 letters, digits, '.', '-' or '+'";
        if (Text("description", manifest.Description, DescriptionBytes) is { } description) return description;
        if (Text("licence", manifest.Licence, Limits.NameBytes) is { } licence) return licence;
        if (manifest.SourceSha256 is { } hash && (hash.Length != 64 || !hash.All(char.IsAsciiHexDigitLower)))
            return "source_sha256 is not 64 lower-case hexadecimal digits";
        if (manifest.Labels.Count > Limits.Labels) return $"{manifest.Labels.Count} labels, at most {Limits.Labels} are supported";
        for (int i = 0; i < manifest.Labels.Count; i++)
        {
            if (manifest.Labels[i] is null) return $"labels[{i}] is null";
            if (Text($"labels[{i}]", manifest.Labels[i], Limits.NameBytes) is { } label) return label;
        }
        return (manifest.Preprocess is { } preprocess ? Problem(preprocess) : null) ?? (manifest.Decoder is { } decoder ? Problem(decoder) : null);
    }

    private static string? Problem(PreprocessManifest preprocess)
    {
        if (!Enum.IsDefined(preprocess.Resize)) return $"preprocess.resize is {(int)preprocess.Resize}";
        if (!Enum.IsDefined(preprocess.Color)) return $"preprocess.color is {(int)preprocess.Color}";
        int channels = preprocess.Color == ColorOrder.Gray ? 1 : 3;
        return Range("preprocess.pad_value", preprocess.PadValue, 0, 255)
            ?? Range("preprocess.crop_ratio", preprocess.CropRatio, 0.01f, 1)
            ?? Finite("preprocess.scale", preprocess.Scale)
            ?? PerChannel("preprocess.mean", preprocess.Mean, channels)
            ?? PerChannel("preprocess.std", preprocess.Std, channels)
            ?? (preprocess.Std.Contains(0) ? "preprocess.std contains 0" : null);
    }

    private static string? Problem(DecoderManifest decoder)
    {
        if (!Enum.IsDefined(decoder.Type)) return $"decoder.type is {(int)decoder.Type}";
        if (decoder.Strides.Count is 0 or > 16 || decoder.Strides.Any(s => s is < 1 or > 4096)) return "decoder.strides, expected 1 to 16 numbers from 1 to 4096";
        if (decoder.Variances.Count != 2 || decoder.Variances.Any(v => !float.IsFinite(v) || v <= 0)) return "decoder.variances, expected 2 positive numbers";
        if (decoder.BackgroundClass is < -1 or > Limits.Labels) return $"decoder.background_class is {decoder.BackgroundClass}, expected -1 to {Limits.Labels}";
        if (decoder.MaxDetections is < 1 or > Limits.Labels) return $"decoder.max_detections is {decoder.MaxDetections}, expected 1 to {Limits.Labels}";
        if (decoder.Classes is < 0 or > Limits.Labels) return $"decoder.classes is {decoder.Classes}, expected 0 to {Limits.Labels}";
        if (decoder.MaxRows is < 1 or > Limits.Labels) return $"decoder.max_rows is {decoder.MaxRows}, expected 1 to {Limits.Labels}";
        if (decoder.Anchors.Count > 16) return $"{decoder.Anchors.Count} decoder.anchors, at most 16 are supported";
        for (int i = 0; i < decoder.Anchors.Count; i++)
        {
            AnchorManifest? anchor = decoder.Anchors[i];
            if (anchor is null) return $"decoder.anchors[{i}] is null";
            if (anchor.Stride is < 1 or > 4096) return $"decoder.anchors[{i}].stride is {anchor.Stride}, expected 1 to 4096";
            if (anchor.Sizes.Count is 0 or > 64 || anchor.Sizes.Any(s => !float.IsFinite(s) || s <= 0)) return $"decoder.anchors[{i}].sizes, expected 1 to 64 positive numbers";
        }
        return Text("decoder.scores_output", decoder.ScoresOutput, Limits.NameBytes)
            ?? Text("decoder.boxes_output", decoder.BoxesOutput, Limits.NameBytes)
            ?? Text("decoder.classes_output", decoder.ClassesOutput, Limits.NameBytes)
            ?? Range("decoder.score_threshold", decoder.ScoreThreshold, 0, 1)
            ?? Range("decoder.iou_threshold", decoder.IouThreshold, 0, 1);
    }

    private static string? PerChannel(string member, List<float> values, int channels)
    {
        if (values.Count != 0 && values.Count != channels) return $"{member} has {values.Count} values, expected {channels} or none";
        foreach (float value in values)
            if (Finite(member, value) is { } problem) return problem;
        return null;
    }

    private static string? Finite(string member, float value) => float.IsFinite(value) ? null : $"{member} contains {value}, expected a finite number";

    private static string? Range(string member, float value, float minimum, float maximum) =>
        value >= minimum && value <= maximum ? null : $"{member} is {value}, expected {minimum} to {maximum}";

    private static string? Text(string member, string? text, int limitBytes)
    {
        if (text is null) return null;
        if (text.Any(char.IsControl)) return $"{member} contains control characters";
        return Encoding.UTF8.GetByteCount(text) <= limitBytes ? null : $"{member} is longer than {limitBytes} bytes";
    }
}
