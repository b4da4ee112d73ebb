using System.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace EdgeSparse.Devices.Spooling;

public sealed partial class Spool
{
    private readonly SafeFileHandle _position;
    private readonly object _positionGate = new();
    private readonly byte[] _slot = new byte[SpoolFormat.SlotBytes];
    private long _positionWrite, _positionStored;

    // The writing thread's; _active is also read under the lock.
    private SpoolSegment? _active;
    private SafeFileHandle? _activeFile;
    private long _syncDue, _retryAt;
    private bool _syncRequested;

    private enum WriterStep
    {
        Write,
        Sync,
        End,
    }

    private void WriteLoop()
    {
        while (true)
        {
            WriterStep step = NextStep();
            if (step == WriterStep.End) return;
            try
            {
                if (step == WriterStep.Write) WriteTail();
                else SyncTail();
            }
            catch (Exception e) when (IsFileFailure(e))
            {
                if (!Recover(e)) return;
            }
        }
    }

    /// <summary>Waits until there is something to do.</summary>
    private WriterStep NextStep()
    {
        lock (_gate)
        {
            while (true)
            {
                long now = Stopwatch.GetTimestamp();
                bool unwritten = _tailWritten < _tailLength;
                long wait = Timeout.Infinite;
                if (Statistics.IsFailing && now < _retryAt && !_stopping)
                {
                    wait = Milliseconds(_retryAt - now);
                }
                else
                {
                    bool full = _active is not null && _active.Length + _tailWritten >= _options.SegmentBytes;
                    bool group = WrittenRecordsAtLeast(_options.GroupRecords);
                    if (_tailWritten > 0 && (full || group || _syncRequested || _stopping || now >= _syncDue) && !(unwritten && _stopping && !full)) return WriterStep.Sync;
                    if (unwritten) return WriterStep.Write;
                    _syncRequested = false;
                    if (_tailWritten > 0) wait = Milliseconds(_syncDue - now);
                    else if (_stopping) return WriterStep.End;
                }
                if (wait == Timeout.Infinite) Monitor.Wait(_gate);
                else Monitor.Wait(_gate, (int)wait);
            }
        }
    }

    private static long Milliseconds(long ticks) => Math.Clamp(ticks * 1000 / Stopwatch.Frequency + 1, 1, 60_000);

    private static long After(TimeSpan time) => Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);

    private bool WrittenRecordsAtLeast(int count)
    {
        int at = 0;
        for (; at < _tailWritten && count > 0; count--) at += SpoolFormat.RecordHeaderBytes + SpoolFormat.PayloadBytes(_tail.AsSpan(at));
        return count == 0;
    }

    /// <summary>Writes records to the active segment until it is full; begins a new one where there is none.</summary>
    private void WriteTail()
    {
        if (_active is null || _active.Length >= _options.SegmentBytes) BeginSegment();
        SpoolSegment active = _active!;
        byte[] tail;
        int from, to;
        lock (_gate)
        {
            (tail, from, to) = (_tail, _tailWritten, _tailWritten);
            while (to < _tailLength && (to == 0 || active.Length + to < _options.SegmentBytes)) to += SpoolFormat.RecordHeaderBytes + SpoolFormat.PayloadBytes(tail.AsSpan(to));
        }
        if (to == from) return;
        _files.Write(_activeFile!, tail.AsSpan(from, to - from), active.Length + from);
        lock (_gate)
        {
            if (from == 0) _syncDue = After(_options.GroupTime);
            _tailWritten = to;
            UpdateStatistics();
        }
    }

    private void SyncTail()
    {
        _files.Sync(_activeFile!);
        Statistics.CountSync();
        bool recovered;
        lock (_gate)
        {
            long last = _tailFirst - 1;
            for (int at = 0; at < _tailWritten; at += SpoolFormat.RecordHeaderBytes + SpoolFormat.PayloadBytes(_tail.AsSpan(at))) last = SpoolFormat.Sequence(_tail.AsSpan(at));
            _active!.Length += _tailWritten;
            _active.LastSequence = last;
            TrimTail(_tailWritten, last);
            _tailWritten = 0;
            recovered = Statistics.IsFailing;
            Statistics.SetFailing(false);
            UpdateStatistics();
            Monitor.PulseAll(_gate);
        }
        if (recovered) _options.Report($"spool: {_options.Folder}: records are on disk again");
    }

    /// <summary>The first bytes of the tail, up to record <paramref name="last"/>, need not be kept in memory.</summary>
    private void TrimTail(int bytes, long last)
    {
        Buffer.BlockCopy(_tail, bytes, _tail, 0, _tailLength - bytes);
        Statistics.CountDurable(last - _tailFirst + 1);
        _tailLength -= bytes;
        _tailFirst = last + 1;
        _durable = Math.Max(_durable, last);
        if (_tailReadSequence >= _tailFirst) _tailReadOffset -= bytes;
        else _tailReadSequence = 0;
    }

    private void ForgetAcknowledgedTail()
    {
        int at = 0;
        long last = _tailFirst - 1;
        while (at < _tailLength && last < _acknowledged)
        {
            last = SpoolFormat.Sequence(_tail.AsSpan(at));
            at += SpoolFormat.RecordHeaderBytes + SpoolFormat.PayloadBytes(_tail.AsSpan(at));
        }
        if (at == 0) return;
        TrimTail(at, last);
        Monitor.PulseAll(_gate);
    }

    /// <summary>Closes the active segment and makes a new one, after as many old ones as needed gave way.</summary>
    private void BeginSegment()
    {
        _activeFile?.Dispose();
        _activeFile = null;
        List<SpoolSegment> gone = MakeRoom();
        foreach (SpoolSegment segment in gone) DeleteFile(segment);

        string path = SpoolRecovery.SegmentPath(_options.Folder, _nextNumber);
        SpoolSegment next;
        lock (_gate) next = new SpoolSegment(path, _nextNumber++) { FirstSequence = _tailFirst, LastSequence = _tailFirst - 1, Length = SpoolFormat.SegmentHeaderBytes };
        Span<byte> header = stackalloc byte[SpoolFormat.SegmentHeaderBytes];
        SpoolFormat.WriteSegmentHeader(header, next.FirstSequence);
        SafeFileHandle file = _files.Create(path);
        try
        {
            _files.Write(file, header, 0);
            _files.Sync(file);
            _files.SyncFolder(_options.Folder);
        }
        catch
        {
            file.Dispose();
            DeleteFile(next);
            throw;
        }
        _activeFile = file;
        lock (_gate)
        {
            _active = next;
            _segments.Add(next);
            UpdateStatistics();
        }
    }

    private List<SpoolSegment> MakeRoom()
    {
        var gone = new List<SpoolSegment>();
        long lost = 0, first = 0, last = 0;
        lock (_gate)
        {
            _active = null;
            long bytes = _segments.Sum(segment => segment.Length);
            long room = _options.MaximumBytes - _options.SegmentBytes - _options.MaximumRecordBytes;
            while (_segments.Count > 0 && bytes > room)
            {
                SpoolSegment oldest = _segments[0];
                _segments.RemoveAt(0);
                gone.Add(oldest);
                bytes -= oldest.Length;
                long from = Math.Max(oldest.FirstSequence, _acknowledged + 1);
                if (oldest.LastSequence < from) continue;
                if (lost == 0) first = from;
                last = oldest.LastSequence;
                lost += last - from + 1;
            }
            if (last > 0) _readNext = Math.Max(_readNext, last + 1);
            UpdateStatistics();
        }
        if (lost > 0)
        {
            bool news = Statistics.Dropped(SpoolDropReason.Full) == 0;
            Statistics.CountDrop(SpoolDropReason.Full, lost);
            if (news) _options.Report($"spool: {_options.Folder} holds {_options.MaximumBytes} bytes, its limit; the oldest records ({first} to {last}) gave way, and more will (counted)");
        }
        return gone;
    }

    /// <summary>After a failed write or fsync nothing is known of what reached the disk: the segment ends at its last durable record, and the rest is written again to a new one.</summary>
    private bool Recover(Exception e)
    {
        Statistics.CountFailure();
        if (!Statistics.IsFailing) _options.Report($"spool: {_options.Folder} cannot be written: {e.Message}; records wait in memory ({_options.MaximumPendingBytes} bytes at most) until it can");
        Statistics.SetFailing(true);
        _retryAt = After(_options.RetryTime);
        SpoolSegment? abandoned;
        bool empty;
        lock (_gate)
        {
            abandoned = _active;
            _active = null;
            _tailWritten = 0;
            empty = abandoned is not null && abandoned.LastSequence < abandoned.FirstSequence;
            if (empty) _segments.Remove(abandoned!);
            ForgetAcknowledgedTail();
            UpdateStatistics();
        }
        if (abandoned is not null && _activeFile is not null)
        {
            try
            {
                if (!empty) _files.SetLength(_activeFile, abandoned.Length);
            }
            catch (Exception again) when (IsFileFailure(again))
            {
                // The next start ignores what stands behind the durable records and also in the segment after.
                Statistics.CountFailure();
            }
            _activeFile.Dispose();
            if (empty) DeleteFile(abandoned);
        }
        _activeFile = null;
        lock (_gate)
        {
            if (!_stopping) return true;
            long lost = _nextSequence - Math.Max(_tailFirst, _acknowledged + 1);
            Statistics.CountDrop(SpoolDropReason.DiskStalled, lost);
            _options.Report($"spool: {_options.Folder}: {lost} records could not be written before the end and are lost");
            return false;
        }
    }

    private void StorePosition()
    {
        lock (_positionGate)
        {
            long acknowledged;
            lock (_gate)
            {
                if (_disposed) return;
                acknowledged = _acknowledged;
            }
            if (acknowledged <= _positionStored) return;
            SpoolFormat.WriteSlot(_slot, acknowledged, ++_positionWrite);
            try
            {
                _files.Write(_position, _slot, _positionWrite % 2 * SpoolFormat.SlotBytes);
                _positionStored = acknowledged;
            }
            catch (Exception e) when (IsFileFailure(e))
            {
                Statistics.CountFailure();
            }
        }
    }

    private void DeleteFile(SpoolSegment segment)
    {
        try
        {
            _files.Delete(segment.Path);
        }
        catch (Exception e) when (IsFileFailure(e))
        {
            Statistics.CountFailure();
        }
    }
}
