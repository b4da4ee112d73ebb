using EdgeSparse.Vision;

namespace EdgeSparse.Cli.Models;

/// <summary>Pictures named on the command line.</summary>
internal static class PictureFiles
{
    /// <summary>Files as given, folders as the pictures directly in them, by name. Throws <see cref="CliException"/> for what is not there.</summary>
    public static List<string> Find(string[] arguments)
    {
        var paths = new List<string>();
        foreach (string argument in arguments)
        {
            if (Directory.Exists(argument))
            {
                string[] found = [.. Directory.EnumerateFiles(argument).Where(ImageFile.HasImageExtension).Order(StringComparer.Ordinal)];
                if (found.Length == 0) throw new CliException(ExitCode.NoInput, $"{argument}: no .jpg, .jpeg or .png in this folder");
                paths.AddRange(found);
            }
            else if (File.Exists(argument)) paths.Add(argument);
            else throw new CliException(ExitCode.NoInput, $"{argument}: no such file");
        }
        return paths;
    }
}
