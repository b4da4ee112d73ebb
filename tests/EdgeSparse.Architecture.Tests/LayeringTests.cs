using System.Text.RegularExpressions;
using System.Xml.Linq;
using EdgeSparse.Testing;

namespace EdgeSparse.Architecture.Tests;

/// <summary>Holds the project files and sources against the table of rooms in docs/ARCHITECTURE.md.</summary>
public sealed partial class LayeringTests
{
    private sealed record Room(string Name, string[] MayUse, bool Unsafe, string[] NativeLibraries, string[] Packages, bool Intrinsics);

    private static readonly string[] AllButCompiler = ["Model", "Kernels", "Runtime", "Vision", "Devices", "Mqtt"];

    private static readonly Room[] Rooms =
    [
        new("Kernels", [], true, [], [], true),
        new("Model", ["Kernels"], false, [], [], false),
        new("Compiler", ["Model", "Kernels", "Runtime"], false, [], ["Google.Protobuf"], false),
        new("Runtime", ["Model", "Kernels"], true, ["libc"], [], false),
        new("Vision", ["Kernels", "Model"], true, ["turbojpeg"], [], true),
        new("Devices", [], true, ["libc"], [], false),
        new("Iot", ["Devices"], false, [], ["System.Device.Gpio"], false),
        new("Mqtt", [], false, [], [], false),
        new("Daemon", AllButCompiler, false, [], ["Microsoft.Extensions."], false),
        new("Cli", [.. AllButCompiler, "Compiler"], false, [], ["System.CommandLine", "Spectre.Console"], false),
    ];

    private static string Source => Path.Combine(TestData.RepositoryRoot, "src");

    public static TheoryData<string> RoomNames => [.. Rooms.Select(room => room.Name)];

    [Fact]
    public void Every_project_in_src_is_a_room_of_the_table() =>
        Assert.Equal(
            Rooms.Select(room => "EdgeSparse." + room.Name).Order(),
            Directory.GetDirectories(Source).Select(folder => Path.GetFileName(folder)!).Order());

    [Fact]
    public void The_table_in_the_documentation_names_the_same_rooms()
    {
        string text = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "docs", "ARCHITECTURE.md"));
        foreach (Room room in Rooms) Assert.Contains($"| {room.Name} |", text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(RoomNames))]
    public void A_room_refers_only_to_the_rooms_and_packages_it_may_use(string name)
    {
        Room room = Rooms.Single(each => each.Name == name);
        XDocument project = XDocument.Load(Path.Combine(Source, $"EdgeSparse.{name}", $"EdgeSparse.{name}.csproj"));

        string[] references = [.. project.Descendants("ProjectReference").Select(item => Path.GetFileNameWithoutExtension(item.Attribute("Include")!.Value))];
        Assert.All(references, reference => Assert.Contains(reference, room.MayUse.Select(use => "EdgeSparse." + use)));

        string[] packages = [.. project.Descendants("PackageReference").Select(item => item.Attribute("Include")!.Value)];
        Assert.All(packages, package => Assert.Contains(room.Packages, allowed => package.StartsWith(allowed, StringComparison.Ordinal)));

        bool allowsUnsafe = project.Descendants("AllowUnsafeBlocks").Any(element => element.Value == "true");
        Assert.True(room.Unsafe || !allowsUnsafe, $"{name} allows unsafe code");
    }

    [Theory]
    [MemberData(nameof(RoomNames))]
    public void A_room_imports_only_the_native_libraries_it_may_use(string name)
    {
        Room room = Rooms.Single(each => each.Name == name);
        foreach ((string file, string text) in Sources(name))
        {
            foreach (Match match in NativeImport().Matches(text))
            {
                string library = match.Groups["name"].Value;
                Assert.True(room.NativeLibraries.Any(allowed => library.Contains(allowed, StringComparison.OrdinalIgnoreCase)) || IsConstant(library, text, room),
                    $"{file} imports {library}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(RoomNames))]
    public void Intrinsics_stay_in_the_rooms_that_may_use_them(string name)
    {
        Room room = Rooms.Single(each => each.Name == name);
        if (room.Intrinsics) return;
        foreach ((string file, string text) in Sources(name))
            Assert.False(text.Contains("System.Runtime.Intrinsics", StringComparison.Ordinal), $"{file} uses System.Runtime.Intrinsics");
    }

    [Theory]
    [MemberData(nameof(RoomNames))]
    public void No_room_uses_reflection_or_dynamic_code(string name)
    {
        foreach ((string file, string text) in Sources(name))
        {
            foreach (string banned in (string[])["System.Reflection.Emit", "Activator.CreateInstance", "Assembly.Load", "GetMethod(", "MakeGenericType", " dynamic "])
                Assert.False(CodeOnly(text).Contains(banned, StringComparison.Ordinal), $"{file} uses {banned.Trim()}");
        }
    }

    /// <summary>
    /// All but those of tools/arm64, which are compiled for another processor by their own script against a patched core library, and the adapter for System.Device.Gpio, which make iot builds where
    /// the registry has that.
    /// </summary>
    [Fact]
    public void Every_project_is_in_the_solution()
    {
        string solution = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "EdgeSparse.sln"));
        foreach (string folder in (string[])["src", "tests", "tools"])
            foreach (string file in Directory.EnumerateFiles(Path.Combine(TestData.RepositoryRoot, folder), "*.csproj", SearchOption.AllDirectories)
                .Where(file => !file.Contains("/tools/arm64/", StringComparison.Ordinal) && !file.Contains("/EdgeSparse.Iot", StringComparison.Ordinal)))
                Assert.Contains(Path.GetFileName(file), solution, StringComparison.Ordinal);
    }

    private static bool IsConstant(string name, string text, Room room) =>
        Regex.IsMatch(text, $"const string {Regex.Escape(name)} = \"[^\"]*({string.Join('|', room.NativeLibraries.Select(Regex.Escape))})", RegexOptions.IgnoreCase)
        && room.NativeLibraries.Length > 0;

    private static IEnumerable<(string File, string Text)> Sources(string name) =>
        Directory.EnumerateFiles(Path.Combine(Source, $"EdgeSparse.{name}"), "*.cs", SearchOption.AllDirectories)
            .Select(file => (Path.GetRelativePath(Source, file), File.ReadAllText(file)));

    /// <summary>The text without line comments and string literals.</summary>
    private static string CodeOnly(string text) => StringsAndComments().Replace(text, "");

    [GeneratedRegex("""(?:DllImport|LibraryImport)\(\s*"?(?<name>[^",\)\s]+)"?""")]
    private static partial Regex NativeImport();

    [GeneratedRegex("""//[^\n]*|"(?:\\.|[^"\\\n])*"|/\*.*?\*/""", RegexOptions.Singleline)]
    private static partial Regex StringsAndComments();
}
