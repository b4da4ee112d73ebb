using Spectre.Console;
using Spectre.Console.Rendering;

namespace EdgeSparse.Cli;

/// <summary>
/// Where a command writes: results to standard output, notes, progress and errors to standard error. Colour only on a terminal and
/// without NO_COLOR (https://no-color.org).
/// </summary>
internal sealed class Terminal
{
    private readonly bool _outputIsTerminal;
    private readonly bool _errorIsTerminal;
    private bool _progressShown;

    public Terminal(TextWriter output, TextWriter error, bool outputIsTerminal = false, bool errorIsTerminal = false)
    {
        Output = output;
        Error = error;
        _outputIsTerminal = outputIsTerminal;
        _errorIsTerminal = errorIsTerminal;
    }

    public TextWriter Output { get; }

    public TextWriter Error { get; }

    private static bool Dumb => Environment.GetEnvironmentVariable("TERM") == "dumb";

    public static Terminal System() => new(Console.Out, Console.Error, !Console.IsOutputRedirected, !Console.IsErrorRedirected);

    /// <summary>A line beside the result: what was chosen or left out.</summary>
    public void Note(string text)
    {
        EndProgress();
        Error.WriteLine($"edgesparse: {Printable(text)}");
    }

    /// <summary>The last progress line is replaced; nothing is written where standard error is not a terminal.</summary>
    public void Progress(string text)
    {
        if (!_errorIsTerminal || Dumb) return;
        Error.Write($"\r\x1b[K{Printable(text)}");
        _progressShown = true;
    }

    /// <summary>A bar with the time left, estimated from the time that what is done took.</summary>
    public void Progress(string what, int done, int total, TimeSpan elapsed)
    {
        const int width = 24;
        int filled = total <= 0 ? 0 : Math.Clamp(width * done / total, 0, width);
        string left = done <= 0 ? "" : $", {TimeSpan.FromSeconds(elapsed.TotalSeconds / done * (total - done)):m\\:ss} left";
        Progress($"[{new string('#', filled)}{new string('.', width - filled)}] {done}/{total}{left}  {what}");
    }

    public void EndProgress()
    {
        if (_progressShown) Error.Write("\r\x1b[K");
        _progressShown = false;
    }

    public void Line(string text = "") => Output.WriteLine(Printable(text));

    public void Write(Table table)
    {
        EndProgress();
        bool colour = _outputIsTerminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && !Dumb;
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = colour ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = colour ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(Output),
        });
        // Rows are never folded: whoever pipes them wants one line for one row.
        console.Profile.Width = 4096;
        console.Write(table);
    }

    /// <summary>A table without frame: the first <paramref name="textColumns"/> columns are text, the others numbers aligned to the right.</summary>
    public static Table Table(int textColumns, params ReadOnlySpan<string> headers)
    {
        var table = new Table { Border = TableBorder.None, UseSafeBorder = true };
        for (int i = 0; i < headers.Length; i++)
        {
            table.AddColumn(new TableColumn(new Text(headers[i], new Style(decoration: Decoration.Bold)))
            {
                NoWrap = true,
                Alignment = i < textColumns ? Justify.Left : Justify.Right,
                Padding = new Padding(0, 0, 2, 0),
            });
        }
        return table;
    }

    public static void AddRow(Table table, params ReadOnlySpan<string> cells)
    {
        var row = new List<IRenderable>(cells.Length);
        foreach (string cell in cells) row.Add(new Text(Printable(cell)));
        table.AddRow(row);
    }

    /// <summary>Names come from files: control characters reach neither the terminal nor a second line.</summary>
    public static string Printable(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? '?' : c)) : text;
}
