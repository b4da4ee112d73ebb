using Microsoft.Win32.SafeHandles;

namespace EdgeSparse.Devices.Spooling;

/// <summary>What a start found on disk.</summary>
/// <param name="Segments">Oldest first, with at least one record that is not acknowledged.</param>
/// <param name="Acknowledged">The greatest acknowledged sequence; 0 = none.</param>
/// <param name="LastSequence">The greatest sequence ever seen.</param>
/// <param name="NextNumber">For the name of the next segment.</param>
internal sealed record SpoolState(List<SpoolSegment> Segments, long Acknowledged, long LastSequence, long NextNumber);

/// <summary>
/// Reads a folder as a crash left it. Each record is kept up to the first damage of its segment: at the end of the last segment that is a torn record
/// and is cut off, elsewhere the rest of the segment is lost and counted. A file without a header is set aside as <c>.damaged</c>, the last such one only.
/// </summary>
internal sealed class SpoolRecovery(SpoolOptions options, SpoolStatistics statistics)
{
    public const string PositionName = "position";
    private const string Extension = ".spool";
    private const string DamagedExtension = ".damaged";

    private readonly SpoolFiles _files = options.Files;

    public static string SegmentPath(string folder, long number) => Path.Combine(folder, number.ToString("D8") + Extension);

    public SpoolState Run(SafeFileHandle position)
    {
        (long acknowledged, _) = ReadPosition(_files, position);
        List<SpoolSegment> found = Find();
        var kept = new List<SpoolSegment>();
        long last = acknowledged;
        for (int i = 0; i < found.Count; i++)
        {
            SpoolSegment segment = found[i];
            if (!TryScan(segment, isLast: i == found.Count - 1, last: kept.Count == 0 ? 0 : kept[^1].LastSequence)) continue;
            last = Math.Max(last, segment.LastSequence);
            if (segment.LastSequence > acknowledged) kept.Add(segment);
            else Delete(segment.Path);
        }
        return new SpoolState(kept, acknowledged, last, found.Count == 0 ? 1 : found[^1].Number + 1);
    }

    /// <summary>The whole slot with the greatest number of write, or zeros.</summary>
    public static (long Acknowledged, long Write) ReadPosition(SpoolFiles files, SafeFileHandle position)
    {
        (long Acknowledged, long Write) best = (0, 0);
        Span<byte> slots = stackalloc byte[2 * SpoolFormat.SlotBytes];
        int length = files.Read(position, slots, 0);
        for (int at = 0; at + SpoolFormat.SlotBytes <= length; at += SpoolFormat.SlotBytes)
            if (SpoolFormat.TryReadSlot(slots[at..], out long acknowledged, out long write) && write >= best.Write) best = (acknowledged, write);
        return best;
    }

    private List<SpoolSegment> Find()
    {
        var segments = new List<SpoolSegment>();
        foreach (string path in _files.List(options.Folder, "*" + Extension))
            if (long.TryParse(Path.GetFileNameWithoutExtension(path), out long number)) segments.Add(new SpoolSegment(path, number));
        segments.Sort((a, b) => a.Number.CompareTo(b.Number));
        return segments;
    }

    /// <summary>False where nothing of the segment is of use; it is then gone from the folder, or set aside.</summary>
    /// <param name="segment">Gets its length and sequences.</param>
    /// <param name="isLast">Whether a torn record at its end is to be expected.</param>
    /// <param name="last">Last sequence of the segment before: records up to it stand there already, written again after a failed fsync.</param>
    private bool TryScan(SpoolSegment segment, bool isLast, long last)
    {
        try
        {
            using var reader = new SpoolSegmentReader(_files, segment, options.MaximumRecordBytes);
            if (!reader.TryOpen())
            {
                if (reader.FileLength() <= SpoolFormat.SegmentHeaderBytes && isLast) Delete(segment.Path);
                else SetAside(segment, "it has no header");
                return false;
            }
            long fileLength = reader.FileLength();
            segment.Length = reader.Offset;
            segment.LastSequence = segment.FirstSequence - 1;
            SpoolParse end;
            while ((end = reader.Next(fileLength, out long sequence, out _)) == SpoolParse.Record) (segment.Length, segment.LastSequence) = (reader.Offset, sequence);
            if (segment.Length < fileLength) CutOff(segment, fileLength, isLast, end);
            if (segment.LastSequence > last && segment.LastSequence >= segment.FirstSequence) return true;
            Delete(segment.Path);
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            SetAside(segment, e.Message);
            return false;
        }
    }

    private void CutOff(SpoolSegment segment, long fileLength, bool isLast, SpoolParse end)
    {
        long bytes = fileLength - segment.Length;
        if (isLast)
        {
            statistics.CountTorn(bytes);
            options.Report($"spool: {segment.Path}: the last {bytes} bytes are no whole record ({(end == SpoolParse.Incomplete ? "cut short" : "wrong checksum")}) and are cut off; every record before them is kept");
        }
        else
        {
            statistics.CountDamagedSegment();
            options.Report($"spool: {segment.Path}: damaged at byte {segment.Length}; the {bytes} bytes from there on are lost, records up to {segment.LastSequence} are kept");
        }
        try
        {
            using SafeFileHandle file = _files.OpenOrCreate(segment.Path);
            _files.SetLength(file, segment.Length);
            _files.Sync(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Reading stops at the known length; nothing is ever appended to this file.
            statistics.CountFailure();
            options.Report($"spool: {segment.Path}: cannot be cut: {e.Message}; its end is ignored");
        }
    }

    private void SetAside(SpoolSegment segment, string reason)
    {
        statistics.CountDamagedSegment();
        string aside = Path.ChangeExtension(segment.Path, DamagedExtension);
        try
        {
            foreach (string older in _files.List(options.Folder, "*" + DamagedExtension)) _files.Delete(older);
            _files.Move(segment.Path, aside);
            options.Report($"spool: {segment.Path} cannot be used: {reason}; it is set aside as {aside} and its records are lost");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            statistics.CountFailure();
            options.Report($"spool: {segment.Path} cannot be used: {reason}; nor can it be set aside: {e.Message}");
        }
    }

    private void Delete(string path)
    {
        try
        {
            _files.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            statistics.CountFailure();
            options.Report($"spool: {path}: cannot be deleted: {e.Message}");
        }
    }
}
