namespace EdgeSparse.Cli.Commands;

/// <summary>The examples that each command's help begins with.</summary>
internal static class CommandExamples
{
    public static string For(string command) => "Examples:\n" + command switch
    {
        "compile" => """
              edgesparse compile model.onnx -o model.esm
              edgesparse compile model.onnx -o model.esm --input data=1x3x224x224 --labels names.txt
              edgesparse compile vit.onnx -o vit.esm --tokens merge:r=13             merge 13 tokens in each layer of a vision transformer
              edgesparse compile vit.onnx -o vit.esm --activation relu --calibrate pictures/
              edgesparse compile model.onnx -o model.esm --backend onnxruntime     carry the ONNX model as it is

            """,
        "inspect" => """
              edgesparse inspect model.esm
              edgesparse inspect model.onnx --plan --json

            """,
        "run" => """
              edgesparse run model.esm photo.jpg
              edgesparse run model.esm pictures/ --annotate out/ --save results.jsonl
              edgesparse run model.onnx --npy input.npy --save-npy outputs/

            """,
        "verify" => """
              edgesparse verify model.esm --golden DIR        DIR has input.npy (or input_NAME.npy) and output_NAME.npy
              edgesparse verify model.onnx --against onnxruntime --seed 7

            """,
        "bench" => """
              edgesparse bench model.esm --threads 4 --seconds 10
              edgesparse bench model.onnx --against onnxruntime --json
              edgesparse bench model.onnx --profile
              edgesparse bench vit.esm --pictures photos/             where the time depends on what is seen

            """,
        "tune" => """
              edgesparse tune                                 measure this processor; plans of later runs are chosen by it
              edgesparse tune model.esm --threads 2           also time every way to compute this model's layers
              edgesparse tune --state /var/lib/edgesparse     where the daemon looks (its stateFolder)

            """,
        "compare" => """
              edgesparse compare sparse.esm --baseline dense.onnx --pictures photos/
              edgesparse compare small.onnx --baseline large.onnx --pictures test.tar.gz --count 500 --json

            """,
        "tokens" => """
              edgesparse tokens vit.onnx --calibrate pictures/ --plot tokens.png --save tokens.json
              edgesparse tokens vit.onnx --calibrate test.tar.gz --shares 0.9,0.7,0.5 --spec merge:r=8 --threads 1

            """,
        "synth" => """
              edgesparse synth mobilenet_v2 --sparsity 0.9 -o m.onnx
              edgesparse synth resnet50 --pattern 2:4 --seed 3 -o r.onnx

            """,
        "prune" => """
              edgesparse prune model.onnx --sparsity 0.5 --calibrate pictures/ -o sparse.onnx --package sparse.esm
              edgesparse prune model.onnx --pattern 2:4 --calibrate train.tar.gz --judge test.tar.gz --max-drop 2 -o sparse.onnx
              edgesparse prune model.onnx --sparsity 0.8 --criterion magnitude --allocation global -o sparse.onnx
              edgesparse prune model.onnx --allocation measured --target-time-ratio 0.6 --calibrate pictures/ -o sparse.onnx
              edgesparse prune model.onnx --sweep default --calibrate pictures/ --max-drop 2 --plot sweep.png --save sweep.json -o sparse.onnx

            """,
        "optimize" => """
              edgesparse optimize model.onnx --calibrate pictures/ --max-drop 1% -o model.esm --report report/
              edgesparse optimize model.onnx --calibrate train.tar.gz --judge test.tar.gz --time-limit 600 --threads 1 -o model.esm
              edgesparse optimize vit.onnx --calibrate pictures/ --patterns 4x1,2:4 --token-methods merge -o vit.esm

            """,
        "soup" => """
              edgesparse soup seed1.onnx seed2.onnx seed3.onnx -o soup.onnx
              edgesparse soup long.onnx short.onnx --weights 2,1 -o soup.onnx

            """,
        "keygen" => """
              edgesparse keygen release                       makes release.key.pem (keep it secret) and release.pub.pem (into the daemon's models:trustedKeys)

            """,
        "sign" => """
              edgesparse sign model.esm --key release.key.pem --release 7
              edgesparse sign model.esm --check keys/         is its signature one of these keys'?

            """,
        "push" => """
              edgesparse push model.esm --wait                into /var/lib/edgesparse/models/inbox, and wait for what the daemon says
              edgesparse push model.esm --state run/state
              edgesparse push old.esm --force                 back to an older version

            """,
        _ => $"  edgesparse {command}\n",
    };
}
