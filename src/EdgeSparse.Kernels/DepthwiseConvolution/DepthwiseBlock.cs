namespace EdgeSparse.Kernels.DepthwiseConvolution;

/// <summary>What a depthwise kernel computes in one call: some rows of one output plane.</summary>
internal unsafe struct DepthwiseBlock
{
    /// <summary>The input rows that the outputs read, top to bottom; each address is where output column 0 meets kernel column 0, so it lies the left padding before the row.</summary>
    public float** Rows;
    /// <summary>[kernel, kernel].</summary>
    public float* Weights;
    public float Bias;
    public float Minimum;
    public float Maximum;
    /// <summary>Output columns.</summary>
    public nint Width;
    /// <summary>Vectors that cover the columns; the last one overlaps the one before it.</summary>
    public int Vectors;
    /// <summary>Vectors from the second up to here meet no padding.</summary>
    public int InsideEnd;
    /// <summary>First output row; the others follow <see cref="Width"/> elements apart.</summary>
    public float* Y;
    /// <summary>Where the last of the rows goes. Stores are whole vectors, so a row narrower than one spoils the start of the row behind it.</summary>
    public float* LastY;
    /// <summary>
    /// Which lanes meet an element of the row, in the lane order of the loads: <see cref="MaskSets"/> of [kernel columns][lanes], for the first vector of a row, those in the midst, the last but
    /// one, the last.
    /// </summary>
    public float* Masks;

    public const int MaskSets = 4;
}

/// <summary>A number that the compiler knows, so that each count of rows gets its own code.</summary>
internal interface IRowCount
{
    static abstract int Count { get; }
}

internal readonly struct OneRow : IRowCount
{
    public static int Count => 1;
}

internal readonly struct TwoRows : IRowCount
{
    public static int Count => 2;
}

internal readonly struct ThreeRows : IRowCount
{
    public static int Count => 3;
}

internal readonly struct FourRows : IRowCount
{
    public static int Count => 4;
}

internal readonly struct FiveRows : IRowCount
{
    public static int Count => 5;
}

internal readonly struct SixRows : IRowCount
{
    public static int Count => 6;
}

internal readonly struct SevenRows : IRowCount
{
    public static int Count => 7;
}

internal readonly struct EightRows : IRowCount
{
    public static int Count => 8;
}

/// <summary>Whether a vector's loads may reach outside the row, at the left or at the right, and are masked.</summary>
internal interface IColumns
{
    static abstract bool Left { get; }

    static abstract bool Right { get; }

    static abstract bool Masked { get; }
}

internal readonly struct Edge : IColumns
{
    public static bool Left => true;

    public static bool Right => true;

    public static bool Masked => true;
}

internal readonly struct LeftEdge : IColumns
{
    public static bool Left => true;

    public static bool Right => false;

    public static bool Masked => true;
}

internal readonly struct RightEdge : IColumns
{
    public static bool Left => false;

    public static bool Right => true;

    public static bool Masked => true;
}

internal readonly struct Inside : IColumns
{
    public static bool Left => false;

    public static bool Right => false;

    public static bool Masked => false;
}
