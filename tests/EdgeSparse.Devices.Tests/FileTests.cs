using System.Net.Sockets;
using EdgeSparse.Devices;

namespace EdgeSparse.Devices.Tests;

public sealed class FileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => _folder.Delete(recursive: true);

    private string At(string name) => Path.Combine(_folder.FullName, name);

    [Fact]
    public void Replace_Creates_And_Overwrites_And_Leaves_Nothing_Beside()
    {
        DurableFile.Replace(At("state"), "one"u8);
        Assert.Equal("one", File.ReadAllText(At("state")));
        DurableFile.Replace(At("state"), "2"u8);
        Assert.Equal("2", File.ReadAllText(At("state")));
        Assert.Equal([At("state")], Directory.GetFileSystemEntries(_folder.FullName));
    }

    [Fact]
    public void Replace_That_Fails_Keeps_The_Old_And_Leaves_Nothing_Beside()
    {
        Directory.CreateDirectory(Path.Combine(At("state"), "child"));
        Assert.ThrowsAny<Exception>(() => DurableFile.Replace(At("state"), "x"u8));
        Assert.Equal([At("state")], Directory.GetFileSystemEntries(_folder.FullName));
        Assert.True(Directory.Exists(Path.Combine(At("state"), "child")));
    }

    [Fact]
    public void SyncFolder_Names_An_Absent_Folder()
    {
        IOException e = Assert.Throws<IOException>(() => DurableFile.SyncFolder(At("absent")));
        Assert.Contains("absent", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resident_Memory_Is_Known_And_Below_Its_Peak()
    {
        long resident = ProcessMemory.ResidentBytes();
        Assert.InRange(resident, 1 << 20, 1L << 40);
        Assert.InRange(ProcessMemory.PeakResidentBytes(), 1 << 20, 1L << 40);
        byte[] block = GC.AllocateUninitializedArray<byte>(64 << 20, pinned: true);
        block.AsSpan().Fill(1);
        Assert.True(ProcessMemory.ResidentBytes() > resident + (48 << 20), $"{block.Length} bytes were touched");
    }

    [Fact]
    public void A_Stale_Socket_File_Is_Removed()
    {
        string path = At("s");
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)) Leave(dead, path);
        Assert.Equal(UnixSocketProblem.None, UnixSocketFile.Prepare(path));
        Assert.False(File.Exists(path));

        // A bound socket that was never listened on leaves a file that refuses connections. .NET deletes the file of a disposed listener,
        // so the leftover of a killed process is imitated by moving it out of its reach first.
        static void Leave(Socket socket, string path)
        {
            socket.Bind(new UnixDomainSocketEndPoint(path + "~"));
            File.Move(path + "~", path);
        }
    }

    [Fact]
    public void A_Live_Socket_Is_Left_Alone()
    {
        string path = At("s");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        Assert.Equal(UnixSocketProblem.InUse, UnixSocketFile.Prepare(path));
        Assert.True(File.Exists(path));
    }

    [Fact]
    public void Ordinary_Files_Folders_And_Links_Are_Left_Alone()
    {
        File.WriteAllText(At("file"), "keep");
        Directory.CreateDirectory(At("folder"));
        File.CreateSymbolicLink(At("link"), At("file"));
        Assert.Equal(UnixSocketProblem.NotASocket, UnixSocketFile.Prepare(At("file")));
        Assert.Equal(UnixSocketProblem.NotASocket, UnixSocketFile.Prepare(At("folder")));
        Assert.Equal(UnixSocketProblem.NotASocket, UnixSocketFile.Prepare(At("link")));
        Assert.Equal("keep", File.ReadAllText(At("file")));
    }

    [Fact]
    public void Paths_Too_Long_And_Absent_Folders_Are_Named()
    {
        string folder = _folder.FullName;
        string longest = folder + "/" + new string('a', UnixSocketFile.MaximumPathBytes - folder.Length - 1);
        Assert.Equal(UnixSocketProblem.None, UnixSocketFile.Prepare(longest));
        Assert.Equal(UnixSocketProblem.PathTooLong, UnixSocketFile.Prepare(longest + "a"));
        Assert.Equal(UnixSocketProblem.PathTooLong, UnixSocketFile.Prepare(longest[..^1] + "é"));
        Assert.Equal(UnixSocketProblem.NoFolder, UnixSocketFile.Prepare(At("absent/s")));
    }
}
