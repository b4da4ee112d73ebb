using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("EdgeSparse.Compiler.Tests")]
[assembly: InternalsVisibleTo("EdgeSparse.Conformance")]
