namespace EdgeSparse.Devices.Tests;

/// <summary>Lists of processors: read, written, compared with what is there, and applied to a thread.</summary>
public class CpuSetTests
{
    [Theory]
    [InlineData("0", 1, "0")]
    [InlineData("2-3", 2, "2-3")]
    [InlineData("7,0,2-4", 5, "0,2-4,7")]
    [InlineData(" 1 , 0", 2, "0-1")]
    [InlineData("63-64,1023", 3, "63-64,1023")]
    public void A_list_is_read_and_written_in_order(string text, int count, string written)
    {
        CpuSet set = CpuSet.Parse(text)!;
        Assert.Equal((count, written), (set.Count, set.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("1,")]
    [InlineData("3-2")]
    [InlineData("1-2-3")]
    [InlineData("-1")]
    [InlineData("1-")]
    [InlineData("0,0")]
    [InlineData("0-2,1")]
    [InlineData("1024")]
    [InlineData("0-99999999999")]
    [InlineData("a")]
    [InlineData("0x1")]
    [InlineData("1;2")]
    public void What_is_no_list_is_refused(string text) => Assert.Null(CpuSet.Parse(text));

    [Fact]
    public void A_difference_names_what_is_absent()
    {
        Assert.Null(CpuSet.Parse("1-2")!.Without(CpuSet.Parse("0-3")!));
        Assert.Equal("4,7", CpuSet.Parse("3-4,7")!.Without(CpuSet.Parse("0-3")!)!.ToString());
    }

    [Theory]
    [InlineData("446 446 1024 1024", "2-3")]
    [InlineData("1024 485 485 1024 900", "0,3")]
    [InlineData("1024 1024", null)]
    [InlineData("", null)]
    [InlineData("x y", null)]
    public void Fast_cores_are_those_of_the_greatest_capacity(string capacities, string? expected)
    {
        string root = Directory.CreateTempSubdirectory("edgesparse-").FullName;
        try
        {
            string[] words = capacities.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            for (int i = 0; i < words.Length; i++)
            {
                Directory.CreateDirectory(Path.Combine(root, $"cpu{i}"));
                File.WriteAllText(Path.Combine(root, $"cpu{i}", "cpu_capacity"), words[i] + "\n");
            }
            Assert.Equal(expected, CpuSet.Fast(root)?.ToString());
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    public void A_thread_stays_on_the_processors_it_is_bound_to()
    {
        CpuSet allowed = CpuSet.Allowed()!;
        Assert.True(allowed.Count >= 1);
        int one = Enumerable.Range(0, 1024).First(allowed.Contains);
        string bound = "", refused = "";
        var thread = new Thread(() =>
        {
            CpuSet.Parse($"{one}")!.Apply();
            bound = File.ReadLines("/proc/thread-self/status").Single(line => line.StartsWith("Cpus_allowed_list", StringComparison.Ordinal)).Split('\t')[1];
            try
            {
                CpuSet.Parse("1023")!.Apply();
            }
            catch (IOException error)
            {
                refused = error.Message;
            }
        });
        thread.Start();
        thread.Join();
        Assert.Equal($"{one}", bound);
        Assert.Contains("processors 1023", refused, StringComparison.Ordinal);
    }
}
