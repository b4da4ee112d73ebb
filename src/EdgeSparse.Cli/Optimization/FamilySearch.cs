namespace EdgeSparse.Cli.Optimization;

/// <summary>
/// Finds the strongest recipe of a family within the bound: the weakest that is predicted to gain first, because where that loses too much all do, then bisection. It assumes that a stronger recipe
/// loses no less.
/// </summary>
internal sealed class FamilySearch
{
    private readonly Func<Recipe, double?> _predict;
    private readonly double?[] _predicted;
    private readonly bool[] _known;
    private int _failed;

    /// <param name="family">From weak to strong.</param>
    /// <param name="predict">Predicted time as a share of the dense model's; null for a recipe that cannot be had. Called once for a recipe, when it is needed.</param>
    /// <param name="leastGain">Share of the dense time that a recipe must be predicted to save to be tried.</param>
    public FamilySearch(RecipeFamily family, Func<Recipe, double?> predict, double leastGain)
    {
        Family = family;
        _predict = predict;
        _predicted = new double?[family.Recipes.Count];
        _known = new bool[family.Recipes.Count];
        _failed = family.Recipes.Count;
        // The strongest that can be had, then the weakest that gains: both by bisection, for prediction takes time too.
        _failed = First(0, _failed, i => Predicted(i) is null);
        Passed = First(0, _failed, i => Predicted(i) <= 1 - leastGain) - 1;
        Weakest = Passed + 1;
        if (_failed == 0) Close("cannot be had with this model");
        else if (Weakest == _failed) Close($"predicted to take {Output.Format.Number(100 * Predicted(_failed - 1)!.Value, "0.0")} % of the dense time even at its strongest ({family.Recipes[_failed - 1].Name})");
    }

    public RecipeFamily Family { get; }

    /// <summary>Why no more is tried; null while more is.</summary>
    public string? Closed { get; private set; }

    /// <summary>The strongest recipe known to pass; below <see cref="Weakest"/> where none is.</summary>
    public int Passed { get; private set; }

    public bool HasPassed => Passed >= Weakest;

    /// <summary>The recipe to try next.</summary>
    public int Next => HasPassed ? (Passed + _failed) / 2 : Weakest;

    /// <summary>Predicted share of the strongest recipe that may still pass.</summary>
    public double Bound => Predicted(_failed - 1) ?? 1;

    /// <summary>About how many more recipes are to be tried.</summary>
    public int Left => Closed is not null ? 0 : 1 + (int)Math.Log2(Math.Max(1, _failed - Math.Max(Passed, Weakest)));

    /// <summary>The weakest recipe that is predicted to gain.</summary>
    private int Weakest { get; }

    public double? Predicted(int index)
    {
        if (_known[index]) return _predicted[index];
        _known[index] = true;
        return _predicted[index] = _predict(Family.Recipes[index]);
    }

    /// <summary>Tells what became of recipe <see cref="Next"/>.</summary>
    public void Report(bool passed)
    {
        int tried = Next;
        if (passed) Passed = tried;
        else _failed = tried;
        if (HasPassed && _failed - Passed > 1) return;
        if (!HasPassed) Close($"its weakest recipe that is predicted to gain ({Family.Recipes[tried].Name}) loses too much");
        else Close($"searched: {Family.Recipes[Passed].Name} is its strongest within the bound");
    }

    public void Close(string reason) => Closed ??= reason;

    /// <summary>The least index from low to high for which the condition holds, which then holds for all above it; high where there is none.</summary>
    private static int First(int low, int high, Predicate<int> condition)
    {
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (condition(middle)) high = middle;
            else low = middle + 1;
        }
        return low;
    }
}
