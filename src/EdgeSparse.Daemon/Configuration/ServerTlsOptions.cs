namespace EdgeSparse.Daemon.Configuration;

/// <summary>TLS for those who connect to us.</summary>
internal sealed class ServerTlsOptions
{
    /// <summary>PEM of the server's certificate, its own first; empty = no TLS.</summary>
    public string CertificateFile { get; set; } = "";

    /// <summary>PEM of its private key, without a pass phrase.</summary>
    public string KeyFile { get; set; } = "";

    /// <summary>PEM with the authorities of client certificates; then every client must have one. Empty = clients need none.</summary>
    public string ClientCaFile { get; set; } = "";

    public bool IsEnabled => CertificateFile.Length > 0;

    public bool NeedsClientCertificate => IsEnabled && ClientCaFile.Length > 0;
}

/// <summary>Reads a section of TLS options and looks whether its parts fit together.</summary>
internal static class ServerTlsOptionsReader
{
    public static void Read(ConfigurationReader reader, string section, ServerTlsOptions options)
    {
        reader.Section(section);
        options.CertificateFile = reader.FilePath($"{section}:certificateFile", options.CertificateFile);
        options.KeyFile = reader.FilePath($"{section}:keyFile", options.KeyFile);
        options.ClientCaFile = reader.FilePath($"{section}:clientCaFile", options.ClientCaFile);
        if (options.CertificateFile.Length > 0 != options.KeyFile.Length > 0)
            reader.Report(options.KeyFile.Length == 0 ? $"{section}:keyFile" : $"{section}:certificateFile", $"found nothing; TLS needs both {section}:certificateFile and {section}:keyFile");
        else if (!options.IsEnabled && options.ClientCaFile.Length > 0)
            reader.Report($"{section}:clientCaFile", $"client certificates need TLS; give {section}:certificateFile and {section}:keyFile");
    }

    public static void CheckFiles(ConfigurationReader reader, string section, ServerTlsOptions options)
    {
        foreach ((string key, string path) in (ReadOnlySpan<(string, string)>)[("certificateFile", options.CertificateFile), ("keyFile", options.KeyFile), ("clientCaFile", options.ClientCaFile)])
            if (path.Length > 0 && !File.Exists(path)) reader.Report($"{section}:{key}", $"no such file: {path}");
    }
}
