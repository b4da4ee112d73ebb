return EdgeSparse.Cli.Application.Run(args, EdgeSparse.Cli.Terminal.System());
