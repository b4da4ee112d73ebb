namespace EdgeSparse.Model;

/// <summary>
/// The operators of a graph; OPERATORS.md defines each. Names are ONNX's where the meaning is ONNX's.
/// The numbers are written to packages: never change one, add at the end.
/// </summary>
public enum OperatorKind : ushort
{
    None = 0,

    // Products
    Conv = 1,
    ConvTranspose = 2,
    MatMul = 3,
    Attention = 4,

    // Element-wise, one input
    Abs = 20, Acos = 21, Acosh = 22, Asin = 23, Asinh = 24, Atan = 25, Atanh = 26, BitwiseNot = 27, Ceil = 28, Celu = 29, Clip = 30, Cos = 31, Cosh = 32,
    Elu = 33, Erf = 34, Exp = 35, Floor = 36, Gelu = 37, HardSigmoid = 38, HardSwish = 39, IsInf = 40, IsNaN = 41, LeakyRelu = 42, Log = 43, Mish = 44,
    Neg = 45, Not = 46, Reciprocal = 47, Relu = 48, Round = 49, Selu = 50, Shrink = 51, Sigmoid = 52, Sign = 53, Silu = 54, Sin = 55, Sinh = 56,
    Softplus = 57, Softsign = 58, Sqrt = 59, Tan = 60, Tanh = 61, ThresholdedRelu = 62, Cast = 63,

    // Element-wise, two or three inputs
    Add = 80, And = 81, BitShift = 82, BitwiseAnd = 83, BitwiseOr = 84, BitwiseXor = 85, Div = 86, Equal = 87, Greater = 88, GreaterOrEqual = 89,
    Less = 90, LessOrEqual = 91, Max = 92, Min = 93, Mod = 94, Mul = 95, Or = 96, Pow = 97, PRelu = 98, Sub = 99, Xor = 100, Where = 101,

    // Normalisation
    BatchNormalization = 120, GroupNormalization = 121, Hardmax = 122, InstanceNormalization = 123, LayerNormalization = 124, LogSoftmax = 125,
    LpNormalization = 126, Lrn = 127, RmsNormalization = 128, Softmax = 129,

    // Pooling and reduction
    AveragePool = 140, GlobalAveragePool = 141, GlobalLpPool = 142, GlobalMaxPool = 143, LpPool = 144, MaxPool = 145,
    ArgMax = 150, ArgMin = 151, CumSum = 152, ReduceL1 = 153, ReduceL2 = 154, ReduceLogSum = 155, ReduceLogSumExp = 156, ReduceMax = 157, ReduceMean = 158,
    ReduceMin = 159, ReduceProd = 160, ReduceSum = 161, ReduceSumSquare = 162, TopK = 163,

    // Data movement
    Concat = 180, DepthToSpace = 181, Expand = 182, Gather = 183, GatherElements = 184, GatherNd = 185, OneHot = 186, Pad = 187, Reshape = 188, Resize = 189,
    ScatterElements = 190, ScatterNd = 191, Slice = 192, SpaceToDepth = 193, Split = 194, Tile = 195, Transpose = 196, Trilu = 197,

    // Token reduction
    TokenMatch = 210, TokenCompress = 211, TokenRestore = 212, TokenMean = 213, TokenScore = 214, TokenSelect = 215, TokenDiverse = 216,
    TokenCluster = 217, TokenTransform = 218,
}
