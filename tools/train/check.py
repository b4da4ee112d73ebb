"""Every recipe for a few steps on made-up pictures, and what came out: zeros and patterns exact, losses finite, BatchNorm put back without changing outputs, and each exported file computed by
EdgeSparse within 1e-4 of torch. By hand, since torch is heavy: two minutes on one thread.

    python3 check.py --edgesparse ../../out/bin/edgesparse
"""
import argparse
import json
import math
import os
import subprocess
import tempfile
import numpy as np
import torch
import export_cifar
import train_cifar
from cifar_nets import NETS
from cifar_start import load_cnn, load_vit, widen
import masks
from masks import block_of, erk, of_group

# net, recipe, share of zeros wanted over all prunable layers
RECIPES = [
    ("cnn", "gradual:unstructured:0.9", 0.9), ("cnn", "gradual:unstructured:0.8:uniform", 0.8), ("cnn", "gradual:unstructured:0.9:erk", 0.9), ("cnn", "gradual:4x1:0.85", 0.85),
    ("cnn", "gradual:2:4", 0.5), ("cnn", "decay:2:4", 0.5), ("cnn", "decay:1:8", 0.875), ("cnn", "srste:2:4", 0.5), ("cnn", "rigl:unstructured:0.9", 0.9), ("cnn", "rigl:2x1:0.8:uniform", 0.8),
    ("vit", "gradual:unstructured:0.8", 0.8), ("vit", "decay:2:4", 0.5), ("vit", "rigl:4x1:0.8", 0.8),
]


def expect(truth, message):
    if not truth:
        raise SystemExit("FAILED " + message)


def made_up(folder):
    """Pictures whose mean colour tells the class, so that a loss can fall."""
    rng = np.random.default_rng(3)
    for name, count in (("train", 320), ("test", 40)):
        labels = np.arange(count) % 10
        pictures = rng.integers(0, 120, (count, 3, 32, 32)) + (labels * 13)[:, None, None, None]
        np.save(os.path.join(folder, name + "_x.npy"), pictures.astype(np.uint8))
        np.save(os.path.join(folder, name + "_y.npy"), labels.astype(np.int64))


def pattern_holds(mask, pattern):
    kept = mask.flatten(1) != 0
    group = of_group(pattern)
    if group:
        return bool((kept.reshape(kept.shape[0], -1, group[1]).sum(-1) == group[0]).all())
    blocks = kept.reshape(kept.shape[0] // block_of(pattern), block_of(pattern), -1).sum(1)
    return bool(((blocks == 0) | (blocks == block_of(pattern))).all())


def recipe(net, spec, wanted, data, folder, edgesparse):
    method, rest = spec.split(":", 1)
    pattern = rest[:3] if rest[1] == ":" else rest.split(":")[0]
    out = os.path.join(folder, net + "-" + spec.replace(":", "-"))
    rate = ["--rate", "0.02", "--decay", "1e-4"] if net == "cnn" else ["--rate", "3e-4", "--decay", "0.05"]
    train_cifar.main(["--net", net, "--data", data, "--out", out, "--epochs", "1", "--steps", "24", "--batch", "16", "--sparse", spec, "--teach", "0.5"] + rate)
    checkpoint = torch.load(os.path.join(out, "checkpoint.pt"))
    for number, name in enumerate(checkpoint["names"]):
        report = export_cifar.export(checkpoint, number, os.path.join(out, name), data)
        loss = checkpoint["log"][-1][name]["loss"]
        expect(math.isfinite(loss), f"{net} {spec}: loss {loss}")
        layers = export_cifar.student_model(checkpoint, number).prunable()
        if name == "dense":
            expect(report["prunable_zeros"] < report["prunable_weights"] * 0.001, f"{net} dense: {report['prunable_zeros']} zeros")
        else:
            share = report["prunable_zeros"] / report["prunable_weights"]
            expect(abs(share - wanted) < 0.002, f"{net} {spec}: {share:.4f} zeros, wanted {wanted}")
            for layer_name, layer in layers.items():
                mask = checkpoint["students"][number]["masks"][layer_name]
                expect(pattern_holds(mask, pattern), f"{net} {spec}: the mask of {layer_name} does not keep the pattern")
                expect(bool((layer.weight[mask == 0] == 0).all()), f"{net} {spec}: {layer_name} has weights where its mask has none")
                own = float((layer.weight == 0).float().mean())
                if "uniform" in spec or method in ("decay", "srste"):
                    expect(abs(own - wanted) < 0.02, f"{net} {spec}: {own:.4f} zeros in {layer_name}, wanted {wanted}")
                if spec.endswith(":erk"):
                    expect(abs(own - erk(layers, wanted)[layer_name]) < 0.01, f"{net} {spec}: {own:.4f} zeros in {layer_name}, wanted {erk(layers, wanted)[layer_name]:.4f}")
        expect(report["fold_difference"] < 1e-3, f"{net} {spec}: folding changed outputs by {report['fold_difference']}")
        if edgesparse:
            target = os.path.join(out, name)
            ran = subprocess.run([edgesparse, "verify", os.path.join(target, "model.onnx"), "--golden", os.path.join(target, "golden"), "--backend", "native", "--atol", "1e-4", "--rtol", "1e-4"],
                                 capture_output=True, text=True)
            expect(ran.returncode == 0, f"{net} {spec} {name}: {ran.stdout}{ran.stderr}")
    print("ok", net, spec, flush=True)
    return out


def start_again(out, net, data):
    """An exported dense model read back gives the same logits, also where it is widened."""
    path = os.path.join(out, "dense", "model.onnx")
    pictures = torch.from_numpy(np.load(os.path.join(data, "test_x.npy"))).float() / 255
    golden = torch.from_numpy(np.load(os.path.join(out, "dense", "golden", "output.npy")))
    models = [load_vit(path)] if net == "vit" else [load_cnn(path, pictures)]
    if net == "cnn":
        models.append(widen(models[0], NETS["cnn-wide"]()))
    for model in models:
        with torch.no_grad():
            difference = float((model.eval()(pictures) - golden).abs().max())
        expect(difference < 2e-3, f"{net}: reading {path} back changed outputs by {difference}")
    print("ok", net, "read back", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edgesparse", help="the program; without it exported files are not computed")
    parser.add_argument("--only", default="", help="recipes whose name has this")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made_up(folder)
        masks.RigL.EVERY = 5
        first = {}
        for net, spec, wanted in RECIPES:
            if args.only in f"{net} {spec}":
                first.setdefault(net, recipe(net, spec, wanted, folder, folder, args.edgesparse))
        for net, out in first.items():
            start_again(out, net, folder)
    print(json.dumps({"recipes": len(RECIPES), "engine": bool(args.edgesparse)}))


if __name__ == "__main__":
    main()
