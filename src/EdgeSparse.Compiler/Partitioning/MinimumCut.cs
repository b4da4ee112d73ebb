namespace EdgeSparse.Compiler.Partitioning;

/// <summary>
/// A least cut between a source and a sink (Dinic, "Algorithm for solution of a problem of maximum flow in networks with power estimation", 1970): the cheapest
/// way to give every vertex to one of two sides, where an edge costs its capacity if it leads from the source's side to the sink's.
/// </summary>
internal sealed class MinimumCut
{
    public const long Infinite = long.MaxValue / 4;
    public const int Source = 0, Sink = 1;

    private readonly List<int> _head = [-1, -1];
    private readonly List<(int To, int Next, long Capacity)> _edges = [];

    /// <summary>A new vertex.</summary>
    public int Vertex()
    {
        _head.Add(-1);
        return _head.Count - 1;
    }

    public void Edge(int from, int to, long capacity)
    {
        Half(from, to, capacity);
        Half(to, from, 0);
    }

    /// <summary>For each vertex, true where it is on the source's side.</summary>
    public bool[] Solve()
    {
        (int To, int Next, long Capacity)[] edges = [.. _edges];
        int[] head = [.. _head], level = new int[head.Length], next = new int[head.Length];
        while (Levels(edges, head, level))
        {
            head.CopyTo(next, 0);
            while (Augment(edges, level, next))
            {
            }
        }
        return Array.ConvertAll(level, depth => depth >= 0);
    }

    private void Half(int from, int to, long capacity)
    {
        _edges.Add((to, _head[from], capacity));
        _head[from] = _edges.Count - 1;
    }

    /// <summary>Distances from the source over edges that still have capacity; −1 where out of reach.</summary>
    private static bool Levels((int To, int Next, long Capacity)[] edges, int[] head, int[] level)
    {
        Array.Fill(level, -1);
        level[Source] = 0;
        var queue = new Queue<int>([Source]);
        while (queue.TryDequeue(out int vertex))
        {
            for (int edge = head[vertex]; edge >= 0; edge = edges[edge].Next)
            {
                if (edges[edge].Capacity == 0 || level[edges[edge].To] >= 0) continue;
                level[edges[edge].To] = level[vertex] + 1;
                queue.Enqueue(edges[edge].To);
            }
        }
        return level[Sink] >= 0;
    }

    /// <summary>Sends flow along one path of rising levels; false where there is none left. Not recursive: paths may be as long as a model.</summary>
    private static bool Augment((int To, int Next, long Capacity)[] edges, int[] level, int[] next)
    {
        var path = new Stack<int>();
        int vertex = Source;
        while (vertex != Sink)
        {
            int edge = next[vertex];
            while (edge >= 0 && (edges[edge].Capacity == 0 || level[edges[edge].To] != level[vertex] + 1)) edge = edges[edge].Next;
            next[vertex] = edge;
            if (edge >= 0)
            {
                path.Push(edge);
                vertex = edges[edge].To;
            }
            else
            {
                if (!path.TryPop(out int back)) return false;
                vertex = edges[back ^ 1].To;
                next[vertex] = edges[back].Next;
            }
        }
        long flow = Infinite;
        foreach (int edge in path) flow = Math.Min(flow, edges[edge].Capacity);
        foreach (int edge in path)
        {
            edges[edge].Capacity -= flow;
            edges[edge ^ 1].Capacity += flow;
        }
        return true;
    }
}
