using EdgeSparse.Daemon.Bridge;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Gpio;
using EdgeSparse.Daemon.Models;
using EdgeSparse.Daemon.Mqtt;
using EdgeSparse.Daemon.Scenes;
using EdgeSparse.Daemon.Sources;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Pipelines;

/// <summary>Puts cameras together: source, model and where results go.</summary>
internal sealed class CameraFactory(DaemonOptions options, ModelLoader models, ModelUpdates? updates, IMessagePublisher? publisher, MqttBridge? bridge, Topics topics, IReadOnlyList<GpioOutput> outputs, TimeProvider time, Log log)
{
    /// <summary>A camera that is ready to start. Throws <see cref="DaemonException"/>.</summary>
    public CameraPipeline Create(CameraOptions camera)
    {
        return Create(camera, ResolveModel(camera));
    }

    /// <summary>The model that a camera begins with: the configured one, or its installed update. Throws <see cref="DaemonException"/>.</summary>
    public PipelineModel ResolveModel(CameraOptions camera) => updates is null ? CreateModel(camera, models.Load(camera.Model)) : updates.Resolve(camera.Model, loaded => CreateModel(camera, loaded, options.Models.ProbationFrames));

    /// <summary>Packages are read again when they are wanted again.</summary>
    public void Forget() => models.Forget();

    /// <summary>A camera that is ready to start, with a model that is its own from now on.</summary>
    public CameraPipeline Create(CameraOptions camera, PipelineModel model)
    {
        try
        {
            return new CameraPipeline(new PipelineParts(camera, SourceFactory.Create(camera, time, log), model, new SequenceStore(options.StateFolder, camera.Name, log), time, log));
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>The part of a camera's pipeline that comes with its model. Throws <see cref="DaemonException"/> where the model cannot be run here or cannot be this camera's.</summary>
    /// <param name="camera">Whose frames it will see.</param>
    /// <param name="loaded">The model.</param>
    /// <param name="probationFrames">As <see cref="PipelineModel.Probation"/> says.</param>
    public PipelineModel CreateModel(CameraOptions camera, LoadedModel loaded, int probationFrames = 0)
    {
        ModelPackage package = loaded.Package;
        IInferenceSession session = models.CreateSession(package, loaded.Path);
        var sinks = new List<IResultSink>();
        Scene? scene = null;
        try
        {
            ModelIdentity identity = loaded.Identify(session);
            var preprocessor = new Preprocessor(package.Manifest.Preprocess!, session.Inputs[0].Shape, camera.Scene.Region);
            OutputDecoder decoder = OutputDecoder.Create(package.Manifest.Decoder!, session.Inputs[0].Shape, [.. session.Outputs.Select(output => (output.Name, output.Shape))]);
            if (!double.IsNaN(camera.ScoreThreshold)) decoder.ScoreThreshold = (float)camera.ScoreThreshold;
            scene = CreateScene(camera, identity, decoder);
            if (publisher is not null)
            {
                var writer = new ResultWriter(options.Device, camera.Name, identity, decoder.ClassCount, time);
                sinks.Add(new ResultPublisher(publisher, writer, topics.Results(camera.Name, identity.Decoder), camera.QualityOfService));
                if (identity.Decoder != DecoderKind.Classification) AddCounts(camera.Name, identity, decoder.ClassCount, publisher, scene, sinks);
            }
            foreach (GpioOutput output in outputs)
            {
                if (!GpioOptionsReader.IsFor(output.Options.Cameras, camera.Name)) continue;
                var rule = new GpioRule(output, identity, decoder.ClassCount, scene?.Zones);
                if (rule.CanMatch) sinks.Add(rule);
            }
            return new PipelineModel(session, identity, preprocessor, decoder, sinks, probationFrames) { Scene = scene };
        }
        catch (Exception e) when (e is ModelFormatException or DaemonException)
        {
            session.Dispose();
            scene?.Dispose();
            foreach (IResultSink sink in sinks) (sink as IDisposable)?.Dispose();
            if (e is DaemonException) throw;
            throw new DaemonException(ExitCode.Data, $"{loaded.Path}: {e.Message}");
        }
    }

    /// <summary>A classifier's results are not in a place, so nothing is followed.</summary>
    private Scene? CreateScene(CameraOptions camera, ModelIdentity model, OutputDecoder decoder)
    {
        if (model.Decoder != DecoderKind.Classification) return camera.Scene.Tracking ? new Scene(camera.Scene, camera.Name, model, decoder, new SequenceStore(options.StateFolder, camera.Name, log, "track")) : null;
        if (camera.Scene.Zones.Count > 0) throw new DaemonException(ExitCode.Configuration, $"cameras:{camera.Name}:zones: model {model.Name} is a classifier, whose results are not in a place; zones need a detector");
        return null;
    }

    private void AddCounts(string camera, ModelIdentity model, int classes, IMessagePublisher target, Scene? scene, List<IResultSink> sinks)
    {
        IReadOnlyList<string> labels = CountPublisher.Levels(model, classes);
        if (scene is { Zones.Zones.Count: > 0 }) sinks.Add(new ZonePublisher(target, topics, options.Device, camera, model, labels, scene.Zones));
        if (labels.Count == 0) return;
        sinks.Add(new CountPublisher(target, topics, camera, labels));
        bridge?.Announce(HomeAssistantDiscovery.Topic(options.Device, camera), HomeAssistantDiscovery.Payload(options.Device, camera, model, labels, scene?.Zones, bridge.Prefixed));
    }
}
