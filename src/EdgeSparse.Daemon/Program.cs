using System.Runtime.InteropServices;
using EdgeSparse.Daemon;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Control;
using EdgeSparse.Daemon.Gpio;
using EdgeSparse.Devices;
using EdgeSparse.Runtime.Backends.Isolated;

return await Entry.RunAsync(args);

namespace EdgeSparse.Daemon
{
    /// <summary>From the command line to an exit code. The outermost supervision boundary: whatever goes wrong ends as one line.</summary>
    internal static class Entry
    {
        public static async Task<int> RunAsync(string[] arguments)
        {
            try
            {
                if (arguments is [OnnxWorker.Argument, string parent])
                {
                    ProcessPrivileges.Drop();
                    return OnnxWorker.Serve(parent);
                }
                CommandLine line = CommandLine.Parse(arguments);
                if (line.ShowHelp)
                {
                    Console.Out.Write(CommandLine.Help);
                    return ExitCode.Ok;
                }
                if (line.ShowVersion)
                {
                    Console.Out.WriteLine($"edgesparsed {DaemonState.Version}");
                    return ExitCode.Ok;
                }
                LoadedConfiguration Read() => LoadedConfiguration.Read(line, Environment.GetEnvironmentVariables(), name => line.Variable(name, Environment.GetEnvironmentVariable, Directory.Exists));
                LoadedConfiguration loaded = Read();
                DaemonOptions options = loaded.Options;
                if (line.CheckOnly)
                {
                    Console.Out.WriteLine($"configuration ok: {string.Join(", ", options.Cameras.Select(camera => $"camera {camera.Name} from {camera.Source}{(camera.Enabled ? "" : " (disabled)")}"))}");
                    using (var board = new GpioBoard())
                        foreach (string text in GpioService.Check(options.Gpio, board)) Console.Out.WriteLine(text);
                    return ExitCode.Ok;
                }
                await ServeAsync(loaded, Read);
                return ExitCode.Ok;
            }
            catch (ConfigurationException e)
            {
                foreach (ConfigurationProblem problem in e.Problems) Fail(problem.ToString());
                return e.Problems.All(problem => problem.Origin.StartsWith("command line", StringComparison.Ordinal)) ? ExitCode.Usage : ExitCode.Configuration;
            }
            catch (DaemonException e)
            {
                Fail(e.Message);
                return e.ExitCode;
            }
            catch (Exception e)
            {
                Fail($"internal error: {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")} (EDGESPARSE_TRACE=1 shows where)");
                if (Environment.GetEnvironmentVariable("EDGESPARSE_TRACE") == "1") await Console.Error.WriteLineAsync(e.StackTrace);
                return ExitCode.Software;
            }
        }

        private static async Task ServeAsync(LoadedConfiguration loaded, Func<LoadedConfiguration> read)
        {
            using var stop = new CancellationTokenSource();
            void OnSignal(PosixSignalContext context)
            {
                context.Cancel = true;
                stop.Cancel();
            }
            using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
            using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
            using var systemd = SystemdNotifier.FromEnvironment();
            await using var daemon = new EdgeSparseDaemon(loaded.Options, Log.ForProcess(loaded.Options.Log), TimeProvider.System, loaded: loaded, read: read);
            using PosixSignalRegistration reload = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
            {
                context.Cancel = true;
                _ = daemon.Control.ReloadAsync();
            });
            await daemon.RunAsync(systemd, stop.Token);
        }

        private static void Fail(string message)
        {
            string priority = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("JOURNAL_STREAM")) ? "" : "<3>";
            Console.Error.WriteLine($"{priority}edgesparsed: {message}");
        }
    }
}
