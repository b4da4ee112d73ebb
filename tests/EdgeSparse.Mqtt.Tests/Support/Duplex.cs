using System.IO.Pipelines;

namespace EdgeSparse.Mqtt.Tests.Support;

/// <summary>Two pipe ends as the transport of one connection.</summary>
internal sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;
