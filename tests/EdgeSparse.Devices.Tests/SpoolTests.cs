using System.Diagnostics;
using System.Text;
using EdgeSparse.Devices.Spooling;

namespace EdgeSparse.Devices.Tests;

public sealed class SpoolTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");
    private readonly List<string> _reports = [];

    private string Folder => Path.Combine(_folder.FullName, "spool");

    public void Dispose() => _folder.Delete(recursive: true);

    private Spool Open(int segmentBytes = 1 << 10, long maximumBytes = 1 << 20, int pendingBytes = 64 << 10, FaultyFiles? files = null) => new(new SpoolOptions
    {
        Folder = Folder,
        SegmentBytes = segmentBytes,
        MaximumRecordBytes = 1 << 10,
        MaximumBytes = maximumBytes,
        MaximumPendingBytes = pendingBytes,
        GroupTime = TimeSpan.FromMilliseconds(1),
        GroupRecords = 4,
        RetryTime = TimeSpan.FromMilliseconds(1),
        Files = files ?? new FaultyFiles(),
        Report = line =>
        {
            lock (_reports) _reports.Add(line);
        },
    });

    private static byte[] Record(long number) => Encoding.ASCII.GetBytes($"{number}:{new string('x', (int)(number * 37 % 200))}");

    private static void Fill(Spool spool, int count)
    {
        for (int i = 0; i < count; i++)
        {
            long next = spool.LastSequence + 1;
            Assert.Equal(next, spool.Append(Record(next)));
            if (i % 50 == 49) Assert.True(spool.Flush(Patience));
        }
        Assert.True(spool.Flush(Patience));
    }

    /// <summary>Reads all there is; every record must be as it was written and in order.</summary>
    private static List<long> ReadAll(Spool spool)
    {
        var read = new List<long>();
        while (spool.TryRead(out long sequence, out byte[] record))
        {
            Assert.Equal(Record(sequence), record);
            Assert.True(read.Count == 0 || sequence > read[^1]);
            read.Add(sequence);
        }
        return read;
    }

    private static IEnumerable<long> Numbers(long from, long to)
    {
        for (long number = from; number <= to; number++) yield return number;
    }

    private string[] Segments() => [.. Directory.GetFiles(Folder, "*.spool").Order(StringComparer.Ordinal)];

    private static void Until(Func<bool> holds) => Assert.True(SpinWait.SpinUntil(holds, Patience));

    [Fact]
    public void The_Checksum_Is_Castagnolis()
    {
        // RFC 3720, appendix B.4, and the check value of the CRC catalogue.
        Assert.Equal(0xE3069283u, SpoolFormat.Crc32C("123456789"u8));
        Assert.Equal(0x8A9136AAu, SpoolFormat.Crc32C(new byte[32]));
    }

    [Fact]
    public void Records_Come_In_Order_Once_And_Again_After_A_Restart_Until_They_Are_Acknowledged()
    {
        using (Spool spool = Open())
        {
            Assert.False(spool.TryRead(out _, out _));
            Fill(spool, 100);
            Assert.Equal(Numbers(1, 100), ReadAll(spool));
            Assert.Empty(ReadAll(spool));
            Assert.True(Segments().Length > 3);
            spool.Acknowledge(60);
            Assert.Equal(40, spool.Statistics.Waiting);
        }
        using (Spool spool = Open())
        {
            Assert.Equal((60, 100, 100), (spool.AcknowledgedSequence, spool.DurableSequence, spool.LastSequence));
            Fill(spool, 20);
            Assert.Equal(Numbers(61, 120), ReadAll(spool));
            spool.Acknowledge(120);
            Assert.Equal(0, spool.Statistics.Waiting);
        }
        using (Spool spool = Open())
        {
            Assert.Empty(ReadAll(spool));
            Assert.Empty(Segments());
            // Numbers go on: a sequence is never given twice.
            Assert.Equal(121, spool.Append(Record(121)));
        }
        Assert.Empty(_reports);
    }

    [Fact]
    public void A_Reader_That_Falls_Behind_Goes_From_Memory_To_Disk_And_Back()
    {
        using Spool spool = Open();
        var read = new List<long>();
        for (int round = 0; round < 40; round++)
        {
            for (int i = 0; i < 5; i++) spool.Append(Record(spool.LastSequence + 1));
            if (round % 3 == 0) Assert.True(spool.Flush(Patience));
            for (int i = 0; i < 4 && spool.TryRead(out long sequence, out byte[] record); i++)
            {
                Assert.Equal(Record(sequence), record);
                read.Add(sequence);
            }
        }
        read.AddRange(ReadAll(spool));
        Assert.Equal(Numbers(1, 200), read);
    }

    [Fact]
    public void The_Oldest_Give_Way_At_The_Limit_And_Are_Counted()
    {
        using Spool spool = Open(maximumBytes: 8 << 10);
        Assert.True(spool.TryReadAfterFilling(Fill, 500, out long first));
        long dropped = spool.Statistics.Dropped(SpoolDropReason.Full);
        Assert.Equal(first - 1, dropped);
        Assert.InRange(spool.Statistics.Bytes, 4 << 10, 8 << 10);
        Assert.InRange(Segments().Sum(path => new FileInfo(path).Length), 4 << 10, 8 << 10);
        Assert.Equal(Numbers(first + 1, 500), ReadAll(spool));
        Assert.Contains("gave way", Assert.Single(_reports), StringComparison.Ordinal);
        spool.Acknowledge(500);
        Assert.Equal(0, spool.Statistics.Waiting);
    }

    [Fact]
    public void Every_Truncation_Of_The_Last_Segment_Keeps_Every_Whole_Record()
    {
        using (Spool spool = Open(segmentBytes: 64 << 10)) Fill(spool, 6);
        string path = Assert.Single(Segments());
        byte[] whole = File.ReadAllBytes(path);
        var ends = new List<int>();
        for (int at = SpoolFormat.SegmentHeaderBytes; at < whole.Length; ends.Add(at)) at += SpoolFormat.RecordHeaderBytes + SpoolFormat.PayloadBytes(whole.AsSpan(at));
        for (int length = 0; length <= whole.Length; length++)
        {
            Directory.Delete(Folder, recursive: true);
            Directory.CreateDirectory(Folder);
            File.WriteAllBytes(path, whole[..length]);
            int kept = ends.Count(end => end <= length);
            using (Spool spool = Open())
            {
                Assert.Equal(Numbers(1, kept), ReadAll(spool));
                bool torn = length > SpoolFormat.SegmentHeaderBytes && kept < 6 && !ends.Contains(length);
                Assert.Equal(torn, spool.Statistics.TornBytes > 0);
                Assert.Equal(0, spool.Statistics.DamagedSegments);
                Assert.Equal(kept + 1, spool.Append(Record(kept + 1)));
            }
            using Spool again = Open();
            Assert.Equal(Numbers(1, kept + 1), ReadAll(again));
            Assert.Equal(0, again.Statistics.TornBytes);
        }
    }

    [Fact]
    public void Every_Flipped_Byte_Loses_At_Most_What_Follows_It_In_Its_Segment()
    {
        using (Spool spool = Open(segmentBytes: 1 << 10)) Fill(spool, 18);
        string[] paths = Segments();
        Assert.Equal(2, paths.Length);
        byte[][] whole = [.. paths.Select(File.ReadAllBytes)];
        var firstOfSecond = 1L;
        for (int at = SpoolFormat.SegmentHeaderBytes; at < whole[0].Length; firstOfSecond++) at += SpoolFormat.RecordHeaderBytes + SpoolFormat.PayloadBytes(whole[0].AsSpan(at));
        for (int flipped = 0; flipped < whole[0].Length; flipped++)
        {
            Directory.Delete(Folder, recursive: true);
            Directory.CreateDirectory(Folder);
            byte[] bytes = [.. whole[0]];
            bytes[flipped] ^= 0x40;
            File.WriteAllBytes(paths[0], bytes);
            File.WriteAllBytes(paths[1], whole[1]);
            long intact = 0;
            for (int at = SpoolFormat.SegmentHeaderBytes; flipped >= SpoolFormat.SegmentHeaderBytes && at < whole[0].Length; intact++)
            {
                at += SpoolFormat.RecordHeaderBytes + SpoolFormat.PayloadBytes(whole[0].AsSpan(at));
                if (at > flipped) break;
            }
            using Spool spool = Open();
            Assert.Equal(Numbers(1, intact).Concat(Numbers(firstOfSecond, 18)), ReadAll(spool));
            Assert.Equal(1, spool.Statistics.DamagedSegments);
        }
        Assert.Contains(_reports, line => line.Contains("set aside", StringComparison.Ordinal));
        Assert.Contains(_reports, line => line.Contains("damaged at byte", StringComparison.Ordinal));
        Assert.Single(Directory.GetFiles(Folder, "*.spool"), path => path == paths[1]);
    }

    [Fact]
    public void A_Segment_That_Goes_Bad_While_It_Is_Read_Loses_Itself_And_No_Other()
    {
        var files = new FaultyFiles();
        using Spool spool = Open(files: files);
        Fill(spool, 60);
        string[] paths = Segments();
        Assert.True(paths.Length >= 3);
        File.Delete(paths[1]);
        byte[] cut = File.ReadAllBytes(paths[2]);
        File.WriteAllBytes(paths[2], cut[..(cut.Length - 1)]);
        List<long> read = ReadAll(spool);
        Assert.Equal(60 - read.Count, spool.Statistics.Dropped(SpoolDropReason.Unreadable));
        Assert.Equal(2, spool.Statistics.DamagedSegments);
        Assert.Equal((1, 60), (read[0], read[^1]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Whichever_Call_On_Files_Fails_Nothing_That_Was_Durable_Is_Lost(int failures)
    {
        for (int n = 1; ; n++)
        {
            if (Directory.Exists(Folder)) Directory.Delete(Folder, recursive: true);
            var files = new FaultyFiles { FailFrom = n, FailCount = failures };
            long durable = 0, acknowledged = 0;
            var read = new List<long>();
            try
            {
                using Spool spool = Open(files: files);
                for (int i = 0; i < 60; i++)
                {
                    long next = spool.LastSequence + 1;
                    spool.Append(Record(next));
                    if (i % 10 == 9) Assert.True(spool.Flush(Patience));
                    durable = spool.DurableSequence;
                    if (i % 20 != 19) continue;
                    read.AddRange(ReadAll(spool));
                    if (i < 30) spool.Acknowledge(acknowledged = 15);
                }
                // All 60 pass through whatever failed, but for a segment that could not be read: that is counted.
                Assert.Equal(60, read.Count + spool.Statistics.Dropped(SpoolDropReason.Unreadable));
                Assert.False(spool.Statistics.IsFailing);
            }
            catch (IOException) when (durable == 0)
            {
                // The folder could not be opened; nothing was taken.
            }
            using (Spool again = Open())
            {
                List<long> kept = ReadAll(again);
                Assert.Equal(Numbers(kept.Count > 0 ? kept[0] : durable + 1, durable), kept);
                if (kept.Count > 0) Assert.InRange(kept[0], 1, acknowledged + 1);
            }
            if (files.Calls < n) break;
        }
    }

    [Fact]
    public void A_Full_Disk_Costs_Nothing_While_Someone_Reads_And_Heals()
    {
        var files = new FaultyFiles { NoSpace = true };
        long first;
        using (Spool spool = Open(files: files, pendingBytes: 8 << 10))
        {
            // More than fits into memory, and until the disk was tried.
            for (int i = 0; i < 500 || !spool.Statistics.IsFailing; i++)
            {
                Assert.NotEqual(0, spool.Append(Record(spool.LastSequence + 1)));
                Assert.Equal(spool.LastSequence, Assert.Single(ReadAll(spool)));
                spool.Acknowledge(spool.LastSequence);
            }
            first = spool.LastSequence + 1;
            Assert.Equal(0, spool.Statistics.Dropped(SpoolDropReason.DiskStalled));
            // Each attempt makes a file and takes it away again.
            Until(() => Segments().Length == 0);

            // Nobody acknowledges: memory fills, then new ones are refused and counted.
            int taken = 0;
            while (spool.Append(Record(spool.LastSequence + 1)) != 0) taken++;
            Assert.Equal(1, spool.Statistics.Dropped(SpoolDropReason.DiskStalled));
            Assert.Equal(taken, ReadAll(spool).Count);
            files.NoSpace = false;
            Assert.True(spool.Flush(Patience));
            Until(() => !spool.Statistics.IsFailing);
        }
        using Spool again = Open();
        Assert.Equal(Numbers(first, again.LastSequence), ReadAll(again));
        Assert.Contains(_reports, line => line.Contains("No space left on device", StringComparison.Ordinal));
        Assert.Contains(_reports, line => line.Contains("on disk again", StringComparison.Ordinal));
    }

    [Fact]
    public void What_Cannot_Be_Written_Until_The_End_Is_Counted()
    {
        var files = new FaultyFiles { NoSpace = true };
        Spool spool = Open(files: files);
        for (int i = 0; i < 5; i++) spool.Append(Record(i + 1));
        spool.Dispose();
        Assert.Equal(5, spool.Statistics.Dropped(SpoolDropReason.DiskStalled));
        Assert.Contains(_reports, line => line.Contains("5 records could not be written", StringComparison.Ordinal));
    }

    [Fact]
    public void A_Folder_Belongs_To_One_Spool()
    {
        using Spool spool = Open();
        IOException e = Assert.Throws<IOException>(() => Open());
        Assert.Contains("another process", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_Record_Too_Large_Is_Refused_And_Counted()
    {
        using Spool spool = Open();
        Assert.Equal(0, spool.Append(new byte[(1 << 10) + 1]));
        Assert.Equal(1, spool.Append(new byte[1 << 10]));
        Assert.Equal(1, spool.Statistics.Dropped(SpoolDropReason.TooLarge));
        Assert.True(spool.TryRead(out _, out byte[] record));
        Assert.Equal(1 << 10, record.Length);
    }

    [Fact]
    public void A_Writer_Killed_At_Any_Moment_Loses_Nothing_It_Called_Durable()
    {
        string program = Path.Combine(AppContext.BaseDirectory, "EdgeSparse.SpoolWriter.dll");
        var random = new Random(20261122);
        long promised = 0;
        for (int round = 0; round < 25; round++)
        {
            using Process writer = Process.Start(new ProcessStartInfo("dotnet", [program, Folder]) { RedirectStandardOutput = true })!;
            int lines = random.Next(1, 60);
            for (int i = 0; i < lines && writer.StandardOutput.ReadLine() is { } line; i++)
            {
                promised = long.Parse(line, System.Globalization.CultureInfo.InvariantCulture);
            }
            writer.Kill();
            // What it still printed before the signal reached it was promised too.
            while (writer.StandardOutput.ReadLine() is { } line)
                if (long.TryParse(line, out long late)) promised = Math.Max(promised, late);
            writer.WaitForExit();
            using Spool spool = new(new SpoolOptions { Folder = Folder });
            List<long> read = [];
            while (spool.TryRead(out long sequence, out byte[] record))
            {
                Assert.Equal(Encoding.ASCII.GetBytes($"{sequence}:{new string('x', (int)(sequence * 37 % 500))}"), record);
                read.Add(sequence);
            }
            Assert.Equal(Numbers(spool.AcknowledgedSequence + 1, spool.LastSequence), read);
            Assert.True(spool.LastSequence >= promised, $"{promised} was called durable, {spool.LastSequence} is there");
            Assert.Equal(0, spool.Statistics.DamagedSegments);
            // Half of it reaches its receiver before the next life.
            spool.Acknowledge(read.Count > 0 ? read[read.Count / 2] : 0);
        }
        Assert.True(promised > 0);
    }
}

internal static class SpoolTestExtensions
{
    /// <summary>Fills, then reads the first record.</summary>
    public static bool TryReadAfterFilling(this Spool spool, Action<Spool, int> fill, int count, out long first)
    {
        fill(spool, count);
        return spool.TryRead(out first, out _);
    }
}
