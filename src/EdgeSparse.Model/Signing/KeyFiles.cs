using System.Security.Cryptography;

namespace EdgeSparse.Model;

/// <summary>
/// ECDSA keys on the curve P-256 in PEM files: PKCS #8 for the private one, SubjectPublicKeyInfo for the public one, as OpenSSL reads and writes them.
/// A key's id is the first 16 hexadecimal digits of the SHA-256 of its SubjectPublicKeyInfo.
/// </summary>
public static class KeyFiles
{
    public const string PrivateExtension = ".key.pem";
    public const string PublicExtension = ".pub.pem";
    private const int MaximumFileBytes = 16 << 10;

    /// <summary>SubjectPublicKeyInfo of a P-256 key up to its point (RFC 5480): id-ecPublicKey, prime256v1, uncompressed.</summary>
    private static ReadOnlySpan<byte> Prefix => [0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04];

    /// <summary>Makes a key pair; files that exist are left alone. Returns the id. Throws <see cref="IOException"/>.</summary>
    public static string Create(string privatePath, string publicPath)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // Created with its permissions, so that at no time anybody else can open it.
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        if (File.Exists(publicPath)) throw new IOException($"{publicPath} exists; a key is not overwritten, give another name");
        using (var stream = new FileStream(privatePath, options))
        using (var writer = new StreamWriter(stream))
            writer.WriteLine(key.ExportPkcs8PrivateKeyPem());
        try
        {
            using var stream = new FileStream(publicPath, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
            using var writer = new StreamWriter(stream);
            writer.WriteLine(key.ExportSubjectPublicKeyInfoPem());
        }
        catch
        {
            File.Delete(privatePath);
            throw;
        }
        return Id(key);
    }

    /// <summary>Reads a private key; one that others can read is refused. The caller disposes it. Throws <see cref="SignatureException"/>.</summary>
    public static ECDsa ReadPrivate(string path)
    {
        ECDsa key = Parse(path, Read(path), "PRIVATE KEY", "a private key (PKCS #8, without a pass phrase)");
        if (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & (UnixFileMode.GroupRead | UnixFileMode.OtherRead)) == 0) return key;
        key.Dispose();
        throw new SignatureException($"{path}: others can read this private key; chmod 600 it, and make a new one if somebody may have copied it");
    }

    /// <summary>Reads a public key. The caller disposes it. Throws <see cref="SignatureException"/>.</summary>
    public static ECDsa ReadPublic(string path) => Parse(path, Read(path), "PUBLIC KEY", "a public key");

    public static string Id(ECDsa key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()))[..16];
    }

    private static string Read(string path)
    {
        try
        {
            long size = new FileInfo(path).Length;
            return size <= MaximumFileBytes ? File.ReadAllText(path) : throw new SignatureException($"{path}: {size} bytes, a key has at most {MaximumFileBytes}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SignatureException($"{path}: cannot be read: {e.Message}", e);
        }
    }

    private static ECDsa Parse(string path, string pem, string label, string what)
    {
        var key = ECDsa.Create();
        try
        {
            if (!PemEncoding.TryFind(pem, out PemFields fields) || !pem[fields.Label].Equals(label, StringComparison.Ordinal))
                throw new SignatureException($"{path}: holds no {label} in PEM form, expected {what} made by 'edgesparse keygen'");
            byte[] der = Convert.FromBase64String(pem[fields.Base64Data]);
            int read;
            if (label == "PRIVATE KEY") key.ImportPkcs8PrivateKey(der, out read);
            else key.ImportSubjectPublicKeyInfo(der, out read);
            if (read != der.Length || !key.ExportSubjectPublicKeyInfo().AsSpan().StartsWith(Prefix)) throw new SignatureException($"{path}: not a key on the curve P-256");
            return key;
        }
        catch (Exception e) when (e is CryptographicException or FormatException)
        {
            key.Dispose();
            throw new SignatureException($"{path}: not {what}: {e.Message}", e);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }
}

/// <summary>The public keys whose signatures are believed: every <c>*.pem</c> of a folder.</summary>
public sealed class TrustedKeys
{
    private const int MaximumKeys = 64;

    private readonly Dictionary<string, byte[]> _keys = new(StringComparer.Ordinal);

    /// <summary>Nobody is believed.</summary>
    public static TrustedKeys None { get; } = new();

    public int Count => _keys.Count;

    public IReadOnlyCollection<string> Ids => _keys.Keys;

    /// <summary>Reads the folder. Throws <see cref="SignatureException"/> for a file that is no public key, <see cref="IOException"/> for a folder that cannot be read.</summary>
    public static TrustedKeys Load(string folder)
    {
        var keys = new TrustedKeys();
        foreach (string path in Directory.EnumerateFiles(folder, "*.pem").Order(StringComparer.Ordinal))
        {
            if (keys.Count == MaximumKeys) throw new SignatureException($"{folder}: more than {MaximumKeys} keys");
            using ECDsa key = KeyFiles.ReadPublic(path);
            keys._keys[KeyFiles.Id(key)] = key.ExportSubjectPublicKeyInfo();
        }
        return keys;
    }

    /// <summary>The key of this id, which the caller disposes; null where it is not trusted.</summary>
    internal ECDsa? Find(string id)
    {
        if (!_keys.TryGetValue(id, out byte[]? info)) return null;
        var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(info, out _);
        return key;
    }
}
