using System.Numerics;

namespace EdgeSparse.Kernels;

/// <summary>Cuts a kernel's work into tasks of comparable size that are worth a hand-over to another thread.</summary>
internal static class TaskSplit
{
    /// <summary>More tasks than any board has cores, few enough for the fork-join to stay cheap.</summary>
    public const int MaximumTasks = 64;

    /// <summary>Elements of cheap work (a few operations each) per task.</summary>
    public const long CheapElements = 16384;

    /// <summary>Tasks for <paramref name="items"/> indivisible items, each of <paramref name="elementsPerItem"/> elements of work. 0 where there is nothing to do.</summary>
    public static int Count(long items, long elementsPerItem, long elementsPerTask = CheapElements)
    {
        if (items <= 0 || elementsPerItem <= 0) return 0;
        long tasks = Math.Max(1, (long)Math.Min((double)items * elementsPerItem / elementsPerTask, MaximumTasks));
        // A power of two can be dealt out evenly to 2, 4 or 8 cores.
        return (int)Math.Min(items, (long)BitOperations.RoundUpToPowerOf2((ulong)tasks));
    }

    /// <summary>First item of a task; the first item of task + 1 is the end.</summary>
    public static long Start(long items, int taskCount, int task) => items * task / taskCount;

    /// <summary>Elements are handed out in units of this many, so that chunks start on cache lines.</summary>
    public const long Unit = 64;

    /// <summary>Tasks for a flat run of <paramref name="count"/> elements.</summary>
    public static int CountFlat(long count, long elementsPerTask = CheapElements) => Count((count + Unit - 1) / Unit, Unit, elementsPerTask);

    /// <summary>First element of a task of a flat run.</summary>
    public static long StartFlat(long count, int taskCount, int task) => Math.Min(count, Start((count + Unit - 1) / Unit, taskCount, task) * Unit);
}
