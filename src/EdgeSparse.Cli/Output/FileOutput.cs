using EdgeSparse.Model;

namespace EdgeSparse.Cli.Output;

/// <summary>Writing results to files: what goes wrong there is an output error (73, 74), not an input error.</summary>
internal static class FileOutput
{
    public static void Write(string path, Action<string> write)
    {
        if (Directory.Exists(path)) throw new CliException(ExitCode.CannotCreate, $"{path}: is a folder, expected a file name");
        try
        {
            write(path);
        }
        catch (Exception error) when (error is DirectoryNotFoundException or UnauthorizedAccessException or FileNotFoundException)
        {
            throw new CliException(ExitCode.CannotCreate, $"{path}: cannot be created: {error.Message}");
        }
        catch (IOException error)
        {
            throw new CliException(ExitCode.Io, $"{path}: cannot be written: {error.Message}");
        }
    }

    public static void Write(string path, byte[] content) => Write(path, target => AtomicFile.Write(target, content));

    /// <summary>For work that takes long: throws before it where the file could not be created after it.</summary>
    public static void RequireWritable(string path)
    {
        if (Directory.Exists(path)) throw new CliException(ExitCode.CannotCreate, $"{path}: is a folder, expected a file name");
        if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path)))) throw new CliException(ExitCode.CannotCreate, $"{path}: cannot be created: there is no such folder");
    }

    public static void CreateFolder(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CliException(ExitCode.CannotCreate, $"{path}: cannot be created: {error.Message}");
        }
    }
}
