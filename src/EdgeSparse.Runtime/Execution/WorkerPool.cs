using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EdgeSparse.Runtime.Execution;

/// <summary>
/// The process's worker threads, shared by all sessions. Each thread of a step has a range of its tasks, the same share of every step, so that what a thread has written
/// is mostly what it reads next; when its own range is done it takes tasks of the others', so those of a worker that is late or busy elsewhere are not waited for.
/// Workers wait by spinning for a short time and then sleep until there is work. Nothing is allocated on the managed heap once the threads exist.
/// </summary>
internal static unsafe class WorkerPool
{
    /// <summary>Sessions that can share the workers at one time; a session beyond these computes on its own thread alone.</summary>
    private const int SlotCount = 16;

    /// <summary>A claim takes this part of what a range has left, and one task at least.</summary>
    private const int ClaimedPart = 8;

    private const int SpinMicroseconds = 100;

    /// <summary>The clock is read once in so many turns of a spinning worker.</summary>
    private const int TurnsPerClock = 32;

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
        slot->Threads = threads;
        Volatile.Write(ref slot->Completed, 0);
        long epoch = ++slot->Epoch << 32;
        for (int index = threads - 1; index >= 0; index--) Volatile.Write(ref slot->Range(index)->Ticket, epoch | (uint)(End(count, threads, index) - End(count, threads, index - 1)));
        // A full fence between the tickets and the look at who sleeps, as in Loop between the announcement and the look at the tickets.
        Interlocked.MemoryBarrier();
        for (int index = 1; index < threads; index++) Workers[index]!.Wake();

        int others = count - RunTasks(slot, 0);
        for (int spins = 0; Volatile.Read(ref slot->Completed) != others; spins++)
        {
            if (spins < 5000) Thread.SpinWait(1);
            else Thread.Yield();
        }
    }

    /// <summary>First task after the range of a worker.</summary>
    private static int End(int count, int threads, int worker) => (int)((long)count * (worker + 1) / threads);

    /// <summary>Runs tasks of the slot's step until none is left: the worker's own range, then the others'. Returns how many it ran.</summary>
    private static int RunTasks(Slot* slot, int worker)
    {
        int done = RunRange(slot, worker, worker);
        if (done == 0 && worker > 0) return 0;
        int threads = slot->Threads;
        for (int i = 1; i < threads; i++) done += RunRange(slot, worker, (worker + i) % threads);
        return done;
    }

    private static int RunRange(Slot* slot, int worker, int range)
    {
        ref long ticket = ref slot->Range(range)->Ticket;
        int done = 0;
        while (true)
        {
            // A ticket's low half counts unclaimed tasks. The slot's other fields change only while all tickets count 0 and nobody runs, and every change raises the high half,
            // so what is read between reading a ticket that counts tasks and exchanging it successfully belongs to one step.
            long read = Volatile.Read(ref ticket);
            int remaining = (int)read;
            if (remaining == 0) return done;
            Plan* plan = slot->Plan;
            Step* step = slot->Step;
            int first = End(slot->TaskCount, slot->Threads, range) - remaining;
            int claimed = Math.Max(1, remaining / ClaimedPart);
            if (Interlocked.CompareExchange(ref ticket, read - claimed, read) != read) continue;
            byte* scratch = plan->Scratch + worker * plan->ScratchStride;
            for (int task = first; task < first + claimed; task++) Executor.RunTask(plan, step, scratch, task);
            done += claimed;
        }
    }

    /// <summary>Whether a step waits for the worker. Its own range is enough to look at: the tasks of the others' are run by those who hold them.</summary>
    private static bool HasWork(int worker)
    {
        for (int slot = 0; slot < SlotCount; slot++)
            if ((int)Volatile.Read(ref Slots[slot].Range(worker)->Ticket) != 0) return true;
        return false;
    }

    private static Slot* AllocateSlots()
    {
        nuint size = (nuint)(SlotCount * sizeof(Slot));
        var slots = (Slot*)NativeMemory.AlignedAlloc(size, 128);
        NativeMemory.Clear(slots, size);
        return slots;
    }

    /// <summary>One session's current step. What different threads write lies two cache lines apart, because processors fetch lines in pairs.</summary>
    [StructLayout(LayoutKind.Explicit, Size = RangesBegin + SessionOptions.MaximumThreads * RangeBytes)]
    private struct Slot
    {
        private const int RangesBegin = 384;
        private const int RangeBytes = 128;

        [FieldOffset(0)] public Plan* Plan;
        [FieldOffset(8)] public Step* Step;
        [FieldOffset(16)] public int TaskCount;
        [FieldOffset(20)] public int Threads;
        /// <summary>Steps so far; the high half of the tickets.</summary>
        [FieldOffset(24)] public long Epoch;
        /// <summary>Tasks that workers other than the caller have run.</summary>
        [FieldOffset(128)] public int Completed;
        [FieldOffset(256)] public int Taken;

        public TaskRange* Range(int worker) => (TaskRange*)((byte*)Unsafe.AsPointer(ref this) + RangesBegin + worker * RangeBytes);
    }

    /// <summary>The tasks of one worker that nobody has claimed yet.</summary>
    private struct TaskRange
    {
        public long Ticket;
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

        private bool Help(Slot* slot)
        {
            int done = RunTasks(slot, index);
            if (done > 0) Interlocked.Add(ref slot->Completed, done);
            return done > 0;
        }

        private void Loop()
        {
            InferenceThreads.Enter();
            long spinTicks = Stopwatch.Frequency * SpinMicroseconds / 1_000_000;
            long idleSince = 0;
            for (int turn = 1; ; turn++)
            {
                bool worked = false;
                for (int slot = 0; slot < SlotCount; slot++) worked |= Help(Slots + slot);
                if (worked)
                {
                    (turn, idleSince) = (0, 0);
                    continue;
                }
                Thread.SpinWait(1);
                if (turn % TurnsPerClock != 0) continue;
                long now = Stopwatch.GetTimestamp();
                if (idleSince == 0) idleSince = now;
                if (now - idleSince < spinTicks) continue;
                // Announce the sleep before the last look, so that a step published after the look sees the announcement.
                Interlocked.Exchange(ref _sleeping, 1);
                if (!HasWork(index)) _wake.WaitOne();
                Volatile.Write(ref _sleeping, 0);
                idleSince = 0;
            }
        }
    }
}
