using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using EdgeSparse.Cli.Output;
using EdgeSparse.Model;

namespace EdgeSparse.Cli.Commands;

/// <summary><c>edgesparse sign</c>: signs a package as a release, or looks at its signature.</summary>
internal static class SignCommand
{
    public static Command Create(Terminal terminal)
    {
        var model = new Argument<string>("PACKAGE") { Description = "A package (.esm)." };
        Option<string?> key = CommonOptions.Text("--key", "The private key, made by 'edgesparse keygen'.", "FILE.key.pem");
        Option<long> release = CommonOptions.Integer("--release", "Number of the release, from 1; a daemon takes no smaller one than it had.", 0, 1, long.MaxValue);
        Option<string?> check = CommonOptions.Text("--check", "Look at the signature instead: is it one of the public keys of this folder?", "DIR");
        var command = new Command("sign", "Sign a package; the signature is the file PACKAGE.sig beside it.") { model, key, release, check };
        command.SetAction(parsed =>
        {
            string path = parsed.GetValue(model)!, signaturePath = PackageSignature.PathFor(path);
            ReadOnlyMemory<byte> file = ModelPackage.ReadFile(path);
            ModelPackage package = ModelPackage.FromBytes(file, path);
            switch (parsed.GetValue(key), parsed.GetValue(check), parsed.GetValue(release))
            {
                case ({ } keyPath, null, > 0):
                    using (ECDsa signer = KeyFiles.ReadPrivate(keyPath))
                        FileOutput.Write(signaturePath, Encoding.ASCII.GetBytes(PackageSignature.Sign(package.Manifest, file.Span, parsed.GetValue(release), signer, DateTime.UtcNow)));
                    break;
                case (null, { } folder, 0):
                    if (!Directory.Exists(folder)) throw new CliException(ExitCode.NoInput, $"{folder}: no such folder");
                    PackageSignature found = Read(signaturePath);
                    found.Verify(TrustedKeys.Load(folder), file.Span);
                    found.CheckManifest(package.Manifest);
                    break;
                default: throw new CliException(ExitCode.Usage, "sign needs --key FILE and --release N, or --check DIR; see edgesparse sign --help");
            }
            PackageSignature signature = Read(signaturePath);
            terminal.Line($"package     {path}");
            terminal.Line($"model       {signature.Name} {signature.Version}, release {signature.Release}");
            terminal.Line($"identity    sha256 {signature.Sha256}");
            terminal.Line($"key         {signature.KeyId}");
            terminal.Line($"signature   {signaturePath}{(parsed.GetValue(check) is null ? "" : ": good")}");
            if (package.SelfTest is null) terminal.Note($"{path} carries no self-test; compile it with --self-test, so that a device can see that it computes the right thing there");
            return ExitCode.Ok;
        });
        return command;
    }

    private static PackageSignature Read(string path)
    {
        if (!File.Exists(path)) throw new CliException(ExitCode.NoInput, $"{path}: no such file; the package is not signed");
        if (new FileInfo(path).Length > PackageSignature.MaximumBytes) throw new CliException(ExitCode.Data, $"{path}: too large for a signature");
        return PackageSignature.Parse(File.ReadAllBytes(path), path);
    }
}
