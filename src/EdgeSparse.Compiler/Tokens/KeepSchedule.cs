namespace EdgeSparse.Compiler.Tokens;

/// <summary>Which share of the tokens that are not protected stays at each layer: <c>keep=0.7@4,0.5@8</c>.</summary>
public sealed class KeepSchedule
{
    private readonly LayerValues<double> _shares;

    public KeepSchedule(TokenArguments arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        _shares = arguments.Shares("keep");
    }

    public IEnumerable<int> Layers => _shares.Layers.Keys;

    /// <summary>How many tokens that are not protected stay: the share of them, rounded up.</summary>
    public int Kept(TokenPlace place)
    {
        ArgumentNullException.ThrowIfNull(place);
        int free = place.Tokens - place.Protected;
        return _shares.At(place.Layer) is { } share ? Math.Min(free, (int)Math.Ceiling(share * free)) : free;
    }
}
