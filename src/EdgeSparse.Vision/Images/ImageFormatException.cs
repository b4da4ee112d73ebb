namespace EdgeSparse.Vision;

/// <summary>A picture that cannot be accepted: not a JPEG or PNG, damaged, or beyond the limits. One line: what was found and what was expected.</summary>
public sealed class ImageFormatException : Exception
{
    public ImageFormatException(string message) : base(message)
    {
    }

    public ImageFormatException(string message, Exception inner) : base(message, inner)
    {
    }

    public ImageFormatException()
    {
    }
}

/// <summary>A native library that Debian supplies is absent; the message names the package.</summary>
public sealed class ImageLibraryException : Exception
{
    public ImageLibraryException(string message) : base(message)
    {
    }

    public ImageLibraryException(string message, Exception inner) : base(message, inner)
    {
    }

    public ImageLibraryException()
    {
    }
}
