"""Which weights are zero: patterns, how zeros are shared out among layers, and the methods that get there during training.

Weights are taken as [outputs, inputs]; a 1x1 convolution is such a matrix. Patterns: "unstructured"; "2x1", "4x1", "8x1": blocks of consecutive outputs with the same input;
"N:M": of every M consecutive inputs of an output N stay.

A method has four calls: before_forward, after_backward and after_step around every training step, and finish, after which the zeros are exact. progress goes from 0 to 1 over the training.
"""
import math
import torch


def block_of(pattern):
    """Outputs in a block."""
    if pattern == "unstructured":
        return 1
    rows, _, columns = pattern.partition("x")
    if columns != "1" or not rows.isdigit():
        raise SystemExit(f"pattern {pattern}: expected unstructured, Rx1 or N:M")
    return int(rows)


def of_group(pattern):
    """N and M of "N:M", or None."""
    if ":" not in pattern:
        return None
    n, m = (int(part) for part in pattern.split(":"))
    if not 0 < n < m:
        raise SystemExit(f"pattern {pattern}: expected N:M with 0 < N < M")
    return n, m


def check_shapes(layers, pattern):
    group = of_group(pattern)
    for name, layer in layers.items():
        outputs, inputs = layer.weight.shape[:2]
        if group and inputs % group[1]:
            raise SystemExit(f"pattern {pattern}: {name} has {inputs} inputs, not a multiple of {group[1]}")
        if not group and outputs % block_of(pattern):
            raise SystemExit(f"pattern {pattern}: {name} has {outputs} outputs, not a multiple of {block_of(pattern)}")


def group_mask(weight, n, m):
    """The n largest of every m consecutive inputs."""
    size = weight.flatten(1).abs()
    groups = size.reshape(size.shape[0], -1, m)
    mask = torch.zeros_like(groups).scatter_(-1, groups.topk(n, -1).indices, 1.0)
    return mask.reshape(weight.shape)


def block_scores(weight, block):
    """Sum of squares of every block, [outputs / block * inputs]."""
    square = weight.flatten(1).double() ** 2
    return square.reshape(square.shape[0] // block, block, -1).sum(1).flatten()


def expand(keep, weight, block):
    """[outputs / block * inputs] of 0 and 1 -> the mask of the weight."""
    outputs, inputs = weight.shape[:2]
    return keep.float().reshape(outputs // block, 1, inputs).expand(-1, block, -1).reshape(weight.shape).clone()


def lamp(scores):
    """Every score over the sum of those not smaller, so that one threshold empties no layer (Lee et al. 2021, arXiv 2010.07611)."""
    ordered, order = scores.sort()
    tail = ordered.flip(0).cumsum(0).flip(0).clamp_min(1e-30)
    result = torch.empty_like(ordered)
    result[order] = ordered / tail
    return result


def erk(layers, zeros):
    """Share of zeros of each layer: kept share proportional to (outputs + inputs) / (outputs * inputs), at most 1 (Erdos-Renyi; Evci et al. 2020, arXiv 1911.11134)."""
    sizes = {name: layer.weight.numel() for name, layer in layers.items()}
    raw = {name: sum(layer.weight.shape[:2]) / sizes[name] for name, layer in layers.items()}
    wanted, dense = (1 - zeros) * sum(sizes.values()), set()
    while True:
        rest = [name for name in layers if name not in dense]
        scale = (wanted - sum(sizes[name] for name in dense)) / sum(raw[name] * sizes[name] for name in rest)
        over = [name for name in rest if scale * raw[name] > 1]
        if not over:
            return {name: 0.0 if name in dense else 1 - scale * raw[name] for name in layers}
        dense.update(over)


class Sparsity:
    """The masks of the layers, and nothing more: a dense model has no layers."""

    def __init__(self, layers, pattern="unstructured", zeros=0.0):
        check_shapes(layers, pattern)
        self.layers, self.pattern, self.zeros = layers, pattern, zeros
        self.masks = {name: torch.ones_like(layer.weight) for name, layer in layers.items()}

    def before_forward(self, progress):
        pass

    def after_backward(self, progress, step):
        pass

    def after_step(self, progress, step):
        self.apply()

    def finish(self):
        self.apply()

    @torch.no_grad()
    def apply(self, layers=None):
        """Zeros in these layers, by default those that learn; an average of theirs has the same names."""
        for name, layer in (layers or self.layers).items():
            layer.weight.mul_(self.masks[name])

    def share(self):
        total = sum(layer.weight.numel() for layer in self.layers.values())
        return sum(int((layer.weight == 0).sum()) for layer in self.layers.values()) / max(total, 1)


class GradualMagnitude(Sparsity):
    """The smallest go, more and more: share = zeros * (1 - (1 - t)^3) with t from 0 to 1 between two points of the training, then the masks stay (Zhu and Gupta 2017, arXiv 1710.01878).

    allocation: "global" (one threshold on LAMP scores), "erk" or "uniform". N:M goes from M-1:M down to N:M in equal steps."""

    EVERY = 20

    def __init__(self, layers, pattern, zeros, allocation="global", begin=0.05, end=0.5):
        super().__init__(layers, pattern, zeros)
        self.allocation, self.begin, self.end = allocation, begin, end
        self.settled = False
        self.final = erk(layers, zeros) if allocation == "erk" else {name: zeros for name in layers}

    def after_step(self, progress, step):
        if progress >= self.begin and not self.settled and (step % self.EVERY == 0 or progress >= self.end):
            time = min(1.0, (progress - self.begin) / (self.end - self.begin))
            self.settled = time >= 1
            self.update(time)
        self.apply()

    @torch.no_grad()
    def update(self, time):
        group = of_group(self.pattern)
        if group:
            n, m = group
            keep = max(n, m - 1 - int(time * (m - n)))
            for name, layer in self.layers.items():
                self.masks[name] = group_mask(layer.weight, keep, m)
            return
        block, rise = block_of(self.pattern), 1 - (1 - time) ** 3
        scores = {name: block_scores(layer.weight, block) for name, layer in self.layers.items()}
        if self.allocation == "global":
            scores = {name: lamp(score) for name, score in scores.items()}
            order = torch.cat(list(scores.values())).argsort()
            flat = torch.ones(len(order))
            flat[order[:round(rise * self.zeros * len(order))]] = 0
            keeps = dict(zip(scores, flat.split([len(score) for score in scores.values()])))
        else:
            keeps = {}
            for name, score in scores.items():
                keeps[name] = torch.ones(len(score))
                keeps[name][score.argsort()[:round(rise * self.final[name] * len(score))]] = 0
        for name, layer in self.layers.items():
            self.masks[name] = expand(keeps[name], layer.weight, block)


class RigL(Sparsity):
    """Random masks from the first step, and always the same number of zeros: now and then the smallest of a layer go and as many of its zeros come back, where the gradient is largest
    (Evci et al. 2020, arXiv 1911.11134). The share that moves falls as a cosine. allocation: "erk" or "uniform"; patterns but N:M."""

    EVERY, MOVED = 100, 0.3

    def __init__(self, layers, pattern, zeros, allocation="erk", end=0.75):
        super().__init__(layers, pattern, zeros)
        if of_group(pattern) or allocation not in ("erk", "uniform"):
            raise SystemExit(f"rigl:{pattern}:{allocation}: expected pattern unstructured or Rx1 and allocation erk or uniform")
        self.end, self.block = end, block_of(pattern)
        share = erk(layers, zeros) if allocation == "erk" else {name: zeros for name in layers}
        for name, layer in layers.items():
            count = layer.weight.numel() // self.block
            keep = torch.ones(count)
            keep[torch.randperm(count)[:round(share[name] * count)]] = 0
            self.masks[name] = expand(keep, layer.weight, self.block)
        self.apply()

    @torch.no_grad()
    def after_backward(self, progress, step):
        moving = step > 0 and step % self.EVERY == 0 and progress < self.end
        for name, layer in self.layers.items():
            if moving:
                self.move(name, layer, progress)
            layer.weight.grad.mul_(self.masks[name])

    def move(self, name, layer, progress):
        kept = block_scores(self.masks[name], self.block) > 0
        count = int(self.MOVED * 0.5 * (1 + math.cos(math.pi * progress / self.end)) * int(kept.sum()))
        count = min(count, int((~kept).sum()))
        size, wish = block_scores(layer.weight, self.block), block_scores(layer.weight.grad, self.block)
        dropped = size.masked_fill(~kept, math.inf).argsort()[:count]
        grown = wish.masked_fill(kept, -math.inf).argsort(descending=True)[:count]
        kept[dropped], kept[grown] = False, True
        before, self.masks[name] = self.masks[name], expand(kept, layer.weight, self.block)
        fresh = (self.masks[name] - before).clamp_min(0) > 0
        for buffer in self.optimizer.state[layer.weight].values():  # what grows starts at zero, its momentum too
            if torch.is_tensor(buffer) and buffer.shape == layer.weight.shape:
                buffer.masked_fill_(fresh, 0.0)


class ThroughMask(Sparsity):
    """The forward pass sees masked weights while the weights behind them stay and learn, so that masks can change until the end. Masks keep the largest, anew at each step."""

    def before_forward(self, progress):
        self.behind = {name: layer.weight.detach().clone() for name, layer in self.layers.items()}
        with torch.no_grad():
            for name, layer in self.layers.items():
                self.masks[name] = self.largest(layer.weight)
                layer.weight.mul_(self.factor(name, progress))

    def largest(self, weight):
        group = of_group(self.pattern)
        if group:
            return group_mask(weight, *group)
        block = block_of(self.pattern)
        scores = block_scores(weight, block)
        keep = torch.ones(len(scores))
        keep[scores.argsort()[:round(self.zeros * len(scores))]] = 0
        return expand(keep, weight, block)

    @torch.no_grad()
    def after_backward(self, progress, step):
        for name, layer in self.layers.items():
            layer.weight.copy_(self.behind[name])
            self.correct(name, layer, progress)

    def after_step(self, progress, step):
        pass

    @torch.no_grad()
    def finish(self):
        for name, layer in self.layers.items():
            self.masks[name] = self.largest(layer.weight)
        self.apply()


class DecayingFlow(ThroughMask):
    """What the mask takes away counts with a factor that falls from 1 to 0 between two points of the training, and gradients with it (mask decay of Bambhaniya et al. 2024,
    arXiv 2402.04744). Afterwards the masks stay. Mind that every layer has the same share of zeros."""

    def __init__(self, layers, pattern, zeros, begin=0.05, end=0.7):
        super().__init__(layers, pattern, zeros)
        self.begin, self.end, self.settled = begin, end, False

    def flow(self, progress):
        return 1 - min(1.0, max(0.0, (progress - self.begin) / (self.end - self.begin)))

    def factor(self, name, progress):
        return self.masks[name] + self.flow(progress) * (1 - self.masks[name])

    def before_forward(self, progress):
        if not self.settled:
            super().before_forward(progress)

    def after_backward(self, progress, step):
        if not self.settled:
            super().after_backward(progress, step)

    def correct(self, name, layer, progress):
        layer.weight.grad.mul_(self.factor(name, progress))

    def after_step(self, progress, step):
        if not self.settled and self.flow(progress) == 0:
            super().finish()
            self.settled = True
        if self.settled:
            self.apply()

    def finish(self):
        if not self.settled:
            super().finish()


class StraightThrough(ThroughMask):
    """Gradients pass the mask unchanged, and what it takes away is drawn to zero (SR-STE, Zhou et al. 2021, arXiv 2102.04010). The pull is the paper's."""

    PULL = 2e-4

    def factor(self, name, progress):
        return self.masks[name]

    def correct(self, name, layer, progress):
        layer.weight.grad.add_(self.behind[name] * (1 - self.masks[name]), alpha=self.PULL)


METHODS = {"gradual": GradualMagnitude, "rigl": RigL, "decay": DecayingFlow, "srste": StraightThrough}


def sparsity_of(spec, layers):
    """METHOD:PATTERN:ZEROS[:ALLOCATION], N:M without ZEROS: gradual:unstructured:0.9, gradual:4x1:0.85:uniform, gradual:2:4."""
    parts = spec.split(":")
    method, parts = parts[0], parts[1:]
    if len(parts) >= 2 and parts[0].isdigit() and parts[1].isdigit():
        pattern, zeros, rest = ":".join(parts[:2]), 1 - int(parts[0]) / int(parts[1]), parts[2:]
    else:
        pattern, zeros, rest = parts[0], float(parts[1]), parts[2:]
    if method not in METHODS or not 0 < zeros < 1:
        raise SystemExit(f"{spec}: expected METHOD:PATTERN:ZEROS[:ALLOCATION] with METHOD one of {', '.join(METHODS)} and ZEROS between 0 and 1")
    return METHODS[method](layers, pattern, zeros, *rest)
