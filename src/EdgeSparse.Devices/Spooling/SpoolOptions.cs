namespace EdgeSparse.Devices.Spooling;

/// <summary>Where a spool is and how much it may hold. Read once, when the spool is opened.</summary>
public sealed class SpoolOptions
{
    /// <summary>Made where it is absent, for its owner only; holds nothing else.</summary>
    public required string Folder { get; init; }

    /// <summary>All segment files together.</summary>
    public long MaximumBytes { get; init; } = 64L << 20;

    /// <summary>A segment is closed at about this size; also how much is lost at a time where the oldest has to give way.</summary>
    public int SegmentBytes { get; init; } = 1 << 20;

    public int MaximumRecordBytes { get; init; } = 1 << 20;

    /// <summary>Records in memory that are not yet durable: what a disk that is full or stalls may hold up.</summary>
    public int MaximumPendingBytes { get; init; } = 4 << 20;

    /// <summary>One fsync for so many records, …</summary>
    public int GroupRecords { get; init; } = 64;

    /// <summary>… or after so long, whichever comes first.</summary>
    public TimeSpan GroupTime { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long to wait after a failed write before the next attempt.</summary>
    public TimeSpan RetryTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Told in one line of every change for the worse or the better; any thread.</summary>
    public Action<string> Report { get; init; } = _ => { };

    internal SpoolFiles Files { get; init; } = new();

    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrEmpty(Folder);
        ArgumentOutOfRangeException.ThrowIfLessThan(SegmentBytes, 1 << 10);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaximumRecordBytes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaximumPendingBytes, MaximumRecordBytes + SpoolFormat.RecordHeaderBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaximumBytes, 2L * (SegmentBytes + MaximumRecordBytes));
        ArgumentOutOfRangeException.ThrowIfLessThan(GroupRecords, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(GroupTime, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(RetryTime, TimeSpan.Zero);
    }
}

/// <summary>Why a record is not in the spool any more, or never was, though nobody acknowledged it.</summary>
public enum SpoolDropReason
{
    /// <summary>The oldest segment gave way to newer records.</summary>
    Full,
    /// <summary>The disk took nothing for so long that no memory was left for it.</summary>
    DiskStalled,
    /// <summary>Larger than a record may be.</summary>
    TooLarge,
    /// <summary>The segment that held it is damaged or cannot be read.</summary>
    Unreadable,
}

/// <summary>Counters and gauges of a spool; reading takes no lock.</summary>
public sealed class SpoolStatistics
{
    private readonly long[] _drops = new long[Enum.GetValues<SpoolDropReason>().Length];
    private long _bytes, _pendingBytes, _waiting, _appended, _durable, _syncs, _failures, _tornBytes, _damagedSegments;
    private volatile bool _failing;

    /// <summary>Bytes of the segment files.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Bytes of records that are not yet durable.</summary>
    public long PendingBytes => Interlocked.Read(ref _pendingBytes);

    /// <summary>Records that nobody has acknowledged.</summary>
    public long Waiting => Interlocked.Read(ref _waiting);

    /// <summary>Records taken since the spool was opened.</summary>
    public long Appended => Interlocked.Read(ref _appended);

    /// <summary>Records made durable, or acknowledged before that, since the spool was opened.</summary>
    public long Durable => Interlocked.Read(ref _durable);

    /// <summary>Groups of records made durable.</summary>
    public long Syncs => Interlocked.Read(ref _syncs);

    /// <summary>Writes, fsyncs and deletions that failed.</summary>
    public long Failures => Interlocked.Read(ref _failures);

    /// <summary>Bytes cut off the end of the last segment at start: a record that was being written when the process or the machine died.</summary>
    public long TornBytes => Interlocked.Read(ref _tornBytes);

    /// <summary>Segments that were found damaged or unreadable.</summary>
    public long DamagedSegments => Interlocked.Read(ref _damagedSegments);

    /// <summary>The disk does not take records just now; they wait in memory.</summary>
    public bool IsFailing => _failing;

    public long Dropped(SpoolDropReason reason) => Interlocked.Read(ref _drops[(int)reason]);

    internal void Set(long bytes, long pendingBytes, long waiting)
    {
        Interlocked.Exchange(ref _bytes, bytes);
        Interlocked.Exchange(ref _pendingBytes, pendingBytes);
        Interlocked.Exchange(ref _waiting, waiting);
    }

    internal void CountAppended() => Interlocked.Increment(ref _appended);

    internal void CountDurable(long records) => Interlocked.Add(ref _durable, records);

    internal void CountSync() => Interlocked.Increment(ref _syncs);

    internal void CountFailure() => Interlocked.Increment(ref _failures);

    internal void CountTorn(long bytes) => Interlocked.Add(ref _tornBytes, bytes);

    internal void CountDamagedSegment() => Interlocked.Increment(ref _damagedSegments);

    internal void CountDrop(SpoolDropReason reason, long records = 1) => Interlocked.Add(ref _drops[(int)reason], records);

    internal void SetFailing(bool failing) => _failing = failing;
}
