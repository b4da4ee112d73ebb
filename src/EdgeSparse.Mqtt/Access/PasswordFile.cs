using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace EdgeSparse.Mqtt.Access;

/// <summary>
/// Users and their salted hashes, in the format of mosquitto's password files: <c>user:$7$iterations$salt$hash</c> (PBKDF2 with HMAC-SHA-512) as mosquitto_passwd of
/// release 2 writes it, and the older <c>user:$6$salt$hash</c> (SHA-512 of password and salt); salt and hash in base64.
/// </summary>
internal sealed class PasswordFile
{
    private const int HashBytes = 64;
    private const int MaximumIterations = 1_000_000;

    private readonly Dictionary<string, Entry> users = new(StringComparer.Ordinal);

    /// <param name="Iterations">Of PBKDF2; 0 = the older hash.</param>
    /// <param name="Salt">Any length.</param>
    /// <param name="Hash">64 bytes.</param>
    private sealed record Entry(int Iterations, byte[] Salt, byte[] Hash);

    /// <summary>Throws <see cref="FormatException"/> with the number of the line. A line's text is not told: it may hold a password that somebody forgot to hash.</summary>
    public static PasswordFile Parse(IEnumerable<string> lines)
    {
        var file = new PasswordFile();
        int number = 0;
        foreach (string line in lines)
        {
            number++;
            string text = line.Trim();
            if (text.Length == 0 || text[0] == '#') continue;
            int colon = text.IndexOf(':', StringComparison.Ordinal);
            Entry? entry = colon > 0 ? ParseEntry(text[(colon + 1)..]) : null;
            if (entry is null) throw new FormatException($"line {number}: expected user:$7$iterations$salt$hash; make it with mosquitto_passwd");
            if (!file.users.TryAdd(text[..colon], entry)) throw new FormatException($"line {number}: user {text[..colon]} comes twice");
        }
        return file;
    }

    /// <summary>Takes about as long for a user that does not exist, and compares without telling where a hash differs.</summary>
    public bool Verify(string user, ReadOnlySpan<byte> password)
    {
        bool known = users.TryGetValue(user, out Entry? entry);
        entry ??= users.Count > 0 ? users.Values.First() : new Entry(1, [], new byte[HashBytes]);
        return CryptographicOperations.FixedTimeEquals(Hash(entry, password), entry.Hash) && known;
    }

    private static byte[] Hash(Entry entry, ReadOnlySpan<byte> password)
    {
        if (entry.Iterations > 0) return Rfc2898DeriveBytes.Pbkdf2(password, entry.Salt, entry.Iterations, HashAlgorithmName.SHA512, HashBytes);
        byte[] joined = [.. password, .. entry.Salt];
        byte[] hash = SHA512.HashData(joined);
        CryptographicOperations.ZeroMemory(joined);
        return hash;
    }

    private static Entry? ParseEntry(string text)
    {
        string[] parts = text.Split('$');
        if (parts is ["", "7", var iterations, var salt, var hash]
            && int.TryParse(iterations, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is > 0 and <= MaximumIterations)
            return Create(count, salt, hash);
        return parts is ["", "6", var oldSalt, var oldHash] ? Create(0, oldSalt, oldHash) : null;
    }

    private static Entry? Create(int iterations, string salt, string hash)
    {
        byte[] saltBytes = new byte[Encoding.ASCII.GetByteCount(salt)], hashBytes = new byte[Encoding.ASCII.GetByteCount(hash)];
        return Convert.TryFromBase64String(salt, saltBytes, out int saltLength) && Convert.TryFromBase64String(hash, hashBytes, out int hashLength) && hashLength == HashBytes
            ? new Entry(iterations, saltBytes[..saltLength], hashBytes[..hashLength])
            : null;
    }
}
