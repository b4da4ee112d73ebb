using System.Runtime.CompilerServices;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Convolution;

internal static unsafe partial class WinogradF32
{
    /// <summary>
    /// Bᵀ d B of all tiles of one channel. The first half runs along whole rows; the second has tiles as lanes: a tile's six elements of a row are two quads, which a
    /// transposition of quads turns into six vectors.
    /// </summary>
    private static void TransformInput<V>(Band* band, float* window, float* columns, int* offsets, int tiles, in Layout layout, int channel, float* transformed) where V : unmanaged, IFloatVector<V>
    {
        nint pitch = band->Pitch;
        float* to = columns;
        for (int row = band->RowBegin; row < band->RowEnd; row++, window += TileSize * pitch, to += 6 * pitch) TransformRows<V>(window, pitch, to);
        transformed += (nint)channel * layout.GemmColumns;
        nint positionFloats = layout.TransformedFloats, tileFloats = (positionFloats - Stagger) / tiles * layout.GemmColumns;
        for (int tile = 0; tile < tiles; tile += V.Count)
        {
            float* at = transformed + tile / layout.GemmColumns * tileFloats + tile % layout.GemmColumns;
            for (int i = 0; i < 6; i++, at += 6 * positionFloats) TransformQuads<V>(columns + i * pitch, offsets + tile, at, positionFloats);
        }
    }

    /// <summary>Bᵀ along columns: six rows of the window to six rows.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void TransformRows<V>(float* from, nint pitch, float* to) where V : unmanaged, IFloatVector<V>
    {
        V two = V.Create(2), four = V.Create(4), five = V.Create(-5), minusFour = V.Create(-4);
        for (nint i = 0; i < pitch; i += V.Count)
        {
            float* x = from + i;
            V d0 = V.Load(x), d1 = V.Load(x + pitch), d2 = V.Load(x + 2 * pitch), d3 = V.Load(x + 3 * pitch), d4 = V.Load(x + 4 * pitch), d5 = V.Load(x + 5 * pitch);
            float* y = to + i;
            V.MultiplyAdd(four, d0, V.MultiplyAdd(five, d2, d4)).Store(y);
            V a = V.MultiplyAdd(minusFour, d2, d4), b = V.MultiplyAdd(minusFour, d1, d3);
            (a + b).Store(y + pitch);
            (a - b).Store(y + 2 * pitch);
            V c = d4 - d2, e = two * (d3 - d1);
            (c + e).Store(y + 3 * pitch);
            (c - e).Store(y + 4 * pitch);
            V.MultiplyAdd(four, d1, V.MultiplyAdd(five, d3, d5)).Store(y + 5 * pitch);
        }
    }

    /// <summary>Bᵀ along one row of V.Count tiles: six vectors, positionFloats apart.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void TransformQuads<V>(float* row, int* offsets, float* to, nint positionFloats) where V : unmanaged, IFloatVector<V>
    {
        V d0 = V.LoadQuads(row, offsets), d1 = V.LoadQuads(row, offsets + 1), d2 = V.LoadQuads(row, offsets + 2), d3 = V.LoadQuads(row, offsets + 3);
        V.TransposeQuads(ref d0, ref d1, ref d2, ref d3);
        V d4 = V.LoadQuads(row + 4, offsets), d5 = V.LoadQuads(row + 4, offsets + 1), d6 = V.LoadQuads(row + 4, offsets + 2), d7 = V.LoadQuads(row + 4, offsets + 3);
        V.TransposeQuads(ref d4, ref d5, ref d6, ref d7);
        V four = V.Create(4), five = V.Create(-5), minusFour = V.Create(-4);
        V.MultiplyAdd(four, d0, V.MultiplyAdd(five, d2, d4)).Store(to);
        V a = V.MultiplyAdd(minusFour, d2, d4), b = V.MultiplyAdd(minusFour, d1, d3);
        (a + b).Store(to + positionFloats);
        (a - b).Store(to + 2 * positionFloats);
        V c = d4 - d2, e = d3 - d1;
        e += e;
        (c + e).Store(to + 3 * positionFloats);
        (c - e).Store(to + 4 * positionFloats);
        V.MultiplyAdd(four, d1, V.MultiplyAdd(five, d3, d5)).Store(to + 5 * positionFloats);
    }

    /// <summary>Aᵀ m A of all tiles of one output channel, to the plane of the band.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void TransformOutput<V>(float* products, nint positionFloats, int tiles, nint pitch, int* offsets, float* plane) where V : unmanaged, IFloatVector<V>
    {
        V* half = stackalloc V[4 * 6];
        V two = V.Create(2), four = V.Create(4), eight = V.Create(8);
        for (int tile = 0; tile < tiles; tile += V.Count, products += V.Count, offsets += V.Count)
        {
            float* m = products;
            for (nint column = 0; column < 6; column++, m += positionFloats)
            {
                V m0 = V.Load(m), m1 = V.Load(m + 6 * positionFloats), m2 = V.Load(m + 12 * positionFloats), m3 = V.Load(m + 18 * positionFloats), m4 = V.Load(m + 24 * positionFloats), m5 = V.Load(m + 30 * positionFloats);
                V s1 = m1 + m2, s2 = m1 - m2, s3 = m3 + m4, s4 = m3 - m4;
                half[column] = m0 + s1 + s3;
                half[6 + column] = V.MultiplyAdd(two, s4, s2);
                half[12 + column] = V.MultiplyAdd(four, s3, s1);
                half[18 + column] = V.MultiplyAdd(eight, s4, s2) + m5;
            }
            float* to = plane;
            V* h = half;
            for (int row = 0; row < 4; row++, h += 6, to += pitch)
            {
                V s1 = h[1] + h[2], s2 = h[1] - h[2], s3 = h[3] + h[4], s4 = h[3] - h[4];
                V y0 = h[0] + s1 + s3, y1 = V.MultiplyAdd(two, s4, s2), y2 = V.MultiplyAdd(four, s3, s1), y3 = V.MultiplyAdd(eight, s4, s2) + h[5];
                V.TransposeQuads(ref y0, ref y1, ref y2, ref y3);
                y0.StoreQuads(to, offsets);
                y1.StoreQuads(to, offsets + 1);
                y2.StoreQuads(to, offsets + 2);
                y3.StoreQuads(to, offsets + 3);
            }
        }
    }
}
