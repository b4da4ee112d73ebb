using Microsoft.Win32.SafeHandles;

namespace EdgeSparse.Devices.Spooling;

/// <summary>One segment file and what is known of it. Guarded by the spool's lock.</summary>
internal sealed class SpoolSegment(string path, long number)
{
    public string Path { get; } = path;

    /// <summary>Of the file's name; grows from segment to segment.</summary>
    public long Number { get; } = number;

    /// <summary>Bytes up to the end of the last durable record.</summary>
    public long Length { get; set; }

    /// <summary>Sequence of the first and last durable record; last is first − 1 where there is none.</summary>
    public long FirstSequence { get; set; }

    public long LastSequence { get; set; }
}

/// <summary>Reads one segment's records forward through a buffer. For one thread at a time.</summary>
internal sealed class SpoolSegmentReader(SpoolFiles files, SpoolSegment segment, int maximumRecordBytes) : IDisposable
{
    private const int ReadAheadBytes = 64 << 10;

    private SafeFileHandle? _file;
    private byte[] _buffer = new byte[ReadAheadBytes];
    private long _bufferOffset;
    private int _bufferLength;
    private long _lastSequence;

    public SpoolSegment Segment => segment;

    /// <summary>Byte after the record read last.</summary>
    public long Offset { get; private set; }

    /// <summary>Opens the file and reads its header. False where there is none; throws where the file cannot be read.</summary>
    public bool TryOpen()
    {
        _file = files.OpenRead(segment.Path);
        Span<byte> header = stackalloc byte[SpoolFormat.SegmentHeaderBytes];
        if (files.Read(_file, header, 0) < header.Length || !SpoolFormat.TryReadSegmentHeader(header, out long first)) return false;
        segment.FirstSequence = first;
        _lastSequence = first - 1;
        Offset = SpoolFormat.SegmentHeaderBytes;
        return true;
    }

    public long FileLength() => files.Length(_file!);

    /// <summary>The next record before byte <paramref name="limit"/>; its payload is valid until the next call. Incomplete at the limit means the end.</summary>
    public SpoolParse Next(long limit, out long sequence, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        SpoolParse result = SpoolFormat.Parse(Buffered(limit, SpoolFormat.RecordHeaderBytes), _lastSequence, maximumRecordBytes, out sequence, out int recordBytes);
        if (result == SpoolParse.Incomplete && recordBytes > 0)
            result = SpoolFormat.Parse(Buffered(limit, recordBytes), _lastSequence, maximumRecordBytes, out sequence, out recordBytes);
        if (result != SpoolParse.Record) return result;
        payload = Buffered(limit, recordBytes)[SpoolFormat.RecordHeaderBytes..recordBytes];
        Offset += recordBytes;
        _lastSequence = sequence;
        return result;
    }

    public void Dispose() => _file?.Dispose();

    /// <summary>The bytes at <see cref="Offset"/>: at least so many, where there are as many before the limit.</summary>
    private ReadOnlySpan<byte> Buffered(long limit, int needed)
    {
        needed = (int)Math.Min(needed, limit - Offset);
        long skip = Offset - _bufferOffset;
        if (skip < 0 || skip + needed > _bufferLength)
        {
            if (needed > _buffer.Length) _buffer = new byte[needed];
            _bufferOffset = Offset;
            _bufferLength = files.Read(_file!, _buffer.AsSpan(0, (int)Math.Min(_buffer.Length, limit - Offset)), Offset);
            skip = 0;
        }
        return _buffer.AsSpan((int)skip, _bufferLength - (int)skip);
    }
}
