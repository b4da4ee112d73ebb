using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("EdgeSparse.Runtime.Tests")]
