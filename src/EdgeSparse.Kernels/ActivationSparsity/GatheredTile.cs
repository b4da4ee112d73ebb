using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.ActivationSparsity;

/// <summary>One token's outputs of one tile of weights: y = clamp(bias + residual + Σ values[i] · weights[indices[i], :]), a tile's outputs in registers.</summary>
internal unsafe struct GatheredTile
{
    public float* Values;
    public int* Indices;
    /// <summary>Entries of the two lists.</summary>
    public nint Count;
    /// <summary>[inputs, tile's outputs].</summary>
    public float* Weights;
    /// <summary>Bytes from one input's weights to the next one's.</summary>
    public nint RowBytes;
    /// <summary>[tile's outputs].</summary>
    public float* Bias;
    /// <summary>[tile's outputs], or null.</summary>
    public float* Residual;
    public float* Y;
    public float Minimum;
    public float Maximum;

    public static void Run_4<V>(GatheredTile* t) where V : unmanaged, IFloatVector<V>
    {
        float* bias = t->Bias;
        V y0 = V.Load(bias), y1 = V.Load(bias + V.Count), y2 = V.Load(bias + 2 * V.Count), y3 = V.Load(bias + 3 * V.Count);
        if (t->Residual != null)
        {
            float* r = t->Residual;
            y0 += V.Load(r);
            y1 += V.Load(r + V.Count);
            y2 += V.Load(r + 2 * V.Count);
            y3 += V.Load(r + 3 * V.Count);
        }
        float* values = t->Values;
        int* indices = t->Indices;
        var weights = (byte*)t->Weights;
        nint rowBytes = t->RowBytes, count = t->Count;
        for (nint i = 0; i < count; i++)
        {
            V x = V.Create(values[i]);
            var w = (float*)(weights + indices[i] * rowBytes);
            y0 = V.MultiplyAdd(x, V.Load(w), y0);
            y1 = V.MultiplyAdd(x, V.Load(w + V.Count), y1);
            y2 = V.MultiplyAdd(x, V.Load(w + 2 * V.Count), y2);
            y3 = V.MultiplyAdd(x, V.Load(w + 3 * V.Count), y3);
        }
        float* y = t->Y;
        V low = V.Create(t->Minimum), high = V.Create(t->Maximum);
        V.MinNative(high, V.MaxNative(low, y0)).Store(y);
        V.MinNative(high, V.MaxNative(low, y1)).Store(y + V.Count);
        V.MinNative(high, V.MaxNative(low, y2)).Store(y + 2 * V.Count);
        V.MinNative(high, V.MaxNative(low, y3)).Store(y + 3 * V.Count);
    }

    public static void Run_8<V>(GatheredTile* t) where V : unmanaged, IFloatVector<V>
    {
        float* bias = t->Bias;
        V y0 = V.Load(bias), y1 = V.Load(bias + V.Count), y2 = V.Load(bias + 2 * V.Count), y3 = V.Load(bias + 3 * V.Count);
        V y4 = V.Load(bias + 4 * V.Count), y5 = V.Load(bias + 5 * V.Count), y6 = V.Load(bias + 6 * V.Count), y7 = V.Load(bias + 7 * V.Count);
        if (t->Residual != null)
        {
            float* r = t->Residual;
            y0 += V.Load(r);
            y1 += V.Load(r + V.Count);
            y2 += V.Load(r + 2 * V.Count);
            y3 += V.Load(r + 3 * V.Count);
            y4 += V.Load(r + 4 * V.Count);
            y5 += V.Load(r + 5 * V.Count);
            y6 += V.Load(r + 6 * V.Count);
            y7 += V.Load(r + 7 * V.Count);
        }
        float* values = t->Values;
        int* indices = t->Indices;
        var weights = (byte*)t->Weights;
        nint rowBytes = t->RowBytes, count = t->Count;
        for (nint i = 0; i < count; i++)
        {
            V x = V.Create(values[i]);
            var w = (float*)(weights + indices[i] * rowBytes);
            y0 = V.MultiplyAdd(x, V.Load(w), y0);
            y1 = V.MultiplyAdd(x, V.Load(w + V.Count), y1);
            y2 = V.MultiplyAdd(x, V.Load(w + 2 * V.Count), y2);
            y3 = V.MultiplyAdd(x, V.Load(w + 3 * V.Count), y3);
            y4 = V.MultiplyAdd(x, V.Load(w + 4 * V.Count), y4);
            y5 = V.MultiplyAdd(x, V.Load(w + 5 * V.Count), y5);
            y6 = V.MultiplyAdd(x, V.Load(w + 6 * V.Count), y6);
            y7 = V.MultiplyAdd(x, V.Load(w + 7 * V.Count), y7);
        }
        float* y = t->Y;
        V low = V.Create(t->Minimum), high = V.Create(t->Maximum);
        V.MinNative(high, V.MaxNative(low, y0)).Store(y);
        V.MinNative(high, V.MaxNative(low, y1)).Store(y + V.Count);
        V.MinNative(high, V.MaxNative(low, y2)).Store(y + 2 * V.Count);
        V.MinNative(high, V.MaxNative(low, y3)).Store(y + 3 * V.Count);
        V.MinNative(high, V.MaxNative(low, y4)).Store(y + 4 * V.Count);
        V.MinNative(high, V.MaxNative(low, y5)).Store(y + 5 * V.Count);
        V.MinNative(high, V.MaxNative(low, y6)).Store(y + 6 * V.Count);
        V.MinNative(high, V.MaxNative(low, y7)).Store(y + 7 * V.Count);
    }

    public static void Run_12<V>(GatheredTile* t) where V : unmanaged, IFloatVector<V>
    {
        float* bias = t->Bias;
        V y0 = V.Load(bias), y1 = V.Load(bias + V.Count), y2 = V.Load(bias + 2 * V.Count), y3 = V.Load(bias + 3 * V.Count);
        V y4 = V.Load(bias + 4 * V.Count), y5 = V.Load(bias + 5 * V.Count), y6 = V.Load(bias + 6 * V.Count), y7 = V.Load(bias + 7 * V.Count);
        V y8 = V.Load(bias + 8 * V.Count), y9 = V.Load(bias + 9 * V.Count), y10 = V.Load(bias + 10 * V.Count), y11 = V.Load(bias + 11 * V.Count);
        if (t->Residual != null)
        {
            float* r = t->Residual;
            y0 += V.Load(r);
            y1 += V.Load(r + V.Count);
            y2 += V.Load(r + 2 * V.Count);
            y3 += V.Load(r + 3 * V.Count);
            y4 += V.Load(r + 4 * V.Count);
            y5 += V.Load(r + 5 * V.Count);
            y6 += V.Load(r + 6 * V.Count);
            y7 += V.Load(r + 7 * V.Count);
            y8 += V.Load(r + 8 * V.Count);
            y9 += V.Load(r + 9 * V.Count);
            y10 += V.Load(r + 10 * V.Count);
            y11 += V.Load(r + 11 * V.Count);
        }
        float* values = t->Values;
        int* indices = t->Indices;
        var weights = (byte*)t->Weights;
        nint rowBytes = t->RowBytes, count = t->Count;
        for (nint i = 0; i < count; i++)
        {
            V x = V.Create(values[i]);
            var w = (float*)(weights + indices[i] * rowBytes);
            y0 = V.MultiplyAdd(x, V.Load(w), y0);
            y1 = V.MultiplyAdd(x, V.Load(w + V.Count), y1);
            y2 = V.MultiplyAdd(x, V.Load(w + 2 * V.Count), y2);
            y3 = V.MultiplyAdd(x, V.Load(w + 3 * V.Count), y3);
            y4 = V.MultiplyAdd(x, V.Load(w + 4 * V.Count), y4);
            y5 = V.MultiplyAdd(x, V.Load(w + 5 * V.Count), y5);
            y6 = V.MultiplyAdd(x, V.Load(w + 6 * V.Count), y6);
            y7 = V.MultiplyAdd(x, V.Load(w + 7 * V.Count), y7);
            y8 = V.MultiplyAdd(x, V.Load(w + 8 * V.Count), y8);
            y9 = V.MultiplyAdd(x, V.Load(w + 9 * V.Count), y9);
            y10 = V.MultiplyAdd(x, V.Load(w + 10 * V.Count), y10);
            y11 = V.MultiplyAdd(x, V.Load(w + 11 * V.Count), y11);
        }
        float* y = t->Y;
        V low = V.Create(t->Minimum), high = V.Create(t->Maximum);
        V.MinNative(high, V.MaxNative(low, y0)).Store(y);
        V.MinNative(high, V.MaxNative(low, y1)).Store(y + V.Count);
        V.MinNative(high, V.MaxNative(low, y2)).Store(y + 2 * V.Count);
        V.MinNative(high, V.MaxNative(low, y3)).Store(y + 3 * V.Count);
        V.MinNative(high, V.MaxNative(low, y4)).Store(y + 4 * V.Count);
        V.MinNative(high, V.MaxNative(low, y5)).Store(y + 5 * V.Count);
        V.MinNative(high, V.MaxNative(low, y6)).Store(y + 6 * V.Count);
        V.MinNative(high, V.MaxNative(low, y7)).Store(y + 7 * V.Count);
        V.MinNative(high, V.MaxNative(low, y8)).Store(y + 8 * V.Count);
        V.MinNative(high, V.MaxNative(low, y9)).Store(y + 9 * V.Count);
        V.MinNative(high, V.MaxNative(low, y10)).Store(y + 10 * V.Count);
        V.MinNative(high, V.MaxNative(low, y11)).Store(y + 11 * V.Count);
    }
}
