using EdgeSparse.Model;

namespace EdgeSparse.Compiler;

/// <summary>One rewriting of a graph that keeps what the graph computes. Running it again on its own result changes nothing.</summary>
public interface IGraphPass
{
    /// <summary>What it does, as in "12 batch normalisations folded".</summary>
    string Description { get; }

    /// <summary>Rewrites the graph and returns how often.</summary>
    int Run(Graph graph);
}

/// <summary>The passes in the order in which they are run.</summary>
public static class GraphPasses
{
    public static IReadOnlyList<IGraphPass> All { get; } =
    [
        new IdentityRemoval(), new ConstantFolding(), new LayerNormRecognition(), new ActivationRecognition(), new ProductFolding(), new MatMulOperands(),
        new AttentionRecognition(), new PadFolding(), new ResidualFusion(), new ActivationFusion(),
    ];

    /// <summary>Runs all passes until none changes anything, and notes what was done.</summary>
    public static void Run(Graph graph, List<string> notes)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(notes);
        var counts = new int[All.Count];
        bool changed = true;
        for (int round = 0; changed; round++)
        {
            // Every pass lessens operators or what they carry loose, so this is only ever a defect's bound.
            if (round == 100) throw new InvalidOperationException("the passes do not come to an end");
            changed = false;
            for (int i = 0; i < All.Count; i++)
            {
                int count = All[i].Run(graph);
                counts[i] += count;
                changed |= count > 0;
            }
        }
        for (int i = 0; i < counts.Length; i++)
            if (counts[i] > 0) notes.Add($"{counts[i]} {All[i].Description}");
    }
}
