using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>What pruning made of one layer.</summary>
/// <param name="Weights">W [outputs, inputs]</param>
/// <param name="Bias">The changed values behind the layer's bias, or null.</param>
/// <param name="IsMended">The layer stays dense and was solved anew.</param>
internal sealed record LayerRecord(int Layer, double Share, bool IsMended, double Error, float[] Weights, float[]? Bias);

/// <summary>
/// The layers that an interrupted pruning has finished, in a file: a header with the key, then records that are appended and flushed as layers are done, each
/// <c>length (int32), content, SHA-256 of the content</c>. What follows the last whole record is dropped when the file is opened; a file with another key begins anew.
/// </summary>
public sealed class PruningState : IDisposable
{
    private const string Schema = "edgesparse.pruning/1";
    private const int MaximumRecord = 1 << 30;

    /// <summary>Records of what was found out before any layer is pruned.</summary>
    private const int SharesRecord = -1, TableRecord = -2;

    private readonly FileStream _file;
    private readonly Dictionary<int, LayerRecord> _layers = [];

    private PruningState(FileStream file) => _file = file;

    /// <summary>Layers finished.</summary>
    public int Count => _layers.Count;

    internal double[]? Shares { get; private set; }

    internal SensitivityTable? Table { get; private set; }

    /// <summary>Names what a result depends on: the model, the options and the calibration pictures.</summary>
    public static string Key(ReadOnlySpan<byte> model, PruningOptions options, IReadOnlyList<float[]> pictures)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(pictures);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(model);
        string text = string.Create(CultureInfo.InvariantCulture,
            $"{CostFile.Version}|{options.Sparsity:R}|{options.Pattern.Name}|{options.Channels}|{options.Criterion}|{options.Update}|{options.Repair}|{options.Allocation}|{options.TimeRatio:R}|{options.Damping:R}|{options.MaximumPositions}|{options.RectifierRounds}|{options.Seed}|{string.Join('\n', options.Layers)}|{string.Join('\n', options.Exclude)}|{pictures.Count}");
        if (options.Costs is { } costs) text += string.Join(',', CostClasses.All.SelectMany(costs.Coefficients).Select(value => value.ToString("R", CultureInfo.InvariantCulture)));
        hash.AppendData(Encoding.UTF8.GetBytes(text));
        foreach (float[] picture in pictures) hash.AppendData(MemoryMarshal.AsBytes(picture.AsSpan()));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Opens or creates the file. Throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> where it cannot be.</summary>
    public static PruningState Open(string path, string key)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(key);
        var state = new PruningState(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read));
        byte[] header = Encoding.ASCII.GetBytes($"{Schema} {key}\n");
        var found = new byte[header.Length];
        if (state._file.ReadAtLeast(found, found.Length, throwOnEndOfStream: false) == found.Length && found.AsSpan().SequenceEqual(header))
        {
            long whole = state._file.Position;
            while (state.ReadRecord()) whole = state._file.Position;
            state._file.SetLength(whole);
            state._file.Position = whole;
            return state;
        }
        state._file.SetLength(0);
        state._file.Position = 0;
        state._file.Write(header);
        state._file.Flush();
        return state;
    }

    /// <summary>Closes the file; one that keeps nothing is deleted.</summary>
    public void Dispose()
    {
        _file.Dispose();
        if (_layers.Count == 0 && Shares is null && Table is null) File.Delete(_file.Name);
    }

    internal LayerRecord? Layer(int index) => _layers.GetValueOrDefault(index);

    internal void Add(LayerRecord record)
    {
        _layers[record.Layer] = record;
        Append(writer =>
        {
            writer.Write(record.Layer);
            writer.Write(record.Share);
            writer.Write(record.IsMended);
            writer.Write(record.Error);
            Write(writer, record.Weights);
            Write(writer, record.Bias ?? []);
        });
    }

    internal void AddShares(double[] shares)
    {
        Shares = shares;
        Append(writer =>
        {
            writer.Write(SharesRecord);
            writer.Write(shares.Length);
            foreach (double share in shares) writer.Write(share);
        });
    }

    internal void AddTable(SensitivityTable table)
    {
        Table = table;
        Append(writer =>
        {
            writer.Write(TableRecord);
            writer.Write(table.OtherNanoseconds);
            writer.Write(table.Layers.Count);
            foreach (LayerSensitivity layer in table.Layers)
            {
                writer.Write(layer.Name);
                writer.Write(layer.Parameters);
                writer.Write(layer.Options.Count);
                foreach (LayerOption option in layer.Options)
                {
                    writer.Write(option.Sparsity);
                    writer.Write(option.Zeros);
                    writer.Write(option.Loss);
                    writer.Write(option.Nanoseconds);
                }
            }
        });
    }

    private void Append(Action<BinaryWriter> write)
    {
        using var content = new MemoryStream();
        using (var writer = new BinaryWriter(content, Encoding.UTF8, leaveOpen: true)) write(writer);
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(length, checked((int)content.Length));
        ReadOnlySpan<byte> bytes = content.GetBuffer().AsSpan(0, (int)content.Length);
        _file.Write(length);
        _file.Write(bytes);
        _file.Write(SHA256.HashData(bytes));
        _file.Flush();
    }

    /// <summary>False at the end, and where what follows is no whole record.</summary>
    private bool ReadRecord()
    {
        Span<byte> prefix = stackalloc byte[sizeof(int)];
        if (_file.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false) < prefix.Length) return false;
        int length = BinaryPrimitives.ReadInt32LittleEndian(prefix);
        if (length is < sizeof(int) or > MaximumRecord || length + (long)SHA256.HashSizeInBytes > _file.Length - _file.Position) return false;
        var content = new byte[length];
        Span<byte> sum = stackalloc byte[SHA256.HashSizeInBytes];
        _file.ReadExactly(content);
        _file.ReadExactly(sum);
        if (!SHA256.HashData(content).AsSpan().SequenceEqual(sum)) return false;
        // Whole, and of the same key: written by this class.
        using var reader = new BinaryReader(new MemoryStream(content), Encoding.UTF8);
        int index = reader.ReadInt32();
        if (index == SharesRecord)
        {
            var shares = new double[reader.ReadInt32()];
            for (int i = 0; i < shares.Length; i++) shares[i] = reader.ReadDouble();
            Shares = shares;
        }
        else if (index == TableRecord)
        {
            double other = reader.ReadDouble();
            var layers = new LayerSensitivity[reader.ReadInt32()];
            for (int i = 0; i < layers.Length; i++)
            {
                string name = reader.ReadString();
                long parameters = reader.ReadInt64();
                var options = new LayerOption[reader.ReadInt32()];
                for (int k = 0; k < options.Length; k++) options[k] = new LayerOption(reader.ReadDouble(), reader.ReadInt64(), reader.ReadDouble(), reader.ReadDouble());
                layers[i] = new LayerSensitivity(name, parameters, options);
            }
            Table = new SensitivityTable(layers, other);
        }
        else
        {
            double share = reader.ReadDouble();
            bool mended = reader.ReadBoolean();
            double error = reader.ReadDouble();
            float[] weights = ReadFloats(reader), bias = ReadFloats(reader);
            _layers[index] = new LayerRecord(index, share, mended, error, weights, bias.Length == 0 ? null : bias);
        }
        return true;
    }

    private static void Write(BinaryWriter writer, float[] values)
    {
        writer.Write(values.Length);
        writer.Write(MemoryMarshal.AsBytes(values.AsSpan()));
    }

    private static float[] ReadFloats(BinaryReader reader)
    {
        var values = new float[reader.ReadInt32()];
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }
}
