namespace EdgeSparse.Kernels.DataMovement;

/// <summary>What stands outside the source.</summary>
public enum PadMode : int
{
    /// <summary>One value.</summary>
    Constant,
    /// <summary>The source mirrored at its border elements, which are not repeated.</summary>
    Reflect,
    /// <summary>The border element.</summary>
    Edge,
    /// <summary>The source repeated.</summary>
    Wrap,
}

/// <summary>Parameters of <see cref="Pad"/>.</summary>
public unsafe struct PadParameters
{
    public ScalarType Type;

    public PadMode Mode;

    public InstructionSet Isa;

    public int Rank;

    /// <summary>Shape of x.</summary>
    public fixed long Shape[8];

    /// <summary>Elements added before and behind each axis; negative ones are cut off.</summary>
    public fixed long Before[8], After[8];

    /// <summary>Value of <see cref="PadMode.Constant"/>, converted to <see cref="Type"/>.</summary>
    public double Value;

    /// <summary>Derived: shape of y and strides of x, in elements.</summary>
    public fixed long ResultShape[8], Stride[8];

    /// <summary>Derived: the value's representation.</summary>
    public ulong ValueBits;

    /// <summary>Derived: rows of the result (all axes but the last).</summary>
    public long Rows;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>y is x with a margin around it.</summary>
public static unsafe class Pad
{
    /// <summary>Checks the shapes and derives the result's.</summary>
    /// <exception cref="ArgumentException">A crop beyond the axis, an empty axis that is not padded by a constant, an unknown type.</exception>
    public static void Prepare(ref PadParameters p)
    {
        if (p.Rank is < 1 or > 8 || p.Type.SizeBytes() == 0) throw new ArgumentException($"Pad: rank {p.Rank} of {p.Type}");
        long next = 1;
        p.Rows = 1;
        for (int axis = p.Rank - 1; axis >= 0; axis--)
        {
            long size = p.Shape[axis] + p.Before[axis] + p.After[axis];
            if (p.Shape[axis] < 0 || size < 0 || (p.Mode != PadMode.Constant && p.Shape[axis] == 0 && size > 0))
                throw new ArgumentException($"Pad {p.Mode}: axis {axis} of {p.Shape[axis]} with {p.Before[axis]} before and {p.After[axis]} behind");
            p.ResultShape[axis] = size;
            p.Stride[axis] = next;
            next *= p.Shape[axis];
            if (axis != p.Rank - 1) p.Rows *= size;
        }
        ulong bits = 0;
        double value = p.Value;
        var cast = new Elementwise.CastParameters { From = ScalarType.Float64, To = p.Type, Count = 1 };
        Elementwise.Cast.Prepare(ref cast);
        Elementwise.Cast.Run(&cast, &value, &bits, null, 0);
        p.ValueBits = bits;
        p.TaskCount = TaskSplit.Count(p.Rows, p.ResultShape[p.Rank - 1], TaskSplit.CheapElements * 2);
        p.ScratchBytes = 0;
    }

    /// <summary>Runs one task: a share of the rows.</summary>
    public static void Run(PadParameters* p, void* x, void* y, byte* scratch, int task)
    {
        switch (p->Type.SizeBytes())
        {
            case 1: Run(p, (byte*)x, (byte*)y, (byte)p->ValueBits, task); break;
            case 2: Run(p, (ushort*)x, (ushort*)y, (ushort)p->ValueBits, task); break;
            case 4: Run(p, (uint*)x, (uint*)y, (uint)p->ValueBits, task); break;
            default: Run(p, (ulong*)x, (ulong*)y, p->ValueBits, task); break;
        }
    }

    private static void Run<T>(PadParameters* p, T* x, T* y, T value, int task) where T : unmanaged
    {
        int last = p->Rank - 1;
        long width = p->ResultShape[last], size = p->Shape[last], before = p->Before[last];
        // The part of a row that is copied as it is.
        long copyStart = Math.Clamp(before, 0, width), copyEnd = Math.Clamp(before + size, copyStart, width);
        long end = TaskSplit.Start(p->Rows, p->TaskCount, task + 1);
        for (long row = TaskSplit.Start(p->Rows, p->TaskCount, task); row < end; row++)
        {
            T* to = y + row * width;
            long offset = 0, rest = row;
            bool outside = false;
            for (int axis = last - 1; axis >= 0; axis--)
            {
                long at = Source(p->Mode, rest % p->ResultShape[axis] - p->Before[axis], p->Shape[axis]);
                rest /= p->ResultShape[axis];
                outside |= at < 0;
                offset += at * p->Stride[axis];
            }
            if (outside)
            {
                new Span<T>(to, (int)width).Fill(value);
                continue;
            }
            T* from = x + offset;
            for (long i = 0; i < copyStart; i++) to[i] = Source(p->Mode, i - before, size) is >= 0 and long at ? from[at] : value;
            long bytes = (copyEnd - copyStart) * sizeof(T);
            if (bytes > 0) Buffer.MemoryCopy(from + copyStart - before, to + copyStart, bytes, bytes);
            for (long i = copyEnd; i < width; i++) to[i] = Source(p->Mode, i - before, size) is >= 0 and long at ? from[at] : value;
        }
    }

    /// <summary>The source index of a position, or −1 where the constant stands.</summary>
    private static long Source(PadMode mode, long at, long size)
    {
        if (at >= 0 && at < size) return at;
        switch (mode)
        {
            case PadMode.Edge: return at < 0 ? 0 : size - 1;
            case PadMode.Wrap: return (at % size + size) % size;
            case PadMode.Reflect:
                if (size == 1) return 0;
                long period = 2 * (size - 1);
                at = (at % period + period) % period;
                return at < size ? at : period - at;
            default: return -1;
        }
    }
}
