using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Tokens;

/// <summary>Baseline: tokens are dropped by lot, the same ones of every picture, chosen from a seed. No method is worth its time that does not beat it.</summary>
public sealed class RandomPruning : TokenMethod
{
    private readonly KeepSchedule _keep;
    private readonly int _seed;

    private RandomPruning(TokenArguments arguments)
    {
        _keep = new KeepSchedule(arguments);
        _seed = arguments.Integer("seed", 1, 0, int.MaxValue);
    }

    public static TokenMethodDescription Description { get; } = new("random", ["random:keep=0.7@4,0.5@8[,seed=1]"], arguments => new RandomPruning(arguments));

    public override IEnumerable<int> NamedLayers => _keep.Layers;

    public override bool Drops => true;

    public override int TokensAfter(TokenPlace place)
    {
        ArgumentNullException.ThrowIfNull(place);
        return place.Protected + Math.Max(place.Protected == 0 ? 1 : 0, _keep.Kept(place));
    }

    public override TokenSelection Select(TokenGraph graph, TokenSite site, Value? scores, int kept)
    {
        ArgumentNullException.ThrowIfNull(site);
        int[] order = [.. Enumerable.Range(site.Protected, site.Tokens - site.Protected)];
        ulong state = ((ulong)_seed << 32) | (uint)site.Layer;
        for (int i = order.Length - 1; i > 0; i--)
        {
            int other = (int)(Next(ref state) % (ulong)(i + 1));
            (order[i], order[other]) = (order[other], order[i]);
        }
        var stays = new HashSet<int>(order.Take(kept - site.Protected));
        int batch = site.Stream.Shape[0], next = 0;
        int[] map = [.. Enumerable.Range(0, site.Tokens).Select(i => i < site.Protected || stays.Contains(i) ? next++ : -1)];
        byte[] bytes = new byte[batch * map.Length * sizeof(int)];
        for (int b = 0; b < batch; b++) Buffer.BlockCopy(map, 0, bytes, b * map.Length * sizeof(int), map.Length * sizeof(int));
        var tensor = new Tensor(ElementType.Int32, new Shape(batch, site.Tokens), bytes);
        return new TokenSelection(new Value($"{site.Name}/random", tensor));
    }

    /// <summary>SplitMix64 (Steele et al. 2014): the same numbers everywhere.</summary>
    private static ulong Next(ref ulong state)
    {
        ulong z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
