using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeSparse.Daemon.Configuration;

namespace EdgeSparse.Daemon.Http;

/// <summary>A server's side of TLS from PEM files. Throws <see cref="DaemonException"/>; its messages hold no secret.</summary>
internal static class ServerTls
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    public static SslServerAuthenticationOptions Create(string section, ServerTlsOptions options)
    {
        try
        {
            var certificates = new X509Certificate2Collection();
            certificates.ImportFromPemFile(options.CertificateFile);
            X509Certificate2 own = X509Certificate2.CreateFromPemFile(options.CertificateFile, options.KeyFile);
            X509Certificate2Collection between = [.. certificates.Skip(1)];
            var tls = new SslServerAuthenticationOptions
            {
                ServerCertificateContext = SslStreamCertificateContext.Create(own, between, offline: true),
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            };
            if (!options.NeedsClientCertificate) return tls;
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPemFile(options.ClientCaFile);
            if (authorities.Count == 0) throw new CryptographicException($"{options.ClientCaFile} holds no certificate in PEM form");
            tls.ClientCertificateRequired = true;
            tls.RemoteCertificateValidationCallback = (_, certificate, given, _) => certificate is X509Certificate2 client && IsIssuedBy(client, given, authorities);
            return tls;
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new DaemonException(ExitCode.Configuration, $"{section}: {options.CertificateFile} with {options.KeyFile} cannot be used: {e.Message}");
        }
    }

    /// <summary>Only the configured authorities count, not the system's.</summary>
    private static bool IsIssuedBy(X509Certificate2 certificate, X509Chain? given, X509Certificate2Collection authorities)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        if (given is not null)
        {
            foreach (X509ChainElement element in given.ChainElements) chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        }
        return chain.Build(certificate);
    }
}
