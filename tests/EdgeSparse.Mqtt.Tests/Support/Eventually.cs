namespace EdgeSparse.Mqtt.Tests.Support;

internal static class Eventually
{
    /// <summary>Lets other threads work until the condition holds, a bounded number of times.</summary>
    public static async Task Holds(Func<bool> condition, string what)
    {
        for (long start = Environment.TickCount64; Environment.TickCount64 - start < 60_000;)
        {
            if (condition()) return;
            await Task.Yield();
            Thread.Yield();
        }
        Assert.Fail($"did not come to pass: {what}");
    }
}
