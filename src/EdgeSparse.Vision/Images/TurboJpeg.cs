using System.Runtime.InteropServices;

namespace EdgeSparse.Vision;

/// <summary>The part of libjpeg-turbo's TurboJPEG 2 C API that is used (turbojpeg.h, https://libjpeg-turbo.org). All functions but the sizes return 0 or −1.</summary>
internal static unsafe partial class TurboJpeg
{
    public const int PixelFormatRgb = 0;
    public const int Subsampling422 = 1;
    public const int Subsampling420 = 2;
    public const int ColorspaceCmyk = 3;
    public const int ColorspaceYcck = 4;
    public const int FlagNoReallocation = 1024;
    public const int FlagAccurateDct = 4096;
    public const int FlagFastDct = 2048;
    public const int FlagLimitScans = 32768;
    public const int ErrorWarning = 0;

    private const string Library = "libturbojpeg.so.0";

    private static readonly bool s_present = NativeLibrary.TryLoad(Library, typeof(TurboJpeg).Assembly, null, out _);

    /// <summary>Throws <see cref="ImageLibraryException"/> where the library is absent.</summary>
    public static void Require()
    {
        if (!s_present) throw new ImageLibraryException($"{Library} not found: JPEG needs libjpeg-turbo; on Debian: apt-get install libturbojpeg0");
    }

    [LibraryImport(Library, EntryPoint = "tjInitDecompress")]
    public static partial nint InitDecompress();

    [LibraryImport(Library, EntryPoint = "tjInitCompress")]
    public static partial nint InitCompress();

    [LibraryImport(Library, EntryPoint = "tjDestroy")]
    public static partial int Destroy(nint handle);

    [LibraryImport(Library, EntryPoint = "tjDecompressHeader3")]
    public static partial int DecompressHeader(nint handle, byte* jpeg, CULong size, out int width, out int height, out int subsampling, out int colorspace);

    [LibraryImport(Library, EntryPoint = "tjDecompress2")]
    public static partial int Decompress(nint handle, byte* jpeg, CULong size, byte* pixels, int width, int pitch, int height, int pixelFormat, int flags);

    [LibraryImport(Library, EntryPoint = "tjBufSize")]
    public static partial CULong BufferSize(int width, int height, int subsampling);

    [LibraryImport(Library, EntryPoint = "tjCompress2")]
    public static partial int Compress(nint handle, byte* pixels, int width, int pitch, int height, int pixelFormat, byte** jpeg, CULong* size, int subsampling, int quality, int flags);

    [LibraryImport(Library, EntryPoint = "tjGetErrorStr2")]
    private static partial byte* GetErrorString(nint handle);

    [LibraryImport(Library, EntryPoint = "tjGetErrorCode")]
    public static partial int GetErrorCode(nint handle);

    public static string ErrorText(nint handle) => Marshal.PtrToStringUTF8((nint)GetErrorString(handle)) ?? "unknown error";
}
