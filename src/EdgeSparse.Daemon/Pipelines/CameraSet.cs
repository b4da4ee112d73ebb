using System.Collections;

namespace EdgeSparse.Daemon.Pipelines;

/// <summary>The cameras at work, in order of name. Readers see either the old set or the new one; changes are for one thread at a time.</summary>
internal sealed class CameraSet : IReadOnlyList<CameraPipeline>
{
    private CameraPipeline[] _cameras = [];

    public int Count => Volatile.Read(ref _cameras).Length;

    public CameraPipeline this[int index] => Volatile.Read(ref _cameras)[index];

    /// <summary>The camera of this name, or null.</summary>
    public CameraPipeline? Find(string name) => Array.Find(Volatile.Read(ref _cameras), camera => camera.Name == name);

    /// <summary>Adds a camera; starts nothing.</summary>
    public void Add(CameraPipeline camera) => Volatile.Write(ref _cameras,
        [.. _cameras.Append(camera).OrderBy(other => other.Name, StringComparer.Ordinal)]);

    public void Remove(CameraPipeline camera) => Volatile.Write(ref _cameras, [.. _cameras.Where(other => other != camera)]);

    public IEnumerator<CameraPipeline> GetEnumerator() => ((IEnumerable<CameraPipeline>)Volatile.Read(ref _cameras)).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
