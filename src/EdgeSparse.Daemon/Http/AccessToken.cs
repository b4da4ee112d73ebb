using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace EdgeSparse.Daemon.Http;

/// <summary>
/// Who may read: whoever shows the token, as <c>Authorization: Bearer TOKEN</c>, as the password of Basic authentication (any user name), or as the cookie that a visit with
/// <c>?token=TOKEN</c> leaves. Comparisons take as long whatever was shown.
/// </summary>
internal sealed class AccessToken
{
    public const string CookieName = "edgesparse_session";
    public const int LeastCharacters = 16;
    private const int MaximumBytes = 1024;
    private const string Parameter = "token";

    private readonly byte[] _hash;
    private readonly string _cookie;
    private readonly byte[] _cookieHash;

    public AccessToken(string token)
    {
        _hash = Hash(token);
        // The cookie opens the same door and does not tell the token.
        _cookie = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(token), "edgesparse session"u8));
        _cookieHash = Hash(_cookie);
    }

    /// <summary>The first line of a file. Throws <see cref="DaemonException"/>.</summary>
    public static AccessToken Read(string path, Log log)
    {
        try
        {
            long size = new FileInfo(path).Length;
            if (size > MaximumBytes) throw new DaemonException(ExitCode.Configuration, $"http:tokenFile: {path} has {size} bytes, at most {MaximumBytes} are a token");
            string token = File.ReadAllText(path).Split('\n')[0].Trim();
            if (token.Length < LeastCharacters || token.Any(c => c is <= ' ' or > '~'))
                throw new DaemonException(ExitCode.Configuration, $"http:tokenFile: the first line of {path} must be {LeastCharacters} or more printable characters without spaces; make one with: openssl rand -hex 24");
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0)
                log.Warning($"http:tokenFile: every user of this machine can read {path}; run chmod 600 on it");
            return new AccessToken(token);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DaemonException(ExitCode.Configuration, $"http:tokenFile: {path} cannot be read: {e.Message}");
        }
    }

    /// <summary>Answers whoever may not go on, or comes with the token in the address; false where the request goes on.</summary>
    public bool Answer(HttpContext context)
    {
        HttpRequest request = context.Request;
        HttpResponse response = context.Response;
        if (request.Query.TryGetValue(Parameter, out var shown) && shown.Count == 1 && Matches(shown[0] ?? "", _hash))
        {
            response.Cookies.Append(CookieName, _cookie, new CookieOptions { HttpOnly = true, SameSite = SameSiteMode.Strict, Secure = request.IsHttps, Path = "/", MaxAge = TimeSpan.FromDays(30) });
            // Away from the address line, its history and the referrer.
            response.StatusCode = 303;
            response.Headers.Location = request.Path.HasValue ? request.Path.Value : "/";
            response.ContentLength = 0;
            return true;
        }
        if (IsAllowed(request)) return false;
        response.StatusCode = 401;
        response.Headers.WWWAuthenticate = "Basic realm=\"edgesparse: any user, the token as password\", charset=\"UTF-8\"";
        response.Headers.Append("WWW-Authenticate", "Bearer");
        response.ContentLength = 0;
        return true;
    }

    public bool IsAllowed(HttpRequest request)
    {
        if (request.Cookies.TryGetValue(CookieName, out string? cookie) && Matches(cookie, _cookieHash)) return true;
        if (request.Headers.Authorization is not [{ } header]) return false;
        int space = header.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0) return false;
        string value = header[(space + 1)..].Trim();
        if (header.AsSpan(0, space).Equals("Bearer", StringComparison.OrdinalIgnoreCase)) return Matches(value, _hash);
        return header.AsSpan(0, space).Equals("Basic", StringComparison.OrdinalIgnoreCase) && Password(value) is { } password && Matches(password, _hash);
    }

    private static string? Password(string basic)
    {
        byte[] bytes = new byte[MaximumBytes];
        if (!Convert.TryFromBase64String(basic, bytes, out int length)) return null;
        int colon = bytes.AsSpan(0, length).IndexOf((byte)':');
        return colon < 0 ? null : Encoding.UTF8.GetString(bytes, colon + 1, length - colon - 1);
    }

    private static bool Matches(string shown, byte[] hash) => CryptographicOperations.FixedTimeEquals(Hash(shown), hash);

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
