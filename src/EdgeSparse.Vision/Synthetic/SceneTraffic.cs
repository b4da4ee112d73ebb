namespace EdgeSparse.Vision;

/// <summary>One object at one moment. <see cref="X"/> and <see cref="Y"/> are the point on the ground below it in pixels, <see cref="Scale"/> pixels per metre there.</summary>
internal readonly record struct SceneObject(int LabelId, float X, float Y, float Scale, int Direction, float Phase, ulong LookKey);

/// <summary>
/// Who is where at frame n, as a function of seed and n only. Each lane has departures every so many seconds, each with its own class, look and, on pavements, speed;
/// vehicles of a lane share its speed so that they never drive through each other.
/// </summary>
internal sealed class SceneTraffic
{
    public const int Person = 0, Bicycle = 1, Car = 2, Truck = 3, Dog = 4;

    private const float CameraHeightMetres = 3.9f;
    private const int MaxObjects = 64;

    private static readonly Lane[] s_lanes =
    [
        // foot, spread, direction, speed m/s, period s, share of departures taken, person, bicycle, car, truck, dog
        new(0.600f, 0.012f, +1, 1.35f, 6.0f, 0.80f, 1, 0, 0, 0, 0.25f),
        new(0.608f, 0.012f, -1, 1.30f, 7.0f, 0.75f, 1, 0, 0, 0, 0.25f),
        new(0.645f, 0.003f, -1, 3.60f, 7.0f, 0.60f, 0, 1, 0, 0, 0),
        new(0.700f, 0.002f, -1, 5.50f, 4.2f, 0.70f, 0, 0, 1, 0.3f, 0),
        new(0.795f, 0.002f, +1, 5.00f, 4.6f, 0.65f, 0, 0, 1, 0.3f, 0),
        new(0.850f, 0.003f, +1, 3.30f, 6.0f, 0.60f, 0, 1, 0, 0, 0),
        new(0.905f, 0.015f, -1, 1.25f, 5.0f, 0.70f, 1, 0, 0, 0, 0.6f),
        new(0.955f, 0.020f, +1, 1.30f, 5.5f, 0.70f, 1, 0, 0, 0, 0.6f),
        // Direction 0: people who cross the street, towards the camera or away from it.
        new(0, 0, 0, 1.20f, 9.0f, 0.60f, 1, 0, 0, 0, 0),
    ];

    private readonly int _width;
    private readonly int _height;
    private readonly ulong _seed;
    private readonly SceneObject[] _objects = new SceneObject[MaxObjects];
    private int _count;

    public SceneTraffic(int width, int height, ulong seed)
    {
        _width = width;
        _height = height;
        _seed = seed;
    }

    /// <summary>Objects at that time, the farthest first; valid until the next call.</summary>
    public ReadOnlySpan<SceneObject> At(double seconds)
    {
        _count = 0;
        for (int lane = 0; lane < s_lanes.Length; lane++)
        {
            ref readonly Lane plan = ref s_lanes[lane];
            float slowest = plan.Speed * 0.75f;
            float way = plan.Direction == 0 ? 4 * CameraHeightMetres : (_width / PixelsPerMetre(plan.Foot * _height)) + 10;
            long last = (long)Math.Floor(seconds / plan.Period), first = (long)Math.Floor((seconds - (way / slowest)) / plan.Period) - 1;
            for (long slot = first; slot <= last; slot++) Place(plan, lane, slot, seconds);
        }
        return _objects.AsSpan(0, _count);
    }

    public float PixelsPerMetre(float y) => (y - (SceneBackground.Horizon * _height)) / CameraHeightMetres;

    private void Place(in Lane lane, int laneIndex, long slot, double seconds)
    {
        var random = new SceneRandom(_seed, 100 + (ulong)laneIndex, unchecked((ulong)slot));
        if (random.NextFloat() >= lane.Share) return;
        double age = seconds - ((slot + (random.NextFloat() * 0.5)) * lane.Period);
        if (age < 0) return;
        int label = lane.Pick(random.NextFloat());
        bool onFoot = label is Person or Dog;
        float travelled = (float)(age * lane.Speed * (onFoot ? random.Range(0.8f, 1.25f) : 1));
        if (lane.Direction == 0)
        {
            PlaceCrossing(ref random, label, travelled);
            return;
        }
        float y = (lane.Foot + (random.Range(-1, 1) * lane.Spread)) * _height, scale = PixelsPerMetre(y);
        float margin = label switch { Truck => 4, Car => 2.5f, _ => 1.2f };
        float x = (travelled - margin) * scale;
        if (x > _width + (margin * scale)) return;
        Insert(new SceneObject(label, lane.Direction > 0 ? x : _width - x, y, scale, lane.Direction, travelled, random.NextBits()));
    }

    /// <summary>Walks between the pavements: depth changes, so x, y and size follow the perspective.</summary>
    private void PlaceCrossing(ref SceneRandom random, int label, float travelled)
    {
        // A row y lies at the distance cameraHeight·focal/(y − horizon); focal length in pixels is the frame's height.
        float focal = _height, near = CameraHeightMetres * focal / ((0.93f - SceneBackground.Horizon) * _height), far = CameraHeightMetres * focal / ((0.605f - SceneBackground.Horizon) * _height);
        bool approaching = random.NextFloat() < 0.5f;
        float distance = approaching ? far - travelled : near + travelled;
        if (distance < near || distance > far) return;
        float y = (SceneBackground.Horizon * _height) + (CameraHeightMetres * focal / distance), scale = PixelsPerMetre(y);
        float x = (_width / 2f) + (random.Range(-0.9f, 0.9f) * _width / 2 * (near / distance));
        Insert(new SceneObject(label, x, y, scale, 0, travelled, random.NextBits()));
    }

    /// <summary>Keeps the array sorted by ground row, so that near objects are drawn over far ones.</summary>
    private void Insert(in SceneObject item)
    {
        if (_count == MaxObjects) return;
        int at = _count++;
        while (at > 0 && _objects[at - 1].Y > item.Y)
        {
            _objects[at] = _objects[at - 1];
            at--;
        }
        _objects[at] = item;
    }

    /// <param name="Foot">Row of the ground, share of the height.</param>
    /// <param name="Spread">How far from that row objects may be.</param>
    /// <param name="Direction">+1 right, −1 left, 0 across.</param>
    /// <param name="Speed">Metres per second.</param>
    /// <param name="Period">Seconds between departures.</param>
    /// <param name="Share">Share of the departures that take place.</param>
    private readonly record struct Lane(float Foot, float Spread, int Direction, float Speed, float Period, float Share, float Persons, float Bicycles, float Cars, float Trucks, float Dogs)
    {
        /// <summary>The class at point 0…1 of the weights.</summary>
        public int Pick(float point)
        {
            point *= Persons + Bicycles + Cars + Trucks + Dogs;
            if ((point -= Persons) < 0) return Person;
            if ((point -= Bicycles) < 0) return Bicycle;
            if ((point -= Cars) < 0) return Car;
            return (point - Trucks) < 0 ? Truck : Dog;
        }
    }
}
