using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("EdgeSparse.Cli.Tests")]
