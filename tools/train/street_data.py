"""Frames and boxes that RenderScene wrote, the assignment of boxes to cells, and average precision."""
import csv
import os
import numpy as np
import torch
from street_model import HEIGHT, WIDTH, STRIDES, LABELS

# Longer side of the boxes (pixels of the input) that a stride learns; the ranges overlap, so a box near a limit has cells on two levels.
SIDE_RANGES = {8: (0, 56), 16: (40, 120), 32: (96, 1e9)}


def load(folder):
    frames = np.memmap(os.path.join(folder, "frames.u8"), np.uint8, "r").reshape(-1, 3, HEIGHT, WIDTH)
    boxes = [[] for _ in range(len(frames))]
    with open(os.path.join(folder, "boxes.csv")) as file:
        for row in csv.DictReader(file):
            boxes[int(row["frame"])].append([float(row["x_min"]) * WIDTH, float(row["y_min"]) * HEIGHT, float(row["x_max"]) * WIDTH, float(row["y_max"]) * HEIGHT, float(row["label"])])
    return frames, [np.array(b, np.float32).reshape(-1, 5) for b in boxes]


def assign(boxes, grid):
    """For every cell the box it must predict, or -1: cells whose centre is inside the middle of the box (1.5 strides around its centre), the smallest box where several claim it."""
    target = np.full(len(grid), -1, np.int64)
    if len(boxes) == 0:
        return target
    stride = grid[None, :, 2]
    x, y = (grid[None, :, 0] + 0.5) * stride, (grid[None, :, 1] + 0.5) * stride
    b = boxes[:, None, :]
    centre_x, centre_y, width, height = (b[..., 0] + b[..., 2]) / 2, (b[..., 1] + b[..., 3]) / 2, b[..., 2] - b[..., 0], b[..., 3] - b[..., 1]
    reach_x = np.clip(width / 2, 0.51 * stride, 1.5 * stride)
    reach_y = np.clip(height / 2, 0.51 * stride, 1.5 * stride)
    side = np.maximum(width, height)
    low = np.select([stride == s for s in STRIDES], [SIDE_RANGES[s][0] for s in STRIDES])
    high = np.select([stride == s for s in STRIDES], [SIDE_RANGES[s][1] for s in STRIDES])
    claims = (np.abs(x - centre_x) < reach_x) & (np.abs(y - centre_y) < reach_y) & (side >= low) & (side < high)
    area = np.where(claims, width * height, np.inf)
    best = area.argmin(0)
    return np.where(np.isfinite(area.min(0)), best, target)


def suppress(boxes, scores, labels, threshold):
    """Class-wise greedy non-maximum suppression; indices kept, best first."""
    order, keep = np.argsort(-scores, kind="stable"), []
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    while len(order):
        i, order = order[0], order[1:]
        keep.append(i)
        w = np.minimum(boxes[i, 2], boxes[order, 2]) - np.maximum(boxes[i, 0], boxes[order, 0])
        h = np.minimum(boxes[i, 3], boxes[order, 3]) - np.maximum(boxes[i, 1], boxes[order, 1])
        inter = np.clip(w, 0, None) * np.clip(h, 0, None)
        order = order[(inter <= threshold * (area[i] + area[order] - inter)) | (labels[order] != labels[i])]
    return np.array(keep, np.int64)


def average_precision(truths, predictions, iou=0.5):
    """AP at one IoU for each class (all-point interpolation). truths: [n,5] per frame; predictions: [n,6] (box, score, label) per frame."""
    result = {}
    for label, name in enumerate(LABELS):
        rows, total = [], 0
        for truth, found in zip(truths, predictions):
            t = truth[truth[:, 4] == label]
            total += len(t)
            used = np.zeros(len(t), bool)
            mine = found[found[:, 5] == label]
            for p in mine[np.argsort(-mine[:, 4], kind="stable")]:
                hit = False
                if len(t):
                    w = np.minimum(p[2], t[:, 2]) - np.maximum(p[0], t[:, 0])
                    h = np.minimum(p[3], t[:, 3]) - np.maximum(p[1], t[:, 1])
                    inter = np.clip(w, 0, None) * np.clip(h, 0, None)
                    overlap = inter / ((p[2] - p[0]) * (p[3] - p[1]) + (t[:, 2] - t[:, 0]) * (t[:, 3] - t[:, 1]) - inter)
                    best = np.where(used, -1, overlap).argmax()
                    hit = not used[best] and overlap[best] >= iou
                    used[best] |= hit
                rows.append((p[4], hit))
        rows.sort(key=lambda r: -r[0])
        hits = np.cumsum([r[1] for r in rows]) if rows else np.zeros(0)
        precision = hits / np.arange(1, len(rows) + 1)
        recall = hits / max(total, 1)
        precision = np.maximum.accumulate(precision[::-1])[::-1]
        result[name] = float(np.sum(np.diff(np.concatenate([[0], recall])) * precision)), total
    return result


def detections(output, grid, threshold=0.02, nms=0.45):
    """One output [1260, 5 + classes] with scores in 0..1 -> [n, 6] boxes in input pixels, score, label."""
    from street_model import decode
    scores = output[:, 4] * output[:, 5:].max(1).values
    keep = scores >= threshold
    boxes = decode(output[keep], grid[keep]).numpy()
    boxes = np.clip(boxes, 0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
    labels, scores = output[keep, 5:].argmax(1).numpy(), scores[keep].numpy()
    order = suppress(boxes, scores, labels, nms)[:100]
    return np.concatenate([boxes[order], scores[order, None], labels[order, None]], 1)
