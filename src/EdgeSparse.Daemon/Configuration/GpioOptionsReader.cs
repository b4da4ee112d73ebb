using EdgeSparse.Devices;

namespace EdgeSparse.Daemon.Configuration;

/// <summary>Reads the section <c>gpio</c> and looks whether the cameras and zones that it names are there.</summary>
internal static class GpioOptionsReader
{
    public static void Read(ConfigurationReader reader, GpioOptions options, IReadOnlyList<CameraOptions> cameras)
    {
        reader.Section("gpio");
        foreach (string name in reader.Names("gpio:inputs"))
        {
            string key = $"gpio:inputs:{name}";
            CheckName(reader, key, name);
            options.Inputs.Add(new GpioInputOptions
            {
                Name = name,
                Line = Line(reader, key),
                Use = reader.Choice($"{key}:use", GpioInputUse.Arm, ("arm", GpioInputUse.Arm), ("trigger", GpioInputUse.Trigger)),
                Cameras = Cameras(reader, key, cameras),
                ActiveLow = reader.Flag($"{key}:activeLow", false),
                Bias = reader.Choice($"{key}:bias", GpioBias.AsIs, ("as-is", GpioBias.AsIs), ("none", GpioBias.None), ("pull-up", GpioBias.PullUp), ("pull-down", GpioBias.PullDown)),
                DebounceMilliseconds = reader.Integer($"{key}:debounceMilliseconds", 20, 0, 10_000),
                Seconds = reader.Number($"{key}:seconds", 5, 0, 86_400),
            });
        }
        foreach (string name in reader.Names("gpio:outputs"))
        {
            string key = $"gpio:outputs:{name}";
            CheckName(reader, key, name);
            var output = new GpioOutputOptions
            {
                Name = name,
                Line = Line(reader, key),
                ActiveLow = reader.Flag($"{key}:activeLow", false),
                Cameras = Cameras(reader, key, cameras),
                Labels = reader.Words($"{key}:labels"),
                Zone = reader.Text($"{key}:zone", ""),
                MinimumScore = reader.Number($"{key}:minimumScore", 0, 0, 1),
                HoldSeconds = reader.Number($"{key}:holdSeconds", 5, 0.05, 86_400),
            };
            if (output.Zone.Length > 0 && !cameras.Any(camera => IsFor(output.Cameras, camera.Name) && camera.Scene.Zones.Exists(zone => zone.Name == output.Zone)))
                reader.Report($"{key}:zone", $"found '{output.Zone}', and none of its cameras has a zone of that name");
            options.Outputs.Add(output);
        }
        if (options.Inputs.Count + options.Outputs.Count > GpioOptions.MostLines) reader.Report("gpio", $"{options.Inputs.Count + options.Outputs.Count} lines, at most {GpioOptions.MostLines}");
        foreach (GpioInputOptions input in options.Inputs)
            if (options.Outputs.Exists(output => output.Name == input.Name)) reader.Report($"gpio:outputs:{input.Name}", "there is an input of that name; they share topics and metrics, so call one otherwise");
    }

    /// <summary>Whether a line is for a camera; an empty list is for all.</summary>
    public static bool IsFor(IReadOnlyList<string> cameras, string camera) => cameras.Count == 0 || cameras.Contains(camera);

    private static void CheckName(ConfigurationReader reader, string key, string name)
    {
        reader.Section(key);
        if (!OptionsReader.IsIdentifier(name)) reader.Report(key, $"the name of a line's use is 1 to 64 of a-z, 0-9 and '-', not '{name}'");
    }

    private static string Line(ConfigurationReader reader, string key)
    {
        string line = reader.Text($"{key}:line", "");
        return line.Length > 0 ? line : reader.Refuse($"{key}:line", line, "the name of a GPIO line, as GPIO17, or chip and number, as gpiochip0:17; 'gpioinfo' lists them", line);
    }

    private static IReadOnlyList<string> Cameras(ConfigurationReader reader, string key, IReadOnlyList<CameraOptions> cameras)
    {
        IReadOnlyList<string> names = reader.Words($"{key}:cameras");
        foreach (string name in names)
            if (!cameras.Any(camera => camera.Name == name)) reader.Report($"{key}:cameras", $"there is no camera '{name}'; there are {string.Join(", ", cameras.Select(camera => camera.Name))}");
        return names;
    }
}
