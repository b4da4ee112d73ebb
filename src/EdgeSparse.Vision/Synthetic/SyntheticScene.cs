namespace EdgeSparse.Vision;

/// <summary>
/// A street seen by a fixed camera: houses, pavements, a road, drifting light, a cloud's shadow, sensor noise, and people, bicycles, cars, trucks and dogs that come, pass,
/// hide one another and leave. A picture and its true boxes are a function of size, seed and frame index alone, and frames can be rendered in any order. Nothing is allocated
/// for a frame. For one thread at a time.
/// </summary>
public sealed class SyntheticScene : IDisposable
{
    /// <summary>Frames per second of scene time.</summary>
    public const double FramesPerSecond = 15;

    /// <summary>Scene time of frame 0; by then the street has filled.</summary>
    private const double StartSeconds = 60;

    /// <summary>A true box needs this share of it inside the frame, …</summary>
    private const float MinInside = 0.35f;

    /// <summary>… this share not behind nearer objects, …</summary>
    private const float MinVisible = 0.35f;

    /// <summary>… and this length of its shorter side, as a share of the frame's height.</summary>
    private const float MinSide = 0.018f;

    private readonly Frame _background;
    private readonly SceneTraffic _traffic;
    private readonly SceneLight _light;
    private readonly DetectionList _extents = new(64);

    /// <param name="width">16 to 4096 pixels.</param>
    /// <param name="height">16 to 4096 pixels.</param>
    /// <param name="seed">Another seed is another street with other traffic.</param>
    public SyntheticScene(int width, int height, ulong seed)
    {
        if (width is < 16 or > 4096) throw new ArgumentOutOfRangeException(nameof(width), width, "16 to 4096");
        if (height is < 16 or > 4096) throw new ArgumentOutOfRangeException(nameof(height), height, "16 to 4096");
        (Width, Height, Seed) = (width, height, seed);
        _background = new Frame(width, height);
        SceneBackground.Paint(_background, seed);
        _traffic = new SceneTraffic(width, height, seed);
        _light = new SceneLight(width, height, seed);
    }

    /// <summary>Label of class 0, 1, …</summary>
    public static IReadOnlyList<string> Labels { get; } = ["person", "bicycle", "car", "truck", "dog"];

    public int Width { get; }

    public int Height { get; }

    public ulong Seed { get; }

    /// <summary>
    /// Renders frame <paramref name="frameIndex"/> (any, also negative) into <paramref name="target"/>, which takes the scene's size. <paramref name="truth"/> is cleared and receives the
    /// visible boxes with score 1, farthest first: at least a third inside the frame and not hidden; a rider belongs to the bicycle's box. A box's <see cref="Detection.TrackId"/> is
    /// the object's, the same in every frame.
    /// </summary>
    public void Render(long frameIndex, Frame target, DetectionList? truth = null)
    {
        ArgumentNullException.ThrowIfNull(target);
        double seconds = StartSeconds + (frameIndex / FramesPerSecond);
        target.Resize(Width, Height);
        _background.Pixels.CopyTo(target.Pixels);
        var canvas = new Canvas(target);
        _extents.Clear();
        foreach (ref readonly SceneObject item in _traffic.At(seconds))
        {
            canvas.ResetExtent();
            Draw(ref canvas, item);
            _extents.Add(new Detection(item.LabelId, 1, canvas.ExtentMin.X / Width, canvas.ExtentMin.Y / Height, canvas.ExtentMax.X / Width, canvas.ExtentMax.Y / Height)
            {
                TrackId = (long)(item.LookKey >> 1) | 1,
            });
        }
        _light.Apply(target, seconds, frameIndex);
        if (truth is not null) CollectTruth(truth);
    }

    public void Dispose() => _background.Dispose();

    private static void Draw(ref Canvas canvas, in SceneObject item)
    {
        var look = new SceneRandom(item.LookKey);
        switch (item.LabelId)
        {
            case SceneTraffic.Person:
                SceneActor.Person(ref canvas, item.X, item.Y, item.Scale, item.Direction, item.Phase, ref look);
                break;
            case SceneTraffic.Bicycle:
                SceneActor.Bicycle(ref canvas, item.X, item.Y, item.Scale, item.Direction, item.Phase, ref look);
                break;
            case SceneTraffic.Car:
                SceneActor.Car(ref canvas, item.X, item.Y, item.Scale, item.Direction, item.Phase, ref look);
                break;
            case SceneTraffic.Truck:
                SceneActor.Truck(ref canvas, item.X, item.Y, item.Scale, item.Direction, item.Phase, ref look);
                break;
            default:
                SceneActor.Dog(ref canvas, item.X, item.Y, item.Scale, item.Direction, item.Phase, ref look);
                break;
        }
    }

    private void CollectTruth(DetectionList truth)
    {
        truth.Clear();
        for (int i = 0; i < _extents.Count; i++)
        {
            Detection full = _extents[i];
            Detection clipped = full with { XMin = Math.Max(0, full.XMin), YMin = Math.Max(0, full.YMin), XMax = Math.Min(1, full.XMax), YMax = Math.Min(1, full.YMax) };
            float side = Math.Min(clipped.Width * Width, clipped.Height * Height);
            if (side < MinSide * Height || clipped.Area < MinInside * full.Area || VisibleShare(i, clipped) < MinVisible) continue;
            truth.Add(clipped);
        }
    }

    /// <summary>Share of an 8×8 grid of points in the box that no nearer object's box covers.</summary>
    private float VisibleShare(int index, in Detection box)
    {
        const int grid = 8;
        int visible = 0;
        for (int cell = 0; cell < grid * grid; cell++)
        {
            float x = box.XMin + (box.Width * ((cell % grid) + 0.5f) / grid), y = box.YMin + (box.Height * ((cell / grid) + 0.5f) / grid);
            bool hidden = false;
            for (int other = index + 1; other < _extents.Count && !hidden; other++)
            {
                ref readonly Detection nearer = ref _extents[other];
                hidden = x > nearer.XMin && x < nearer.XMax && y > nearer.YMin && y < nearer.YMax;
            }
            if (!hidden) visible++;
        }
        return visible / (float)(grid * grid);
    }
}
