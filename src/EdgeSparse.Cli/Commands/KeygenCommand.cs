using System.CommandLine;
using EdgeSparse.Model;

namespace EdgeSparse.Cli.Commands;

/// <summary><c>edgesparse keygen</c>: makes the keys that packages are signed with.</summary>
internal static class KeygenCommand
{
    public static Command Create(Terminal terminal)
    {
        var name = new Argument<string>("NAME") { Description = "Path and name of the key, without extension." };
        var command = new Command("keygen", "Make a key pair (ECDSA, P-256) to sign packages with.") { name };
        command.SetAction(parsed =>
        {
            string path = parsed.GetValue(name)!, privatePath = path + KeyFiles.PrivateExtension, publicPath = path + KeyFiles.PublicExtension;
            foreach (string file in (ReadOnlySpan<string>)[privatePath, publicPath])
                if (File.Exists(file)) throw new CliException(ExitCode.CannotCreate, $"{file} exists; a key is not overwritten, give another name");
            string id;
            try
            {
                id = KeyFiles.Create(privatePath, publicPath);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new CliException(ExitCode.CannotCreate, $"{privatePath}: cannot be created: {error.Message}");
            }
            terminal.Line($"key         {id}");
            terminal.Line($"private     {privatePath}: keep it secret; 'edgesparse sign' needs it");
            terminal.Line($"public      {publicPath}: goes into the folder that the daemon's models:trustedKeys names");
            return ExitCode.Ok;
        });
        return command;
    }
}
