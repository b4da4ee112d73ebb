using System.Text;
using EdgeSparse.Devices;

namespace EdgeSparse.Daemon.Configuration;

/// <summary>Looks whether the files and folders that the options name are there.</summary>
internal static class FileCheck
{
    /// <summary>Name of the model package that is shipped.</summary>
    public const string ShippedModel = "street.esm";

    private static readonly string[] PictureExtensions = [".jpg", ".jpeg", ".png"];

    public static void Check(ConfigurationReader reader, DaemonOptions options)
    {
        List<CameraOptions> cameras = options.Cameras.FindAll(camera => camera.Enabled);
        if (cameras.Exists(camera => camera.Model.Length == 0)) options.Model = CheckModel(reader, "model", options.Model);
        foreach (CameraOptions camera in cameras)
        {
            string key = $"cameras:{camera.Name}";
            camera.Model = camera.Model.Length == 0 ? options.Model : CheckModel(reader, $"{key}:model", camera.Model);
            CheckSource(reader, $"{key}:source", camera.Source);
            if (camera.CredentialsFile.Length > 0 && !File.Exists(camera.CredentialsFile))
                reader.Report($"{key}:credentialsFile", $"no such file: {camera.CredentialsFile}");
        }
        if (options.OnnxRuntime.Library.Length > 0 && !File.Exists(options.OnnxRuntime.Library))
            reader.Report("onnxruntime:library", $"no such file: {options.OnnxRuntime.Library}");
        if (options.Cpus.Length > 0 && CpuSet.Allowed() is { } allowed && CpuSet.Parse(options.Cpus)?.Without(allowed) is { } absent)
            reader.Report("cpus", $"processors {absent} are not here or not allowed; this process may use {allowed}");
        if (options.StateFolder.Length > 0 && !Directory.Exists(options.StateFolder))
            reader.Report("stateFolder", $"no such folder: {options.StateFolder}");
        if (options.Mqtt.Enabled && options.Mqtt.Socket.Length > 0) CheckSocket(reader, options.Mqtt.Socket);
        foreach ((string key, string path) in (ReadOnlySpan<(string, string)>)[("mqtt:passwordFile", options.Mqtt.PasswordFile), ("mqtt:aclFile", options.Mqtt.AclFile)])
            if (options.Mqtt.Enabled && path.Length > 0 && !File.Exists(path)) reader.Report(key, $"no such file: {path}");
        if (options.Http.Enabled)
        {
            if (options.Http.TokenFile.Length > 0 && !File.Exists(options.Http.TokenFile)) reader.Report("http:tokenFile", $"no such file: {options.Http.TokenFile}");
            ServerTlsOptionsReader.CheckFiles(reader, "http:tls", options.Http.Tls);
        }
        if (options.Mqtt.Enabled) ServerTlsOptionsReader.CheckFiles(reader, "mqtt:tls", options.Mqtt.Tls);
        ModelUpdateOptionsReader.CheckFiles(reader, options.Models);
        BridgeOptionsReader.CheckFiles(reader, options.Bridge);
    }

    /// <summary>Pictures of a folder in ordinal order of name.</summary>
    public static string[] Pictures(string folder)
    {
        string[] files = [.. Directory.EnumerateFiles(folder).Where(file => PictureExtensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase))];
        Array.Sort(files, StringComparer.Ordinal);
        return files;
    }

    private static string CheckModel(ConfigurationReader reader, string key, string path)
    {
        if (path.Length == 0)
        {
            string[] places = [Path.Combine(AppContext.BaseDirectory, "models", ShippedModel), Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "share", "edgesparse", "models", ShippedModel))];
            foreach (string place in places)
                if (File.Exists(place)) return place;
            reader.Report(key, $"no model is configured and the shipped one is in none of {string.Join(", ", places)}; name a package made by 'edgesparse compile'");
            return path;
        }
        if (!File.Exists(path)) reader.Report(key, $"no such file: {path}");
        else if (!path.EndsWith(".esm", StringComparison.OrdinalIgnoreCase))
            reader.Report(key, $"{path} is not a package; make one with 'edgesparse compile {Path.GetFileName(path)} -o {Path.GetFileNameWithoutExtension(path)}.esm'");
        return path;
    }

    private static void CheckSource(ConfigurationReader reader, string key, SourceOptions source)
    {
        switch (source.Kind)
        {
            case SourceKind.File when !File.Exists(source.Path):
                reader.Report(key, $"no such file: {source.Path}");
                break;
            case SourceKind.Images when !Directory.Exists(source.Path):
                reader.Report(key, $"no such folder: {source.Path}");
                break;
            case SourceKind.Images when Pictures(source.Path).Length == 0:
                reader.Report(key, $"no pictures ({string.Join(", ", PictureExtensions)}) in {source.Path}");
                break;
        }
    }

    private static void CheckSocket(ConfigurationReader reader, string path)
    {
        const string Key = "mqtt:socket";
        if (Encoding.UTF8.GetByteCount(path) > UnixSocketFile.MaximumPathBytes)
            reader.Report(Key, $"{path} has {Encoding.UTF8.GetByteCount(path)} bytes, a Unix socket's path at most {UnixSocketFile.MaximumPathBytes}");
        else if (!Directory.Exists(Path.GetDirectoryName(path))) reader.Report(Key, $"no such folder: {Path.GetDirectoryName(path)}");
    }
}
