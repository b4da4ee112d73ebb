using EdgeSparse.Model;
using EdgeSparse.Vision;

namespace EdgeSparse.Cli.Evaluation;

/// <summary>One picture or array with what is known to be in it.</summary>
/// <param name="Name">Named in errors.</param>
/// <param name="Content">Where the picture or array comes from.</param>
/// <param name="Label">The true class, or −1 where it is not known.</param>
/// <param name="Truth">The true boxes; null where they are not known.</param>
internal sealed record EvaluationSample(string Name, SampleContent Content, int Label = -1, Detection[]? Truth = null);

/// <summary>What a sample is made of. Pictures are decoded when they are needed, so a large folder takes no memory.</summary>
internal abstract record SampleContent;

/// <summary>A JPEG or PNG file.</summary>
internal sealed record PictureFile(string Path) : SampleContent;

/// <summary>The bytes of a JPEG or PNG file, from an archive.</summary>
internal sealed record EncodedPicture(byte[] Bytes) : SampleContent;

/// <summary>Grey pixels, row-major, one byte each.</summary>
internal sealed record GreyPicture(ReadOnlyMemory<byte> Pixels, int Width, int Height) : SampleContent;

/// <summary>The input tensor's bytes as they are.</summary>
internal sealed record InputArray(ReadOnlyMemory<byte> Bytes) : SampleContent;
