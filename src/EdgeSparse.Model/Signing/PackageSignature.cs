using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace EdgeSparse.Model;

/// <summary>
/// Who released a package, and as which release: a text file beside it (<c>model.esm.sig</c>), signed with ECDSA on P-256 over SHA-256. FORMAT.md defines it. The release number
/// only rises, so that an old package with a good signature cannot be put back in place of a newer one.
/// </summary>
/// <param name="Name">The manifest's name.</param>
/// <param name="Version">The manifest's version.</param>
/// <param name="Release">From 1; of two packages of a name, the one with the greater number is newer.</param>
/// <param name="SizeBytes">Of the package.</param>
/// <param name="Sha256">Of the package, lower-case hexadecimal.</param>
/// <param name="KeyId">Of the key that signed, see <see cref="KeyFiles"/>.</param>
/// <param name="Signed">When, UTC; for display.</param>
public sealed record PackageSignature(string Name, string Version, long Release, long SizeBytes, string Sha256, string KeyId, DateTime Signed)
{
    public const string Extension = ".sig";
    public const int MaximumBytes = 2048;
    private const string FirstLine = "edgesparse-signature 1";
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";
    private const int SignatureBytes = 64;

    private byte[] _value = [];

    /// <summary>The file of a package's signature.</summary>
    public static string PathFor(string package) => package + Extension;

    /// <summary>The text of a signature of <paramref name="package"/>.</summary>
    /// <param name="manifest">The package's.</param>
    /// <param name="package">The whole file.</param>
    /// <param name="release">From 1.</param>
    /// <param name="key">The private key.</param>
    /// <param name="now">When.</param>
    public static string Sign(Manifest manifest, ReadOnlySpan<byte> package, long release, ECDsa key, DateTime now)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentOutOfRangeException.ThrowIfLessThan(release, 1);
        var signature = new PackageSignature(manifest.Name, manifest.Version, release, package.Length, Convert.ToHexStringLower(SHA256.HashData(package)), KeyFiles.Id(key), now);
        string signed = signature.SignedText();
        return $"{signed}signature {Convert.ToBase64String(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation))}\n";
    }

    /// <summary>Reads a signature without believing it. Throws <see cref="SignatureException"/>.</summary>
    public static PackageSignature Parse(ReadOnlySpan<byte> text, string path)
    {
        if (text.Length > MaximumBytes) throw new SignatureException($"{path}: {text.Length} bytes, a signature has at most {MaximumBytes}");
        if (!Ascii.IsValid(text)) throw new SignatureException($"{path}: not a signature of a package");
        string[] lines = Encoding.ASCII.GetString(text).Split('\n');
        if (lines[0] != FirstLine) throw new SignatureException($"{path}: found '{Shown(lines[0])}', expected '{FirstLine}'; sign the package with 'edgesparse sign'");
        string name = Field(1, "name"), version = Field(2, "version"), release = Field(3, "release"), size = Field(4, "size"), hash = Field(5, "sha256"), key = Field(6, "key"), time = Field(7, "signed"), value = Field(8, "signature");
        if (!long.TryParse(release, NumberStyles.None, CultureInfo.InvariantCulture, out long number) || number < 1) throw Wrong("release", release, "a whole number from 1");
        if (!long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out long bytes)) throw Wrong("size", size, "a number of bytes");
        if (hash.Length != 64 || !hash.All(char.IsAsciiHexDigitLower)) throw Wrong("sha256", hash, "64 lower-case hexadecimal digits");
        if (key.Length != 16 || !key.All(char.IsAsciiHexDigitLower)) throw Wrong("key", key, "16 lower-case hexadecimal digits");
        if (!DateTime.TryParseExact(time, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTime signed)) throw Wrong("signed", time, "a time as 2026-11-22T20:00:00Z");
        byte[] raw = new byte[SignatureBytes];
        if (!Convert.TryFromBase64String(value, raw, out int length) || length != SignatureBytes) throw Wrong("signature", value, $"{SignatureBytes} bytes in base64");
        var signature = new PackageSignature(name, version, number, bytes, hash, key, signed) { _value = raw };
        // One text for one content: whatever else is in the file would not be signed.
        if (!Encoding.ASCII.GetBytes($"{signature.SignedText()}signature {Convert.ToBase64String(raw)}\n").AsSpan().SequenceEqual(text)) throw new SignatureException($"{path}: not as 'edgesparse sign' writes it; it was changed");
        return signature;

        string Field(int line, string field) => line < lines.Length && lines[line].StartsWith(field + " ", StringComparison.Ordinal) ? lines[line][(field.Length + 1)..] : throw new SignatureException($"{path}: line {line + 1}: expected '{field}'; the signature is cut off or was changed");
        SignatureException Wrong(string field, string found, string expected) => new($"{path}: {field}: found '{Shown(found)}', expected {expected}");
    }

    /// <summary>Believes it or not: the key is trusted, the signature is that key's, and the package is the one that was signed. Throws <see cref="SignatureException"/>.</summary>
    /// <param name="keys">Who is believed.</param>
    /// <param name="package">The whole file.</param>
    public void Verify(TrustedKeys keys, ReadOnlySpan<byte> package)
    {
        ArgumentNullException.ThrowIfNull(keys);
        using ECDsa key = keys.Find(KeyId) ?? throw new SignatureException($"signed with key {KeyId}, which is not trusted; trusted {(keys.Count == 1 ? "is" : "are")} {(keys.Count == 0 ? "none" : string.Join(", ", keys.Ids))}");
        if (!key.VerifyData(Encoding.ASCII.GetBytes(SignedText()), _value, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation))
            throw new SignatureException($"the signature is not that of key {KeyId}: it was changed");
        CheckContent(package);
    }

    /// <summary>Looks whether <paramref name="package"/> is the file that was signed. Throws <see cref="SignatureException"/>.</summary>
    public void CheckContent(ReadOnlySpan<byte> package)
    {
        if (package.Length != SizeBytes) throw new SignatureException($"the package has {package.Length} bytes, the signature is for one of {SizeBytes}");
        string found = Convert.ToHexStringLower(SHA256.HashData(package));
        if (found != Sha256) throw new SignatureException($"the package's sha256 is {found}, the signature is for {Sha256}: the package was changed");
    }

    /// <summary>Looks whether the manifest says what was signed. Throws <see cref="SignatureException"/>.</summary>
    public void CheckManifest(Manifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        if (manifest.Name != Name || manifest.Version != Version) throw new SignatureException($"the package is {manifest.Name} {manifest.Version}, the signature is for {Name} {Version}");
    }

    private string SignedText() => string.Create(CultureInfo.InvariantCulture,
        $"{FirstLine}\nname {Name}\nversion {Version}\nrelease {Release}\nsize {SizeBytes}\nsha256 {Sha256}\nkey {KeyId}\nsigned {Signed.ToString(TimeFormat, CultureInfo.InvariantCulture)}\n");

    private static string Shown(string text) => string.Concat((text.Length > 40 ? text[..40] + "..." : text).Select(c => char.IsControl(c) ? '?' : c));
}
