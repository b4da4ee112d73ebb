using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace EdgeSparse.Kernels.MatMul;

/// <summary>
/// Tiles of 6×16 and 4×16. 6×16 keeps 12 accumulators, 2 vectors of B and 1 broadcast of A in the 16 registers; two FMAs a cycle of latency 4 (5 on
/// some) need 8 to 10 independent sums, 12 give slack, and its 8 loads for 12 FMAs stay below two loads a cycle. 4×16 (8 accumulators) serves what is left of the rows,
/// 6×8 and 4×8 at most 8 last columns, 48×1 a single last one: 7×7 and 13×13 pixels are 8·n + 1.
/// </summary>
internal static unsafe partial class GemmF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_6x16_Avx2(GemmTile* t)
    {
        float* b = t->B;
        float* c = t->C;
        float* residual = t->Residual;
        float* columnBias = t->ColumnBias;
        nint pitch = t->RowBytesB, pitchC = t->RowBytesC;
        for (nint tile = t->Tiles; ;)
        {
            Vector256<float> c00, c01;
            Vector256<float> c10, c11;
            Vector256<float> c20, c21;
            Vector256<float> c30, c31;
            Vector256<float> c40, c41;
            Vector256<float> c50, c51;
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = c50 = c51 = default;
            float* a = t->A;
            float* x = b;
            nint k = t->Inner;
            for (; k >= 4; k -= 4)
            {
                Add_6x16_Avx2(a, x, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
                Add_6x16_Avx2(a + 6, (float*)((byte*)x + pitch), ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
                x = (float*)((byte*)x + 2 * pitch);
                Add_6x16_Avx2(a + 12, x, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
                Add_6x16_Avx2(a + 18, (float*)((byte*)x + pitch), ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
                a += 24;
                x = (float*)((byte*)x + 2 * pitch);
            }
            for (; k > 0; k--)
            {
                Add_6x16_Avx2(a, x, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
                a += 6;
                x = (float*)((byte*)x + pitch);
            }
            float* row = c;
            if (t->Accumulate)
            {
                c00 += Vector256.Load(row);
                c01 += Vector256.Load(row + 8);
                row = (float*)((byte*)row + pitchC);
                c10 += Vector256.Load(row);
                c11 += Vector256.Load(row + 8);
                row = (float*)((byte*)row + pitchC);
                c20 += Vector256.Load(row);
                c21 += Vector256.Load(row + 8);
                row = (float*)((byte*)row + pitchC);
                c30 += Vector256.Load(row);
                c31 += Vector256.Load(row + 8);
                row = (float*)((byte*)row + pitchC);
                c40 += Vector256.Load(row);
                c41 += Vector256.Load(row + 8);
                row = (float*)((byte*)row + pitchC);
                c50 += Vector256.Load(row);
                c51 += Vector256.Load(row + 8);
            }
            else if (columnBias != null)
            {
                Vector256<float> bias0 = Vector256.Load(columnBias);
                Vector256<float> bias1 = Vector256.Load(columnBias + 8);
                c00 += bias0;
                c01 += bias1;
                c10 += bias0;
                c11 += bias1;
                c20 += bias0;
                c21 += bias1;
                c30 += bias0;
                c31 += bias1;
                c40 += bias0;
                c41 += bias1;
                c50 += bias0;
                c51 += bias1;
            }
            else if (t->RowBias != null)
            {
                float* biases = t->RowBias;
                Vector256<float> bias = Avx.BroadcastScalarToVector256(biases);
                c00 += bias;
                c01 += bias;
                bias = Avx.BroadcastScalarToVector256(biases + 1);
                c10 += bias;
                c11 += bias;
                bias = Avx.BroadcastScalarToVector256(biases + 2);
                c20 += bias;
                c21 += bias;
                bias = Avx.BroadcastScalarToVector256(biases + 3);
                c30 += bias;
                c31 += bias;
                bias = Avx.BroadcastScalarToVector256(biases + 4);
                c40 += bias;
                c41 += bias;
                bias = Avx.BroadcastScalarToVector256(biases + 5);
                c50 += bias;
                c51 += bias;
            }
            if (residual != null)
            {
                row = residual;
                c00 += Vector256.Load(row);
                c01 += Vector256.Load(row + 8);
                row = (float*)((byte*)row + pitchC);
                c10 += Vector256.Load(row);
                c11 += Vector256.Load(row + 8);
                row = (float*)((byte*)row + pitchC);
                c20 += Vector256.Load(row);
                c21 += Vector256.Load(row + 8);
                row = (float*)((byte*)row + pitchC);
                c30 += Vector256.Load(row);
                c31 += Vector256.Load(row + 8);
                row = (float*)((byte*)row + pitchC);
                c40 += Vector256.Load(row);
                c41 += Vector256.Load(row + 8);
                row = (float*)((byte*)row + pitchC);
                c50 += Vector256.Load(row);
                c51 += Vector256.Load(row + 8);
                residual += 16;
            }
            Vector256<float> low = Vector256.Create(t->Minimum), high = Vector256.Create(t->Maximum);
            row = c;
            Avx.Min(high, Avx.Max(low, c00)).Store(row);
            Avx.Min(high, Avx.Max(low, c01)).Store(row + 8);
            row = (float*)((byte*)row + pitchC);
            Avx.Min(high, Avx.Max(low, c10)).Store(row);
            Avx.Min(high, Avx.Max(low, c11)).Store(row + 8);
            row = (float*)((byte*)row + pitchC);
            Avx.Min(high, Avx.Max(low, c20)).Store(row);
            Avx.Min(high, Avx.Max(low, c21)).Store(row + 8);
            row = (float*)((byte*)row + pitchC);
            Avx.Min(high, Avx.Max(low, c30)).Store(row);
            Avx.Min(high, Avx.Max(low, c31)).Store(row + 8);
            row = (float*)((byte*)row + pitchC);
            Avx.Min(high, Avx.Max(low, c40)).Store(row);
            Avx.Min(high, Avx.Max(low, c41)).Store(row + 8);
            row = (float*)((byte*)row + pitchC);
            Avx.Min(high, Avx.Max(low, c50)).Store(row);
            Avx.Min(high, Avx.Max(low, c51)).Store(row + 8);
            if (--tile == 0) return;
            b = (float*)((byte*)b + t->TileBytesB);
            c += 16;
            if (columnBias != null) columnBias += 16;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_4x16_Avx2(GemmTile* t)
    {
        float* b = t->B;
        float* c = t->C;
        float* residual = t->Residual;
        float* columnBias = t->ColumnBias;
        nint pitch = t->RowBytesB, pitchC = t->RowBytesC;
        for (nint tile = t->Tiles; ;)
        {
            Vector256<float> c00, c01;
            Vector256<float> c10, c11;
            Vector256<float> c20, c21;
            Vector256<float> c30, c31;
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = default;
            float* a = t->A;
            float* x = b;
            nint k = t->Inner;
            for (; k >= 4; k -= 4)
            {
                Add_4x16_Avx2(a, x, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
                Add_4x16_Avx2(a + 4, (float*)((byte*)x + pitch), ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
                x = (float*)((byte*)x + 2 * pitch);
                Add_4x16_Avx2(a + 8, x, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
                Add_4x16_Avx2(a + 12, (float*)((byte*)x + pitch), ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
                a += 16;
                x = (float*)((byte*)x + 2 * pitch);
            }
            for (; k > 0; k--)
            {
                Add_4x16_Avx2(a, x, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
                a += 4;
                x = (float*)((byte*)x + pitch);
            }
            float* row = c;
            if (t->Accumulate)
            {
                c00 += Vector256.Load(row);
                c01 += Vector256.Load(row + 8);
                row = (float*)((byte*)row + pitchC);
                c10 += Vector256.Load(row);
                c11 += Vector256.Load(row + 8);
                row = (float*)((byte*)row + pitchC);
                c20 += Vector256.Load(row);
                c21 += Vector256.Load(row + 8);
                row = (float*)((byte*)row + pitchC);
                c30 += Vector256.Load(row);
                c31 += Vector256.Load(row + 8);
            }
            else if (columnBias != null)
            {
                Vector256<float> bias0 = Vector256.Load(columnBias);
                Vector256<float> bias1 = Vector256.Load(columnBias + 8);
                c00 += bias0;
                c01 += bias1;
                c10 += bias0;
                c11 += bias1;
                c20 += bias0;
                c21 += bias1;
                c30 += bias0;
                c31 += bias1;
            }
            else if (t->RowBias != null)
            {
                float* biases = t->RowBias;
                Vector256<float> bias = Avx.BroadcastScalarToVector256(biases);
                c00 += bias;
                c01 += bias;
                bias = Avx.BroadcastScalarToVector256(biases + 1);
                c10 += bias;
                c11 += bias;
                bias = Avx.BroadcastScalarToVector256(biases + 2);
                c20 += bias;
                c21 += bias;
                bias = Avx.BroadcastScalarToVector256(biases + 3);
                c30 += bias;
                c31 += bias;
            }
            if (residual != null)
            {
                row = residual;
                c00 += Vector256.Load(row);
                c01 += Vector256.Load(row + 8);
                row = (float*)((byte*)row + pitchC);
                c10 += Vector256.Load(row);
                c11 += Vector256.Load(row + 8);
                row = (float*)((byte*)row + pitchC);
                c20 += Vector256.Load(row);
                c21 += Vector256.Load(row + 8);
                row = (float*)((byte*)row + pitchC);
                c30 += Vector256.Load(row);
                c31 += Vector256.Load(row + 8);
                residual += 16;
            }
            Vector256<float> low = Vector256.Create(t->Minimum), high = Vector256.Create(t->Maximum);
            row = c;
            Avx.Min(high, Avx.Max(low, c00)).Store(row);
            Avx.Min(high, Avx.Max(low, c01)).Store(row + 8);
            row = (float*)((byte*)row + pitchC);
            Avx.Min(high, Avx.Max(low, c10)).Store(row);
            Avx.Min(high, Avx.Max(low, c11)).Store(row + 8);
            row = (float*)((byte*)row + pitchC);
            Avx.Min(high, Avx.Max(low, c20)).Store(row);
            Avx.Min(high, Avx.Max(low, c21)).Store(row + 8);
            row = (float*)((byte*)row + pitchC);
            Avx.Min(high, Avx.Max(low, c30)).Store(row);
            Avx.Min(high, Avx.Max(low, c31)).Store(row + 8);
            if (--tile == 0) return;
            b = (float*)((byte*)b + t->TileBytesB);
            c += 16;
            if (columnBias != null) columnBias += 16;
        }
    }

    /// <summary>The first half of one tile.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_6x8_Avx2(GemmTile* t)
    {
        float* b = t->B;
        float* c = t->C;
        float* residual = t->Residual;
        float* columnBias = t->ColumnBias;
        nint pitch = t->RowBytesB, pitchC = t->RowBytesC;
        Vector256<float> c00;
        Vector256<float> c10;
        Vector256<float> c20;
        Vector256<float> c30;
        Vector256<float> c40;
        Vector256<float> c50;
        c00 = c10 = c20 = c30 = c40 = c50 = default;
        float* a = t->A;
        float* x = b;
        nint k = t->Inner;
        for (; k > 0; k--)
        {
            Vector256<float> values = Vector256.Load(x);
            c00 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a), values, c00);
            c10 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a + 1), values, c10);
            c20 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a + 2), values, c20);
            c30 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a + 3), values, c30);
            c40 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a + 4), values, c40);
            c50 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a + 5), values, c50);
            a += 6;
            x = (float*)((byte*)x + pitch);
        }
        float* row = c;
        if (t->Accumulate)
        {
            c00 += Vector256.Load(row);
            row = (float*)((byte*)row + pitchC);
            c10 += Vector256.Load(row);
            row = (float*)((byte*)row + pitchC);
            c20 += Vector256.Load(row);
            row = (float*)((byte*)row + pitchC);
            c30 += Vector256.Load(row);
            row = (float*)((byte*)row + pitchC);
            c40 += Vector256.Load(row);
            row = (float*)((byte*)row + pitchC);
            c50 += Vector256.Load(row);
        }
        else if (columnBias != null)
        {
            Vector256<float> bias0 = Vector256.Load(columnBias);
            c00 += bias0;
            c10 += bias0;
            c20 += bias0;
            c30 += bias0;
            c40 += bias0;
            c50 += bias0;
        }
        else if (t->RowBias != null)
        {
            float* biases = t->RowBias;
            Vector256<float> bias = Avx.BroadcastScalarToVector256(biases);
            c00 += bias;
            bias = Avx.BroadcastScalarToVector256(biases + 1);
            c10 += bias;
            bias = Avx.BroadcastScalarToVector256(biases + 2);
            c20 += bias;
            bias = Avx.BroadcastScalarToVector256(biases + 3);
            c30 += bias;
            bias = Avx.BroadcastScalarToVector256(biases + 4);
            c40 += bias;
            bias = Avx.BroadcastScalarToVector256(biases + 5);
            c50 += bias;
        }
        if (residual != null)
        {
            row = residual;
            c00 += Vector256.Load(row);
            row = (float*)((byte*)row + pitchC);
            c10 += Vector256.Load(row);
            row = (float*)((byte*)row + pitchC);
            c20 += Vector256.Load(row);
            row = (float*)((byte*)row + pitchC);
            c30 += Vector256.Load(row);
            row = (float*)((byte*)row + pitchC);
            c40 += Vector256.Load(row);
            row = (float*)((byte*)row + pitchC);
            c50 += Vector256.Load(row);
        }
        Vector256<float> low = Vector256.Create(t->Minimum), high = Vector256.Create(t->Maximum);
        row = c;
        Avx.Min(high, Avx.Max(low, c00)).Store(row);
        row = (float*)((byte*)row + pitchC);
        Avx.Min(high, Avx.Max(low, c10)).Store(row);
        row = (float*)((byte*)row + pitchC);
        Avx.Min(high, Avx.Max(low, c20)).Store(row);
        row = (float*)((byte*)row + pitchC);
        Avx.Min(high, Avx.Max(low, c30)).Store(row);
        row = (float*)((byte*)row + pitchC);
        Avx.Min(high, Avx.Max(low, c40)).Store(row);
        row = (float*)((byte*)row + pitchC);
        Avx.Min(high, Avx.Max(low, c50)).Store(row);
    }

    /// <summary>The first half of one tile.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_4x8_Avx2(GemmTile* t)
    {
        float* b = t->B;
        float* c = t->C;
        float* residual = t->Residual;
        float* columnBias = t->ColumnBias;
        nint pitch = t->RowBytesB, pitchC = t->RowBytesC;
        Vector256<float> c00;
        Vector256<float> c10;
        Vector256<float> c20;
        Vector256<float> c30;
        c00 = c10 = c20 = c30 = default;
        float* a = t->A;
        float* x = b;
        nint k = t->Inner;
        for (; k > 0; k--)
        {
            Vector256<float> values = Vector256.Load(x);
            c00 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a), values, c00);
            c10 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a + 1), values, c10);
            c20 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a + 2), values, c20);
            c30 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a + 3), values, c30);
            a += 4;
            x = (float*)((byte*)x + pitch);
        }
        float* row = c;
        if (t->Accumulate)
        {
            c00 += Vector256.Load(row);
            row = (float*)((byte*)row + pitchC);
            c10 += Vector256.Load(row);
            row = (float*)((byte*)row + pitchC);
            c20 += Vector256.Load(row);
            row = (float*)((byte*)row + pitchC);
            c30 += Vector256.Load(row);
        }
        else if (columnBias != null)
        {
            Vector256<float> bias0 = Vector256.Load(columnBias);
            c00 += bias0;
            c10 += bias0;
            c20 += bias0;
            c30 += bias0;
        }
        else if (t->RowBias != null)
        {
            float* biases = t->RowBias;
            Vector256<float> bias = Avx.BroadcastScalarToVector256(biases);
            c00 += bias;
            bias = Avx.BroadcastScalarToVector256(biases + 1);
            c10 += bias;
            bias = Avx.BroadcastScalarToVector256(biases + 2);
            c20 += bias;
            bias = Avx.BroadcastScalarToVector256(biases + 3);
            c30 += bias;
        }
        if (residual != null)
        {
            row = residual;
            c00 += Vector256.Load(row);
            row = (float*)((byte*)row + pitchC);
            c10 += Vector256.Load(row);
            row = (float*)((byte*)row + pitchC);
            c20 += Vector256.Load(row);
            row = (float*)((byte*)row + pitchC);
            c30 += Vector256.Load(row);
        }
        Vector256<float> low = Vector256.Create(t->Minimum), high = Vector256.Create(t->Maximum);
        row = c;
        Avx.Min(high, Avx.Max(low, c00)).Store(row);
        row = (float*)((byte*)row + pitchC);
        Avx.Min(high, Avx.Max(low, c10)).Store(row);
        row = (float*)((byte*)row + pitchC);
        Avx.Min(high, Avx.Max(low, c20)).Store(row);
        row = (float*)((byte*)row + pitchC);
        Avx.Min(high, Avx.Max(low, c30)).Store(row);
    }

    /// <summary>
    /// Plain sums of one column of B with eight panels of six rows: lanes are rows, of which the last two of each vector belong to the next inner index and are not wanted.
    /// sums: [8 panels][8]. Reads 8 bytes behind the last panel.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_48x1_Avx2(float* a, nint panelBytes, float* b, nint pitch, nint inner, float* sums)
    {
        Vector256<float> c0 = default, c1 = default, c2 = default, c3 = default, c4 = default, c5 = default, c6 = default, c7 = default;
        var a0 = (byte*)a;
        byte* a4 = a0 + 4 * panelBytes;
        nint third = 3 * panelBytes;
        for (nint k = inner; k > 0; k--)
        {
            Vector256<float> s = Avx.BroadcastScalarToVector256(b);
            c0 = Fma.MultiplyAdd(s, Vector256.Load((float*)a0), c0);
            c1 = Fma.MultiplyAdd(s, Vector256.Load((float*)(a0 + panelBytes)), c1);
            c2 = Fma.MultiplyAdd(s, Vector256.Load((float*)(a0 + 2 * panelBytes)), c2);
            c3 = Fma.MultiplyAdd(s, Vector256.Load((float*)(a0 + third)), c3);
            c4 = Fma.MultiplyAdd(s, Vector256.Load((float*)a4), c4);
            c5 = Fma.MultiplyAdd(s, Vector256.Load((float*)(a4 + panelBytes)), c5);
            c6 = Fma.MultiplyAdd(s, Vector256.Load((float*)(a4 + 2 * panelBytes)), c6);
            c7 = Fma.MultiplyAdd(s, Vector256.Load((float*)(a4 + third)), c7);
            a0 += 6 * sizeof(float);
            a4 += 6 * sizeof(float);
            b = (float*)((byte*)b + pitch);
        }
        c0.Store(sums);
        c1.Store(sums + 8);
        c2.Store(sums + 16);
        c3.Store(sums + 24);
        c4.Store(sums + 32);
        c5.Store(sums + 40);
        c6.Store(sums + 48);
        c7.Store(sums + 56);
    }

    /// <summary>
    /// The last valid column of a tile for the leading panels of six rows, where a half tile would compute eight columns for one; returns the first row left to do.
    /// `t` is the tile at the block's first row.
    /// </summary>
    private static int RunLastColumn(GemmBlock* g, GemmTile* t, int column)
    {
        int panels = 0;
        while (g->RowBegin + 6 * (panels + 1) <= g->RowEnd && PanelHeight(InstructionSet.Avx2, g->Rows - g->RowBegin - 6 * panels) == 6) panels++;
        if (panels < 8 || !Avx2.IsSupported || !Fma.IsSupported) return g->RowBegin;
        nint panelBytes = (nint)6 * g->PackedInnerA * sizeof(float);
        float* b = t->B + column % 16;
        Vector128<float> minimum = Vector128.CreateScalar(g->Minimum), maximum = Vector128.CreateScalar(g->Maximum);
        for (int panel = 0; panel < panels; panel += 8)
        {
            // The last eight overlap the eight before them; what is done already is not written again.
            int first = Math.Min(panel, panels - 8), row = g->RowBegin + 6 * first;
            float* a = g->A + (nint)(row - g->OriginA) * g->PackedInnerA + (nint)g->InnerBegin * 6;
            GemmF32_48x1_Avx2(a, panelBytes, b, g->RowBytesB, g->Inner, g->Edge);
            for (int i = panel - first; i < 8; i++)
            {
                for (int lane = 0; lane < 6; lane++)
                {
                    nint at = row + 6 * i + lane;
                    float* c = (float*)((byte*)g->C + at * g->RowBytesC) + column;
                    float value = g->Edge[8 * i + lane];
                    if (g->Accumulate) value += *c;
                    else if (g->RowBias != null) value += g->RowBias[at];
                    else if (g->ColumnBias != null) value += g->ColumnBias[column];
                    if (g->Residual != null) value += ((float*)((byte*)g->Residual + at * g->RowBytesC))[column];
                    *c = Vector128.MinNative(maximum, Vector128.MaxNative(minimum, Vector128.CreateScalar(value))).ToScalar();
                }
            }
        }
        return g->RowBegin + 6 * panels;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_1x64_Avx2(GemmTile* t)
    {
        Vector256<float> c00 = default, c01 = default;
        Vector256<float> c10 = default, c11 = default;
        Vector256<float> c20 = default, c21 = default;
        Vector256<float> c30 = default, c31 = default;
        float* a = t->A;
        float* b0 = t->B;
        float* b1 = (float*)((byte*)b0 + t->TileBytesB);
        float* b2 = (float*)((byte*)b1 + t->TileBytesB);
        float* b3 = (float*)((byte*)b2 + t->TileBytesB);
        nint pitch = t->RowBytesB;
        for (nint k = t->Inner; k > 0; k--)
        {
            Vector256<float> s = Avx.BroadcastScalarToVector256(a);
            c00 = Fma.MultiplyAdd(s, Vector256.Load(b0), c00);
            c01 = Fma.MultiplyAdd(s, Vector256.Load(b0 + 8), c01);
            c10 = Fma.MultiplyAdd(s, Vector256.Load(b1), c10);
            c11 = Fma.MultiplyAdd(s, Vector256.Load(b1 + 8), c11);
            c20 = Fma.MultiplyAdd(s, Vector256.Load(b2), c20);
            c21 = Fma.MultiplyAdd(s, Vector256.Load(b2 + 8), c21);
            c30 = Fma.MultiplyAdd(s, Vector256.Load(b3), c30);
            c31 = Fma.MultiplyAdd(s, Vector256.Load(b3 + 8), c31);
            a++;
            b0 = (float*)((byte*)b0 + pitch);
            b1 = (float*)((byte*)b1 + pitch);
            b2 = (float*)((byte*)b2 + pitch);
            b3 = (float*)((byte*)b3 + pitch);
        }
        Finish_16_Avx2(t, 0, 0, c00, c01);
        Finish_16_Avx2(t, 0, 16, c10, c11);
        Finish_16_Avx2(t, 0, 32, c20, c21);
        Finish_16_Avx2(t, 0, 48, c30, c31);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_1x16_Avx2(GemmTile* t)
    {
        Vector256<float> c00 = default, c01 = default;
        float* a = t->A;
        float* b0 = t->B;
        nint pitch = t->RowBytesB;
        for (nint k = t->Inner; k > 0; k--)
        {
            Vector256<float> s = Avx.BroadcastScalarToVector256(a);
            c00 = Fma.MultiplyAdd(s, Vector256.Load(b0), c00);
            c01 = Fma.MultiplyAdd(s, Vector256.Load(b0 + 8), c01);
            a++;
            b0 = (float*)((byte*)b0 + pitch);
        }
        Finish_16_Avx2(t, 0, 0, c00, c01);
    }

    /// <summary>One inner index of the tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add_6x16_Avx2(float* a, float* b, ref Vector256<float> c00, ref Vector256<float> c01, ref Vector256<float> c10, ref Vector256<float> c11, ref Vector256<float> c20, ref Vector256<float> c21, ref Vector256<float> c30, ref Vector256<float> c31, ref Vector256<float> c40, ref Vector256<float> c41, ref Vector256<float> c50, ref Vector256<float> c51)
    {
        Vector256<float> b0 = Vector256.Load(b), b1 = Vector256.Load(b + 8);
        Vector256<float> s = Avx.BroadcastScalarToVector256(a);
        c00 = Fma.MultiplyAdd(s, b0, c00);
        c01 = Fma.MultiplyAdd(s, b1, c01);
        s = Avx.BroadcastScalarToVector256(a + 1);
        c10 = Fma.MultiplyAdd(s, b0, c10);
        c11 = Fma.MultiplyAdd(s, b1, c11);
        s = Avx.BroadcastScalarToVector256(a + 2);
        c20 = Fma.MultiplyAdd(s, b0, c20);
        c21 = Fma.MultiplyAdd(s, b1, c21);
        s = Avx.BroadcastScalarToVector256(a + 3);
        c30 = Fma.MultiplyAdd(s, b0, c30);
        c31 = Fma.MultiplyAdd(s, b1, c31);
        s = Avx.BroadcastScalarToVector256(a + 4);
        c40 = Fma.MultiplyAdd(s, b0, c40);
        c41 = Fma.MultiplyAdd(s, b1, c41);
        s = Avx.BroadcastScalarToVector256(a + 5);
        c50 = Fma.MultiplyAdd(s, b0, c50);
        c51 = Fma.MultiplyAdd(s, b1, c51);
    }

    /// <summary>One inner index of the tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add_4x16_Avx2(float* a, float* b, ref Vector256<float> c00, ref Vector256<float> c01, ref Vector256<float> c10, ref Vector256<float> c11, ref Vector256<float> c20, ref Vector256<float> c21, ref Vector256<float> c30, ref Vector256<float> c31)
    {
        Vector256<float> b0 = Vector256.Load(b), b1 = Vector256.Load(b + 8);
        Vector256<float> s = Avx.BroadcastScalarToVector256(a);
        c00 = Fma.MultiplyAdd(s, b0, c00);
        c01 = Fma.MultiplyAdd(s, b1, c01);
        s = Avx.BroadcastScalarToVector256(a + 1);
        c10 = Fma.MultiplyAdd(s, b0, c10);
        c11 = Fma.MultiplyAdd(s, b1, c11);
        s = Avx.BroadcastScalarToVector256(a + 2);
        c20 = Fma.MultiplyAdd(s, b0, c20);
        c21 = Fma.MultiplyAdd(s, b1, c21);
        s = Avx.BroadcastScalarToVector256(a + 3);
        c30 = Fma.MultiplyAdd(s, b0, c30);
        c31 = Fma.MultiplyAdd(s, b1, c31);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish_16_Avx2(GemmTile* t, nint row, nint column, Vector256<float> c0, Vector256<float> c1)
    {
        float* c = (float*)((byte*)t->C + row * t->RowBytesC) + column;
        if (t->Accumulate)
        {
            c0 += Vector256.Load(c);
            c1 += Vector256.Load(c + 8);
        }
        else if (t->RowBias != null)
        {
            Vector256<float> bias = Vector256.Create(t->RowBias[row]);
            c0 += bias;
            c1 += bias;
        }
        else if (t->ColumnBias != null)
        {
            c0 += Vector256.Load(t->ColumnBias + column);
            c1 += Vector256.Load(t->ColumnBias + column + 8);
        }
        if (t->Residual != null)
        {
            float* residual = (float*)((byte*)t->Residual + row * t->RowBytesC) + column;
            c0 += Vector256.Load(residual);
            c1 += Vector256.Load(residual + 8);
        }
        Vector256<float> minimum = Vector256.Create(t->Minimum), maximum = Vector256.Create(t->Maximum);
        Avx.Min(maximum, Avx.Max(minimum, c0)).Store(c);
        Avx.Min(maximum, Avx.Max(minimum, c1)).Store(c + 8);
    }
}
