using EdgeSparse.Kernels.MatMul;

namespace EdgeSparse.Kernels.Convolution;

public static unsafe partial class ConvolutionF32
{
    /// <summary>
    /// Fills panel [inner][pitch]: row i holds, for output pixels pixelBegin … pixelBegin + pixels − 1, the input element that inner index innerBegin + i multiplies,
    /// zero outside the input, zeros up to a whole column tile.
    /// </summary>
    /// <param name="x">First input plane of the group.</param>
    private static void GatherInput(ConvolutionParameters* p, float* x, int innerBegin, int inner, int pixelBegin, int pixels, float* panel)
    {
        int width = GemmF32.TileColumns(p->Isa);
        int padded = (pixels + width - 1) / width * width;
        int area = p->KernelHeight * p->KernelWidth;
        int channel = innerBegin / area, ky = innerBegin % area / p->KernelWidth, kx = innerBegin % p->KernelWidth;
        int firstRow = pixelBegin / p->OutputWidth, firstColumn = pixelBegin % p->OutputWidth;
        float* plane = x + (nint)channel * p->InputPlane;
        for (int i = 0; i < inner; i++, panel += p->Pitch)
        {
            if (p->IsPointwise) Runs.Copy(plane + pixelBegin, pixels, panel);
            else GatherTap(p, plane, ky, kx, firstRow, firstColumn, pixels, panel);
            if (padded > pixels) Runs.Zero(panel + pixels, padded - pixels);
            if (++kx < p->KernelWidth) continue;
            kx = 0;
            if (++ky < p->KernelHeight) continue;
            ky = 0;
            plane += p->InputPlane;
        }
    }

    /// <summary>One tap of the kernel over a run of output pixels in row order.</summary>
    private static void GatherTap(ConvolutionParameters* p, float* plane, int ky, int kx, int row, int column, int pixels, float* to)
    {
        int shift = kx * p->DilationWidth - p->PadLeft, stride = p->StrideWidth;
        // Output columns [low, high) read inside the input.
        int low = shift >= 0 ? 0 : Math.Min((-shift + stride - 1) / stride, p->OutputWidth);
        int high = p->InputWidth - 1 - shift < 0 ? 0 : Math.Min((p->InputWidth - 1 - shift) / stride + 1, p->OutputWidth);
        high = Math.Max(high, low);
        int inputRow = row * p->StrideHeight - p->PadTop + ky * p->DilationHeight;
        while (pixels > 0)
        {
            int end = Math.Min(p->OutputWidth, column + pixels);
            int count = end - column;
            if ((uint)inputRow >= (uint)p->InputHeight) Runs.Zero(to, count);
            else
            {
                int begin = Math.Clamp(low, column, end), stop = Math.Clamp(high, begin, end);
                if (begin > column) Runs.Zero(to, begin - column);
                if (stop > begin) Runs.CopyStrided(plane + (nint)inputRow * p->InputWidth + (nint)begin * stride + shift, stride, stop - begin, to + (begin - column));
                if (end > stop) Runs.Zero(to + (stop - column), end - stop);
            }
            to += count;
            pixels -= count;
            column = 0;
            inputRow += p->StrideHeight;
        }
    }
}
