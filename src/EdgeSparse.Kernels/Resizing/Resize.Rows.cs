using System.Runtime.Intrinsics;
using EdgeSparse.Kernels.DataMovement;
using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Resizing;

public static unsafe partial class Resize
{
    /// <summary>Nearest: an index for each output column, a row copied again where the one before came from the same source row.</summary>
    private static void RunNearest(ResizeParameters* p, byte* x, byte* y, int* columns, int task)
    {
        int size = p->Type.SizeBytes();
        long height = p->HeightAxis < 0 ? 1 : p->Shape[p->HeightAxis], resultHeight = p->HeightAxis < 0 ? 1 : p->ResultShape[p->HeightAxis];
        long width = p->Shape[p->WidthAxis], resultWidth = p->ResultShape[p->WidthAxis], slice = p->Inner * size, rowBytes = resultWidth * slice;
        float weight;
        for (long ox = 0; ox < resultWidth; ox++)
            if (!FindTaps(p, p->WidthAxis, ox, 1, columns + ox, &weight)) columns[ox] = -1;
        long end = TaskSplit.Start(p->Planes * resultHeight, p->TaskCount, task + 1);
        long previousRow = -1;
        for (long item = TaskSplit.Start(p->Planes * resultHeight, p->TaskCount, task); item < end; item++)
        {
            byte* to = y + item * rowBytes;
            int iy = 0;
            if (p->HeightAxis >= 0 && !FindTaps(p, p->HeightAxis, item % resultHeight, 1, &iy, &weight))
            {
                for (long i = 0; i < resultWidth * p->Inner; i++) StoreExtrapolation(p, to + i * size);
                previousRow = -1;
                continue;
            }
            long row = item / resultHeight * height + iy;
            byte* from = x + row * width * slice;
            if (row == previousRow) Buffer.MemoryCopy(to - rowBytes, to, rowBytes, rowBytes);
            else if (p->DoublesWidth) DoubleNearest((float*)from, (float*)to, width);
            else if (slice == 4) PickColumns((uint*)from, columns, p, (uint*)to, resultWidth);
            else
            {
                for (long ox = 0; ox < resultWidth; ox++)
                {
                    if (columns[ox] >= 0) Indices.CopySlice(from + columns[ox] * slice, to + ox * slice, slice);
                    else for (long i = 0; i < p->Inner; i++) StoreExtrapolation(p, to + ox * slice + i * size);
                }
            }
            previousRow = row;
        }
    }

    private static void PickColumns(uint* from, int* columns, ResizeParameters* p, uint* to, long count)
    {
        for (long ox = 0; ox < count; ox++)
        {
            if (columns[ox] >= 0) to[ox] = from[columns[ox]];
            else StoreExtrapolation(p, (byte*)(to + ox));
        }
    }

    private static void DoubleNearest(float* x, float* y, long count)
    {
        long i = 0;
        for (; i + 4 <= count; i += 4)
        {
            Vector128<float> value = Vector128.Load(x + i);
            VectorShuffle.StoreInterleaved(value, value, y + 2 * i);
        }
        for (; i < count; i++) y[2 * i] = y[2 * i + 1] = x[i];
    }

    /// <summary>Linear and cubic: rows mixed on vectors, then columns.</summary>
    private static void RunRows(ResizeParameters* p, float* x, float* y, byte* scratch, int task)
    {
        long height = p->HeightAxis < 0 ? 1 : p->Shape[p->HeightAxis], resultHeight = p->HeightAxis < 0 ? 1 : p->ResultShape[p->HeightAxis];
        long width = p->Shape[p->WidthAxis], resultWidth = p->ResultShape[p->WidthAxis], inner = p->Inner;
        int rowTaps = p->HeightAxis < 0 ? 1 : Taps(*p, p->HeightAxis), columnTaps = Taps(*p, p->WidthAxis);
        // Tap by tap: [columnTaps, resultWidth].
        float* weights = (float*)scratch;
        int* columns = (int*)(weights + resultWidth * columnTaps);
        int* outside = columns + resultWidth * columnTaps;
        float* rowWeights = (float*)(outside + resultWidth);
        int* rows = (int*)(rowWeights + Math.Max(rowTaps, columnTaps));
        float* mixed = (float*)(rows + Math.Max(rowTaps, columnTaps)) + Slack;
        for (long ox = 0; ox < resultWidth; ox++)
        {
            outside[ox] = FindTaps(p, p->WidthAxis, ox, columnTaps, rows, rowWeights) ? 0 : 1;
            for (int k = 0; k < columnTaps; k++)
            {
                columns[k * resultWidth + ox] = outside[ox] != 0 ? 0 : rows[k];
                weights[k * resultWidth + ox] = outside[ox] != 0 ? 0 : rowWeights[k];
            }
        }
        rows[0] = 0;
        rowWeights[0] = 1;
        long end = TaskSplit.Start(p->Planes * resultHeight, p->TaskCount, task + 1);
        for (long item = TaskSplit.Start(p->Planes * resultHeight, p->TaskCount, task); item < end; item++)
        {
            float* plane = x + item / resultHeight * height * width * inner;
            float* to = y + item * resultWidth * inner;
            if (p->HeightAxis >= 0 && !FindTaps(p, p->HeightAxis, item % resultHeight, rowTaps, rows, rowWeights))
            {
                for (long i = 0; i < resultWidth * inner; i++) to[i] = (float)p->ExtrapolationValue;
                continue;
            }
            MixRows(p->Isa, plane, width * inner, rows, rowWeights, rowTaps, mixed);
            if (inner == 1)
            {
                if (p->DoublesWidth) DoubleLinear(mixed, to, width);
                else MixColumns(mixed, columns, weights, columnTaps, to, resultWidth);
            }
            else
            {
                for (long ox = 0; ox < resultWidth; ox++)
                {
                    float* slice = to + ox * inner;
                    UnaryLoop.Run<AffineOperation>(p->Isa, mixed + columns[ox] * inner, slice, inner, weights[ox], 0);
                    for (int k = 1; k < columnTaps; k++)
                    {
                        float weight = weights[k * resultWidth + ox];
                        if (weight != 0) AddScaled(p->Isa, mixed + columns[k * resultWidth + ox] * inner, weight, slice, inner);
                    }
                }
            }
            if (p->Coordinates != ResizeCoordinates.TfCropAndResize) continue;
            for (long ox = 0; ox < resultWidth; ox++)
            {
                if (outside[ox] == 0) continue;
                for (long i = 0; i < inner; i++) to[ox * inner + i] = (float)p->ExtrapolationValue;
            }
        }
    }

    private static void MixRows(InstructionSet isa, float* plane, long rowLength, int* rows, float* weights, int taps, float* mixed)
    {
        int first = 0;
        while (first < taps - 1 && weights[first] == 0) first++;
        UnaryLoop.Run<AffineOperation>(isa, plane + rows[first] * rowLength, mixed, rowLength, weights[first], 0);
        for (int k = first + 1; k < taps; k++)
            if (weights[k] != 0) AddScaled(isa, plane + rows[k] * rowLength, weights[k], mixed, rowLength);
    }

    /// <summary>y += weight·x.</summary>
    private static void AddScaled(InstructionSet isa, float* x, float weight, float* y, long count)
    {
        if (isa == InstructionSet.Avx512 && InstructionSets.IsCompiled(InstructionSet.Avx512)) AddScaled<Float512>(x, weight, y, count);
        else if (isa >= InstructionSet.Avx2 && InstructionSets.IsCompiled(InstructionSet.Avx2)) AddScaled<Float256>(x, weight, y, count);
        else AddScaled<Float128>(x, weight, y, count);
    }

    private static void AddScaled<V>(float* x, float weight, float* y, long count) where V : unmanaged, IFloatVector<V>
    {
        V w = V.Create(weight);
        long i = 0;
        for (; i + V.Count <= count; i += V.Count) V.MultiplyAdd(V.Load(x + i), w, V.Load(y + i)).Store(y + i);
        for (; i < count; i++) y[i] += x[i] * weight;
    }

    private static void MixColumns(float* row, int* columns, float* weights, int taps, float* y, long count)
    {
        long ox = 0;
        for (; ox + 4 <= count; ox += 4)
        {
            Vector128<float> sum = Vector128<float>.Zero;
            for (int k = 0; k < taps; k++)
            {
                int* at = columns + k * count + ox;
                sum = Vector128.MultiplyAddEstimate(Vector128.Create(row[at[0]], row[at[1]], row[at[2]], row[at[3]]), Vector128.Load(weights + k * count + ox), sum);
            }
            sum.Store(y + ox);
        }
        for (; ox < count; ox++)
        {
            float sum = 0;
            for (int k = 0; k < taps; k++) sum += row[columns[k * count + ox]] * weights[k * count + ox];
            y[ox] = sum;
        }
    }

    /// <summary>y[2i] = ¼·x[i−1] + ¾·x[i], y[2i+1] = ¾·x[i] + ¼·x[i+1], the ends repeated. x has room for one more element on either side.</summary>
    private static void DoubleLinear(float* x, float* y, long count)
    {
        x[-1] = x[0];
        x[count] = x[count - 1];
        Vector128<float> quarter = Vector128.Create(0.25f), threeQuarters = Vector128.Create(0.75f);
        long i = 0;
        for (; i + 4 <= count; i += 4)
        {
            Vector128<float> centre = Vector128.Load(x + i) * threeQuarters;
            VectorShuffle.StoreInterleaved(Vector128.MultiplyAddEstimate(Vector128.Load(x + i - 1), quarter, centre),
                Vector128.MultiplyAddEstimate(Vector128.Load(x + i + 1), quarter, centre), y + 2 * i);
        }
        for (; i < count; i++)
        {
            y[2 * i] = 0.25f * x[i - 1] + 0.75f * x[i];
            y[2 * i + 1] = 0.75f * x[i] + 0.25f * x[i + 1];
        }
    }
}
