using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using EdgeSparse.Cli.Output;
using EdgeSparse.Devices;
using EdgeSparse.Model;

namespace EdgeSparse.Cli.Commands;

/// <summary><c>edgesparse push</c>: hands a package, with its signature where it has one, to the daemon on this machine.</summary>
internal static class PushCommand
{
    private const string DaemonState = "/var/lib/edgesparse";
    private const string ReportFile = "last-update.json";
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    public static Command Create(Terminal terminal)
    {
        var model = new Argument<string>("PACKAGE") { Description = "A package (.esm); PACKAGE.sig beside it goes with it." };
        Option<string?> state = CommonOptions.Text("--state", $"The daemon's stateFolder; default: {DaemonState}.", "DIR");
        Option<string?> inbox = CommonOptions.Text("--inbox", "The daemon's models:inbox; default: models/inbox in the state folder.", "DIR");
        var force = new Option<bool>("--force") { Description = "Also where the version is older than what is at work, or failed there before." };
        var wait = new Option<bool>("--wait") { Description = "Wait for what becomes of it; exit 1 where the daemon does not take it." };
        Option<long> seconds = CommonOptions.Integer("--timeout", "Seconds to wait for that.", 120, 1, 86_400);
        var command = new Command("push", "Hand a package to the running daemon, which checks it and puts it to work between two frames.") { model, state, inbox, force, wait, seconds };
        command.SetAction(parsed =>
        {
            string path = parsed.GetValue(model)!, models = Path.Combine(parsed.GetValue(state) ?? DaemonState, "models");
            string folder = parsed.GetValue(inbox) ?? Path.Combine(models, "inbox");
            // What the daemon would refuse at once is refused here, with the file's own path.
            ReadOnlyMemory<byte> file = ModelPackage.ReadFile(path);
            ModelPackage package = ModelPackage.FromBytes(file, path);
            byte[] signature = ReadSignature(path, package, file);
            if (!Directory.Exists(folder)) throw new CliException(ExitCode.NoInput, $"{folder}: no such folder; is the daemon running, and has it this stateFolder? Give it by --state or --inbox");
            string name = $"{package.Manifest.Name}-{package.Sha256[..16]}.esm", target = Path.Combine(folder, name);
            DateTime pushed = DateTime.UtcNow;
            // The package comes last: when it is there, all that belongs to it is.
            if (signature.Length > 0) Put(PackageSignature.PathFor(target), signature);
            if (parsed.GetValue(force)) Put(target + ".force", []);
            Put(target, file.Span);
            terminal.Line($"pushed      {package.Manifest.Name} {package.Manifest.Version} ({package.Sha256[..12]}{(signature.Length > 0 ? ", signed" : "")}) into {folder}");
            return parsed.GetValue(wait) ? Wait(terminal, target, Path.Combine(models, ReportFile), package.Sha256, pushed, TimeSpan.FromSeconds(parsed.GetValue(seconds))) : ExitCode.Ok;
        });
        return command;
    }

    private static byte[] ReadSignature(string package, ModelPackage read, ReadOnlyMemory<byte> file)
    {
        string path = PackageSignature.PathFor(package);
        if (!File.Exists(path)) return [];
        byte[] text = new FileInfo(path).Length <= PackageSignature.MaximumBytes ? File.ReadAllBytes(path) : throw new CliException(ExitCode.Data, $"{path}: too large for a signature");
        PackageSignature signature = PackageSignature.Parse(text, path);
        signature.CheckContent(file.Span);
        signature.CheckManifest(read.Manifest);
        return text;
    }

    /// <summary>Whole or not at all, and readable by the daemon, which is another user.</summary>
    private static void Put(string path, ReadOnlySpan<byte> content)
    {
        byte[] bytes = content.ToArray();
        FileOutput.Write(path, target =>
        {
            DurableFile.Replace(target, bytes, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        });
    }

    /// <summary>The daemon removes the package when it has taken or refused it, and leaves what it made of it beside the inbox.</summary>
    private static int Wait(Terminal terminal, string target, string report, string sha256, DateTime pushed, TimeSpan limit)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < limit)
        {
            if (!File.Exists(target) && File.Exists(report))
            {
                using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(report));
                JsonElement root = document.RootElement;
                // A package that could not be read has no identity; then the file's name tells. What it said of the same package before is old.
                if (root.GetProperty("time").GetDateTime() >= pushed && (root.GetProperty("sha256").GetString() == sha256 || root.GetProperty("file").GetString() == Path.GetFileName(target)))
                {
                    string result = root.GetProperty("result").GetString() ?? "";
                    terminal.Line($"{result,-11} {root.GetProperty("message").GetString()}");
                    return result == "installed" ? ExitCode.Ok : ExitCode.Different;
                }
            }
            Thread.Sleep(LookAgain);
        }
        throw new CliException(ExitCode.Unavailable, $"the daemon did not say within {limit.TotalSeconds:0} s what became of {Path.GetFileName(target)}{(File.Exists(target) ? "; it has not taken it: is it running?" : "")}");
    }
}
