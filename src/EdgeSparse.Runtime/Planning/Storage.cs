using EdgeSparse.Runtime.Execution;

namespace EdgeSparse.Runtime.Planning;

/// <summary>
/// A stretch of arena that tensors occupy. A storage may lie inside another at a fixed offset (a part of a concatenation, an operand overwritten in place);
/// the outermost one is placed by <see cref="ArenaPlanner"/> for the lifetime of everything inside.
/// </summary>
internal sealed class Storage(long sizeBytes)
{
    private Storage? _parent;
    private long _parentOffset;

    public long SizeBytes { get; } = sizeBytes;

    /// <summary>A graph input: written from outside before a run and kept unchanged by it.</summary>
    public bool IsInput { get; init; }

    /// <summary>First and last step that touch an outermost storage; −1 is before the run, <see cref="int.MaxValue"/> after it.</summary>
    public int First { get; private set; } = int.MaxValue;

    public int Last { get; private set; } = -1;

    /// <summary>Offset in the arena of an outermost storage, once placed.</summary>
    public long ArenaOffset { get; set; } = -1;

    public bool IsOutermost => _parent is null;

    /// <summary>The outermost storage around this one, with this one's byte offset in it. Long chains of storages are shortened on the way.</summary>
    public (Storage Outermost, long Offset) Outermost()
    {
        Storage outermost = this;
        long offset = 0;
        for (; outermost._parent is not null; outermost = outermost._parent) offset += outermost._parentOffset;

        long remaining = offset;
        for (Storage storage = this; storage._parent is not null;)
        {
            (Storage parent, long step) = (storage._parent, storage._parentOffset);
            (storage._parent, storage._parentOffset) = (outermost, remaining);
            remaining -= step;
            storage = parent;
        }
        return (outermost, offset);
    }

    public void PlaceInside(Storage parent, long offset)
    {
        if (_parent is not null || parent.Outermost().Outermost == this) throw new InvalidOperationException("storage placed twice");
        _parent = parent;
        _parentOffset = offset;
    }

    /// <summary>Records that a step touches this storage.</summary>
    public void Touch(int step)
    {
        Storage outermost = Outermost().Outermost;
        outermost.First = Math.Min(outermost.First, step);
        outermost.Last = Math.Max(outermost.Last, step);
    }
}

/// <summary>Where an operand of a step is: nowhere (absent), at an offset in a storage, or at an offset in the constants block.</summary>
internal readonly record struct Operand(AddressSpace Space, Storage? Storage, long Offset)
{
    public static Operand None => default;

    public static Operand In(Storage storage, long offset = 0) => new(AddressSpace.Arena, storage, offset);

    public static Operand Constant(long offset) => new(AddressSpace.Constants, null, offset);

    public bool IsAbsent => Space == AddressSpace.None;

    /// <summary>The operand that starts <paramref name="bytes"/> further on.</summary>
    public Operand At(long bytes) => this with { Offset = checked(Offset + bytes) };
}
