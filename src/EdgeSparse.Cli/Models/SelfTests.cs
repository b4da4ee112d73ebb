using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Vision;

namespace EdgeSparse.Cli.Models;

/// <summary>Makes the self-test that a package carries.</summary>
internal static class SelfTests
{
    private const int Width = 640;
    private const int Height = 480;
    private const ulong Seed = 6;

    /// <summary>Of the outputs as they come out here; of pictures, one frame of the rendered street.</summary>
    public static SelfTest Record(ModelPackage package, string path)
    {
        using IInferenceSession session = SessionFactory.Create(package);
        TensorFiles.Randomize(session, Seed);
        if (package.Manifest.Preprocess is not null)
        {
            using var input = new PictureInput(path, package.Manifest, session.Inputs);
            using var scene = new SyntheticScene(Width, Height, Seed);
            scene.Render(0, input.Frame);
            input.Run(session.Input(0));
        }
        return SessionSelfTest.Record(session);
    }
}
