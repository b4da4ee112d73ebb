using System.Net;
using System.Net.Sockets;

namespace EdgeSparse.Daemon.Tests;

/// <summary>From arguments to exit code and text, in this process; the console is the process's, so these run alone.</summary>
[Collection("alone")]
public sealed class ProgramTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => _folder.Delete(recursive: true);

    private static async Task<(int ExitCode, string Output, string[] Errors)> Run(params string[] arguments)
    {
        (TextWriter output, TextWriter error) = (Console.Out, Console.Error);
        using StringWriter newOutput = new(), newError = new();
        try
        {
            Console.SetOut(newOutput);
            Console.SetError(newError);
            int code = await Entry.RunAsync(arguments);
            return (code, newOutput.ToString(), newError.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
        }
    }

    private string Config(string json)
    {
        string path = Path.Combine(_folder.FullName, "c.json");
        File.WriteAllText(path, json);
        return path;
    }

    [Fact]
    public async Task Help_And_Version_Go_To_Standard_Output()
    {
        (int code, string output, string[] errors) = await Run("--help");
        Assert.Equal(0, code);
        Assert.Contains("--check-config", output, StringComparison.Ordinal);
        Assert.Empty(errors);
        Assert.Matches(@"^edgesparsed \d+\.\d+\.\d+\n$", (await Run("--version")).Output);
    }

    [Fact]
    public async Task A_Good_Configuration_Is_0()
    {
        string model = TestPackage.Detector(_folder.FullName);
        (int code, string output, string[] errors) = await Run("--config", Config($$"""{ "model": "{{model}}", "cameras": { "gate": {} } }"""), "--check-config");
        Assert.Equal((0, "configuration ok: camera gate from synthetic:\n"), (code, output));
        Assert.Empty(errors);
    }

    [Fact]
    public async Task A_Wrong_Configuration_Is_78_With_A_Line_For_Each_Problem()
    {
        string model = TestPackage.Detector(_folder.FullName);
        (int code, _, string[] errors) = await Run("--config", Config($$"""{ "model": "{{model}}", "threads": "many", "camreas": {} }"""), "--check-config");
        Assert.Equal(78, code);
        Assert.Equal(2, errors.Length);
        Assert.All(errors, line => Assert.StartsWith($"edgesparsed: {Path.Combine(_folder.FullName, "c.json")}:1:", line, StringComparison.Ordinal));
        Assert.Contains("camreas: unknown option; did you mean cameras?", string.Join('\n', errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--threads=many")]
    [InlineData("--nonsense=1")]
    [InlineData("nonsense")]
    [InlineData("--model")]
    public async Task A_Wrong_Command_Line_Is_64(string argument)
    {
        (int code, _, string[] errors) = await Run($"--config={Config($$"""{ "model": "{{TestPackage.Detector(_folder.FullName)}}" }""")}", "--check-config", argument);
        Assert.Equal(64, code);
        Assert.Single(errors);
    }

    [Fact]
    public async Task A_Busy_Port_Is_69_And_One_Line()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        (int code, _, string[] errors) = await Run("--model", TestPackage.Detector(_folder.FullName), $"--http:listen={other.LocalEndpoint}", "--mqtt:tcp=127.0.0.1:0");
        Assert.Equal(69, code);
        Assert.Contains($"{other.LocalEndpoint} is in use", Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Package_Cut_Short_Is_65_And_One_Line()
    {
        string path = TestPackage.Detector(_folder.FullName);
        byte[] bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..(bytes.Length / 2)]);
        (int code, _, string[] errors) = await Run("--model", path, "--http:listen=127.0.0.1:0", "--mqtt:tcp=127.0.0.1:0");
        Assert.Equal(65, code);
        Assert.Contains(path, Assert.Single(errors), StringComparison.Ordinal);
    }
}
