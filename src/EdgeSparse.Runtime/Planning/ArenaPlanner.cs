using EdgeSparse.Runtime.Execution;

namespace EdgeSparse.Runtime.Planning;

/// <summary>
/// Places buffers with known lifetimes in one arena: largest first, each in the smallest gap between the buffers alive at the same time that holds it
/// (greedy by size; Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020).
/// </summary>
internal static class ArenaPlanner
{
    /// <summary>A buffer to place. It is alive from step <see cref="First"/> to step <see cref="Last"/>, both included.</summary>
    public sealed class Buffer(long sizeBytes, int first, int last)
    {
        public long SizeBytes { get; } = sizeBytes;

        public int First { get; } = first;

        public int Last { get; } = last;

        /// <summary>Byte offset in the arena, a multiple of 64.</summary>
        public long Offset { get; internal set; } = -1;
    }

    /// <summary>Sets every buffer's offset and returns the arena's size in bytes. Throws <see cref="OverflowException"/> beyond 2⁶³.</summary>
    public static long Place(IReadOnlyCollection<Buffer> buffers)
    {
        var placed = new List<Buffer>(buffers.Count); // by offset
        long total = 0;
        foreach (Buffer buffer in buffers.OrderByDescending(b => b.SizeBytes).ThenBy(b => b.First))
        {
            long size = NativeBlock.AlignUp(buffer.SizeBytes);
            long best = -1, bestGap = long.MaxValue, end = 0;
            foreach (Buffer other in placed)
            {
                if (other.First > buffer.Last || other.Last < buffer.First) continue;
                long gap = other.Offset - end;
                if (gap >= size && gap < bestGap)
                {
                    best = end;
                    bestGap = gap;
                }
                end = Math.Max(end, other.Offset + NativeBlock.AlignUp(other.SizeBytes));
            }
            buffer.Offset = best >= 0 ? best : end;
            total = Math.Max(total, checked(buffer.Offset + size));
            int position = placed.FindIndex(other => other.Offset > buffer.Offset);
            placed.Insert(position < 0 ? placed.Count : position, buffer);
        }
        return total;
    }
}
