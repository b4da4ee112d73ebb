using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("EdgeSparse.Vision.Tests")]
