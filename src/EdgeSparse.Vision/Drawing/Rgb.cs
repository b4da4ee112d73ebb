namespace EdgeSparse.Vision;

/// <summary>A colour, 8 bits for each of red, green, blue.</summary>
public readonly record struct Rgb(byte R, byte G, byte B)
{
    /// <summary>Every channel times <paramref name="factor"/>, clipped to 0…255.</summary>
    public Rgb Scale(float factor) => new(Clip(R * factor), Clip(G * factor), Clip(B * factor));

    /// <summary>This colour with the share <paramref name="amount"/> (0…1) of <paramref name="other"/>.</summary>
    public Rgb Mix(Rgb other, float amount) =>
        new(Clip(R + ((other.R - R) * amount)), Clip(G + ((other.G - G) * amount)), Clip(B + ((other.B - B) * amount)));

    private static byte Clip(float value) => (byte)Math.Clamp(value, 0, 255);
}
