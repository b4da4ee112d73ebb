using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace EdgeSparse.Model;

/// <summary>
/// NumPy's .npy files (format versions 1 and 2, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html):
/// little-endian, C order. Everything else is refused with a <see cref="ModelFormatException"/>.
/// </summary>
public static class NpyFile
{
    private const int HeaderLimit = 1 << 16;

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Type names as NumPy writes them, without byte order.</summary>
    private static readonly (string Name, ElementType Type)[] Types =
    [
        ("f4", ElementType.Float32), ("f8", ElementType.Float64), ("f2", ElementType.Float16), ("b1", ElementType.Bool),
        ("i1", ElementType.Int8), ("i2", ElementType.Int16), ("i4", ElementType.Int32), ("i8", ElementType.Int64),
        ("u1", ElementType.UInt8), ("u2", ElementType.UInt16), ("u4", ElementType.UInt32), ("u8", ElementType.UInt64),
    ];

    public static Tensor Read(string path)
    {
        long size = new FileInfo(path).Length;
        if (size > Limits.ModelFileBytes) throw new ModelFormatException($"{path}: {size} bytes, at most {Limits.ModelFileBytes} are supported");
        return Parse(File.ReadAllBytes(path), path);
    }

    /// <summary>Reads a whole file's bytes; <paramref name="path"/> is named in errors.</summary>
    public static Tensor Parse(ReadOnlyMemory<byte> file, string path)
    {
        ReadOnlySpan<byte> bytes = file.Span;
        if (bytes.Length < 10 || !bytes.StartsWith(Magic)) throw new ModelFormatException($"{path}: not a .npy file");
        int version = bytes[6];
        if (version is not (1 or 2) || bytes[7] != 0) throw new ModelFormatException(path, 6, $".npy format {version}.{bytes[7]}, expected 1.0 or 2.0");
        int start = version == 1 ? 10 : 12;
        if (bytes.Length < start) throw new ModelFormatException(path, bytes.Length, "the file ends within its header");
        uint length = version == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]) : BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
        if (length > HeaderLimit || length > (uint)(bytes.Length - start)) throw new ModelFormatException(path, 8, $"a header of {length} bytes does not fit the file");
        var header = new HeaderReader(Encoding.Latin1.GetString(bytes.Slice(start, (int)length)), path, start);
        (ElementType type, Shape shape) = header.Read();

        ReadOnlyMemory<byte> data = file[(start + (int)length)..];
        long expected = shape.ElementCount * type.SizeBytes();
        return data.Length == expected ? new Tensor(type, shape, data)
            : throw new ModelFormatException(path, start + length, $"{data.Length} bytes of data, {type} {shape} needs {expected}");
    }

    /// <summary>Writes a dense tensor; the file appears whole or not at all.</summary>
    public static void Write(string path, Tensor tensor) => AtomicFile.Write(path, ToBytes(tensor));

    public static byte[] ToBytes(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return ToBytes(tensor.Type, tensor.Shape, tensor.Data.Span);
    }

    /// <summary>The file of row-major little-endian elements, e.g. a session's output.</summary>
    public static byte[] ToBytes(ElementType type, Shape shape, ReadOnlySpan<byte> data)
    {
        string? name = null;
        foreach ((string candidate, ElementType known) in Types) if (known == type) name = candidate;
        if (name is null) throw new ArgumentException($"{type} has no .npy form", nameof(type));
        if (data.Length != shape.ElementCount * type.SizeBytes()) throw new ArgumentException($"{data.Length} bytes for {type} {shape}", nameof(data));
        string dimensions = string.Join(", ", shape.Dimensions.ToArray()) + (shape.Rank == 1 ? "," : "");
        string header = $"{{'descr': '{(type.SizeBytes() == 1 ? '|' : '<')}{name}', 'fortran_order': False, 'shape': ({dimensions}), }}";
        // The data starts at a multiple of 64: 10 bytes before the header, a line feed at its end.
        int padded = (10 + header.Length + 1 + 63) / 64 * 64 - 10;
        var file = new byte[10 + padded + data.Length];
        Magic.CopyTo(file);
        file[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(8), (ushort)padded);
        Encoding.Latin1.GetBytes(header.PadRight(padded - 1) + "\n", file.AsSpan(10));
        data.CopyTo(file.AsSpan(10 + padded));
        return file;
    }

    /// <summary>The Python dictionary literal of the header: exactly the keys descr, fortran_order and shape, in any order.</summary>
    private sealed class HeaderReader(string text, string path, int offset)
    {
        private int _next;

        public (ElementType, Shape) Read()
        {
            ElementType? type = null;
            Shape? shape = null;
            bool? fortran = null;
            Expect('{');
            while (!Accept('}'))
            {
                string key = Quoted();
                Expect(':');
                switch (key)
                {
                    case "descr" when type is null: type = Type(Quoted()); break;
                    case "fortran_order" when fortran is null: fortran = Word() switch { "True" => true, "False" => false, string word => throw Fail($"fortran_order is '{word}'") }; break;
                    case "shape" when shape is null: shape = Tuple(); break;
                    default: throw Fail($"unexpected key '{key}'");
                }
                if (!Accept(',')) { Expect('}'); break; }
            }
            while (_next < text.Length) if (!char.IsWhiteSpace(text[_next++])) throw Fail("text after the header's end");
            if (type is null || shape is null || fortran is null) throw Fail("the header lacks descr, fortran_order or shape");
            if (fortran.Value && shape.Value.Rank > 1) throw Fail("Fortran order; save it in C order (numpy.ascontiguousarray)");
            return (type.Value, shape.Value);
        }

        private ElementType Type(string descriptor)
        {
            foreach ((string name, ElementType type) in Types)
            {
                if (descriptor.Length == 3 && descriptor.EndsWith(name, StringComparison.Ordinal) && (descriptor[0] == '<' || (type.SizeBytes() == 1 && descriptor[0] is '|' or '>'))) return type;
            }
            throw Fail($"element type '{descriptor}', expected little-endian f2, f4, f8, b1, i1 … i8 or u1 … u8");
        }

        private Shape Tuple()
        {
            var dimensions = new List<int>();
            long count = 1;
            Expect('(');
            while (!Accept(')'))
            {
                string word = Word();
                if (!int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int dimension) || dimension > Limits.Dimension)
                    throw Fail($"dimension '{word}', expected 0 to {Limits.Dimension}");
                if (dimensions.Count == Limits.Rank) throw Fail($"more than {Limits.Rank} dimensions");
                dimensions.Add(dimension);
                count *= dimension;
                if (count > Limits.TensorElements) throw Fail($"more than {Limits.TensorElements} elements");
                if (!Accept(',')) { Expect(')'); break; }
            }
            return new Shape(dimensions.ToArray());
        }

        private string Quoted()
        {
            char quote = Accept('"') ? '"' : '\'';
            if (quote == '\'') Expect('\'');
            int end = text.IndexOf(quote, _next);
            if (end < 0) throw Fail("a string without end");
            string value = text[_next..end];
            _next = end + 1;
            return value;
        }

        private string Word()
        {
            Skip();
            int start = _next;
            while (_next < text.Length && char.IsAsciiLetterOrDigit(text[_next])) _next++;
            return text[start.._next];
        }

        private bool Accept(char expected)
        {
            Skip();
            if (_next >= text.Length || text[_next] != expected) return false;
            _next++;
            return true;
        }

        private void Expect(char expected)
        {
            if (!Accept(expected)) throw Fail($"expected '{expected}'");
        }

        private void Skip()
        {
            while (_next < text.Length && char.IsWhiteSpace(text[_next])) _next++;
        }

        private ModelFormatException Fail(string problem) => new(path, offset + _next, problem);
    }
}
