using System.Numerics;

namespace EdgeSparse.Vision;

/// <summary>The scene's layout (shares of the height) and its fixed picture: sky, houses, trees, pavements, road, painted once.</summary>
internal static class SceneBackground
{
    public const float Horizon = 0.40f;
    public const float HouseFoot = 0.56f;
    public const float RoadTop = 0.625f;
    public const float RoadBottom = 0.865f;
    public const float RoadMiddle = 0.735f;

    private static readonly Rgb[] s_walls = [new(178, 120, 96), new(196, 176, 148), new(150, 148, 146), new(168, 92, 78), new(206, 194, 170), new(134, 142, 152), new(186, 158, 120), new(122, 110, 104)];

    private static readonly Rgb[] s_doors = [new(82, 54, 40), new(38, 66, 58), new(52, 58, 92), new(112, 36, 34)];

    public static void Paint(Frame frame, ulong seed)
    {
        frame.Fill(96, 96, 96);
        var random = new SceneRandom(seed, 1);
        var canvas = new Canvas(frame) { TracksExtent = false };
        float height = frame.Height, width = frame.Width;
        Rgb zenith = new Rgb(112, 152, 204).Mix(new(168, 172, 178), random.NextFloat());
        Rgb haze = new Rgb(206, 218, 230).Mix(new(228, 212, 190), random.NextFloat());
        int foot = (int)(HouseFoot * height);
        for (int y = 0; y <= foot; y++) canvas.FillRectangle(0, y, width, y + 1, zenith.Mix(haze, y / (HouseFoot * height)));
        PaintHouses(ref canvas, ref random, width, height);
        PaintGround(ref canvas, ref random, width, height);
        PaintTrees(ref canvas, ref random, width, height);
        ApplyTexture(frame, seed);
    }

    private static void PaintHouses(ref Canvas canvas, ref SceneRandom random, float width, float height)
    {
        float foot = HouseFoot * height, x = -random.Range(0, 0.2f) * height;
        while (x < width)
        {
            float houseWidth = random.Range(0.24f, 0.5f) * height, roof = random.Range(0.03f, 0.3f) * height;
            Rgb wall = random.Pick(s_walls).Scale(random.Range(0.75f, 1.1f));
            canvas.FillRectangle(x, roof, x + houseWidth, foot, wall);
            canvas.FillRectangle(x - (0.006f * height), roof - (0.012f * height), x + houseWidth + (0.006f * height), roof + (0.008f * height), wall.Scale(0.6f));
            PaintFacade(ref canvas, ref random, x, roof, houseWidth, foot, height, wall);
            x += houseWidth + (random.NextFloat() < 0.3f ? random.Range(0.01f, 0.08f) * height : 0);
        }
    }

    private static void PaintFacade(ref Canvas canvas, ref SceneRandom random, float x, float roof, float houseWidth, float foot, float height, Rgb wall)
    {
        float floorHeight = 0.088f * height, windowWidth = random.Range(0.028f, 0.045f) * height, windowHeight = random.Range(0.045f, 0.06f) * height;
        int columns = Math.Max(2, (int)(houseWidth / (windowWidth * random.Range(1.7f, 2.4f))));
        int door = random.Index(columns);
        Rgb frameColor = wall.Mix(new(240, 238, 232), 0.7f), glass = new(62, 76, 92);
        for (float bottom = foot; bottom - floorHeight > roof; bottom -= floorHeight)
        {
            for (int column = 0; column < columns; column++)
            {
                float centre = x + (houseWidth * (column + 0.5f) / columns), half = windowWidth / 2;
                float top = bottom - (floorHeight * 0.82f);
                if (bottom == foot && column == door)
                {
                    canvas.FillRectangle(centre - half, foot - (0.075f * height), centre + half, foot, random.Pick(s_doors));
                    continue;
                }
                Rgb pane = glass.Mix(random.NextFloat() < 0.2f ? new Rgb(230, 206, 140) : new Rgb(150, 172, 196), random.NextFloat() * 0.6f);
                float border = 0.004f * height;
                canvas.FillRectangle(centre - half - border, top - border, centre + half + border, top + windowHeight + border, frameColor);
                canvas.FillRectangle(centre - half, top, centre + half, top + windowHeight, pane);
                canvas.FillRectangle(centre - (border / 3), top, centre + (border / 3), top + windowHeight, frameColor);
                canvas.FillRectangle(centre - half - (border * 2), top + windowHeight + border, centre + half + (border * 2), top + windowHeight + (border * 2), wall.Scale(0.7f));
            }
        }
    }

    private static void PaintGround(ref Canvas canvas, ref SceneRandom random, float width, float height)
    {
        Rgb pavement = new Rgb(152, 148, 140).Scale(random.Range(0.85f, 1.1f)), kerb = new(186, 184, 178), road = new Rgb(84, 86, 90).Scale(random.Range(0.8f, 1.15f));
        float top = RoadTop * height, bottom = RoadBottom * height;
        canvas.FillRectangle(0, HouseFoot * height, width, top, pavement.Scale(0.94f));
        canvas.FillRectangle(0, top, width, bottom, road);
        canvas.FillRectangle(0, bottom, width, height, pavement);
        canvas.FillRectangle(0, top - (0.008f * height), width, top, kerb.Scale(0.9f));
        canvas.FillRectangle(0, bottom, width, bottom + (0.014f * height), kerb);
        canvas.FillRectangle(0, bottom - (0.006f * height), width, bottom, road.Scale(0.7f));
        // Joints of the pavement: across the street they run to the vanishing point, along it they are level.
        Rgb joint = pavement.Scale(0.84f);
        float line = Math.Max(0.7f, height / 600), spacing = 0.13f * height;
        for (float foot = -3 * width; foot < 4 * width; foot += spacing)
        {
            PaintJoint(ref canvas, foot, bottom + (0.014f * height), height, width, height, line, joint);
            PaintJoint(ref canvas, foot, HouseFoot * height, top - (0.008f * height), width, height, line * 0.7f, joint);
        }
        canvas.FillRectangle(0, 0.925f * height, width, (0.925f * height) + line, joint);
        float dash = 0.16f * height, offset = random.Range(0, dash * 2), middle = RoadMiddle * height;
        for (float x = -offset; x < width; x += dash * 2)
            canvas.FillConvex([new(x, middle), new(x + dash, middle), new(x + dash - (0.01f * height), middle + (0.009f * height)), new(x - (0.01f * height), middle + (0.009f * height))], new(206, 204, 192));
        for (int i = 0; i < 5; i++)
            canvas.FillEllipse(random.Range(0, width), random.Range(RoadTop + 0.03f, RoadBottom - 0.03f) * height, random.Range(0.02f, 0.09f) * height, random.Range(0.004f, 0.014f) * height, road.Scale(random.Range(0.8f, 1.15f)));
    }

    /// <summary>A straight line to the vanishing point between two rows; <paramref name="foot"/> is where it meets the lower edge of the picture.</summary>
    private static void PaintJoint(ref Canvas canvas, float foot, float yTop, float yBottom, float width, float height, float line, Rgb color)
    {
        float vanishX = width / 2, vanishY = Horizon * height;
        float At(float y) => vanishX + ((foot - vanishX) * (y - vanishY) / (height - vanishY));
        (float topX, float bottomX) = (At(yTop), At(yBottom));
        if (Math.Max(topX, bottomX) < -2 || Math.Min(topX, bottomX) > width + 2) return;
        canvas.FillConvex([new(topX - (line / 2), yTop), new(topX + (line / 2), yTop), new(bottomX + (line / 2), yBottom), new(bottomX - (line / 2), yBottom)], color);
    }

    private static void PaintTrees(ref Canvas canvas, ref SceneRandom random, float width, float height)
    {
        int count = 1 + random.Index(3);
        for (int i = 0; i < count; i++)
        {
            float x = random.Range(0.05f, 0.95f) * width, foot = 0.572f * height, crown = random.Range(0.05f, 0.09f) * height, top = foot - random.Range(0.16f, 0.24f) * height;
            Rgb leaf = new Rgb(70, 104, 52).Mix(new(128, 116, 50), random.NextFloat() * 0.6f), bark = new(84, 68, 54);
            canvas.FillCapsule(new Vector2(x, foot), new Vector2(x, top), 0.009f * height, 0.006f * height, bark);
            for (int blob = 0; blob < 26; blob++)
            {
                float angle = random.Range(0, MathF.Tau), radius = crown * MathF.Sqrt(random.NextFloat());
                canvas.FillEllipse(x + (radius * MathF.Cos(angle)), top + (radius * MathF.Sin(angle) * 0.9f), crown * random.Range(0.22f, 0.4f), crown * random.Range(0.2f, 0.34f), leaf.Scale(random.Range(0.7f, 1.25f)));
            }
        }
        float lamp = random.Range(0.1f, 0.9f) * width;
        Rgb metal = new(58, 62, 66);
        canvas.FillCapsule(new Vector2(lamp, 0.605f * height), new Vector2(lamp, 0.2f * height), 0.006f * height, 0.004f * height, metal);
        canvas.FillCapsule(new Vector2(lamp, 0.2f * height), new Vector2(lamp + (0.06f * height), 0.19f * height), 0.004f * height, 0.004f * height, metal);
        canvas.FillEllipse(lamp + (0.065f * height), 0.194f * height, 0.018f * height, 0.007f * height, new(214, 210, 190));
    }

    /// <summary>Multiplies every pixel by value noise of three octaves: brick, asphalt, stains. Sky only faintly.</summary>
    private static void ApplyTexture(Frame frame, ulong seed)
    {
        ulong key = SceneRandom.Mix(seed + 77);
        float unit = frame.Height / 480f;
        for (int y = 0; y < frame.Height; y++)
        {
            Span<byte> row = frame.Row(y);
            float strength = y < HouseFoot * frame.Height ? 0.10f : 0.16f;
            for (int x = 0; x < frame.Width; x++)
            {
                float noise = (0.5f * ValueNoise(key, x / (1.6f * unit), y / (1.2f * unit))) + (0.3f * ValueNoise(key + 1, x / (7 * unit), y / (4 * unit))) + (0.35f * ValueNoise(key + 2, x / (60 * unit), y / (24 * unit)));
                float factor = 1 + (strength * ((noise * 2) - 1.15f));
                Span<byte> pixel = row.Slice(x * 3, 3);
                (pixel[0], pixel[1], pixel[2]) = ((byte)Math.Clamp(pixel[0] * factor, 0, 255), (byte)Math.Clamp(pixel[1] * factor, 0, 255), (byte)Math.Clamp(pixel[2] * factor, 0, 255));
            }
        }
    }

    private static float ValueNoise(ulong key, float x, float y)
    {
        int cellX = (int)x, cellY = (int)y;
        float u = x - cellX, v = y - cellY;
        float top = Lattice(key, cellX, cellY) + (u * (Lattice(key, cellX + 1, cellY) - Lattice(key, cellX, cellY)));
        float bottom = Lattice(key, cellX, cellY + 1) + (u * (Lattice(key, cellX + 1, cellY + 1) - Lattice(key, cellX, cellY + 1)));
        return top + (v * (bottom - top));
    }

    private static float Lattice(ulong key, int x, int y) => (SceneRandom.Mix(key ^ ((ulong)(uint)x << 32) ^ (uint)y) >> 40) * (1f / (1 << 24));
}
