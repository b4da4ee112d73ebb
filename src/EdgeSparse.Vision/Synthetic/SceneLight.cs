using System.Numerics;

namespace EdgeSparse.Vision;

/// <summary>
/// Light and sensor: every byte becomes byte·gain/256 + noise. The gain drifts slowly, differs a little between the channels (warmer, cooler) and carries the
/// shadow of a cloud that wanders over the picture in a slanted band; the noise is new in every frame.
/// </summary>
internal sealed unsafe class SceneLight
{
    private const int NoiseTableBytes = 1 << 17;
    private const int NoiseOffset = 10;

    private readonly byte[] _noise = new byte[NoiseTableBytes + 8192 + 64]; // noise + NoiseOffset
    private readonly ushort[] _gain; // [columns + half the rows, 3], 256 = unchanged
    private readonly int _profileLength;
    private readonly ulong _seed;

    public SceneLight(int width, int height, ulong seed)
    {
        _seed = seed;
        _profileLength = width + (height / 2) + 1;
        _gain = new ushort[(_profileLength * 3) + 64];
        if (width * 3 + 64 > _noise.Length - NoiseTableBytes) _noise = new byte[NoiseTableBytes + (width * 3) + 128];
        var random = new SceneRandom(seed, 2);
        for (int i = 0; i < _noise.Length; i++)
        {
            // Sum of four uniform variables: close to normal, standard deviation 2.3.
            ulong bits = random.NextBits();
            float sum = ((bits & 0xFFFF) + ((bits >> 16) & 0xFFFF) + ((bits >> 32) & 0xFFFF) + (bits >> 48)) / 65536f;
            _noise[i] = (byte)Math.Clamp(MathF.Round(((sum - 2) * 4) + NoiseOffset), 0, 2 * NoiseOffset);
        }
    }

    public void Apply(Frame frame, double seconds, long frameIndex)
    {
        BuildProfile(frame.Width, frame.Height, seconds);
        int rowBytes = frame.StrideBytes;
        fixed (byte* noise = _noise)
        fixed (ushort* gain = _gain)
        {
            for (int y = 0; y < frame.Height; y++)
            {
                int offset = (int)(SceneRandom.Mix(_seed ^ SceneRandom.Mix((ulong)frameIndex ^ ((ulong)y << 40))) & (NoiseTableBytes - 1));
                ApplyRow(frame.Data + ((nint)y * rowBytes), gain + (y / 2 * 3), noise + offset, rowBytes);
            }
        }
    }

    private void BuildProfile(int width, int height, double seconds)
    {
        float phase = new SceneRandom(_seed, 3).NextFloat() * MathF.Tau;
        float drift = 0.96f + (0.05f * (float)Math.Sin((seconds * Math.Tau / 140) + phase));
        float warm = 0.035f * (float)Math.Sin((seconds * Math.Tau / 230) + (2 * phase));
        (float red, float green, float blue) = (drift * (0.975f + warm), drift * 0.975f, drift * (0.975f - warm));
        // One cloud every 80 s; its band is as wide as the frame is high and has soft edges.
        float way = width + (3f * height), centre = (float)((((seconds / 80) + (phase / MathF.Tau)) % 1 + 1) % 1 * way) - height, radius = 0.55f * height;
        for (int i = 0; i < _profileLength; i++)
        {
            float distance = Math.Abs(i - centre) / radius, t = Math.Clamp((1.25f - distance) / 0.5f, 0, 1);
            float shade = 256 * (1 - (0.28f * t * t * (3 - (2 * t))));
            _gain[i * 3] = (ushort)Math.Min(256, red * shade);
            _gain[(i * 3) + 1] = (ushort)Math.Min(256, green * shade);
            _gain[(i * 3) + 2] = (ushort)Math.Min(256, blue * shade);
        }
    }

    /// <summary>In place; whole vectors, then the rest byte by byte, since the next row follows at once.</summary>
    private static void ApplyRow(byte* row, ushort* gain, byte* noise, int length)
    {
        int i = 0;
        var offset = new Vector<ushort>(NoiseOffset);
        var white = new Vector<ushort>(255);
        for (; i <= length - Vector<byte>.Count; i += Vector<byte>.Count)
        {
            Vector.Widen(Vector.Load(row + i), out Vector<ushort> low, out Vector<ushort> high);
            Vector.Widen(Vector.Load(noise + i), out Vector<ushort> noiseLow, out Vector<ushort> noiseHigh);
            low = Vector.ShiftRightLogical(low * Vector.Load(gain + i), 8) + noiseLow;
            high = Vector.ShiftRightLogical(high * Vector.Load(gain + i + Vector<ushort>.Count), 8) + noiseHigh;
            low = Vector.Min(Vector.Max(low, offset) - offset, white);
            high = Vector.Min(Vector.Max(high, offset) - offset, white);
            Vector.Narrow(low, high).Store(row + i);
        }
        for (; i < length; i++) row[i] = (byte)Math.Clamp(((row[i] * gain[i]) >> 8) + noise[i] - NoiseOffset, 0, 255);
    }
}
