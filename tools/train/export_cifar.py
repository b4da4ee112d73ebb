"""Exports every student of a checkpoint of train_cifar.py, for each a folder FOLDER/STUDENT:

    python3 export_cifar.py CHECKPOINT.pt FOLDER --data DATA

model.onnx (opset 13, batch 1, BatchNorm and normalisation folded), report.json (zeros and multiply-adds of every layer, hits on the test pictures), and golden/input.npy and golden/output.npy,
test pictures with torch's outputs, for `edgesparse verify FOLDER/STUDENT/model.onnx --golden FOLDER/STUDENT/golden`.
"""
import argparse
import json
import os
import warnings
import numpy as np
import onnx
import torch
from cifar_nets import NETS
from cifar_pictures import hits, test_pictures
from layers import export_onnx, layer_table


def student_model(checkpoint, number):
    model = NETS[checkpoint["net"]]()
    model.load_state_dict(checkpoint["students"][number]["model"])
    return model.eval()


def export(checkpoint, number, folder, data, golden=100):
    os.makedirs(os.path.join(folder, "golden"), exist_ok=True)
    model = student_model(checkpoint, number)
    pictures, labels = test_pictures(data)
    some = pictures[torch.linspace(0, len(pictures) - 1, min(golden, len(pictures))).long()].contiguous()
    with torch.no_grad():
        outputs = model(some)
        folded = model.fold().to(memory_format=torch.contiguous_format).eval()
        difference = float((folded(some) - outputs).abs().max())
    path = os.path.join(folder, "model.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # fixed shapes are wanted
        export_onnx(folded, some[:1], path, "logits")
    file = onnx.load(path)
    for node in file.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(file)
    onnx.save(file, path)
    np.save(os.path.join(folder, "golden", "input.npy"), some.numpy())
    np.save(os.path.join(folder, "golden", "output.npy"), outputs.numpy())
    rows, prunable = layer_table(folded, some[:1]), folded.prunable()
    weights = sum(layer.weight.numel() for layer in prunable.values())
    zeros = sum(int((layer.weight == 0).sum()) for layer in prunable.values())
    report = {"student": checkpoint["names"][number], "parameters": sum(p.numel() for p in folded.parameters()), "prunable_weights": weights, "prunable_zeros": zeros,
              "macs": sum(row["macs"] for row in rows), "macs_left": sum(row["macs_left"] for row in rows), "bytes": os.path.getsize(path), "fold_difference": difference,
              "test_hits": hits(folded, pictures, labels), "tests": len(labels), "steps": checkpoint["number"], "log": checkpoint["log"][-1:], "layers": rows}
    with open(os.path.join(folder, "report.json"), "w") as file:
        json.dump(report, file, indent=1)
    return report


def main(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint")
    parser.add_argument("folder")
    parser.add_argument("--data", required=True)
    args = parser.parse_args(words)
    torch.set_num_threads(1)
    checkpoint = torch.load(args.checkpoint)
    for number, name in enumerate(checkpoint["names"]):
        report = export(checkpoint, number, os.path.join(args.folder, name), args.data)
        print(json.dumps({key: value for key, value in report.items() if key not in ("layers", "log")}))


if __name__ == "__main__":
    main()
