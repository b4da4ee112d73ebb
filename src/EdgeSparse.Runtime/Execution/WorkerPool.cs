using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace EdgeSparse.Runtime.Execution;

/// <summary>
/// The process's worker threads, shared by all sessions. A step's tasks are shared out by an atomic counter between the calling thread and the workers;
/// workers that are late or busy elsewhere simply get none. Workers wait by spinning for a short time and then sleep until there is work.
/// Nothing is allocated on the managed heap once the threads exist.
/// </summary>
internal static unsafe class WorkerPool
{
    /// <summary>Sessions that can share the workers at one time; a session beyond these computes on its own thread alone.</summary>
    private const int SlotCount = 16;

    /// <summary>Tasks are claimed in chunks so small that each thread claims about this many.</summary>
    private const int ChunksPerThread = 8;

    private const int SpinMicroseconds = 100;

    private static readonly Slot* Slots = AllocateSlots();
    private static readonly Worker?[] Workers = new Worker?[SessionOptions.MaximumThreads];
    private static readonly Lock StartLock = new();
    private static int s_workerCount;

    /// <summary>More threads than processors only wait for each other: a step's last tasks would wait for a worker that is not scheduled.</summary>
    private static readonly int Processors = Environment.ProcessorCount;

    /// <summary>Starts threads until <paramref name="threads"/>, or one for each processor, can compute at once, the calling one included.</summary>
    public static void EnsureThreads(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threads, SessionOptions.MaximumThreads);
        threads = Math.Min(threads, Processors);
        lock (StartLock)
        {
            while (s_workerCount < threads - 1)
            {
                var worker = new Worker(s_workerCount + 1);
                Workers[worker.Index] = worker;
                Volatile.Write(ref s_workerCount, worker.Index);
                worker.Start();
            }
        }
    }

    /// <summary>Takes a place among the sessions that share the workers for the length of a run; −1 where all are taken.</summary>
    public static int Enter()
    {
        for (int slot = 0; slot < SlotCount; slot++)
            if (Volatile.Read(ref Slots[slot].Taken) == 0 && Interlocked.CompareExchange(ref Slots[slot].Taken, 1, 0) == 0) return slot;
        return -1;
    }

    public static void Leave(int slot) => Volatile.Write(ref Slots[slot].Taken, 0);

    /// <summary>Runs every task of a step on up to <paramref name="threads"/> threads, but no more than there are processors, and returns when all are done. The calling thread is worker 0.</summary>
    public static void Run(int slotIndex, Plan* plan, Step* step, int threads)
    {
        Slot* slot = Slots + slotIndex;
        int count = step->TaskCount;
        threads = Math.Min(Math.Min(threads, Processors), count);
        slot->Plan = plan;
        slot->Step = step;
        slot->TaskCount = count;
        slot->ThreadLimit = threads;
        slot->ChunkSize = Math.Max(1, count / (threads * ChunksPerThread));
        Volatile.Write(ref slot->Completed, 0);
        long epoch = (slot->Ticket >> 32) + 1;
        Interlocked.Exchange(ref slot->Ticket, (epoch << 32) | (uint)count);
        for (int index = 1; index < threads; index++) Workers[index]!.Wake();

        while (RunChunk(slot, 0))
        {
        }
        for (int spins = 0; Volatile.Read(ref slot->Completed) != count; spins++)
        {
            if (spins < 1000) Thread.SpinWait(8);
            else Thread.Yield();
        }
    }

    /// <summary>Claims and runs some tasks of the slot's step; false where none is left for this worker.</summary>
    private static bool RunChunk(Slot* slot, int worker)
    {
        while (true)
        {
            // The ticket's low half counts unclaimed tasks. The other fields change only while it is 0 and every change raises the high half,
            // so what is read between reading the ticket and exchanging it successfully belongs to one step.
            long ticket = Volatile.Read(ref slot->Ticket);
            int remaining = (int)ticket;
            if (remaining == 0) return false;
            Plan* plan = slot->Plan;
            Step* step = slot->Step;
            int first = slot->TaskCount - remaining;
            int claimed = Math.Min(slot->ChunkSize, remaining);
            if (worker >= slot->ThreadLimit) return false;
            if (Interlocked.CompareExchange(ref slot->Ticket, ticket - claimed, ticket) != ticket) continue;
            byte* scratch = plan->Scratch + worker * plan->ScratchStride;
            for (int task = first; task < first + claimed; task++) Executor.RunTask(plan, step, scratch, task);
            Interlocked.Add(ref slot->Completed, claimed);
            return true;
        }
    }

    private static bool HasWork(int worker)
    {
        for (int slot = 0; slot < SlotCount; slot++)
            if ((int)Volatile.Read(ref Slots[slot].Ticket) != 0 && worker < Volatile.Read(ref Slots[slot].ThreadLimit)) return true;
        return false;
    }

    private static Slot* AllocateSlots()
    {
        nuint size = (nuint)(SlotCount * sizeof(Slot));
        var slots = (Slot*)NativeMemory.AlignedAlloc(size, 128);
        NativeMemory.Clear(slots, size);
        return slots;
    }

    /// <summary>One session's current step. The claimed and the completed counts lie on cache lines of their own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Slot
    {
        [FieldOffset(0)] public long Ticket;
        [FieldOffset(8)] public Plan* Plan;
        [FieldOffset(16)] public Step* Step;
        [FieldOffset(24)] public int TaskCount;
        [FieldOffset(28)] public int ThreadLimit;
        [FieldOffset(32)] public int ChunkSize;
        [FieldOffset(128)] public int Completed;
        [FieldOffset(192)] public int Taken;
    }

    [SuppressMessage("Design", "CA1001", Justification = "A worker lives as long as the process.")]
    private sealed class Worker(int index)
    {
        private readonly AutoResetEvent _wake = new(false);
        private int _sleeping;

        public int Index => index;

        public void Start() => new Thread(Loop) { IsBackground = true, Name = $"edgesparse-{index}" }.Start();

        public void Wake()
        {
            if (Volatile.Read(ref _sleeping) != 0 && Interlocked.Exchange(ref _sleeping, 0) != 0) _wake.Set();
        }

        private void Loop()
        {
            long spinTicks = Stopwatch.Frequency * SpinMicroseconds / 1_000_000;
            long idleSince = Stopwatch.GetTimestamp();
            while (true)
            {
                bool worked = false;
                for (int slot = 0; slot < SlotCount; slot++) worked |= RunChunk(Slots + slot, index);
                if (worked)
                {
                    idleSince = Stopwatch.GetTimestamp();
                    continue;
                }
                Thread.SpinWait(8);
                if (Stopwatch.GetTimestamp() - idleSince < spinTicks) continue;
                // Announce the sleep before the last look, so that a step published after the look sees the announcement.
                Interlocked.Exchange(ref _sleeping, 1);
                if (!HasWork(index)) _wake.WaitOne();
                Volatile.Write(ref _sleeping, 0);
                idleSince = Stopwatch.GetTimestamp();
            }
        }
    }
}
