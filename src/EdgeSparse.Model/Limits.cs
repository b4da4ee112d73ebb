namespace EdgeSparse.Model;

/// <summary>Hard limits on what a model file may contain; each is checked before memory is allocated for it.</summary>
public static class Limits
{
    public const long ModelFileBytes = 512L << 20;
    public const int Nodes = 20_000;
    public const int Values = 200_000;
    public const int Rank = 8;
    public const int Dimension = 1 << 24;
    public const long TensorElements = 1L << 31;
    public const int NameBytes = 512;
    public const int AttributeElements = 1 << 20;
    public const int ProtobufNesting = 32;
    public const int Labels = 100_000;
    public const int ManifestBytes = 64 << 20;
    public const int Parts = 64;
    public const int PartValues = 4096;
    public const int PartReasons = 16;
    public const int SelfTestTensors = 64;
}
