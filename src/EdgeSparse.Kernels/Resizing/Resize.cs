using EdgeSparse.Kernels.DataMovement;
using EdgeSparse.Kernels.Elementwise;

namespace EdgeSparse.Kernels.Resizing;

/// <summary>Interpolation.</summary>
public enum ResizeMode : int
{
    Nearest,
    Linear,
    Cubic,
}

/// <summary>Where an output element lies in the source: ONNX's coordinate_transformation_mode.</summary>
public enum ResizeCoordinates : int
{
    HalfPixel,
    HalfPixelSymmetric,
    PytorchHalfPixel,
    AlignCorners,
    Asymmetric,
    TfCropAndResize,
}

/// <summary>Which source element <see cref="ResizeMode.Nearest"/> takes: ONNX's nearest_mode.</summary>
public enum ResizeNearest : int
{
    RoundPreferFloor,
    RoundPreferCeil,
    Floor,
    Ceil,
}

/// <summary>Parameters of <see cref="Resize"/>.</summary>
public unsafe struct ResizeParameters
{
    public ResizeMode Mode;

    public ResizeCoordinates Coordinates;

    public ResizeNearest Nearest;

    /// <summary>Any type for nearest, else Float32.</summary>
    public ScalarType Type;

    public InstructionSet Isa;

    public int Rank;

    public fixed long Shape[8], ResultShape[8];

    /// <summary>Output size over input size for each axis, as the model gives it.</summary>
    public fixed double Scales[8];

    /// <summary>TfCropAndResize: start and end of the part of each axis, 0 to 1.</summary>
    public fixed double RoiStart[8], RoiEnd[8];

    /// <summary>Cubic: the kernel's parameter, usually −0.75.</summary>
    public double CubicA;

    /// <summary>Weights of elements outside the source become 0, the others sum to 1.</summary>
    public bool ExcludeOutside;

    /// <summary>When shrinking, widen the kernel by the scale.</summary>
    public bool Antialias;

    /// <summary>TfCropAndResize: what stands outside the source.</summary>
    public double ExtrapolationValue;

    /// <summary>Derived: the tensor as [planes, height, width, inner] where only height and width change; <see cref="IsGeneral"/> where that is not possible.</summary>
    public long Planes, Inner;

    /// <summary>Derived: the axes that are height and width, −1 for none.</summary>
    public int HeightAxis, WidthAxis;

    public bool IsGeneral;

    /// <summary>Derived: width is doubled in a way that has its own loop.</summary>
    public bool DoublesWidth;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>
/// ONNX Resize (opset 19) along any axes. Two neighbouring axes (the usual case) go row by row: the rows that an output row mixes are summed on vectors, then the row is stretched.
/// Other combinations of axes are computed element by element.
/// </summary>
public static unsafe partial class Resize
{
    /// <summary>Floats behind a scratch row, so that vectors may run over its end.</summary>
    private const int Slack = 16;

    /// <summary>Checks everything; derives the plane form, <see cref="ResizeParameters.TaskCount"/> and <see cref="ResizeParameters.ScratchBytes"/>.</summary>
    /// <exception cref="ArgumentException">An empty axis, a scale that is not positive, interpolation of another type than Float32.</exception>
    public static void Prepare(ref ResizeParameters p)
    {
        if (p.Rank is < 1 or > 8) throw new ArgumentException($"Resize: rank {p.Rank}");
        if (p.Mode != ResizeMode.Nearest && p.Type != ScalarType.Float32) throw new ArgumentException($"Resize {p.Mode} is not defined for {p.Type}, only for Float32");
        if (p.Type.SizeBytes() == 0) throw new ArgumentException($"Resize of {p.Type}");
        int first = -1, last = -1;
        for (int axis = 0; axis < p.Rank; axis++)
        {
            if (p.ResultShape[axis] < 0 || (p.Shape[axis] < 1 && p.ResultShape[axis] > 0) || !(p.Scales[axis] > 0))
                throw new ArgumentException($"Resize: axis {axis} from {p.Shape[axis]} to {p.ResultShape[axis]} with scale {p.Scales[axis]}");
            if (IsUnchanged(p, axis)) continue;
            if (first < 0) first = axis;
            last = axis;
        }
        if (last < 0) first = last = p.Rank - 1;
        p.IsGeneral = last - first > 1;
        p.WidthAxis = last;
        p.HeightAxis = last > first ? first : -1;
        p.Planes = p.Inner = 1;
        for (int axis = 0; axis < p.Rank; axis++)
        {
            if (axis < first) p.Planes *= p.Shape[axis];
            else if (axis > last) p.Inner *= p.Shape[axis];
        }
        // An unchanged axis before the width is the height of that many rows.
        long results = 1;
        for (int axis = 0; axis < p.Rank; axis++) results *= p.ResultShape[axis];
        p.DoublesWidth = p.Inner == 1 && p.Type.SizeBytes() == 4 && p.ResultShape[last] == 2 * p.Shape[last] && p.Scales[last] == 2 && !p.Antialias && DoublesSimply(p);
        long taps = 0;
        for (int axis = 0; axis < p.Rank; axis++) taps = Math.Max(taps, Taps(p, axis));
        if (p.IsGeneral)
        {
            p.TaskCount = TaskSplit.CountFlat(results, 512);
            p.ScratchBytes = p.Rank * (taps * (sizeof(float) + sizeof(int)) + sizeof(float));
            return;
        }
        long rows = p.Planes * (p.HeightAxis < 0 ? 1 : p.ResultShape[p.HeightAxis]);
        p.TaskCount = results == 0 ? 0 : TaskSplit.Count(rows, p.ResultShape[last] * p.Inner * 2);
        p.ScratchBytes = taps * (sizeof(float) + sizeof(int)) + (p.ResultShape[last] * taps + Slack) * (sizeof(float) + sizeof(int)) + p.ResultShape[last] * sizeof(int)
            + (p.Shape[last] * p.Inner + 2 * Slack) * sizeof(float);
    }

    private static bool IsUnchanged(in ResizeParameters p, int axis) =>
        p.Shape[axis] == p.ResultShape[axis] && p.Scales[axis] == 1 && (p.Coordinates != ResizeCoordinates.TfCropAndResize || (p.RoiStart[axis] == 0 && p.RoiEnd[axis] == 1));

    private static bool DoublesSimply(in ResizeParameters p) => p.Mode switch
    {
        ResizeMode.Nearest => (p.Coordinates == ResizeCoordinates.Asymmetric && p.Nearest == ResizeNearest.Floor)
            || (p.Coordinates is ResizeCoordinates.HalfPixel or ResizeCoordinates.HalfPixelSymmetric or ResizeCoordinates.PytorchHalfPixel
                && p.Nearest is ResizeNearest.RoundPreferFloor or ResizeNearest.RoundPreferCeil),
        ResizeMode.Linear => p.Coordinates is ResizeCoordinates.HalfPixel or ResizeCoordinates.HalfPixelSymmetric or ResizeCoordinates.PytorchHalfPixel && !p.ExcludeOutside,
        _ => false,
    };

    /// <summary>Source elements that an output element of an axis mixes.</summary>
    internal static int Taps(in ResizeParameters p, int axis)
    {
        if (p.Mode == ResizeMode.Nearest || IsUnchanged(p, axis)) return 1;
        int reach = p.Mode == ResizeMode.Linear ? 1 : 2;
        if (!p.Antialias || p.Scales[axis] >= 1) return 2 * reach;
        return 2 - 2 * ((int)Math.Floor(-reach / p.Scales[axis]) + 1);
    }

    /// <summary>Runs one task: a share of the output rows, or of the elements where the axes are not neighbours.</summary>
    public static void Run(ResizeParameters* p, void* x, void* y, byte* scratch, int task)
    {
        if (p->IsGeneral) RunGeneral(p, x, y, scratch, task);
        else if (p->Mode == ResizeMode.Nearest) RunNearest(p, (byte*)x, (byte*)y, (int*)scratch, task);
        else RunRows(p, (float*)x, (float*)y, scratch, task);
    }

    /// <summary>
    /// The taps of output element <paramref name="at"/> along an axis: source indices brought into range, and weights. False where the element lies outside the source and
    /// TfCropAndResize puts the extrapolation value there.
    /// </summary>
    internal static bool FindTaps(ResizeParameters* p, int axis, long at, int taps, int* indices, float* weights)
    {
        long size = p->Shape[axis];
        if (IsUnchanged(*p, axis))
        {
            for (int k = 0; k < taps; k++)
            {
                indices[k] = (int)at;
                weights[k] = k == 0 ? 1 : 0;
            }
            return true;
        }
        double source = SourceCoordinate(p, axis, at);
        if (p->Coordinates == ResizeCoordinates.TfCropAndResize && !(source >= 0 && source <= size - 1)) return false;
        double floor = Math.Floor(source);
        if (p->Mode == ResizeMode.Nearest)
        {
            double ratio = source - floor;
            bool up = p->Nearest switch
            {
                ResizeNearest.RoundPreferFloor => ratio > 0.5,
                ResizeNearest.RoundPreferCeil => ratio >= 0.5,
                ResizeNearest.Floor => false,
                _ => ratio > 0,
            };
            indices[0] = (int)Math.Clamp(floor + (up ? 1 : 0), 0, size - 1);
            weights[0] = 1;
            return true;
        }
        // An integer coordinate counts as the right end of the interval before it.
        double fraction = source - floor;
        if (fraction == 0)
        {
            fraction = 1;
            floor -= 1;
        }
        int own = Taps(*p, axis);
        double scale = p->Antialias ? Math.Min(p->Scales[axis], 1) : 1;
        int start = 1 - own / 2;
        double sum = 0;
        for (int k = 0; k < own; k++)
        {
            double index = floor + start + k;
            double weight = Weight(p, (start + k - fraction) * scale);
            if (p->ExcludeOutside && (index < 0 || index > size - 1)) weight = 0;
            sum += weight;
            indices[k] = (int)Math.Clamp(index, 0, size - 1);
            weights[k] = (float)weight;
        }
        if ((p->ExcludeOutside || p->Antialias) && sum != 0)
        {
            for (int k = 0; k < own; k++) weights[k] = (float)(weights[k] / sum);
        }
        for (int k = own; k < taps; k++)
        {
            indices[k] = indices[own - 1];
            weights[k] = 0;
        }
        return true;
    }

    private static double Weight(ResizeParameters* p, double distance)
    {
        double t = Math.Abs(distance), a = p->CubicA;
        if (p->Mode == ResizeMode.Linear) return Math.Max(0, 1 - t);
        if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
        return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
    }

    private static double SourceCoordinate(ResizeParameters* p, int axis, long at)
    {
        double scale = p->Scales[axis], size = p->Shape[axis], length = scale * size;
        switch (p->Coordinates)
        {
            case ResizeCoordinates.AlignCorners: return length == 1 ? 0 : at * (size - 1) / (length - 1);
            case ResizeCoordinates.Asymmetric: return at / scale;
            case ResizeCoordinates.PytorchHalfPixel: return length == 1 ? -0.5 : (at + 0.5) / scale - 0.5;
            case ResizeCoordinates.HalfPixelSymmetric:
                double adjustment = p->ResultShape[axis] / length;
                return size / 2 * (1 - adjustment) + (at + 0.5) / scale - 0.5;
            case ResizeCoordinates.TfCropAndResize:
                double start = p->RoiStart[axis], extent = p->RoiEnd[axis] - start;
                double last = length - 1;
                return (last == 0 ? extent * (size - 1) / 2 : at * extent * (size - 1) / last) + start * (size - 1);
            default: return (at + 0.5) / scale - 0.5;
        }
    }

    private static void RunGeneral(ResizeParameters* p, void* x, void* y, byte* scratch, int task)
    {
        int size = p->Type.SizeBytes();
        int taps = 0;
        long results = 1;
        for (int axis = 0; axis < p->Rank; axis++)
        {
            taps = Math.Max(taps, Taps(*p, axis));
            results *= p->ResultShape[axis];
        }
        float* weights = (float*)scratch;
        int* indices = (int*)(weights + p->Rank * taps);
        int* digits = indices + p->Rank * taps;
        long end = TaskSplit.StartFlat(results, p->TaskCount, task + 1);
        for (long i = TaskSplit.StartFlat(results, p->TaskCount, task); i < end; i++)
        {
            long rest = i;
            bool inside = true;
            for (int axis = p->Rank - 1; axis >= 0; axis--)
            {
                inside &= FindTaps(p, axis, rest % p->ResultShape[axis], taps, indices + axis * taps, weights + axis * taps);
                rest /= p->ResultShape[axis];
                digits[axis] = 0;
            }
            if (!inside) StoreExtrapolation(p, (byte*)y + i * size);
            else if (p->Mode == ResizeMode.Nearest)
            {
                long offset = 0;
                for (int axis = 0; axis < p->Rank; axis++) offset = offset * p->Shape[axis] + indices[axis * taps];
                Indices.CopySlice((byte*)x + offset * size, (byte*)y + i * size, size);
            }
            else ((float*)y)[i] = Mix(p, (float*)x, taps, indices, weights, digits);
        }
    }

    /// <summary>Σ over all combinations of taps; <paramref name="digits"/> counts them.</summary>
    private static float Mix(ResizeParameters* p, float* x, int taps, int* indices, float* weights, int* digits)
    {
        double sum = 0;
        while (true)
        {
            double weight = 1;
            long offset = 0;
            for (int axis = 0; axis < p->Rank; axis++)
            {
                weight *= weights[axis * taps + digits[axis]];
                offset = offset * p->Shape[axis] + indices[axis * taps + digits[axis]];
            }
            if (weight != 0) sum += weight * x[offset];
            int turn = p->Rank - 1;
            for (; turn >= 0; turn--)
            {
                if (++digits[turn] < Taps(*p, turn)) break;
                digits[turn] = 0;
            }
            if (turn < 0) return (float)sum;
        }
    }

    private static void StoreExtrapolation(ResizeParameters* p, byte* y)
    {
        double value = p->ExtrapolationValue;
        CastParameters cast = default;
        cast.From = ScalarType.Float64;
        cast.To = p->Type;
        cast.Count = 1;
        cast.TaskCount = 1;
        Cast.Run(&cast, &value, y, null, 0);
    }
}
