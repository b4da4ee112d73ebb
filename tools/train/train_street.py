"""Trains, prunes, measures and exports the street detector. See README.md for the whole sequence of commands."""
import argparse
import copy
import json
import math
import os
import sys
import time
import numpy as np
import torch
import torch.nn.functional as F
from layers import export_onnx, fold_batch_norm, layer_table
from masks import GradualMagnitude
from street_model import StreetDetector, HEIGHT, WIDTH, LABELS, cells, decode
from street_data import load, assign, average_precision, detections


def batch(frames, boxes, indices, grid, rng):
    """Pictures 0..1 with random flip, brightness and colour; for every cell its box (in input pixels), label, and whether it has one."""
    images = np.empty((len(indices), 3, HEIGHT, WIDTH), np.float32)
    targets = np.zeros((len(indices), len(grid), 5), np.float32)
    positive = np.zeros((len(indices), len(grid)), bool)
    for n, i in enumerate(indices):
        image, b = frames[i], boxes[i]
        if rng.random() < 0.5:
            image = image[:, :, ::-1]
            b = b.copy()
            b[:, [0, 2]] = WIDTH - b[:, [2, 0]]
        gain = rng.uniform(0.75, 1.2) * rng.uniform(0.94, 1.06, (3, 1, 1))
        images[n] = np.minimum(image * (gain / 255).astype(np.float32), 1)
        owner = assign(b, grid)
        positive[n] = owner >= 0
        targets[n, positive[n]] = b[owner[positive[n]]]
    return torch.from_numpy(images).contiguous(memory_format=torch.channels_last), torch.from_numpy(targets), torch.from_numpy(positive)


def loss_of(output, targets, positive, grid):
    count = max(int(positive.sum()), 1)
    boxes, truth = decode(output, grid)[positive], targets[positive]
    low, high = torch.maximum(boxes[:, :2], truth[:, :2]), torch.minimum(boxes[:, 2:4], truth[:, 2:4])
    inter = (high - low).clamp(min=0).prod(1)
    union = (boxes[:, 2:4] - boxes[:, :2]).prod(1) + (truth[:, 2:4] - truth[:, :2]).prod(1) - inter
    hull = (torch.maximum(boxes[:, 2:4], truth[:, 2:4]) - torch.minimum(boxes[:, :2], truth[:, :2])).prod(1)
    iou = inter / union.clamp(min=1e-6)
    giou = iou - (hull - union) / hull.clamp(min=1e-6)
    box_loss = (1 - giou).sum() / count
    wanted = torch.zeros_like(output[..., 4])
    wanted[positive] = 0.5 + 0.5 * iou.detach()
    object_loss = F.binary_cross_entropy_with_logits(output[..., 4], wanted, reduction="sum") / count
    classes = F.one_hot(truth[:, 4].long(), len(LABELS)).float()
    class_loss = F.binary_cross_entropy_with_logits(output[positive][:, 5:], classes, reduction="sum") / count
    return 3 * box_loss + object_loss + class_loss, (float(box_loss), float(object_loss), float(class_loss))


@torch.no_grad()
def measure(model, frames, boxes, grid):
    model = copy.deepcopy(model).eval()
    model.scores_as_logits = False
    found = []
    for i in range(len(frames)):
        image = torch.from_numpy(frames[i].astype(np.float32) / 255)[None].contiguous(memory_format=torch.channels_last)
        found.append(detections(model(image)[0], grid))
    per_class = average_precision(boxes, found)
    return sum(ap for ap, _ in per_class.values()) / len(per_class), per_class


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", required=True)
    parser.add_argument("--test", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--steps", type=int, default=2600)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--sparsity", type=float, default=0.82)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--weights", help="street.pt of an earlier run: no training, only measure and export")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    os.makedirs(args.out, exist_ok=True)
    frames, boxes = load(args.train)
    test_frames, test_boxes = load(args.test)
    grid = cells()
    grid_array = grid.numpy()
    model = StreetDetector().to(memory_format=torch.channels_last)
    if args.weights:
        model.load_state_dict(torch.load(args.weights))
        return export(model, args, test_frames, test_boxes, grid, 0)
    average = copy.deepcopy(model)
    pruner = GradualMagnitude(model.prunable(), "unstructured", args.sparsity, "uniform", begin=0.25, end=0.65)
    decayed = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() <= 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 1e-3}, {"params": plain, "weight_decay": 0}], lr=args.rate)
    order, began = [], time.time()
    for step in range(args.steps):
        warm = min(1, (step + 1) / 100)
        for group in optimizer.param_groups:
            group["lr"] = args.rate * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / args.steps)))
        if len(order) < args.batch:
            order = list(rng.permutation(len(frames)))
        images, targets, positive = batch(frames, boxes, [order.pop() for _ in range(args.batch)], grid_array, rng)
        model.train()
        loss, parts = loss_of(model(images), targets, positive, grid)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 20.0)
        optimizer.step()
        pruner.after_step(step / args.steps, step)
        decay = min(0.995, (step + 1) / (step + 20))
        with torch.no_grad():
            for mine, new in zip(average.state_dict().values(), model.state_dict().values()):
                if mine.dtype.is_floating_point:
                    mine.lerp_(new, 1 - decay)
        if step % 50 == 0:
            print(f"step {step} loss {float(loss):.3f} box {parts[0]:.3f} object {parts[1]:.3f} class {parts[2]:.3f} {time.time() - began:.0f} s", flush=True)
        if step % 400 == 399 or step == args.steps - 1:
            pruner.apply(average.prunable())
            mean, per_class = measure(average, test_frames[::4], test_boxes[::4], grid)
            print(f"step {step} mAP@.5 on every fourth test frame {mean:.4f} " + " ".join(f"{k} {v[0]:.3f}" for k, v in per_class.items()), flush=True)
            torch.save(average.state_dict(), os.path.join(args.out, "street.pt"))
    seconds = time.time() - began
    pruner.apply(average.prunable())
    export(average, args, test_frames, test_boxes, grid, seconds)


def export(model, args, test_frames, test_boxes, grid, seconds):
    model = copy.deepcopy(model).to(memory_format=torch.contiguous_format).eval()
    model.scores_as_logits = False
    sample = torch.from_numpy(test_frames[0].astype(np.float32) / 255)[None]
    before = model(sample).detach()
    folded = fold_batch_norm(model).eval()
    difference = float((folded(sample) - before).abs().max())
    path = os.path.join(args.out, "model.onnx")
    export_onnx(folded, sample, path, "detections")
    mean, per_class = measure(folded, test_frames, test_boxes, grid)
    report = {"steps": args.steps, "batch": args.batch, "seconds": round(seconds), "seed": args.seed, "fold_difference": difference, "map50_torch": mean,
              "ap50_torch": {k: v[0] for k, v in per_class.items()}, "test_boxes": {k: v[1] for k, v in per_class.items()}, "layers": layer_table(folded, sample)}
    with open(os.path.join(args.out, "report.json"), "w") as file:
        json.dump(report, file, indent=1)
    print(json.dumps({k: v for k, v in report.items() if k != "layers"}, indent=1))


if __name__ == "__main__":
    sys.exit(main())
