using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Tests;

/// <summary>Runs alone, so that nothing else allocates while it counts.</summary>
[CollectionDefinition("alone", DisableParallelization = true)]
public class AloneCollection;

[Collection("alone")]
public class AllocationTests
{
    /// <summary>The test host's own threads allocate now and then, so single runs are counted: a run that allocates would show in all of them.</summary>
    [Fact]
    public void Runs_allocate_nothing_on_any_thread()
    {
        Graph graph = WorkerPoolTests.Layers(out float[] input, size: 12);
        using NativeSession session = NativeSession.Create(graph, new SessionOptions { Threads = 3, Profile = true });
        GraphBuilder.SetInputs(session, input);
        for (int i = 0; i < 3; i++) session.Run();
        const int Runs = 100;
        int withoutAllocation = 0;
        for (int i = 0; i < Runs; i++)
        {
            long ownBefore = GC.GetAllocatedBytesForCurrentThread(), allBefore = GC.GetTotalAllocatedBytes(precise: true);
            session.Run();
            long all = GC.GetTotalAllocatedBytes(precise: true) - allBefore;
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - ownBefore);
            if (all == 0) withoutAllocation++;
        }
        Assert.InRange(withoutAllocation, Runs / 10, Runs);
    }
}
