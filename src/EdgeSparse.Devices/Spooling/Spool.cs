using System.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace EdgeSparse.Devices.Spooling;

/// <summary>
/// A queue of byte records that survives the process and the machine: records are appended to segment files, fsynced in groups, read in order, and
/// forgotten when they are acknowledged. Delivery is at least once: after a crash the records acknowledged last may be read again.
/// </summary>
/// <remarks>
/// <see cref="Append"/> copies into memory and returns; a thread of the spool writes at once (so that a killed process loses next to nothing) and fsyncs
/// after <see cref="SpoolOptions.GroupTime"/> or <see cref="SpoolOptions.GroupRecords"/>. A disk that is full or fails costs nothing but that: records wait in
/// memory, can be read and acknowledged from there, and are written when the disk takes them again.
/// Any thread may append; one thread at a time reads; any thread acknowledges.
/// </remarks>
public sealed partial class Spool : IDisposable
{
    private readonly object _gate = new();
    private readonly SpoolOptions _options;
    private readonly SpoolFiles _files;
    private readonly IDisposable _lock;
    private readonly Thread _writing;

    /// <summary>Oldest first; the last may be the active one.</summary>
    private readonly List<SpoolSegment> _segments;

    // Records that are not durable yet: [written to the active segment | not written], with sequences from _tailFirst to _nextSequence − 1.
    private byte[] _tail = new byte[64 << 10];
    private int _tailLength, _tailWritten;
    private long _tailFirst;

    private long _nextSequence, _nextNumber, _durable, _acknowledged, _readNext;
    private bool _stopping, _disposed;

    // Where in the tail the record _tailReadSequence begins.
    private int _tailReadOffset;
    private long _tailReadSequence;

    // The reading thread's.
    private SpoolSegmentReader? _reader;
    private long _readerNext;

    /// <summary>
    /// Opens a folder, recovers what is in it and begins to write. Throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> where the folder
    /// cannot be used at all or another process uses it.
    /// </summary>
    public Spool(SpoolOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        _files = options.Files;
        _files.CreateFolder(options.Folder);
        try
        {
            _lock = _files.Lock(Path.Combine(options.Folder, "lock"));
        }
        catch (IOException e)
        {
            throw new IOException($"{options.Folder}: cannot be locked, probably because another process has this spool open: {e.Message}", e);
        }
        try
        {
            _position = _files.OpenOrCreate(Path.Combine(options.Folder, SpoolRecovery.PositionName));
            _positionWrite = SpoolRecovery.ReadPosition(_files, _position).Write;
            SpoolState state = new SpoolRecovery(options, Statistics).Run(_position);
            _segments = state.Segments;
            _acknowledged = state.Acknowledged;
            _durable = state.LastSequence;
            _readNext = state.Acknowledged + 1;
            _nextSequence = _tailFirst = state.LastSequence + 1;
            _nextNumber = state.NextNumber;
        }
        catch
        {
            _position?.Dispose();
            _lock.Dispose();
            throw;
        }
        UpdateStatistics();
        _writing = new Thread(WriteLoop) { Name = "spool", IsBackground = true };
        _writing.Start();
    }

    public SpoolStatistics Statistics { get; } = new();

    /// <summary>Sequence given to the newest record; 0 before the first ever.</summary>
    public long LastSequence
    {
        get
        {
            lock (_gate) return _nextSequence - 1;
        }
    }

    /// <summary>Every record up to this one is on disk, or was acknowledged, or gave way: it survives whatever ends the process.</summary>
    public long DurableSequence
    {
        get
        {
            lock (_gate) return _durable;
        }
    }

    /// <summary>Sequence up to which everything is acknowledged.</summary>
    public long AcknowledgedSequence
    {
        get
        {
            lock (_gate) return _acknowledged;
        }
    }

    /// <summary>Takes a copy of the record and returns its sequence, or 0 where it could not be taken and was counted as dropped. Never waits for the disk.</summary>
    public long Append(ReadOnlySpan<byte> record)
    {
        if (record.Length > _options.MaximumRecordBytes)
        {
            Statistics.CountDrop(SpoolDropReason.TooLarge);
            return 0;
        }
        int size = SpoolFormat.RecordHeaderBytes + record.Length;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_tailLength + size > _options.MaximumPendingBytes)
            {
                Statistics.CountDrop(SpoolDropReason.DiskStalled);
                return 0;
            }
            // A larger array is a new one: the writing thread may still be reading the old.
            if (_tailLength + size > _tail.Length) Array.Resize(ref _tail, Math.Max(_tailLength + size, 2 * _tail.Length));
            long sequence = _nextSequence++;
            SpoolFormat.WriteRecord(_tail.AsSpan(_tailLength, size), sequence, record);
            _tailLength += size;
            Statistics.CountAppended();
            UpdateStatistics();
            Monitor.PulseAll(_gate);
            return sequence;
        }
    }

    /// <summary>Waits until every record appended so far is durable; false where that is not so after <paramref name="limit"/>.</summary>
    public bool Flush(TimeSpan limit)
    {
        long start = Stopwatch.GetTimestamp();
        lock (_gate)
        {
            long wanted = _nextSequence - 1;
            while (_durable < wanted)
            {
                TimeSpan left = limit - Stopwatch.GetElapsedTime(start);
                if (left <= TimeSpan.Zero || _disposed) return false;
                _syncRequested = true;
                Monitor.PulseAll(_gate);
                Monitor.Wait(_gate, left);
            }
            return true;
        }
    }

    /// <summary>The next record in order, each one once in this process; false where there is none just now. One thread at a time.</summary>
    public bool TryRead(out long sequence, out byte[] record)
    {
        while (true)
        {
            SpoolSegment? segment;
            long wanted, limit = 0;
            lock (_gate)
            {
                (sequence, record) = (0, []);
                if (_disposed || _readNext >= _nextSequence) return false;
                wanted = _readNext;
                segment = wanted >= _tailFirst ? null : _segments.Find(each => each.LastSequence >= wanted);
                if (segment is null)
                {
                    // What is neither in the tail nor in a segment is gone: it was acknowledged or gave way.
                    wanted = Math.Max(wanted, _tailFirst);
                    _readNext = wanted + 1;
                    if (wanted >= _nextSequence)
                    {
                        _readNext = wanted;
                        return false;
                    }
                    (sequence, record) = (wanted, ReadTail(wanted));
                    return true;
                }
                limit = segment.Length;
            }
            if (ReadSegment(segment, wanted, limit, out sequence, out record)) return true;
        }
    }

    /// <summary>Everything up to <paramref name="sequence"/> has reached whom it was for and need not be kept. The position is stored, not fsynced: after a power loss some records come again.</summary>
    public void Acknowledge(long sequence)
    {
        List<SpoolSegment>? done = null;
        lock (_gate)
        {
            if (_disposed || sequence <= _acknowledged) return;
            _acknowledged = Math.Min(sequence, _nextSequence - 1);
            _readNext = Math.Max(_readNext, _acknowledged + 1);
            while (_segments.Count > 0 && _segments[0] != _active && _segments[0].LastSequence <= _acknowledged)
            {
                (done ??= []).Add(_segments[0]);
                _segments.RemoveAt(0);
            }
            // A disk that fails need not get what nobody waits for any more.
            if (_active is null) ForgetAcknowledgedTail();
            UpdateStatistics();
        }
        StorePosition();
        if (done is not null)
            foreach (SpoolSegment segment in done) DeleteFile(segment);
    }

    /// <summary>Makes durable what was appended, as far as the disk takes it, and closes the files.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_stopping) return;
            _stopping = true;
            Monitor.PulseAll(_gate);
        }
        _writing.Join();
        lock (_gate)
        {
            _disposed = true;
            Monitor.PulseAll(_gate);
        }
        lock (_positionGate)
        {
            try
            {
                _files.Sync(_position);
            }
            catch (Exception e) when (IsFileFailure(e))
            {
                Statistics.CountFailure();
            }
            _position.Dispose();
        }
        _activeFile?.Dispose();
        _reader?.Dispose();
        _lock.Dispose();
    }

    private static bool IsFileFailure(Exception e) => e is IOException or UnauthorizedAccessException;

    private byte[] ReadTail(long wanted)
    {
        if (_tailReadSequence > wanted || _tailReadSequence < _tailFirst) (_tailReadSequence, _tailReadOffset) = (_tailFirst, 0);
        while (true)
        {
            ReadOnlySpan<byte> record = _tail.AsSpan(_tailReadOffset, _tailLength - _tailReadOffset);
            int payloadBytes = SpoolFormat.PayloadBytes(record);
            _tailReadOffset += SpoolFormat.RecordHeaderBytes + payloadBytes;
            if (_tailReadSequence++ == wanted) return record.Slice(SpoolFormat.RecordHeaderBytes, payloadBytes).ToArray();
        }
    }

    /// <summary>Reads outside the lock, so that a slow disk does not hold up <see cref="Append"/>; the segment may give way meanwhile. False = look again.</summary>
    private bool ReadSegment(SpoolSegment segment, long wanted, long limit, out long sequence, out byte[] record)
    {
        (sequence, record) = (0, []);
        string? damage;
        try
        {
            if (_reader is null || _reader.Segment != segment || _readerNext > wanted)
            {
                _reader?.Dispose();
                _reader = new SpoolSegmentReader(_files, segment, _options.MaximumRecordBytes);
                damage = _reader.TryOpen() ? null : "it has no header";
            }
            else
            {
                damage = null;
            }
            while (damage is null)
            {
                SpoolParse found = _reader.Next(limit, out sequence, out ReadOnlySpan<byte> payload);
                if (found != SpoolParse.Record)
                {
                    damage = $"no whole record at byte {_reader.Offset}";
                    break;
                }
                _readerNext = sequence + 1;
                if (sequence < wanted) continue;
                record = payload.ToArray();
                lock (_gate)
                {
                    if (_readNext > sequence) return false;
                    _readNext = sequence + 1;
                    return true;
                }
            }
        }
        catch (Exception e) when (IsFileFailure(e))
        {
            damage = e.Message;
        }
        SkipSegment(segment, wanted, damage!);
        return false;
    }

    private void SkipSegment(SpoolSegment segment, long wanted, string damage)
    {
        _reader?.Dispose();
        _reader = null;
        lock (_gate)
        {
            // It gave way while it was read: already counted.
            if (!_segments.Contains(segment) || _readNext > segment.LastSequence) return;
            _readNext = segment.LastSequence + 1;
            long lost = segment.LastSequence - wanted + 1;
            Statistics.CountDamagedSegment();
            Statistics.CountDrop(SpoolDropReason.Unreadable, lost);
            _options.Report($"spool: {segment.Path} cannot be read: {damage}; records {wanted} to {segment.LastSequence} are lost");
        }
    }

    private void UpdateStatistics()
    {
        long bytes = _tailWritten;
        foreach (SpoolSegment segment in _segments) bytes += segment.Length;
        long oldest = _segments.Count > 0 ? _segments[0].FirstSequence : _tailFirst;
        Statistics.Set(bytes, _tailLength, _nextSequence - Math.Max(oldest, _acknowledged + 1));
    }
}
