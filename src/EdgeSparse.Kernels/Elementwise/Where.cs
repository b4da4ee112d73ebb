using System.Numerics;
using System.Runtime.Intrinsics;

namespace EdgeSparse.Kernels.Elementwise;

/// <summary>Parameters of <see cref="Where"/>.</summary>
public unsafe struct WhereParameters
{
    /// <summary>Bytes of an element of x, y and the result: 1, 2, 4 or 8.</summary>
    public int ElementBytes;

    public InstructionSet Isa;

    public int RankCondition, RankX, RankY;

    public fixed long ShapeCondition[Broadcast.MaximumRank], ShapeX[Broadcast.MaximumRank], ShapeY[Broadcast.MaximumRank];

    /// <summary>Derived: the walk; A is the condition, B is x, C is y.</summary>
    public Broadcast Plan;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>result = condition ? x : y element by element with NumPy broadcasting; the condition is Bool.</summary>
public static unsafe class Where
{
    /// <summary>Checks the shapes; derives the plan and <see cref="WhereParameters.TaskCount"/>.</summary>
    /// <exception cref="ArgumentException">The shapes do not broadcast or the element size is unknown.</exception>
    public static void Prepare(ref WhereParameters p)
    {
        if (p.ElementBytes is not (1 or 2 or 4 or 8)) throw new ArgumentException($"Where: element of {p.ElementBytes} bytes, expected 1, 2, 4 or 8");
        fixed (long* c = p.ShapeCondition, x = p.ShapeX, y = p.ShapeY) p.Plan = Broadcast.Create("Where", new(c, p.RankCondition), new(x, p.RankX), new(y, p.RankY));
        p.TaskCount = TaskSplit.CountFlat(p.Plan.Count);
        p.ScratchBytes = 0;
    }

    /// <summary>Runs one task: a share of the elements of <paramref name="result"/>.</summary>
    public static void Run(WhereParameters* p, byte* condition, void* x, void* y, void* result, byte* scratch, int task)
    {
        Broadcast* plan = &p->Plan;
        BroadcastWalk walk = default;
        walk.Begin(plan, TaskSplit.StartFlat(plan->Count, p->TaskCount, task), TaskSplit.StartFlat(plan->Count, p->TaskCount, task + 1));
        int last = plan->Rank - 1;
        long strideC = plan->StrideA[last], strideX = plan->StrideB[last], strideY = plan->StrideC[last];
        while (walk.Next(plan))
        {
            byte* c = condition + walk.OffsetA;
            switch (p->ElementBytes)
            {
                case 1: Select(c, strideC, (byte*)x + walk.OffsetB, strideX, (byte*)y + walk.OffsetC, strideY, (byte*)result + walk.Start, walk.Length); break;
                case 2: Select(c, strideC, (ushort*)x + walk.OffsetB, strideX, (ushort*)y + walk.OffsetC, strideY, (ushort*)result + walk.Start, walk.Length); break;
                case 4: Select32(c, strideC, (uint*)x + walk.OffsetB, strideX, (uint*)y + walk.OffsetC, strideY, (uint*)result + walk.Start, walk.Length); break;
                default: Select(c, strideC, (ulong*)x + walk.OffsetB, strideX, (ulong*)y + walk.OffsetC, strideY, (ulong*)result + walk.Start, walk.Length); break;
            }
        }
    }

    private static void Select<T>(byte* c, long strideC, T* x, long strideX, T* y, long strideY, T* result, long count) where T : unmanaged
    {
        for (long i = 0; i < count; i++) result[i] = c[i * strideC] != 0 ? x[i * strideX] : y[i * strideY];
    }

    private static void Select32(byte* c, long strideC, uint* x, long strideX, uint* y, long strideY, uint* result, long count)
    {
        long i = 0;
        for (; i <= count - 4; i += 4)
        {
            Vector128<uint> mask = strideC == 0 ? Vector128.Create((uint)*c)
                : Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(uint*)(c + i)).AsByte()));
            Vector128<uint> whenTrue = strideX == 0 ? Vector128.Create(*x) : Vector128.Load(x + i);
            Vector128<uint> whenFalse = strideY == 0 ? Vector128.Create(*y) : Vector128.Load(y + i);
            Vector128.ConditionalSelect(Vector128.Equals(mask, Vector128<uint>.Zero), whenFalse, whenTrue).Store(result + i);
        }
        for (; i < count; i++) result[i] = c[i * strideC] != 0 ? x[i * strideX] : y[i * strideY];
    }
}
