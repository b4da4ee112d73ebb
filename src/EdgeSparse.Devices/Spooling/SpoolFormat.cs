using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace EdgeSparse.Devices.Spooling;

/// <summary>What a look at the bytes of a segment found.</summary>
internal enum SpoolParse
{
    Record,
    /// <summary>The bytes end before the record does.</summary>
    Incomplete,
    /// <summary>No record: the length is impossible, the checksum differs, or the sequence does not grow.</summary>
    Damaged,
}

/// <summary>
/// The bytes of a spool, all numbers little endian.
/// <code>
/// segment  00000001.spool, 00000002.spool, …: header, then records one after the other to the end of the file
///   header   [ 0] magic "ESSPOOL1"  [ 8] u64 first sequence  [16] u32 checksum of the first 16 bytes
///   record   [ 0] u32 payload bytes [ 4] u32 checksum of the other 12 header bytes and the payload
///            [ 8] u64 sequence      [16] payload
/// position two slots of 32 bytes, written in turn, so that one is whole whatever happens to the other
///   slot     [ 0] magic "ESSPOSN1"  [ 8] u64 acknowledged sequence  [16] u64 number of the write  [24] u32 checksum of the first 24 bytes
/// </code>
/// Sequences begin at 1 and grow from record to record. The checksum is CRC-32C (Castagnoli, RFC 3720 appendix B.4), which processors compute.
/// </summary>
internal static class SpoolFormat
{
    public const int SegmentHeaderBytes = 20;
    public const int RecordHeaderBytes = 16;
    public const int SlotBytes = 32;

    private static ReadOnlySpan<byte> SegmentMagic => "ESSPOOL1"u8;

    private static ReadOnlySpan<byte> PositionMagic => "ESSPOSN1"u8;

    public static uint Crc32C(ReadOnlySpan<byte> bytes) => ~Continue(~0u, bytes);

    public static void WriteSegmentHeader(Span<byte> target, long firstSequence)
    {
        SegmentMagic.CopyTo(target);
        BinaryPrimitives.WriteInt64LittleEndian(target[8..], firstSequence);
        BinaryPrimitives.WriteUInt32LittleEndian(target[16..], Crc32C(target[..16]));
    }

    /// <summary>False where the bytes are no header.</summary>
    public static bool TryReadSegmentHeader(ReadOnlySpan<byte> bytes, out long firstSequence)
    {
        firstSequence = 0;
        if (bytes.Length < SegmentHeaderBytes || !bytes.StartsWith(SegmentMagic)) return false;
        firstSequence = BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]);
        return firstSequence > 0 && BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]) == Crc32C(bytes[..16]);
    }

    /// <summary>Writes header and payload; the target holds both.</summary>
    public static void WriteRecord(Span<byte> target, long sequence, ReadOnlySpan<byte> payload)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target, payload.Length);
        BinaryPrimitives.WriteInt64LittleEndian(target[8..], sequence);
        payload.CopyTo(target[RecordHeaderBytes..]);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], RecordChecksum(target[..(RecordHeaderBytes + payload.Length)]));
    }

    /// <summary>Payload bytes of a record that is known to be whole.</summary>
    public static int PayloadBytes(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadInt32LittleEndian(record);

    public static long Sequence(ReadOnlySpan<byte> record) => BinaryPrimitives.ReadInt64LittleEndian(record[8..]);

    /// <summary>Judges the record at the front of <paramref name="bytes"/>.</summary>
    /// <param name="bytes">From a record's first byte on; may hold less or more than the record.</param>
    /// <param name="after">The sequence must be greater.</param>
    /// <param name="maximumPayloadBytes">A longer one is damage.</param>
    /// <param name="sequence">Of the record.</param>
    /// <param name="recordBytes">Header and payload, known also where the record is incomplete and its header is there; else 0.</param>
    public static SpoolParse Parse(ReadOnlySpan<byte> bytes, long after, int maximumPayloadBytes, out long sequence, out int recordBytes)
    {
        (sequence, recordBytes) = (0, 0);
        if (bytes.Length < RecordHeaderBytes) return SpoolParse.Incomplete;
        int payloadBytes = PayloadBytes(bytes);
        sequence = Sequence(bytes);
        if ((uint)payloadBytes > (uint)maximumPayloadBytes || sequence <= after) return SpoolParse.Damaged;
        recordBytes = RecordHeaderBytes + payloadBytes;
        if (bytes.Length < recordBytes) return SpoolParse.Incomplete;
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]) == RecordChecksum(bytes[..recordBytes]) ? SpoolParse.Record : SpoolParse.Damaged;
    }

    public static void WriteSlot(Span<byte> target, long acknowledged, long write)
    {
        target[..SlotBytes].Clear();
        PositionMagic.CopyTo(target);
        BinaryPrimitives.WriteInt64LittleEndian(target[8..], acknowledged);
        BinaryPrimitives.WriteInt64LittleEndian(target[16..], write);
        BinaryPrimitives.WriteUInt32LittleEndian(target[24..], Crc32C(target[..24]));
    }

    public static bool TryReadSlot(ReadOnlySpan<byte> bytes, out long acknowledged, out long write)
    {
        (acknowledged, write) = (0, 0);
        if (bytes.Length < SlotBytes || !bytes.StartsWith(PositionMagic)) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..]) != Crc32C(bytes[..24])) return false;
        acknowledged = BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]);
        write = BinaryPrimitives.ReadInt64LittleEndian(bytes[16..]);
        return acknowledged >= 0 && write >= 0;
    }

    private static uint RecordChecksum(ReadOnlySpan<byte> record) => ~Continue(Continue(~0u, record[..4]), record[8..]);

    private static uint Continue(uint crc, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..]) crc = BitOperations.Crc32C(crc, MemoryMarshal.Read<ulong>(bytes));
        foreach (byte value in bytes) crc = BitOperations.Crc32C(crc, value);
        return crc;
    }
}
