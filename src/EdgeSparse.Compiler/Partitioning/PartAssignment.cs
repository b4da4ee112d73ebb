namespace EdgeSparse.Compiler.Partitioning;

/// <summary>A node that is to be given to a part.</summary>
/// <param name="CanBeNative">False for one that only ONNX Runtime runs.</param>
/// <param name="Nanoseconds">Predicted time in the native engine.</param>
internal sealed record PartNode(bool CanBeNative, long Nanoseconds, int[] Reads, int[] Makes);

/// <summary>A value that nodes read or make; the model's inputs have no maker.</summary>
/// <param name="Nanoseconds">What it costs to hand it to another part.</param>
/// <param name="MayCross">False where nothing can be said about its type, so that no part can declare it.</param>
internal sealed record PartEdge(long Nanoseconds, bool MayCross);

/// <summary>
/// Gives every node of a model to a part, so that parts can be run one after the other. First the fewest parts: each as large as the order of the nodes allows. Then every cut is moved
/// to where handing over is cheapest: over nodes that both engines have, when what is saved is more than the node's predicted time in the native engine, which is what giving it
/// away can cost at most. Last, a native part that costs more to reach than it takes to compute is given to ONNX Runtime as a whole.
/// </summary>
internal sealed class PartAssignment
{
    private readonly IReadOnlyList<PartNode> _nodes;
    private readonly IReadOnlyList<PartEdge> _values;
    private readonly long _launchNanoseconds;
    private readonly int[] _maker;
    private readonly List<int>[] _readers;
    private readonly int[] _part;

    private PartAssignment(IReadOnlyList<PartNode> nodes, IReadOnlyList<PartEdge> values, long launchNanoseconds)
    {
        _nodes = nodes;
        _values = values;
        _launchNanoseconds = launchNanoseconds;
        _maker = new int[values.Count];
        Array.Fill(_maker, -1);
        _readers = new List<int>[values.Count];
        for (int i = 0; i < values.Count; i++) _readers[i] = [];
        for (int i = 0; i < nodes.Count; i++)
        {
            foreach (int value in nodes[i].Makes) _maker[value] = i;
            foreach (int value in nodes[i].Reads.Distinct()) _readers[value].Add(i);
        }
        _part = new int[nodes.Count];
    }

    /// <summary>The part of each node; even parts are native, odd ones ONNX Runtime's. Not every number is in use.</summary>
    /// <param name="nodes">In an execution order.</param>
    /// <param name="values">Indexed by the nodes' reads and makes.</param>
    /// <param name="launchNanoseconds">What running one part more costs.</param>
    /// <param name="keepNative">Native parts stay, however small.</param>
    public static int[] Assign(IReadOnlyList<PartNode> nodes, IReadOnlyList<PartEdge> values, long launchNanoseconds, bool keepNative)
    {
        var assignment = new PartAssignment(nodes, values, launchNanoseconds);
        assignment.Levels();
        assignment.JoinEarly();
        do assignment.MoveCuts();
        while (assignment.JoinUntyped() || (!keepNative && assignment.Absorb()));
        return assignment._part;
    }

    private static bool IsNative(int part) => part % 2 == 0;

    private int Parts => _part.Length == 0 ? 0 : _part.Max() + 1;

    /// <summary>The earliest part of each node; as many changes of engine as the longest path has.</summary>
    private void Levels()
    {
        for (int i = 0; i < _nodes.Count; i++)
        {
            int least = 0;
            foreach (int value in _nodes[i].Reads)
                if (_maker[value] >= 0) least = Math.Max(least, _part[_maker[value]]);
            _part[i] = IsNative(least) == _nodes[i].CanBeNative ? least : least + 1;
        }
    }

    /// <summary>A part from which nothing leads into the next one waits for the one after, of the same engine.</summary>
    private void JoinEarly()
    {
        for (int part = 0; part + 2 < Parts; part++)
        {
            bool leads = false;
            ForEdges((from, to, _) => leads |= _part[from] == part && _part[to] == part + 1);
            if (leads) continue;
            for (int i = 0; i < _part.Length; i++)
                if (_part[i] == part) _part[i] = part + 2;
        }
        Renumber();
    }

    private void ForEdges(Action<int, int, int> visit)
    {
        for (int value = 0; value < _readers.Length; value++)
        {
            if (_maker[value] < 0) continue;
            foreach (int reader in _readers[value]) visit(_maker[value], reader, value);
        }
    }

    /// <summary>Each cut in turn to its cheapest place, until none moves. Costs fall with every move, so this ends; the bound is only a defect's.</summary>
    private void MoveCuts()
    {
        bool moved = true;
        for (int round = 0; moved && round < 100; round++)
        {
            moved = false;
            for (int part = 0; part + 1 < Parts; part++) moved |= MoveCut(part);
            Renumber();
        }
    }

    /// <summary>The nodes of two neighbouring parts, divided anew. Where one of them is empty there is no cut, and none is made.</summary>
    private bool MoveCut(int part)
    {
        if (!Array.Exists(_part, p => p == part) || !Array.Exists(_part, p => p == part + 1)) return false;
        var cut = new MinimumCut();
        var vertices = new Dictionary<int, int>();
        for (int i = 0; i < _nodes.Count; i++)
            if (_part[i] == part || _part[i] == part + 1) vertices[i] = cut.Vertex();
        int nativeSide = IsNative(part) ? MinimumCut.Source : MinimumCut.Sink;
        foreach ((int node, int vertex) in vertices)
        {
            // Ties stay native: one nanosecond is the least that giving a node away costs.
            long price = Math.Max(1, _nodes[node].Nanoseconds);
            if (nativeSide == MinimumCut.Source)
            {
                if (_nodes[node].CanBeNative) cut.Edge(MinimumCut.Source, vertex, price);
                else cut.Edge(vertex, MinimumCut.Sink, MinimumCut.Infinite);
            }
            else
            {
                if (_nodes[node].CanBeNative) cut.Edge(vertex, MinimumCut.Sink, price);
                else cut.Edge(MinimumCut.Source, vertex, MinimumCut.Infinite);
            }
        }
        for (int value = 0; value < _readers.Length; value++) AddValue(cut, vertices, value);
        bool[] before = cut.Solve();
        bool moved = false;
        foreach ((int node, int vertex) in vertices)
        {
            int chosen = before[vertex] ? part : part + 1;
            moved |= chosen != _part[node];
            _part[node] = chosen;
        }
        return moved;
    }

    private void AddValue(MinimumCut cut, Dictionary<int, int> vertices, int value)
    {
        int[] readers = [.. _readers[value].Where(vertices.ContainsKey).Select(node => vertices[node])];
        if (readers.Length == 0) return;
        long price = _values[value].MayCross ? _values[value].Nanoseconds : MinimumCut.Infinite;
        if (_maker[value] >= 0 && vertices.TryGetValue(_maker[value], out int maker))
        {
            int late = cut.Vertex(); // on the sink's side if any reader is
            cut.Edge(maker, late, price);
            foreach (int reader in readers)
            {
                cut.Edge(late, reader, MinimumCut.Infinite);
                cut.Edge(reader, maker, MinimumCut.Infinite); // never read before it is made
            }
            return;
        }
        // Made before both parts: it is handed to each that reads it.
        int some = cut.Vertex(), other = cut.Vertex();
        cut.Edge(MinimumCut.Source, some, _values[value].Nanoseconds);
        cut.Edge(other, MinimumCut.Sink, _values[value].Nanoseconds);
        foreach (int reader in readers)
        {
            cut.Edge(some, reader, MinimumCut.Infinite);
            cut.Edge(reader, other, MinimumCut.Infinite);
        }
    }

    /// <summary>Makes one part of all between the maker and a reader of a value that may not cross; true where there was one.</summary>
    private bool JoinUntyped()
    {
        int first = -1, last = -1;
        ForEdges((from, to, value) =>
        {
            if (_values[value].MayCross || _part[from] == _part[to]) return;
            if (first < 0) (first, last) = (_part[from], _part[to]);
        });
        if (first < 0) return false;
        int target = IsNative(first) ? first + 1 : first;
        for (int i = 0; i < _part.Length; i++)
            if (_part[i] >= first && _part[i] <= last) _part[i] = target;
        Renumber();
        return true;
    }

    /// <summary>Gives the native part that gains most by it to its neighbours; true where one gains.</summary>
    private bool Absorb()
    {
        int parts = Parts, best = -1;
        long bestGain = 0;
        for (int part = 0; part < parts; part += 2)
        {
            if (!Array.Exists(_part, p => p == part) || parts == 1) continue;
            long gain = -Enumerable.Range(0, _part.Length).Where(i => _part[i] == part).Sum(i => _nodes[i].Nanoseconds);
            bool before = Array.Exists(_part, p => p == part - 1), after = Array.Exists(_part, p => p == part + 1);
            gain += (before && after ? 2 : 1) * _launchNanoseconds;
            for (int value = 0; value < _readers.Length; value++)
            {
                int made = _maker[value] < 0 ? -1 : _part[_maker[value]];
                bool readHere = _readers[value].Exists(reader => _part[reader] == part), readBeside = _readers[value].Exists(reader => _part[reader] == part + 1 || _part[reader] == part - 1);
                if (readHere && (made == part - 1 || (made != part && readBeside))) gain += _values[value].Nanoseconds;
                else if (made == part && readBeside) gain += _values[value].Nanoseconds;
            }
            if (gain <= bestGain) continue;
            best = part;
            bestGain = gain;
        }
        if (best < 0) return false;
        GiveAway(_part, best);
        return true;
    }

    /// <summary>Gives a native part to ONNX Runtime, joined with its neighbours.</summary>
    public static void GiveAway(int[] parts, int part)
    {
        for (int i = 0; i < parts.Length; i++)
            if (parts[i] == part || parts[i] == part - 1) parts[i] = part + 1;
        Renumber(parts);
    }

    private void Renumber() => Renumber(_part);

    /// <summary>Drops empty parts; neighbours of one engine become one part.</summary>
    private static void Renumber(int[] parts)
    {
        int[] used = [.. parts.Distinct().Order()];
        var map = new Dictionary<int, int>();
        int next = -1;
        foreach (int part in used)
        {
            if (next < 0) next = IsNative(part) ? 0 : 1;
            else if (IsNative(next) != IsNative(part)) next++;
            map[part] = next;
        }
        for (int i = 0; i < parts.Length; i++) parts[i] = map[parts[i]];
    }
}
