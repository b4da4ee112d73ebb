using System.Numerics;

namespace EdgeSparse.Vision;

/// <summary>
/// Draws one moving object from the side (people also from front and back). All sizes are metres times <c>scale</c> (pixels per metre where it stands); x, y is the point on the
/// ground below its middle; <c>direction</c> is +1 to the right, −1 to the left; <c>phase</c> is the way travelled in metres and moves legs and wheels.
/// </summary>
internal static class SceneActor
{
    private static readonly Rgb[] s_paints =
    [
        new(176, 32, 36), new(28, 66, 140), new(212, 214, 216), new(36, 38, 42), new(120, 126, 132), new(204, 168, 48), new(40, 104, 74), new(226, 226, 220), new(96, 40, 92), new(214, 98, 36),
    ];

    private static readonly Rgb[] s_clothes =
    [
        new(188, 44, 50), new(44, 78, 150), new(232, 230, 222), new(40, 40, 46), new(222, 184, 60), new(58, 122, 84), new(132, 78, 140), new(222, 118, 48), new(96, 152, 190), new(116, 92, 70),
    ];

    private static readonly Rgb[] s_trousers = [new(38, 46, 74), new(54, 52, 50), new(106, 98, 84), new(28, 28, 32), new(84, 92, 108), new(140, 124, 96)];

    private static readonly Rgb[] s_skins = [new(232, 190, 160), new(196, 144, 108), new(140, 92, 62), new(90, 58, 42)];

    private static readonly Rgb[] s_hairs = [new(42, 32, 26), new(104, 72, 40), new(188, 152, 92), new(150, 148, 146), new(140, 60, 34)];

    private static readonly Rgb[] s_coats = [new(150, 104, 58), new(54, 44, 38), new(206, 186, 150), new(112, 76, 48), new(226, 222, 214), new(84, 84, 88)];

    private static readonly Rgb s_tyre = new(26, 26, 28);
    private static readonly Rgb s_rim = new(168, 170, 174);
    private static readonly Rgb s_glass = new(70, 88, 104);

    public static void Shadow(ref Canvas canvas, float x, float y, float halfLength, float scale)
    {
        (canvas.TracksExtent, canvas.Opacity) = (false, 0.4f);
        canvas.FillEllipse(x + (0.1f * scale), y + (0.02f * scale), halfLength * scale, Math.Max(1, 0.1f * scale), new(16, 16, 22));
        (canvas.TracksExtent, canvas.Opacity) = (true, 1);
    }

    /// <param name="direction">0: seen from the front or the back.</param>
    public static void Person(ref Canvas canvas, float x, float y, float scale, int direction, float phase, ref SceneRandom look)
    {
        float size = scale * look.Range(0.82f, 1.1f) * (look.NextFloat() < 0.15f ? 0.72f : 1);
        Rgb shirt = look.Pick(s_clothes).Scale(look.Range(0.8f, 1.15f)), legs = look.Pick(s_trousers), skin = look.Pick(s_skins), hair = look.Pick(s_hairs);
        float girth = look.Range(0.85f, 1.2f);
        bool skirt = look.NextFloat() < 0.2f, bag = look.NextFloat() < 0.3f, cap = look.NextFloat() < 0.25f;
        float stride = MathF.Sin(phase * 4.2f), lift = MathF.Abs(MathF.Cos(phase * 4.2f));
        float hipY = y - (0.86f * size), shoulderY = y - (1.42f * size) - (0.02f * size * lift);
        float swing = direction == 0 ? 0 : stride * 0.3f * size * direction, apart = direction == 0 ? 0.1f * size : 0.02f * size;
        Shadow(ref canvas, x, y, 0.3f * size / scale, scale);
        Rgb back = legs.Scale(0.78f);
        Leg(ref canvas, new(x - apart, hipY), x - apart - swing, y - (direction == 0 ? Math.Max(0, stride) * 0.1f * size : Math.Max(0, -stride) * 0.06f * size), size, back, direction);
        float armSwing = direction == 0 ? 0.05f * size : swing * 0.9f, shoulder = direction == 0 ? 0.2f * size * girth : 0;
        Arm(ref canvas, new(x - shoulder, shoulderY + (0.05f * size)), new(x - shoulder + (direction == 0 ? -armSwing : armSwing), hipY + (0.02f * size)), size, shirt.Scale(0.75f), skin);
        Leg(ref canvas, new(x + apart, hipY), x + apart + swing, y - (direction == 0 ? Math.Max(0, -stride) * 0.1f * size : Math.Max(0, stride) * 0.06f * size), size, legs, direction);
        float half = (direction == 0 ? 0.2f : 0.14f) * size * girth;
        canvas.FillConvex([new(x - half, shoulderY + (0.03f * size)), new(x - (half * 0.7f), shoulderY), new(x + (half * 0.7f), shoulderY), new(x + half, shoulderY + (0.03f * size)), new(x + (half * 0.9f), hipY + (0.06f * size)), new(x - (half * 0.9f), hipY + (0.06f * size))], shirt);
        if (skirt) canvas.FillConvex([new(x - (half * 0.8f), hipY - (0.05f * size)), new(x + (half * 0.8f), hipY - (0.05f * size)), new(x + (half * 1.5f), hipY + (0.34f * size)), new(x - (half * 1.5f), hipY + (0.34f * size))], shirt.Scale(0.8f));
        if (bag) canvas.FillConvex([new(x - (direction * half) - (0.1f * size), shoulderY + (0.08f * size)), new(x - (direction * half) + (0.08f * size), shoulderY + (0.06f * size)), new(x - (direction * half) + (0.08f * size), hipY - (0.1f * size)), new(x - (direction * half) - (0.1f * size), hipY - (0.08f * size))], look.Pick(s_clothes).Scale(0.7f));
        Arm(ref canvas, new(x + shoulder, shoulderY + (0.05f * size)), new(x + shoulder + (direction == 0 ? armSwing : -armSwing), hipY + (0.02f * size)), size, shirt.Scale(0.9f), skin);
        float headX = x + (direction * 0.02f * size), headY = shoulderY - (0.17f * size);
        canvas.FillCapsule(new(x, shoulderY), new(headX, headY), 0.05f * size, 0.05f * size, skin.Scale(0.9f));
        canvas.FillEllipse(headX, headY, 0.1f * size, 0.125f * size, skin);
        canvas.FillEllipse(headX - (direction * 0.025f * size), headY - (0.045f * size), 0.1f * size, 0.09f * size, cap ? look.Pick(s_clothes) : hair);
    }

    private static void Leg(ref Canvas canvas, Vector2 hip, float footX, float footY, float size, Rgb color, int direction)
    {
        var ankle = new Vector2(footX, footY - (0.05f * size));
        Vector2 knee = ((hip + ankle) / 2) + new Vector2(direction * 0.05f * size, 0);
        canvas.FillCapsule(hip, knee, 0.085f * size, 0.065f * size, color);
        canvas.FillCapsule(knee, ankle, 0.065f * size, 0.045f * size, color);
        canvas.FillCapsule(ankle + new Vector2(0, 0.01f * size), ankle + new Vector2(direction * 0.12f * size, 0.015f * size), 0.04f * size, 0.035f * size, new(34, 30, 28));
    }

    private static void Arm(ref Canvas canvas, Vector2 shoulder, Vector2 hand, float size, Rgb sleeve, Rgb skin)
    {
        canvas.FillCapsule(shoulder, hand, 0.055f * size, 0.04f * size, sleeve);
        canvas.FillEllipse(hand.X, hand.Y, 0.042f * size, 0.042f * size, skin);
    }

    /// <summary>Bicycle with its rider.</summary>
    public static void Bicycle(ref Canvas canvas, float x, float y, float scale, int direction, float phase, ref SceneRandom look)
    {
        Rgb paint = look.Pick(s_paints), shirt = look.Pick(s_clothes), legs = look.Pick(s_trousers), skin = look.Pick(s_skins), helmet = look.Pick(s_clothes);
        float size = scale * look.Range(0.92f, 1.08f), lean = look.Range(0.12f, 0.34f), radius = 0.34f * size, line = Math.Max(0.8f, 0.022f * size);
        Vector2 rear = new(x - (direction * 0.52f * size), y - radius), front = new(x + (direction * 0.52f * size), y - radius);
        Vector2 crank = new(x - (direction * 0.06f * size), y - (0.29f * size)), seat = new(x - (direction * 0.2f * size), y - (0.92f * size)), head = new(x + (direction * 0.38f * size), y - (0.86f * size));
        Shadow(ref canvas, x, y, 0.85f * size / scale, scale);
        float turn = phase / 0.34f;
        Vector2 pedal = new Vector2(MathF.Cos(turn * 0.5f), MathF.Sin(turn * 0.5f)) * 0.17f * size;
        Vector2 hip = seat + new Vector2(0, -0.08f * size), shoulder = hip + new Vector2(direction * (0.2f + lean) * size, -(0.56f - (lean * 0.5f)) * size);
        RiderLeg(ref canvas, hip, crank - pedal, size, legs.Scale(0.75f), direction);
        Wheel(ref canvas, rear, radius, line, turn * direction);
        Wheel(ref canvas, front, radius, line, turn * direction);
        canvas.FillCapsule(rear, crank, line, line, paint);
        canvas.FillCapsule(rear, seat, line * 0.8f, line * 0.8f, paint);
        canvas.FillCapsule(crank, seat, line, line, paint);
        canvas.FillCapsule(crank, head, line, line, paint);
        canvas.FillCapsule(Vector2.Lerp(seat, crank, 0.15f), head, line, line, paint);
        canvas.FillCapsule(front, head + new Vector2(0, -0.08f * size), line, line, paint.Scale(0.8f));
        Vector2 grip = head + new Vector2(direction * 0.06f * size, -0.14f * size);
        canvas.FillCapsule(head, grip, line, line, s_tyre);
        canvas.FillCapsule(seat - new Vector2(direction * 0.1f * size, 0), seat + new Vector2(direction * 0.1f * size, 0), line * 1.3f, line, s_tyre);
        RiderLeg(ref canvas, hip, crank + pedal, size, legs, direction);
        canvas.FillCapsule(hip, shoulder, 0.13f * size, 0.12f * size, shirt);
        canvas.FillCapsule(shoulder, grip, 0.055f * size, 0.04f * size, shirt.Scale(0.85f));
        Vector2 face = shoulder + new Vector2(direction * 0.1f * size, -0.2f * size);
        canvas.FillEllipse(face.X, face.Y, 0.1f * size, 0.12f * size, skin);
        canvas.FillEllipse(face.X - (direction * 0.01f * size), face.Y - (0.055f * size), 0.115f * size, 0.085f * size, helmet);
    }

    private static void RiderLeg(ref Canvas canvas, Vector2 hip, Vector2 foot, float size, Rgb color, int direction)
    {
        Vector2 knee = ((hip + foot) / 2) + new Vector2(direction * 0.17f * size, -0.03f * size);
        canvas.FillCapsule(hip, knee, 0.085f * size, 0.065f * size, color);
        canvas.FillCapsule(knee, foot, 0.06f * size, 0.045f * size, color);
        canvas.FillCapsule(foot, foot + new Vector2(direction * 0.09f * size, 0), 0.04f * size, 0.035f * size, s_tyre);
    }

    private static void Wheel(ref Canvas canvas, Vector2 centre, float radius, float line, float turn)
    {
        for (int spoke = 0; spoke < 3; spoke++)
        {
            float angle = turn + (spoke * MathF.PI / 3);
            Vector2 arm = new Vector2(MathF.Cos(angle), MathF.Sin(angle)) * radius;
            canvas.FillCapsule(centre - arm, centre + arm, line * 0.25f, line * 0.25f, new(150, 152, 156));
        }
        canvas.DrawRing(centre, radius - line, line * 2, s_tyre);
    }

    public static void Car(ref Canvas canvas, float x, float y, float scale, int direction, float phase, ref SceneRandom look)
    {
        Rgb paint = look.Pick(s_paints).Scale(look.Range(0.8f, 1.1f));
        int body = look.Index(3); // 0 saloon, 1 hatchback, 2 estate or van-like
        float length = scale * (body == 1 ? 3.7f : 4.4f) * look.Range(0.95f, 1.06f), height = scale * (body == 2 ? 1.72f : 1.45f), wheel = 0.32f * scale, half = length / 2;
        float d = direction, belt = y - (height * 0.6f), roof = y - height, sill = y - (0.26f * scale);
        Shadow(ref canvas, x, y, length / scale * 0.52f, scale);
        canvas.FillConvex([new(x - (d * half * 0.94f), sill), new(x + (d * half * 0.96f), sill), new(x + (d * half * 0.9f), y - (0.16f * scale)), new(x - (d * half * 0.9f), y - (0.16f * scale))], s_tyre);
        // Body below the belt line: tail, bonnet, nose.
        canvas.FillConvex([new(x - (d * half), y - (height * 0.52f)), new(x - (d * half * 0.96f), belt), new(x + (d * half * 0.45f), belt), new(x + (d * half * 0.93f), y - (height * 0.5f)), new(x + (d * half), y - (height * 0.36f)), new(x + (d * half * 0.98f), sill), new(x - (d * half * 0.98f), sill)], paint);
        float rearTop = body switch { 0 => -0.42f, 1 => -0.7f, _ => -0.86f }, rearFoot = body switch { 0 => -0.78f, 1 => -0.92f, _ => -0.96f }, frontTop = body == 2 ? 0.3f : 0.16f;
        Vector2 a = new(x + (d * half * rearFoot), belt + 1), b = new(x + (d * half * rearTop), roof), c = new(x + (d * half * frontTop), roof), e = new(x + (d * half * 0.52f), belt + 1);
        canvas.FillConvex([a, b, c, e], paint.Scale(0.92f));
        Vector2 centre = (a + b + c + e) / 4;
        Vector2 Inset(Vector2 p) => Vector2.Lerp(centre, p, 0.82f);
        Rgb glass = s_glass.Mix(new(160, 180, 200), look.NextFloat() * 0.5f);
        canvas.FillConvex([Inset(a), Inset(b), Inset(c), Inset(e)], glass);
        float pillar = centre.X + (d * 0.04f * length);
        canvas.FillRectangle(pillar - (0.04f * scale), roof + (0.05f * scale), pillar + (0.04f * scale), belt, paint.Scale(0.8f));
        canvas.FillRectangle(pillar - (0.012f * scale), belt, pillar + (0.012f * scale), sill, paint.Scale(0.65f));
        canvas.FillRectangle(x - half * 0.9f, y - (height * 0.4f), x + half * 0.9f, y - (height * 0.38f), paint.Scale(0.75f));
        canvas.FillEllipse(x + (d * half * 0.93f), y - (height * 0.43f), 0.12f * scale, 0.07f * scale, new(248, 242, 208));
        canvas.FillEllipse(x - (d * half * 0.96f), y - (height * 0.48f), 0.08f * scale, 0.08f * scale, new(190, 30, 28));
        RoadWheel(ref canvas, new(x + (d * half * 0.62f), y - wheel), wheel, d * phase / 0.32f);
        RoadWheel(ref canvas, new(x - (d * half * 0.6f), y - wheel), wheel, d * phase / 0.32f);
    }

    public static void Truck(ref Canvas canvas, float x, float y, float scale, int direction, float phase, ref SceneRandom look)
    {
        Rgb cab = look.Pick(s_paints), box = look.NextFloat() < 0.5f ? new Rgb(222, 222, 216) : look.Pick(s_paints).Mix(new(200, 200, 200), 0.3f);
        float length = scale * look.Range(5.8f, 7.2f), height = scale * look.Range(2.7f, 3.2f), half = length / 2, wheel = 0.45f * scale, d = direction;
        bool tarpaulin = look.NextFloat() < 0.4f;
        float bed = y - (0.75f * scale), cabBack = half - (1.75f * scale), cabTop = y - (height * 0.84f);
        Shadow(ref canvas, x, y, length / scale * 0.52f, scale);
        canvas.FillRectangle(x - half, bed, x + half, y - (0.45f * scale), new(44, 46, 50));
        canvas.FillConvex([new(x - (d * half), y - height), new(x + (d * (cabBack - (0.12f * scale))), y - height), new(x + (d * (cabBack - (0.12f * scale))), bed), new(x - (d * half), bed)], box);
        int ribs = tarpaulin ? 7 : 3;
        for (int i = 1; i < ribs; i++)
        {
            float at = x - (d * half) + (d * (half + cabBack) * i / ribs);
            canvas.FillRectangle(at - (0.02f * scale), y - height + (0.05f * scale), at + (0.02f * scale), bed, box.Scale(0.82f));
        }
        if (!tarpaulin)
        {
            float middle = x - (d * half) + (d * (half + cabBack) * 0.48f), quarter = (half + cabBack) * 0.28f;
            canvas.FillRectangle(middle - quarter, y - (height * 0.72f), middle + quarter, y - (height * 0.52f), look.Pick(s_clothes));
        }
        canvas.FillConvex([new(x + (d * cabBack), cabTop), new(x + (d * (half - (0.4f * scale))), cabTop), new(x + (d * half), y - (height * 0.5f)), new(x + (d * half), y - (0.35f * scale)), new(x + (d * cabBack), y - (0.35f * scale))], cab);
        canvas.FillConvex([new(x + (d * (cabBack + (0.5f * scale))), cabTop + (0.16f * scale)), new(x + (d * (half - (0.42f * scale))), cabTop + (0.16f * scale)), new(x + (d * (half - (0.1f * scale))), y - (height * 0.53f)), new(x + (d * (cabBack + (0.5f * scale))), y - (height * 0.53f))], s_glass);
        canvas.FillEllipse(x + (d * (half - (0.06f * scale))), y - (0.75f * scale), 0.1f * scale, 0.1f * scale, new(248, 242, 208));
        canvas.FillRectangle(x - (d * half) - (0.04f * scale), bed + (0.02f * scale), x - (d * half) + (0.06f * scale), bed + (0.18f * scale), new(190, 30, 28));
        RoadWheel(ref canvas, new(x + (d * (half - (0.85f * scale))), y - wheel), wheel, d * phase / 0.45f);
        RoadWheel(ref canvas, new(x - (d * (half - (0.9f * scale))), y - wheel), wheel, d * phase / 0.45f);
        RoadWheel(ref canvas, new(x - (d * (half - (1.9f * scale))), y - wheel), wheel, d * phase / 0.45f);
    }

    private static void RoadWheel(ref Canvas canvas, Vector2 centre, float radius, float turn)
    {
        canvas.FillEllipse(centre.X, centre.Y, radius, radius, s_tyre);
        canvas.FillEllipse(centre.X, centre.Y, radius * 0.62f, radius * 0.62f, s_rim);
        for (int spoke = 0; spoke < 3; spoke++)
        {
            float angle = turn + (spoke * MathF.PI / 3);
            Vector2 arm = new Vector2(MathF.Cos(angle), MathF.Sin(angle)) * radius * 0.52f;
            canvas.FillCapsule(centre - arm, centre + arm, radius * 0.07f, radius * 0.07f, new(92, 94, 98));
        }
    }

    public static void Dog(ref Canvas canvas, float x, float y, float scale, int direction, float phase, ref SceneRandom look)
    {
        Rgb coat = look.Pick(s_coats).Scale(look.Range(0.85f, 1.15f)), dark = coat.Scale(0.72f);
        float size = scale * look.Range(0.95f, 1.35f), d = direction, bodyY = y - (0.46f * size), girth = look.Range(0.11f, 0.15f) * size;
        bool pointed = look.NextFloat() < 0.5f;
        Shadow(ref canvas, x, y, 0.42f * size / scale, scale);
        Vector2 chest = new(x + (d * 0.28f * size), bodyY), rump = new(x - (d * 0.28f * size), bodyY + (0.01f * size));
        for (int pair = 0; pair < 2; pair++)
        {
            float swing = MathF.Sin((phase * 7) + (pair * MathF.PI)) * 0.13f * size;
            Rgb color = pair == 0 ? dark : coat;
            canvas.FillCapsule(chest + new Vector2(0, 0.04f * size), new(chest.X + swing, y - (0.03f * size)), 0.05f * size, 0.032f * size, color);
            canvas.FillCapsule(rump + new Vector2(0, 0.04f * size), new(rump.X - swing, y - (0.03f * size)), 0.06f * size, 0.032f * size, color);
        }
        float wag = MathF.Sin(phase * 11) * 0.05f * size;
        canvas.FillCapsule(rump - new Vector2(0, 0.05f * size), rump + new Vector2((-d * 0.24f * size) + wag, -0.2f * size), 0.04f * size, 0.022f * size, coat);
        canvas.FillCapsule(rump, chest, girth * 0.92f, girth, coat);
        Vector2 head = chest + new Vector2(d * 0.2f * size, -0.22f * size);
        canvas.FillCapsule(chest, head, 0.09f * size, 0.075f * size, coat);
        canvas.FillCapsule(head, head + new Vector2(d * 0.15f * size, 0.03f * size), 0.085f * size, 0.045f * size, coat);
        canvas.FillEllipse(head.X + (d * 0.19f * size), head.Y + (0.02f * size), 0.025f * size, 0.025f * size, s_tyre);
        if (pointed) canvas.FillConvex([head + new Vector2(-d * 0.07f * size, -0.04f * size), head + new Vector2(-d * 0.03f * size, -0.17f * size), head + new Vector2(d * 0.04f * size, -0.06f * size)], dark);
        else canvas.FillCapsule(head + new Vector2(-d * 0.05f * size, -0.03f * size), head + new Vector2(-d * 0.08f * size, 0.09f * size), 0.04f * size, 0.035f * size, dark);
    }
}
