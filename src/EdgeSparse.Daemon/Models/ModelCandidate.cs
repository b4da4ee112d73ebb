using EdgeSparse.Devices;
using EdgeSparse.Model;

namespace EdgeSparse.Daemon.Models;

/// <summary>A package that passed every check that needs no session: whole, its hashes right, its signature believed where there must be one.</summary>
internal sealed record ModelCandidate(ModelPackage Package, ReadOnlyMemory<byte> File, byte[] Signature, StoredModel Identity)
{
    /// <summary>Reads and checks a package and the signature beside it. Throws <see cref="SignatureException"/>, <see cref="ModelFormatException"/> or <see cref="IOException"/>.</summary>
    /// <param name="path">The package.</param>
    /// <param name="keys">Who is believed.</param>
    /// <param name="requireSignature">Refuse a package without a signature.</param>
    public static ModelCandidate Read(string path, TrustedKeys keys, bool requireSignature)
    {
        byte[] signatureText = ReadSignature(PackageSignature.PathFor(path));
        // The signature is small and says what to expect: it is read first.
        PackageSignature? signature = signatureText.Length == 0 ? null : PackageSignature.Parse(signatureText, Path.GetFileName(PackageSignature.PathFor(path)));
        if (signature is null && requireSignature) throw new SignatureException($"it has no signature ({Path.GetFileName(PackageSignature.PathFor(path))}), and models:requireSignature is true");
        if (!RegularFile.Is(path)) throw new IOException($"{path} is not a regular file");
        ReadOnlyMemory<byte> file = ModelPackage.ReadFile(path);
        bool believed = signature is not null && (requireSignature || keys.Count > 0);
        if (believed) signature!.Verify(keys, file.Span);
        else signature?.CheckContent(file.Span);
        ModelPackage package = ModelPackage.FromBytes(file, Path.GetFileName(path));
        signature?.CheckManifest(package.Manifest);
        if (package.Manifest.Preprocess is null || package.Manifest.Decoder is null) throw new ModelFormatException("the package does not say how pictures become inputs and outputs results");
        // A signature that nobody looked at says nothing: without trusted keys a package counts as unsigned.
        return new ModelCandidate(package, file, signatureText, new StoredModel(package.Sha256, package.Manifest.Version, believed ? signature!.Release : 0, believed ? signature!.KeyId : ""));
    }

    private static byte[] ReadSignature(string path)
    {
        if (!System.IO.File.Exists(path)) return [];
        if (!RegularFile.Is(path)) throw new SignatureException($"{path} is not a regular file");
        long size = new FileInfo(path).Length;
        if (size > PackageSignature.MaximumBytes) throw new SignatureException($"{Path.GetFileName(path)}: {size} bytes, a signature has at most {PackageSignature.MaximumBytes}");
        return size == 0 ? throw new SignatureException($"{Path.GetFileName(path)} is empty") : System.IO.File.ReadAllBytes(path);
    }
}
