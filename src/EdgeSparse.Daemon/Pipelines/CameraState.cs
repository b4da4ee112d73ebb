namespace EdgeSparse.Daemon.Pipelines;

internal enum CameraState
{
    Starting,
    /// <summary>Frames arrive.</summary>
    Running,
    /// <summary>The source failed and is tried again after a while.</summary>
    Failing,
    /// <summary>The source came to its end.</summary>
    Ended,
    Stopped,
}

/// <summary>A camera's state, since when, and why. Immutable.</summary>
internal sealed record CameraStatus(CameraState State, DateTimeOffset Since, string Reason)
{
    /// <summary>The word on the camera's status topic.</summary>
    public string Word => State switch
    {
        CameraState.Running => "online",
        CameraState.Ended or CameraState.Stopped => "stopped",
        _ => "offline",
    };
}
