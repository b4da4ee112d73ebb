using Xunit;

namespace EdgeSparse.Testing;

/// <summary>
/// Where the shared test data is: the folder named by EDGESPARSE_TEST_DATA, else <c>../shared/data</c> beside the repository.
/// </summary>
public static class TestData
{
    public const string SkipReason = "skipped: no test data";

    /// <summary>The repository's root: the nearest folder above the test binaries with EdgeSparse.sln.</summary>
    public static string RepositoryRoot { get; } = FindRoot();

    /// <summary>The data folder, or null where there is none.</summary>
    public static string? Folder { get; } = FindData();

    /// <summary>Full path of a file or folder below the data folder, e.g. <c>Path("models", "mnist-8_cntk.onnx")</c>.</summary>
    public static string Path(params string[] parts)
    {
        if (Folder is null) throw new InvalidOperationException("test data is absent; mark the test [DataFact] or [DataTheory]");
        return System.IO.Path.Combine([Folder, .. parts]);
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "EdgeSparse.sln"))) return folder.FullName;
        throw new InvalidOperationException($"no EdgeSparse.sln above {AppContext.BaseDirectory}");
    }

    private static string? FindData()
    {
        string? named = Environment.GetEnvironmentVariable("EDGESPARSE_TEST_DATA");
        string folder = string.IsNullOrEmpty(named) ? System.IO.Path.Combine(RepositoryRoot, "..", "shared", "data") : named;
        return Directory.Exists(folder) ? System.IO.Path.GetFullPath(folder) : null;
    }
}

/// <summary>A fact that needs the shared test data and is skipped, with the reason, where it is absent.</summary>
public sealed class DataFactAttribute : FactAttribute
{
    public DataFactAttribute()
    {
        if (TestData.Folder is null) Skip = TestData.SkipReason;
    }
}

/// <summary>A theory that needs the shared test data and is skipped, with the reason, where it is absent.</summary>
public sealed class DataTheoryAttribute : TheoryAttribute
{
    public DataTheoryAttribute()
    {
        if (TestData.Folder is null) Skip = TestData.SkipReason;
    }
}
