using System.Globalization;
using EdgeSparse.Model;

namespace EdgeSparse.Daemon.Models;

/// <summary>Which package may take the place of which.</summary>
internal static class UpdatePolicy
{
    /// <summary>Why <paramref name="next"/> may not replace what is at work, or null.</summary>
    /// <param name="slot">What is known about the model.</param>
    /// <param name="currentVersion">The version at work.</param>
    /// <param name="next">The new one.</param>
    public static string? Rollback(ModelSlot slot, string currentVersion, StoredModel next)
    {
        if (next.Release > slot.HighestRelease) return null;
        if (slot.HighestRelease > 0)
            return next.Release == 0 ? $"it is not signed, and release {slot.HighestRelease} was installed here" : $"it is release {next.Release}, and release {slot.HighestRelease} was installed here";
        return CompareVersions(next.Version, currentVersion) < 0 ? $"version {next.Version} is older than {currentVersion}" : null;
    }

    /// <summary>Order of versions as 1.2.10: numbers by value, what is no number by its characters; a version with an addition (1.2.0-rc1) comes before that without (Semantic Versioning 2.0, clause 11).</summary>
    public static int CompareVersions(string a, string b)
    {
        (string coreA, string additionA) = Part(a);
        (string coreB, string additionB) = Part(b);
        int order = CompareParts(coreA.Split('.'), coreB.Split('.'));
        if (order != 0) return order;
        if (additionA.Length == 0 || additionB.Length == 0) return additionB.Length.CompareTo(additionA.Length);
        return CompareParts(additionA.Split('.'), additionB.Split('.'));
    }

    private static (string Core, string Addition) Part(string version)
    {
        string withoutBuild = version.Split('+')[0];
        int dash = withoutBuild.IndexOf('-', StringComparison.Ordinal);
        return dash < 0 ? (withoutBuild, "") : (withoutBuild[..dash], withoutBuild[(dash + 1)..]);
    }

    private static int CompareParts(string[] a, string[] b)
    {
        for (int i = 0; i < Math.Min(a.Length, b.Length); i++)
        {
            bool numbers = ulong.TryParse(a[i], NumberStyles.None, CultureInfo.InvariantCulture, out ulong x) & ulong.TryParse(b[i], NumberStyles.None, CultureInfo.InvariantCulture, out ulong y);
            int order = numbers ? x.CompareTo(y) : string.CompareOrdinal(a[i], b[i]);
            if (order != 0) return order;
        }
        return a.Length.CompareTo(b.Length);
    }
}
