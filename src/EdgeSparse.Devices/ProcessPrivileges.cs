namespace EdgeSparse.Devices;

/// <summary>Gives up what a helper process never needs.</summary>
public static class ProcessPrivileges
{
    private const int SetNoNewPrivileges = 38; // PR_SET_NO_NEW_PRIVS
    private const int AmbientCapabilities = 47; // PR_CAP_AMBIENT
    private const int ClearAllAmbient = 4; // PR_CAP_AMBIENT_CLEAR_ALL
    private const uint CapabilityVersion3 = 0x20080522;
    private const int CoreLimit = 4; // RLIMIT_CORE

    /// <summary>
    /// This thread, and all that it starts from now on, has no capabilities, can gain none by running a program, and leaves no core file, in which pictures would lie. What the system
    /// refuses is left as it is.
    /// </summary>
    public static void Drop()
    {
        _ = Libc.Prctl(SetNoNewPrivileges, 1, 0, 0, 0);
        _ = Libc.Prctl(AmbientCapabilities, ClearAllAmbient, 0, 0, 0);
        // Header: version, thread 0 = this one. Data: effective, permitted and inheritable, twice 32 bits of each.
        _ = Libc.CapSet([CapabilityVersion3, 0], stackalloc uint[6] { 0, 0, 0, 0, 0, 0 });
        _ = Libc.SetResourceLimit(CoreLimit, [0, 0]);
    }
}
