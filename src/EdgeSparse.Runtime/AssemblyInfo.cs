using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("EdgeSparse.Runtime.Tests")]
[assembly: InternalsVisibleTo("EdgeSparse.Arm64.Models")]
