using System.Security.Cryptography;
using System.Text;
using EdgeSparse.Model;

namespace EdgeSparse.Model.Tests;

public sealed class SignatureTests : IDisposable
{
    private static readonly DateTime Now = new(2026, 11, 22, 20, 0, 0, DateTimeKind.Utc);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");
    private readonly byte[] _package = [1, 2, 3, 4, 5];
    private readonly Manifest _manifest = new() { Name = "street", Version = "1.2.0" };

    public void Dispose() => _folder.Delete(recursive: true);

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private string NewKey(string name)
    {
        Directory.CreateDirectory(At("trusted"));
        return KeyFiles.Create(At(name + KeyFiles.PrivateExtension), At($"trusted/{name}{KeyFiles.PublicExtension}"));
    }

    private string Sign(string key, long release = 7)
    {
        using ECDsa signer = KeyFiles.ReadPrivate(At(key + KeyFiles.PrivateExtension));
        return PackageSignature.Sign(_manifest, _package, release, signer, Now);
    }

    private static PackageSignature Parse(string text) => PackageSignature.Parse(Encoding.ASCII.GetBytes(text), "model.esm.sig");

    [Fact]
    public void A_signature_is_believed_with_its_key_and_says_what_was_signed()
    {
        string id = NewKey("release");
        PackageSignature signature = Parse(Sign("release"));
        signature.Verify(TrustedKeys.Load(At("trusted")), _package);
        signature.CheckManifest(_manifest);
        Assert.Equal(("street", "1.2.0", 7L, 5L, id, Now), (signature.Name, signature.Version, signature.Release, signature.SizeBytes, signature.KeyId, signature.Signed));
        Assert.Equal(16, id.Length);
    }

    [Fact]
    public void The_private_key_is_the_owners_only_and_nothing_is_overwritten()
    {
        NewKey("release");
        string path = At("release" + KeyFiles.PrivateExtension);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            File.SetUnixFileMode(path, (UnixFileMode)0b110_100_000);
            Assert.Contains("chmod 600", Assert.Throws<SignatureException>(() => KeyFiles.ReadPrivate(path).Dispose()).Message, StringComparison.Ordinal);
        }
        string before = File.ReadAllText(path);
        Assert.Throws<IOException>(() => NewKey("release"));
        Assert.Equal(before, File.ReadAllText(path));
        File.Delete(path);
        Assert.Throws<IOException>(() => NewKey("release"));
        Assert.False(File.Exists(path), "a private key without its public one is left");
    }

    [Fact]
    public void Another_key_a_changed_package_and_another_manifest_are_refused()
    {
        NewKey("release");
        PackageSignature signature = Parse(Sign("release"));
        var keys = TrustedKeys.Load(At("trusted"));
        Assert.Contains("not trusted", Assert.Throws<SignatureException>(() => signature.Verify(TrustedKeys.None, _package)).Message, StringComparison.Ordinal);
        Assert.Contains("the package was changed", Assert.Throws<SignatureException>(() => signature.Verify(keys, [1, 2, 3, 4, 6])).Message, StringComparison.Ordinal);
        Assert.Contains("4 bytes", Assert.Throws<SignatureException>(() => signature.Verify(keys, [1, 2, 3, 4])).Message, StringComparison.Ordinal);
        Assert.Throws<SignatureException>(() => signature.CheckManifest(new Manifest { Name = "street", Version = "1.2.1" }));
    }

    [Fact]
    public void Every_changed_character_and_every_truncation_is_refused()
    {
        NewKey("release");
        var keys = TrustedKeys.Load(At("trusted"));
        byte[] text = Encoding.ASCII.GetBytes(Sign("release"));
        for (int i = 0; i < text.Length; i++)
        {
            foreach (byte flip in (byte[])[1, 2, 0x20, 0x80])
            {
                text[i] ^= flip;
                Assert.ThrowsAny<SignatureException>(() => PackageSignature.Parse(text, "s").Verify(keys, _package));
                text[i] ^= flip;
            }
            Assert.ThrowsAny<SignatureException>(() => PackageSignature.Parse(text.AsSpan(0, i), "s"));
        }
        PackageSignature.Parse(text, "s").Verify(keys, _package);
    }

    [Theory]
    [InlineData("release 7", "release 07")]
    [InlineData("release 7", "release 0")]
    [InlineData("release 7", "release -1")]
    [InlineData("release 7", "release 99999999999999999999")]
    [InlineData("size 5", "size 5\nsize 5")]
    [InlineData("signed 2026-11-22T20:00:00Z", "signed 2026-11-22")]
    [InlineData("edgesparse-signature 1", "edgesparse-signature 2")]
    public void A_text_that_is_not_as_written_is_refused(string find, string replace)
    {
        NewKey("release");
        Assert.Throws<SignatureException>(() => Parse(Sign("release").Replace(find, replace, StringComparison.Ordinal)));
    }

    [Fact]
    public void Trailing_text_and_more_bytes_than_a_signature_has_are_refused()
    {
        NewKey("release");
        string text = Sign("release");
        Assert.Throws<SignatureException>(() => Parse(text + "x"));
        Assert.Throws<SignatureException>(() => Parse(text + "\n"));
        Assert.Throws<SignatureException>(() => Parse(text.Replace("\n", "\r\n", StringComparison.Ordinal)));
        Assert.Throws<SignatureException>(() => PackageSignature.Parse(new byte[PackageSignature.MaximumBytes + 1], "s"));
    }

    [Fact]
    public void Only_P256_keys_in_PEM_are_read()
    {
        using (var other = ECDsa.Create(ECCurve.NamedCurves.nistP384)) File.WriteAllText(At("p384.pem"), other.ExportSubjectPublicKeyInfoPem());
        Assert.Contains("P-256", Assert.Throws<SignatureException>(() => KeyFiles.ReadPublic(At("p384.pem")).Dispose()).Message, StringComparison.Ordinal);
        File.WriteAllText(At("text.pem"), "hello");
        Assert.Throws<SignatureException>(() => KeyFiles.ReadPublic(At("text.pem")).Dispose());
        File.WriteAllText(At("empty.pem"), "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
        Assert.Throws<SignatureException>(() => KeyFiles.ReadPublic(At("empty.pem")).Dispose());
        Assert.Throws<SignatureException>(() => KeyFiles.ReadPublic(At("absent.pem")).Dispose());
        File.WriteAllBytes(At("large.pem"), new byte[1 << 20]);
        Assert.Throws<SignatureException>(() => KeyFiles.ReadPublic(At("large.pem")).Dispose());
        // A private key among the trusted ones is a mistake that must not pass.
        NewKey("release");
        Assert.Throws<SignatureException>(() => KeyFiles.ReadPublic(At("release" + KeyFiles.PrivateExtension)).Dispose());
    }
}
