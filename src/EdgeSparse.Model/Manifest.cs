using System.Text.Json.Serialization;

namespace EdgeSparse.Model;

/// <summary>
/// What a package says about its model beside the graph: identity, how a picture becomes the input, what the outputs mean.
/// It is the JSON document of the package's manifest section and of the <c>model.json</c> beside an ONNX file.
/// </summary>
public sealed class Manifest
{
    /// <summary>[a-z0-9-]+, as used in topics and metrics.</summary>
    public string Name { get; set; } = "model";

    public string Version { get; set; } = "0.0.0";

    public string? Description { get; set; }

    public string? Licence { get; set; }

    /// <summary>How a picture becomes the model's first input; null for a model that does not take pictures.</summary>
    public PreprocessManifest? Preprocess { get; set; }

    /// <summary>How outputs become results; null where the tensors are the result.</summary>
    public DecoderManifest? Decoder { get; set; }

    /// <summary>Label of class 0, 1, …; empty where unknown.</summary>
    public List<string> Labels { get; set; } = [];

    /// <summary>Hash of the ONNX file that the package was compiled from, lower-case hexadecimal SHA-256.</summary>
    public string? SourceSha256 { get; set; }
}

/// <summary>Picture to input tensor [1, C, H, W] float32: resize, order of channels, then (x·scale − mean[c]) / std[c].</summary>
public sealed class PreprocessManifest
{
    public ResizeMode Resize { get; set; } = ResizeMode.Stretch;

    public ColorOrder Color { get; set; } = ColorOrder.Rgb;

    /// <summary>Value (0…255) of the border that letterbox leaves.</summary>
    public float PadValue { get; set; } = 114;

    /// <summary>Where letterbox puts the picture: true centred, false at the top left.</summary>
    public bool LetterboxCentered { get; set; }

    /// <summary>Centre crop: share of the shorter side kept after resizing (0.875 is ImageNet's 224 of 256).</summary>
    public float CropRatio { get; set; } = 1;

    public float Scale { get; set; } = 1;

    /// <summary>One value for each channel, in the order of <see cref="Color"/>; empty = 0.</summary>
    public List<float> Mean { get; set; } = [];

    /// <summary>One value for each channel; empty = 1.</summary>
    public List<float> Std { get; set; } = [];
}

[JsonConverter(typeof(JsonStringEnumConverter<ResizeMode>))]
public enum ResizeMode
{
    [JsonStringEnumMemberName("stretch")] Stretch,
    [JsonStringEnumMemberName("letterbox")] Letterbox,
    [JsonStringEnumMemberName("center-crop")] CenterCrop,
}

[JsonConverter(typeof(JsonStringEnumConverter<ColorOrder>))]
public enum ColorOrder
{
    [JsonStringEnumMemberName("rgb")] Rgb,
    [JsonStringEnumMemberName("bgr")] Bgr,
    [JsonStringEnumMemberName("gray")] Gray,
}

[JsonConverter(typeof(JsonStringEnumConverter<DecoderKind>))]
public enum DecoderKind
{
    /// <summary>One output of class scores.</summary>
    [JsonStringEnumMemberName("classification")] Classification,
    /// <summary>YOLOX: [1, anchors, 5 + classes], cells of the grids of <see cref="DecoderManifest.Strides"/> in order; x, y relative to the cell, w, h as exponents of the stride, objectness, class scores.</summary>
    [JsonStringEnumMemberName("yolox")] Yolox,
    /// <summary>SSD: scores [1, anchors, classes] and boxes [1, anchors, 4], decoded or relative to the anchors.</summary>
    [JsonStringEnumMemberName("ssd")] Ssd,
    /// <summary>What is left after the model's own non-maximum suppression, as many rows as a picture has: one output [rows, 6] (x_min, y_min, x_max, y_max, score, class) or [rows, 7] (picture, x_min, y_min, x_max, y_max, class, score), or boxes [rows, 4], scores [rows] and classes [rows].</summary>
    [JsonStringEnumMemberName("detections")] Detections,
}

/// <summary>Outputs to results. Which fields matter depends on <see cref="Type"/>.</summary>
public sealed class DecoderManifest
{
    public DecoderKind Type { get; set; }

    /// <summary>Classification: apply softmax to the scores first.</summary>
    public bool Softmax { get; set; }

    /// <summary>Yolox: strides of the grids in the order of the output's rows.</summary>
    public List<int> Strides { get; set; } = [8, 16, 32];

    /// <summary>Yolox: objectness and class scores are logits and need a sigmoid.</summary>
    public bool Sigmoid { get; set; }

    /// <summary>Ssd and detections: names of the outputs; empty = the first whose axes fit. Detections in one output: that is <see cref="BoxesOutput"/>.</summary>
    public string? ScoresOutput { get; set; }

    public string? BoxesOutput { get; set; }

    /// <summary>Detections: name of the output of classes.</summary>
    public string? ClassesOutput { get; set; }

    /// <summary>Detections: how many classes the model tells apart.</summary>
    public int Classes { get; set; }

    /// <summary>Detections: most rows that a picture may have; a frame with more fails.</summary>
    public int MaxRows { get; set; } = 1000;

    /// <summary>Ssd: the class that means nothing is there, or −1.</summary>
    public int BackgroundClass { get; set; } = -1;

    /// <summary>Ssd: boxes are corner coordinates x_min, y_min, x_max, y_max in 0…1 already; no anchors needed. Detections: they are in 0…1, not in pixels of the input.</summary>
    public bool BoxesDecoded { get; set; }

    /// <summary>Ssd: variances of centre and size by which relative boxes are multiplied.</summary>
    public List<float> Variances { get; set; } = [0.1f, 0.2f];

    /// <summary>Ssd: anchors are computed: for each feature map its stride and the side lengths of its square anchors in pixels; the input is divided evenly into ceil(size / stride) cells a side, anchors lie at their centres and are clipped to the input.</summary>
    public List<AnchorManifest> Anchors { get; set; } = [];

    public float ScoreThreshold { get; set; } = 0.3f;

    /// <summary>Non-maximum suppression: boxes of one class that overlap more than this are one object.</summary>
    public float IouThreshold { get; set; } = 0.45f;

    public int MaxDetections { get; set; } = 100;
}

public sealed class AnchorManifest
{
    public int Stride { get; set; }

    public List<float> Sizes { get; set; } = [];
}
