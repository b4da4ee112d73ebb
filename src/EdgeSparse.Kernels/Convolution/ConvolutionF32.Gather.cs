using System.Runtime.CompilerServices;
using EdgeSparse.Kernels.MatMul;

namespace EdgeSparse.Kernels.Convolution;

public static unsafe partial class ConvolutionF32
{
    /// <summary>Floats that lie between two gathered column tiles, because a segment's last vector is written whole.</summary>
    private const int TileSlack = 16;

    /// <summary>A run of pixels of one output row within one column tile.</summary>
    private struct Segment
    {
        /// <summary>First element in the window, tap (0, 0).</summary>
        public int Source;
        /// <summary>First element in the panel, inner index 0.</summary>
        public int Destination;
        /// <summary>Vectors of eight floats.</summary>
        public int Vectors;
    }

    /// <summary>
    /// The part of one input plane that a tile of output pixels reads, with zeros where it leaves the plane: rows of `Phases` runs, of which run q holds the columns
    /// q, q + stride, … (counted from the left padding), so that every tap reads contiguous elements.
    /// </summary>
    private readonly struct Window
    {
        public readonly int FirstRow;
        public readonly int Rows;
        public readonly int Phases;
        /// <summary>Elements of a run.</summary>
        public readonly int Columns;

        public readonly int Pitch => Phases * Columns;

        /// <summary>Window of output pixels in rows [rowBegin, rowEnd).</summary>
        public Window(in ConvolutionParameters p, int rowBegin, int rowEnd)
        {
            FirstRow = rowBegin * p.StrideHeight - p.PadTop;
            Rows = (rowEnd - rowBegin - 1) * p.StrideHeight + (p.KernelHeight - 1) * p.DilationHeight + 1;
            Phases = Math.Min(p.StrideWidth, (p.KernelWidth - 1) * p.DilationWidth + 1);
            Columns = p.OutputWidth + (p.KernelWidth - 1) * p.DilationWidth / p.StrideWidth;
        }

        public readonly int Tap(ConvolutionParameters* p, int ky, int kx)
        {
            int column = kx * p->DilationWidth;
            return ky * p->DilationHeight * Pitch + column % p->StrideWidth * Columns + column / p->StrideWidth;
        }

        public readonly void Fill(ConvolutionParameters* p, float* plane, float* to)
        {
            for (int row = FirstRow; row < FirstRow + Rows; row++)
            {
                if ((uint)row >= (uint)p->InputHeight)
                {
                    Runs.Zero(to, Pitch);
                    to += Pitch;
                    continue;
                }
                for (int phase = 0; phase < Phases; phase++, to += Columns)
                {
                    // Column j of the run is input column j · stride + shift; [low, high) lie inside the input.
                    int shift = phase - p->PadLeft, stride = p->StrideWidth;
                    int low = shift >= 0 ? 0 : Math.Min((-shift + stride - 1) / stride, Columns);
                    int high = p->InputWidth - 1 - shift < 0 ? 0 : Math.Min((p->InputWidth - 1 - shift) / stride + 1, Columns);
                    high = Math.Max(high, low);
                    Runs.Zero(to, low);
                    Runs.CopyStrided(plane + (nint)row * p->InputWidth + (nint)low * stride + shift, stride, high - low, to + low);
                    Runs.Zero(to + high, Columns - high);
                }
            }
        }
    }

    /// <summary>Floats from one gathered column tile to the next.</summary>
    private static nint GatheredTileFloats(InstructionSet isa, int inner) => (nint)inner * GemmF32.TileColumns(isa) + TileSlack;

    /// <summary>True where the taps of a channel share a window; kernels of one tap read their input once anyway.</summary>
    private static bool UsesWindow(in ConvolutionParameters p) => p.KernelArea > 1;

    /// <summary>Bytes beside the gathered panel: the segments and the window, or one row of pixels.</summary>
    private static long GatherBytes(in ConvolutionParameters p)
    {
        int width = GemmF32.TileColumns(p.Isa);
        if (!UsesWindow(in p)) return (p.TileColumns + width) * sizeof(float);
        int rows = Math.Min(p.OutputHeight, (p.TileColumns + p.OutputWidth - 2) / p.OutputWidth + 1);
        var window = new Window(in p, 0, rows);
        return MostSegments(in p) * sizeof(Segment) + ((long)window.Rows * window.Pitch + 2 * width) * sizeof(float);
    }

    /// <summary>Each segment begins a column tile or an output row.</summary>
    private static long MostSegments(in ConvolutionParameters p) => p.TileColumns / GemmF32.TileColumns(p.Isa) + p.TileColumns / p.OutputWidth + 3;

    /// <summary>
    /// Fills panel [column tiles][inner][tile columns], tiles <see cref="GatheredTileFloats"/> apart: row i of each tile holds, for its output pixels of
    /// pixelBegin … pixelBegin + pixels − 1, the input element that inner index innerBegin + i multiplies, zero outside the input. What lies behind the last pixel is undefined.
    /// </summary>
    /// <param name="x">First input plane of the group.</param>
    /// <param name="aside">Room for <see cref="GatherBytes"/>.</param>
    private static void GatherInput(ConvolutionParameters* p, float* x, int innerBegin, int inner, int pixelBegin, int pixels, float* panel, byte* aside)
    {
        int width = GemmF32.TileColumns(p->Isa);
        nint tileFloats = GatheredTileFloats(p->Isa, inner);
        if (UsesWindow(in *p))
        {
            GatherWindows(p, x, innerBegin / p->KernelArea, inner / p->KernelArea, pixelBegin, pixels, panel, tileFloats, aside);
            return;
        }
        float* plane = x + (nint)innerBegin * p->InputPlane;
        if (p->IsPointwise)
        {
            int whole = pixels / width * width;
            for (int pixel = 0; pixel < whole; pixel += width, panel += tileFloats) GatherTile(plane + pixelBegin + pixel, p->InputPlane, inner, width, panel);
            for (int i = 0; whole < pixels && i < inner; i++, panel += width, plane += p->InputPlane) Runs.Copy(plane + pixelBegin + whole, pixels - whole, panel);
            return;
        }
        for (int i = 0; i < inner; i++, panel += width, plane += p->InputPlane)
        {
            GatherPixels(p, plane, pixelBegin / p->OutputWidth, pixelBegin % p->OutputWidth, pixels, (float*)aside);
            Runs.Scatter((float*)aside, pixels, width, tileFloats, panel);
        }
    }

    /// <summary>One whole column tile: `inner` rows of `width` floats, pitch apart.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GatherTile(float* from, nint pitch, nint inner, int width, float* to)
    {
        if (width == 16)
        {
            for (; inner > 0; inner--, from += pitch, to += 16)
            {
                Runs.Copy8(from, to);
                Runs.Copy8(from + 8, to + 8);
            }
            return;
        }
        for (; inner > 0; inner--, from += pitch, to += width)
            for (nint i = 0; i < width; i += 8) Runs.Copy8(from + i, to + i);
    }

    private static void GatherWindows(ConvolutionParameters* p, float* x, int channelBegin, int channels, int pixelBegin, int pixels, float* panel, nint tileFloats, byte* aside)
    {
        int width = GemmF32.TileColumns(p->Isa);
        int rowBegin = pixelBegin / p->OutputWidth, rowEnd = (pixelBegin + pixels - 1) / p->OutputWidth + 1;
        var window = new Window(in *p, rowBegin, rowEnd);
        var segments = (Segment*)aside;
        int count = 0;
        for (int pixel = 0; pixel < pixels;)
        {
            int row = (pixelBegin + pixel) / p->OutputWidth, column = (pixelBegin + pixel) % p->OutputWidth, lane = pixel % width;
            int length = Math.Min(Math.Min(p->OutputWidth - column, width - lane), pixels - pixel);
            segments[count].Source = (row - rowBegin) * p->StrideHeight * window.Pitch + column;
            segments[count].Destination = (int)(pixel / width * tileFloats) + lane;
            segments[count++].Vectors = (length + 7) / 8;
            pixel += length;
        }
        var filled = (float*)(aside + MostSegments(in *p) * sizeof(Segment));
        float* plane = x + (nint)channelBegin * p->InputPlane;
        for (int channel = 0; channel < channels; channel++, plane += p->InputPlane)
        {
            window.Fill(p, plane, filled);
            for (int ky = 0; ky < p->KernelHeight; ky++)
            {
                for (int kx = 0; kx < p->KernelWidth; kx++, panel += width)
                    CopySegments(segments, segments + count, filled + window.Tap(p, ky, kx), panel);
            }
        }
    }

    /// <summary>Segments in ascending order: what the last vector of one writes too much, the next one, or the next inner index, writes again.</summary>
    private static void CopySegments(Segment* segment, Segment* end, float* source, float* destination)
    {
        for (; segment < end; segment++)
        {
            float* from = source + segment->Source;
            float* to = destination + segment->Destination;
            for (nint i = segment->Vectors; ; from += 8, to += 8)
            {
                Runs.Copy8(from, to);
                if (--i == 0) break;
            }
        }
    }

    /// <summary>The pixels that a kernel of one tap reads for a run of output pixels.</summary>
    private static void GatherPixels(ConvolutionParameters* p, float* plane, int row, int column, int pixels, float* to)
    {
        int shift = -p->PadLeft, stride = p->StrideWidth;
        // Output columns [low, high) read inside the input.
        int low = Math.Min((p->PadLeft + stride - 1) / stride, p->OutputWidth);
        int high = Math.Max(Math.Min((p->InputWidth - 1 - shift) / stride + 1, p->OutputWidth), low);
        int inputRow = row * p->StrideHeight - p->PadTop;
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
