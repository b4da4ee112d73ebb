using System.Diagnostics.CodeAnalysis;

namespace EdgeSparse.Model;

/// <summary>
/// An operator's attributes by name: long, double, string, long[] or double[] values, as OPERATORS.md lists them.
/// Getters with a default serve optional attributes; those without throw <see cref="ModelFormatException"/> when it is missing or of another type.
/// </summary>
public sealed class AttributeMap
{
    private readonly SortedDictionary<string, object> _values = new(StringComparer.Ordinal);

    public int Count => _values.Count;

    public IEnumerable<KeyValuePair<string, object>> Entries => _values;

    public bool Contains(string name) => _values.ContainsKey(name);

    public void Remove(string name) => _values.Remove(name);

    public void Set(string name, long value) => _values[name] = value;

    public void Set(string name, double value) => _values[name] = value;

    public void Set(string name, string value) => _values[name] = value;

    public void Set(string name, params long[] values) => _values[name] = values;

    public void Set(string name, double[] values) => _values[name] = values;

    public long Integer(string name) => Get<long>(name);

    public long Integer(string name, long absent) => TryGet(name, out long value) ? value : absent;

    public bool Flag(string name, bool absent = false) => TryGet(name, out long value) ? value != 0 : absent;

    public double Number(string name) => Get<double>(name);

    public double Number(string name, double absent) => TryGet(name, out double value) ? value : absent;

    public string Text(string name, string absent) => TryGet(name, out string? value) ? value : absent;

    public long[] Integers(string name) => Get<long[]>(name);

    public long[] Integers(string name, long[] absent) => TryGet(name, out long[]? value) ? value : absent;

    public double[] Numbers(string name) => Get<double[]>(name);

    /// <summary>The stored value (long, double, string, long[] or double[]), or null where there is none.</summary>
    public object? Find(string name) => _values.GetValueOrDefault(name);

    public void CopyTo(AttributeMap other)
    {
        ArgumentNullException.ThrowIfNull(other);
        foreach ((string key, object value) in _values) other._values[key] = value;
    }

    private T Get<T>(string name) =>
        TryGet(name, out T? value) ? value : throw new ModelFormatException($"attribute '{name}' is missing");

    private bool TryGet<T>(string name, [NotNullWhen(true)] out T? value)
    {
        if (_values.TryGetValue(name, out object? stored))
        {
            value = stored is T typed ? typed
                : throw new ModelFormatException($"attribute '{name}' is {stored.GetType().Name}, expected {typeof(T).Name}");
            return true;
        }
        value = default;
        return false;
    }
}
