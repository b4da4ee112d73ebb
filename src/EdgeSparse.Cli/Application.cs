using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using EdgeSparse.Compiler.Soups;
using EdgeSparse.Compiler.SparseAttention;
using EdgeSparse.Compiler.Tokens;
using EdgeSparse.Cli.Commands;
using EdgeSparse.Devices;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Backends.Isolated;
using EdgeSparse.Runtime.Backends.Onnx;
using EdgeSparse.Vision;

namespace EdgeSparse.Cli;

/// <summary>The program <c>edgesparse</c>: parses the command line, runs the command, turns every failure into one line and an exit code.</summary>
internal static class Application
{
    private const string Examples = """
        Examples:
          edgesparse compile model.onnx -o model.esm           ONNX file to package
          edgesparse inspect model.esm                         its layers, zeros and kernels
          edgesparse run model.esm photo.jpg --annotate out.png
          edgesparse verify model.esm --golden DIR             compare with stored outputs
          edgesparse bench model.onnx --against onnxruntime    both engines, alternating
          edgesparse tune                                      measure this processor, so that plans fit it
          edgesparse tokens vit.onnx --calibrate pictures/     what fewer tokens gain and lose
          edgesparse optimize m.onnx --calibrate pictures/ --max-drop 1% -o m.esm   the fastest package within a bound
          edgesparse prune m.onnx --sparsity 0.5 --calibrate pictures/ -o s.onnx
          edgesparse sign model.esm --key release.key.pem --release 7
          edgesparse push model.esm --wait                     hand it to the running daemon
          edgesparse synth mobilenet_v2 --sparsity 0.9 -o m.onnx

        """;

    private const string ExitCodes = """
        Exit codes: 0 ok, 1 verify found a difference, prune lost too much or optimize found nothing faster, 64 usage, 65 bad model or data, 66 no such input, 69 library or provider absent,
        70 internal error, 73 cannot create output, 74 cannot write output, 78 bad model.json or labels.txt.

        """;

    public static int Run(string[] arguments, Terminal terminal)
    {
        try
        {
            if (arguments is [OnnxWorker.Argument, string parent])
            {
                ProcessPrivileges.Drop();
                return OnnxWorker.Serve(parent);
            }
            RootCommand root = Root(terminal);
            ParseResult parsed = root.Parse(arguments);
            if (parsed.Action is ParseErrorAction || (parsed.Errors.Count > 0 && parsed.Action is not (HelpAction or ExamplesFirst or VersionAction)))
                throw new CliException(ExitCode.Usage, $"{parsed.Errors[0].Message.TrimEnd('.')}{DidYouMean(parsed)}; see edgesparse {CommandName(parsed)}--help");
            int code = parsed.Invoke(new InvocationConfiguration { Output = terminal.Output, Error = terminal.Error, EnableDefaultExceptionHandler = false });
            terminal.Output.Flush();
            return code;
        }
        catch (Exception error)
        {
            return Report(error, terminal);
        }
    }

    private static RootCommand Root(Terminal terminal)
    {
        var root = new RootCommand("Compiles, prunes, inspects, runs, verifies, times, signs and hands out sparse models.")
        {
            CompileCommand.Create(terminal),
            InspectCommand.Create(terminal),
            RunCommand.Create(terminal),
            VerifyCommand.Create(terminal),
            CompareCommand.Create(terminal),
            BenchCommand.Create(terminal),
            TuneCommand.Create(terminal),
            TokensCommand.Create(terminal),
            SynthCommand.Create(terminal),
            PruneCommand.Create(terminal),
            SoupCommand.Create(terminal),
            OptimizeCommand.Create(terminal),
            KernelsCommand.Create(terminal),
            KeygenCommand.Create(terminal),
            SignCommand.Create(terminal),
            PushCommand.Create(terminal),
        };
        foreach (Option option in root.Options)
        {
            if (option is HelpOption help) help.Action = new ExamplesFirst((HelpAction)help.Action!);
            else if (option is VersionOption version) version.Action = new VersionAction();
        }
        // Without a command there is nothing to do but to say what can be done.
        root.SetAction(int (_) => throw new CliException(ExitCode.Usage, "a command is missing; see edgesparse --help"));
        return root;
    }

    private static string CommandName(ParseResult parsed) => parsed.CommandResult.Command is RootCommand ? "" : parsed.CommandResult.Command.Name + " ";

    /// <summary>The command or option nearest to the first word that is neither, where it is at most two letters away.</summary>
    private static string DidYouMean(ParseResult parsed)
    {
        if (parsed.UnmatchedTokens.Count == 0) return "";
        string word = parsed.UnmatchedTokens[0];
        Command command = parsed.CommandResult.Command;
        string? nearest = command.Subcommands.Select(c => c.Name).Concat(command.Options.Select(o => o.Name)).MinBy(name => Distance(name, word));
        return nearest is not null && Distance(nearest, word) <= 2 ? $", did you mean {nearest}?" : "";
    }

    /// <summary>Levenshtein distance.</summary>
    private static int Distance(string a, string b)
    {
        var row = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++) row[j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int above = row[j];
                row[j] = Math.Min(Math.Min(above, row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.Length];
    }

    /// <summary>One line on standard error; never a stack trace.</summary>
    private static int Report(Exception error, Terminal terminal)
    {
        (int code, string message) = error switch
        {
            CliException cli => (cli.ExitCode, cli.Message),
            ModelFormatException or SignatureException or ImageFormatException or UnsupportedOperatorException or TokenReductionException or SparseAttentionException or SoupException => (ExitCode.Data, error.Message),
            OnnxRuntimeException or ImageLibraryException or PlatformNotSupportedException => (ExitCode.Unavailable, error.Message),
            FileNotFoundException file => (ExitCode.NoInput, file.FileName is { } name ? $"{name}: no such file" : file.Message),
            DirectoryNotFoundException or UnauthorizedAccessException or IOException => (ExitCode.NoInput, error.Message),
            OperationCanceledException => (ExitCode.Interrupted, "interrupted"),
            OutOfMemoryException => (ExitCode.Data, "not enough memory for this model"),
            _ => (ExitCode.Software, $"internal error: {error.GetType().Name}: {error.Message}"),
        };
        terminal.Output.Flush();
        terminal.EndProgress();
        terminal.Error.WriteLine($"edgesparse: {Terminal.Printable(message)}");
        return code;
    }

    /// <summary>Help with the examples before the reference.</summary>
    private sealed class ExamplesFirst(HelpAction reference) : SynchronousCommandLineAction
    {
        public override bool Terminating => true;

        public override int Invoke(ParseResult parseResult)
        {
            TextWriter output = parseResult.InvocationConfiguration.Output;
            output.WriteLine(parseResult.CommandResult.Command is RootCommand ? Examples : CommandExamples.For(parseResult.CommandResult.Command.Name));
            int code = reference.Invoke(parseResult);
            if (parseResult.CommandResult.Command is RootCommand) output.WriteLine(ExitCodes);
            return code;
        }
    }

    private sealed class VersionAction : SynchronousCommandLineAction
    {
        public override bool Terminating => true;

        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine($"edgesparse {typeof(Application).Assembly.GetName().Version?.ToString(3)}");
            return ExitCode.Ok;
        }
    }
}
