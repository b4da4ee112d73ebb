namespace EdgeSparse.Kernels.Convolution;

/// <summary>
/// One convolution with static shapes, as plain data: the same structure serves the dense, depthwise, sparse and transposed kernels.
/// The caller sets the first part, the kernel's Prepare checks it and derives the second. A null bias or residual pointer at Run means "none".
/// Activations are [batch, channels, height, width], contiguous. Weights are ONNX's [outputs, inputs / groups, kernelHeight, kernelWidth],
/// for a transposed convolution [inputs, outputs / groups, kernelHeight, kernelWidth].
/// </summary>
public struct ConvolutionParameters
{
    public int Batch;
    public int InputChannels;
    public int InputHeight;
    public int InputWidth;
    public int OutputChannels;
    public int KernelHeight;
    public int KernelWidth;
    public int StrideHeight;
    public int StrideWidth;
    public int PadTop;
    public int PadLeft;
    public int PadBottom;
    public int PadRight;
    public int DilationHeight;
    public int DilationWidth;
    public int Groups;
    /// <summary>0 lets Prepare compute it; any other value must equal what the geometry gives.</summary>
    public int OutputHeight;
    /// <summary>0 lets Prepare compute it; any other value must equal what the geometry gives.</summary>
    public int OutputWidth;
    /// <summary>Transposed convolution only: extra rows at the bottom.</summary>
    public int OutputPaddingHeight;
    /// <summary>Transposed convolution only: extra columns at the right.</summary>
    public int OutputPaddingWidth;
    /// <summary>Sparse convolution only: non-zero weights, a hint for the choice of tiles.</summary>
    public int NonZeros;
    /// <summary>Sparse convolution only: rows of most blocks that the weights form, a hint for the choice of tiles; 0 means 1.</summary>
    public int BlockRows;
    /// <summary>Workers that share the tasks; shapes the split, never the result's bits. 0 means 1.</summary>
    public int Threads;
    /// <summary>Dense convolution only: the weights are packed once for many runs, so that a costly transform of them may pay.</summary>
    public bool ConstantWeights;
    public Activation Activation;
    public InstructionSet Isa;

    /// <summary>Derived: independent pieces of work, Run(task) for each of 0 … TaskCount − 1 in any order on any thread.</summary>
    public int TaskCount;
    /// <summary>Derived: scratch each worker needs during Run, 64-byte aligned.</summary>
    public long ScratchBytes;
    /// <summary>Derived: pixels of one task's tile.</summary>
    public int TileColumns;
    /// <summary>Derived: tiles that cover all pixels of one image.</summary>
    public int ColumnTiles;
    /// <summary>Derived: output channels of one task.</summary>
    public int TileRows;
    /// <summary>Derived: row ranges that cover the output channels of one group.</summary>
    public int RowTiles;
    /// <summary>Derived: the kernel's own choice among its variants.</summary>
    public int Variant;
    /// <summary>Derived, sparse convolution only: input channels that a task takes at a time.</summary>
    public int ChunkChannels;
    /// <summary>Derived: elements from one row to the next in the layout the kernel reads.</summary>
    public int Pitch;
    /// <summary>Derived, dense convolution only: inner indices whose products a tile adds at once.</summary>
    public int InnerBlock;

    public readonly int InputPlane => InputHeight * InputWidth;

    public readonly int OutputPlane => OutputHeight * OutputWidth;

    public readonly int KernelArea => KernelHeight * KernelWidth;

    public readonly int GroupInputs => InputChannels / Groups;

    public readonly int GroupOutputs => OutputChannels / Groups;

    /// <summary>Length of the sum behind one output, bias and residual not counted.</summary>
    public readonly int Inner => GroupInputs * KernelArea;

    /// <summary>Multiply-adds of the dense convolution.</summary>
    public readonly long MultiplyAdds => (long)Batch * OutputChannels * OutputPlane * Inner;

    /// <summary>True for a one-pixel kernel that reads every input pixel once and in order, so that a plane is one long row.</summary>
    public readonly bool IsPointwise => KernelHeight == 1 && KernelWidth == 1 && StrideHeight == 1 && StrideWidth == 1
        && PadTop == 0 && PadLeft == 0 && PadBottom == 0 && PadRight == 0;

    /// <summary>Defaults of ONNX: one image, stride, dilation and group 1, no padding.</summary>
    public static ConvolutionParameters Create(int inputChannels, int inputHeight, int inputWidth, int outputChannels, int kernelHeight, int kernelWidth) => new()
    {
        Batch = 1,
        InputChannels = inputChannels,
        InputHeight = inputHeight,
        InputWidth = inputWidth,
        OutputChannels = outputChannels,
        KernelHeight = kernelHeight,
        KernelWidth = kernelWidth,
        StrideHeight = 1,
        StrideWidth = 1,
        DilationHeight = 1,
        DilationWidth = 1,
        Groups = 1,
    };

    /// <summary>Checks the geometry of a correlation and sets the output size.</summary>
    /// <exception cref="ArgumentException">A size that is not positive, channels that do not divide into groups, or an output size that does not follow.</exception>
    internal void CheckForward()
    {
        CheckCommon();
        int height = OutputSize("height", InputHeight, PadTop, PadBottom, KernelHeight, DilationHeight, StrideHeight);
        int width = OutputSize("width", InputWidth, PadLeft, PadRight, KernelWidth, DilationWidth, StrideWidth);
        SetOutput(height, width);
    }

    /// <summary>Checks the geometry of a transposed convolution and sets the output size.</summary>
    internal void CheckTransposed()
    {
        CheckCommon();
        if (OutputPaddingHeight < 0 || OutputPaddingWidth < 0)
            throw new ArgumentException($"output padding {OutputPaddingHeight}x{OutputPaddingWidth}, expected none negative");
        long height = (long)StrideHeight * (InputHeight - 1) + OutputPaddingHeight + (long)(KernelHeight - 1) * DilationHeight + 1 - PadTop - PadBottom;
        long width = (long)StrideWidth * (InputWidth - 1) + OutputPaddingWidth + (long)(KernelWidth - 1) * DilationWidth + 1 - PadLeft - PadRight;
        if (height < 1 || width < 1 || height * width > int.MaxValue) throw new ArgumentException($"transposed convolution gives an output of {height}x{width}, expected at least 1x1");
        SetOutput((int)height, (int)width);
    }

    private void SetOutput(int height, int width)
    {
        if ((OutputHeight != 0 && OutputHeight != height) || (OutputWidth != 0 && OutputWidth != width))
            throw new ArgumentException($"output size {OutputHeight}x{OutputWidth}, the geometry gives {height}x{width}");
        OutputHeight = height;
        OutputWidth = width;
        if ((long)OutputChannels * height * width > int.MaxValue || (long)InputChannels * InputHeight * InputWidth > int.MaxValue)
            throw new ArgumentException("an image of more than 2^31 elements, expected fewer");
    }

    private readonly void CheckCommon()
    {
        if (Batch < 1 || InputChannels < 1 || InputHeight < 1 || InputWidth < 1 || OutputChannels < 1)
            throw new ArgumentException($"input {Batch}x{InputChannels}x{InputHeight}x{InputWidth} to {OutputChannels} channels, expected sizes of at least 1");
        if (KernelHeight < 1 || KernelWidth < 1 || StrideHeight < 1 || StrideWidth < 1 || DilationHeight < 1 || DilationWidth < 1)
            throw new ArgumentException($"kernel {KernelHeight}x{KernelWidth}, strides {StrideHeight},{StrideWidth}, dilations {DilationHeight},{DilationWidth}, expected at least 1");
        if (PadTop < 0 || PadLeft < 0 || PadBottom < 0 || PadRight < 0)
            throw new ArgumentException($"pads {PadTop},{PadLeft},{PadBottom},{PadRight}, expected none negative");
        if (Groups < 1 || InputChannels % Groups != 0 || OutputChannels % Groups != 0)
            throw new ArgumentException($"{Groups} groups, expected a divisor of {InputChannels} and {OutputChannels} channels");
    }

    private static int OutputSize(string axis, int input, int padBefore, int padAfter, int kernel, int dilation, int stride)
    {
        long free = (long)input + padBefore + padAfter - (long)(kernel - 1) * dilation - 1;
        if (free < 0) throw new ArgumentException($"kernel of {kernel} (dilation {dilation}) exceeds the padded {axis} {(long)input + padBefore + padAfter}");
        long size = free / stride + 1;
        if (size > int.MaxValue) throw new ArgumentException($"output {axis} {size}, expected less than 2^31");
        return (int)size;
    }
}
