using System.Diagnostics;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Mqtt;
using EdgeSparse.Daemon.Tests.Bridge;

namespace EdgeSparse.Daemon.Tests;

/// <summary>Who may use the daemon's own broker.</summary>
public sealed class LocalBrokerTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => _folder.Delete(recursive: true);

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private static (int ExitCode, string Output) Subscribe(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("mosquitto_sub", [.. arguments, "-q", "1", "-C", "1", "-W", "30", "-v"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    [MosquittoFact]
    public async Task A_Password_And_Rules_Are_Asked_For_On_Both_Sockets()
    {
        using (Process maker = Process.Start("mosquitto_passwd", ["-b", "-c", At("users"), "anna", "s3cret"])) maker.WaitForExit();
        File.WriteAllText(At("rules"), "user anna\ntopic read edgesparse/+/status\n");
        await using var daemon = new RunningDaemon(_folder.FullName, options =>
        {
            options.Mqtt.PasswordFile = At("users");
            options.Mqtt.AclFile = At("rules");
        });
        foreach (string[] address in (string[][])[["-h", "127.0.0.1", "-p", $"{daemon.Mqtt.Port}"], ["--unix", daemon.Socket]])
        {
            (int exit, string output) = Subscribe([.. address, "-u", "anna", "-P", "s3cret", "-t", "edgesparse/gate-01/status"]);
            Assert.True(exit == 0 && output.Contains("online", StringComparison.Ordinal), output);
            (exit, output) = Subscribe([.. address, "-u", "anna", "-P", "guess", "-t", "edgesparse/gate-01/status"]);
            Assert.True(exit != 0 && output.Contains("bad user name or password", StringComparison.Ordinal), output);
            (exit, output) = Subscribe([.. address, "-t", "edgesparse/gate-01/status"]);
            Assert.True(exit != 0 && output.Contains("not authorised", StringComparison.Ordinal), output);
            (_, output) = Subscribe([.. address, "-u", "anna", "-P", "s3cret", "-t", "edgesparse/gate-01/cameras/#"]);
            Assert.Contains("All subscription requests were denied", output, StringComparison.Ordinal);
        }
        Assert.True(PrometheusText.Parse((await daemon.GetAsync("/metrics")).Body)["edgesparse_mqtt_connections_refused_total"] >= 4);
        Assert.DoesNotContain("s3cret", daemon.Log, StringComparison.Ordinal);
    }

    [Fact]
    public void A_Wrong_File_Is_A_Configuration_Error_Without_Its_Secrets()
    {
        File.WriteAllText(At("users"), "anna:s3cret\n");
        DaemonException e = Assert.Throws<DaemonException>(() => LocalBroker.Create(new MqttOptions { PasswordFile = At("users") }));
        Assert.Equal((ExitCode.Configuration, "mqtt: password file, line 1: expected user:$7$iterations$salt$hash; make it with mosquitto_passwd"), (e.ExitCode, e.Message));
        File.WriteAllText(At("rules"), "topic read a/#/b\n");
        e = Assert.Throws<DaemonException>(() => LocalBroker.Create(new MqttOptions { AclFile = At("rules") }));
        Assert.Equal((ExitCode.Configuration, "mqtt: access rules, line 1: found 'a/#/b', expected a topic filter"), (e.ExitCode, e.Message));
        Assert.Equal(ExitCode.Configuration, Assert.Throws<DaemonException>(() => LocalBroker.Create(new MqttOptions { PasswordFile = At("absent") })).ExitCode);
    }

    [MosquittoFact]
    public async Task A_Packet_Over_The_Limit_Ends_Its_Connection_And_Is_Counted()
    {
        await using var daemon = new RunningDaemon(_folder.FullName, options => options.Mqtt.MaximumPacketBytes = 2048);
        foreach ((int bytes, bool taken) in ((int, bool)[])[(1000, true), (4000, false)])
        {
            using Process publish = Process.Start(new ProcessStartInfo("mosquitto_pub", ["-h", "127.0.0.1", "-p", $"{daemon.Mqtt.Port}", "-q", "1", "-t", "t", "-m", new string('x', bytes)]) { RedirectStandardError = true })!;
            await publish.WaitForExitAsync();
            Assert.Equal(taken, publish.ExitCode == 0);
        }
        Assert.Equal(1, PrometheusText.Parse((await daemon.GetAsync("/metrics")).Body)["edgesparse_mqtt_protocol_errors_total"]);
    }
}
