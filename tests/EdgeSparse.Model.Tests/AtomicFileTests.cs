namespace EdgeSparse.Model.Tests;

public sealed class AtomicFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgesparse-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_file_is_replaced_and_nothing_else_is_left()
    {
        string path = Path.Combine(_folder, "f");
        AtomicFile.Write(path, [1, 2]);
        AtomicFile.Write(path, [3]);
        Assert.Equal([3], File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_link_is_followed_and_stays()
    {
        string file = Path.Combine(_folder, "f"), link = Path.Combine(_folder, "l");
        File.WriteAllBytes(file, [1]);
        File.CreateSymbolicLink(link, file);
        AtomicFile.Write(link, [2]);
        Assert.Equal([2], File.ReadAllBytes(file));
        Assert.Equal(file, new FileInfo(link).LinkTarget);
    }

    [Fact]
    public void A_device_is_written_not_replaced()
    {
        string link = Path.Combine(_folder, "full");
        File.CreateSymbolicLink(link, "/dev/full");
        Assert.ThrowsAny<IOException>(() => AtomicFile.Write(link, [1]));
        Assert.Equal("/dev/full", new FileInfo(link).LinkTarget);
        Assert.Equal([link], Directory.GetFileSystemEntries(_folder));
        AtomicFile.Write("/dev/null", [1]);
    }

    [Fact]
    public void An_absent_folder_is_an_error_and_leaves_nothing()
    {
        Assert.Throws<DirectoryNotFoundException>(() => AtomicFile.Write(Path.Combine(_folder, "absent", "f"), [1]));
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }
}
