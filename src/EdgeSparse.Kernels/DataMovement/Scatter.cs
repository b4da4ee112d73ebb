using System.Numerics;

namespace EdgeSparse.Kernels.DataMovement;

/// <summary>How an update meets what stands in its place.</summary>
public enum ScatterReduction : int
{
    /// <summary>The update replaces it; of several updates to one place the last.</summary>
    None,
    Add,
    Multiply,
    Maximum,
    Minimum,
}

/// <summary>Parameters of <see cref="ScatterElements"/>.</summary>
public struct ScatterElementsParameters
{
    /// <summary>Type of x, updates and result. Reductions exist for the arithmetic types.</summary>
    public ScalarType Type;

    public ScatterReduction Reduction;

    /// <summary>Shapes, axis and index type; <see cref="GatherElementsParameters.ElementBytes"/> follows from <see cref="Type"/>.</summary>
    public GatherElementsParameters Places;

    /// <summary>Derived: elements of x.</summary>
    public long Count;

    /// <summary>Derived: one, since updates may meet.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>y = x, then y[…, indices[i], …] = reduce(y[…], updates[i]) for every element of the index tensor, in order.</summary>
public static unsafe class ScatterElements
{
    /// <summary>Checks types and shapes.</summary>
    /// <exception cref="ArgumentException">Impossible shapes, or a reduction of a type without arithmetic.</exception>
    public static void Prepare(ref ScatterElementsParameters p)
    {
        ScatterUpdate.Check("ScatterElements", p.Type, p.Reduction);
        p.Places.ElementBytes = p.Type.SizeBytes();
        GatherElements.Prepare(ref p.Places);
        p.Count = 1;
        for (int axis = 0; axis < p.Places.Rank; axis++) p.Count *= p.Places.Shape[axis];
        p.TaskCount = p.Count == 0 ? 0 : 1;
        p.ScratchBytes = 0;
    }

    /// <summary>Runs the only task; <paramref name="y"/> may be <paramref name="x"/>.</summary>
    public static void Run(ScatterElementsParameters* p, void* x, void* indices, void* updates, void* y, byte* scratch, int task)
    {
        long bytes = p->Count * p->Places.ElementBytes;
        if (x != y) Buffer.MemoryCopy(x, y, bytes, bytes);
        for (long i = 0; i < p->Places.Count; i++)
        {
            long place = GatherElements.Offset(&p->Places, i, Indices.Read(indices, p->Places.IndexType, i));
            ScatterUpdate.Apply(p->Type, p->Reduction, (byte*)y + place * p->Places.ElementBytes, (byte*)updates + i * p->Places.ElementBytes, 1);
        }
    }
}

/// <summary>Parameters of <see cref="ScatterNd"/>.</summary>
public struct ScatterNdParameters
{
    /// <summary>Type of x, updates and result.</summary>
    public ScalarType Type;

    public ScatterReduction Reduction;

    /// <summary>Shape of x, index type and tuples, without batch axes; <see cref="GatherNdParameters.ElementBytes"/> follows from <see cref="Type"/>.</summary>
    public GatherNdParameters Places;

    /// <summary>Derived: elements of x.</summary>
    public long Count;

    /// <summary>Derived: one, since updates may meet.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>y = x, then y[indices[t], :] = reduce(y[indices[t], :], updates[t, :]) for every index tuple t, in order.</summary>
public static unsafe class ScatterNd
{
    /// <summary>Checks types and shapes.</summary>
    /// <exception cref="ArgumentException">Impossible shapes, or a reduction of a type without arithmetic.</exception>
    public static void Prepare(ref ScatterNdParameters p)
    {
        ScatterUpdate.Check("ScatterNd", p.Type, p.Reduction);
        if (p.Places.BatchAxes != 0) throw new ArgumentException($"ScatterNd: {p.Places.BatchAxes} batch axes, expected none");
        p.Places.ElementBytes = p.Type.SizeBytes();
        GatherNd.Prepare(ref p.Places);
        unsafe
        {
            p.Count = 1;
            for (int axis = 0; axis < p.Places.Rank; axis++) p.Count *= p.Places.Shape[axis];
        }
        p.TaskCount = p.Count == 0 ? 0 : 1;
        p.ScratchBytes = 0;
    }

    /// <summary>Runs the only task; <paramref name="y"/> may be <paramref name="x"/>.</summary>
    public static void Run(ScatterNdParameters* p, void* x, void* indices, void* updates, void* y, byte* scratch, int task)
    {
        GatherNdParameters* places = &p->Places;
        long bytes = p->Count * places->ElementBytes, sliceBytes = places->SliceBytes;
        if (x != y) Buffer.MemoryCopy(x, y, bytes, bytes);
        for (long tuple = 0; tuple < places->TupleCount; tuple++)
        {
            long slice = 0;
            for (int i = 0; i < places->TupleLength; i++)
            {
                long size = places->Shape[i];
                slice = slice * size + Indices.Resolve(Indices.Read(indices, places->IndexType, tuple * places->TupleLength + i), size);
            }
            ScatterUpdate.Apply(p->Type, p->Reduction, (byte*)y + slice * sliceBytes, (byte*)updates + tuple * sliceBytes, sliceBytes / places->ElementBytes);
        }
    }
}

/// <summary>y[i] = reduce(y[i], update[i]) for any element type.</summary>
internal static unsafe class ScatterUpdate
{
    public static void Check(string name, ScalarType type, ScatterReduction reduction)
    {
        if (type.SizeBytes() == 0 || reduction is < ScatterReduction.None or > ScatterReduction.Minimum
            || (reduction != ScatterReduction.None && type is ScalarType.Bool or ScalarType.BFloat16))
            throw new ArgumentException($"{name}: reduction {reduction} of {type}");
    }

    public static void Apply(ScalarType type, ScatterReduction reduction, void* y, void* update, long count)
    {
        if (reduction == ScatterReduction.None)
        {
            Indices.CopySlice((byte*)update, (byte*)y, count * type.SizeBytes());
            return;
        }
        switch (type)
        {
            case ScalarType.Float32: Reduce(reduction, (float*)y, (float*)update, count); break;
            case ScalarType.Float64: Reduce(reduction, (double*)y, (double*)update, count); break;
            case ScalarType.Float16: Reduce(reduction, (Half*)y, (Half*)update, count); break;
            case ScalarType.UInt8: Reduce(reduction, (byte*)y, (byte*)update, count); break;
            case ScalarType.Int8: Reduce(reduction, (sbyte*)y, (sbyte*)update, count); break;
            case ScalarType.Int16: Reduce(reduction, (short*)y, (short*)update, count); break;
            case ScalarType.UInt16: Reduce(reduction, (ushort*)y, (ushort*)update, count); break;
            case ScalarType.Int32: Reduce(reduction, (int*)y, (int*)update, count); break;
            case ScalarType.UInt32: Reduce(reduction, (uint*)y, (uint*)update, count); break;
            case ScalarType.Int64: Reduce(reduction, (long*)y, (long*)update, count); break;
            case ScalarType.UInt64: Reduce(reduction, (ulong*)y, (ulong*)update, count); break;
        }
    }

    private static void Reduce<T>(ScatterReduction reduction, T* y, T* update, long count) where T : unmanaged, INumber<T>
    {
        for (long i = 0; i < count; i++)
        {
            T old = y[i], value = update[i];
            y[i] = reduction switch
            {
                ScatterReduction.Add => unchecked(old + value),
                ScatterReduction.Multiply => unchecked(old * value),
                ScatterReduction.Maximum => old > value || T.IsNaN(old) ? old : value,
                _ => old < value || T.IsNaN(old) ? old : value,
            };
        }
    }
}
