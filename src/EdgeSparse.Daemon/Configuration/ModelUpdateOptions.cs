namespace EdgeSparse.Daemon.Configuration;

/// <summary>How new versions of models are taken while the daemon runs.</summary>
internal sealed class ModelUpdateOptions
{
    /// <summary>Take packages from the inbox.</summary>
    public bool Updates { get; set; } = true;

    /// <summary>Folder where 'edgesparse push' puts packages; empty = models/inbox in the state folder.</summary>
    public string Inbox { get; set; } = "";

    /// <summary>Refuse packages without the signature of a trusted key.</summary>
    public bool RequireSignature { get; set; }

    /// <summary>Folder of public keys (*.pem) whose signatures are believed; empty = none.</summary>
    public string TrustedKeys { get; set; } = "";

    /// <summary>Whether 'push --force' and the command 'select model' may go back to an older version.</summary>
    public bool AllowForce { get; set; } = true;

    /// <summary>Starts of the daemon with a new model that may fail before the one before it is used again.</summary>
    public int FailedStarts { get; set; } = 3;

    /// <summary>Frames that a new model must process without a failure before it is kept.</summary>
    public int ProbationFrames { get; set; } = 10;
}

/// <summary>Reads the section <c>models</c>.</summary>
internal static class ModelUpdateOptionsReader
{
    public static void Read(ConfigurationReader reader, ModelUpdateOptions options, string stateFolder)
    {
        reader.Section("models");
        options.Updates = reader.Flag("models:updates", options.Updates);
        options.Inbox = reader.FilePath("models:inbox", stateFolder.Length == 0 ? "" : Path.Combine(stateFolder, "models", "inbox"));
        options.RequireSignature = reader.Flag("models:requireSignature", options.RequireSignature);
        options.TrustedKeys = reader.FilePath("models:trustedKeys", options.TrustedKeys);
        options.AllowForce = reader.Flag("models:allowForce", options.AllowForce);
        options.FailedStarts = reader.Integer("models:failedStarts", options.FailedStarts, 1, 100);
        options.ProbationFrames = reader.Integer("models:probationFrames", options.ProbationFrames, 1, 100_000);
        if (options.RequireSignature && stateFolder.Length == 0) reader.Report("models:requireSignature", "it is true and there is no stateFolder, where releases that were installed are remembered");
        if (options.RequireSignature && options.TrustedKeys.Length == 0)
            reader.Report("models:trustedKeys", "found nothing, and models:requireSignature is true; name the folder of the public keys that 'edgesparse keygen' made");
    }

    /// <summary>Looks whether the folders are there.</summary>
    public static void CheckFiles(ConfigurationReader reader, ModelUpdateOptions options)
    {
        if (options.TrustedKeys.Length > 0 && !Directory.Exists(options.TrustedKeys)) reader.Report("models:trustedKeys", $"no such folder: {options.TrustedKeys}");
    }
}
