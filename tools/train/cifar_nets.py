"""The two network families: an inverted residual CNN (MobileNetV2's idea, own widths) and a plain vision transformer. Both take RGB in 0..1, [n, 3, 32, 32], and give logits [n, 10]."""
import math
import torch
import torch.nn as nn
import torch.nn.functional as F
from layers import ConvNorm, InvertedResidual, fold_batch_norm

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
CLASSES = 10


class MbNet(nn.Module):
    """stages: (expansion, channels, repeats, stride). tail_expansion: of every block after the first of the last stage; there positions are few, so width is cheap."""

    STAGES = ((1, 32, 1, 2), (4, 32, 1, 1), (4, 48, 2, 2), (6, 64, 3, 1), (6, 96, 4, 2))

    def __init__(self, tail_expansion=6, head=512):
        super().__init__()
        # Black padding comes before the normalisation, so that this folds exactly into a zero-padded first convolution.
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))
        self.stem = ConvNorm(3, 24, 3, padding=0)
        blocks, channels = [], 24
        for number, (expansion, outputs, repeats, stride) in enumerate(self.STAGES):
            for repeat in range(repeats):
                factor = tail_expansion if number == len(self.STAGES) - 1 and repeat > 0 else expansion
                blocks.append(InvertedResidual(channels, channels * factor, outputs, stride if repeat == 0 else 1))
                channels = outputs
        self.blocks = nn.ModuleList(blocks)
        self.head = ConvNorm(channels, head, 1)
        self.fc = nn.Linear(head, CLASSES)
        self.folded = False
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, x):
        if not self.folded:
            x = (F.pad(x, (1, 1, 1, 1)) - self.mean) / self.std
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.fc(F.adaptive_avg_pool2d(self.head(x), 1).flatten(1))

    def prunable(self):
        """Every 1x1 convolution: name -> module."""
        return {name: m for name, m in self.named_modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (1, 1)}

    @torch.no_grad()
    def fold(self):
        fold_batch_norm(self)
        conv = self.stem.conv
        weight = conv.weight.double() / self.std.double()
        conv.bias.copy_((conv.bias.double() - (weight * self.mean.double()).sum((1, 2, 3))).float())
        conv.weight.copy_(weight.float())
        conv.padding = (1, 1)
        self.folded = True
        return self


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        batch, tokens, width = (int(v) for v in x.shape)  # plain numbers: fixed shapes in the exported file
        q, k, v = self.qkv(x).reshape(batch, tokens, 3, self.heads, self.size).permute(2, 0, 3, 1, 4).unbind(0)
        scores = (q * self.size ** -0.5) @ k.transpose(-2, -1)
        return self.proj((scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, tokens, width))


class Layer(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.n1, self.att = nn.LayerNorm(width), Attention(width, heads)
        self.n2, self.fc1, self.fc2 = nn.LayerNorm(width), nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        x = x + self.att(self.n1(x))
        return x + self.fc2(F.gelu(self.fc1(self.n2(x))))


def sine_positions(side, width):
    """Start values of the positions, [side * side, width]."""
    frequency = 1.0 / 100 ** (torch.arange(width // 4).float() / (width // 4))
    rows, columns = torch.meshgrid(torch.arange(side).float(), torch.arange(side).float(), indexing="ij")
    return torch.cat([f(p.reshape(-1, 1) * frequency) for p in (rows, columns) for f in (torch.sin, torch.cos)], 1)


class Vit(nn.Module):
    """Pre-norm transformer: patches of 4x4 (64 tokens and the class token), learned positions, GELU, the class token to a linear layer."""

    def __init__(self, width=128, depth=6, heads=4, hidden=512, patch=4):
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))
        self.patch = nn.Conv2d(3, width, patch, patch)
        side = 32 // patch
        self.cls = nn.Parameter(torch.zeros(1, 1, width))
        self.pos = nn.Parameter(torch.zeros(1, side * side + 1, width))
        self.layers = nn.ModuleList([Layer(width, heads, hidden) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, CLASSES)
        self.folded = False
        with torch.no_grad():
            for module in self.modules():
                if isinstance(module, nn.Linear):
                    nn.init.xavier_uniform_(module.weight)
                    nn.init.zeros_(module.bias)
            nn.init.trunc_normal_(self.cls, std=0.02)
            self.pos[:, 1:] = 0.5 * sine_positions(side, width)
            for layer in self.layers:
                self.mimetic(layer.att, width)

    @staticmethod
    def mimetic(attention, width):
        """Attention starts with keys like queries and projected values like negated inputs (Trockman and Kolter 2023, arXiv 2305.09828)."""
        def noise():
            return torch.randn(width, width) / math.sqrt(width)
        for head in range(attention.heads):
            u, s, v = torch.linalg.svd(0.7 * noise() + 0.7 * torch.eye(width))
            root, first = s[:attention.size].sqrt(), head * attention.size
            attention.qkv.weight[first:first + attention.size] = (u[:, :attention.size] * root).T
            attention.qkv.weight[width + first:width + first + attention.size] = v[:attention.size] * root.view(-1, 1)
        u, s, v = torch.linalg.svd(0.4 * noise() - 0.4 * torch.eye(width))
        attention.proj.weight.copy_(u * s.sqrt())
        attention.qkv.weight[2 * width:] = v * s.sqrt().view(-1, 1)

    def forward(self, x):
        if not self.folded:
            x = (x - self.mean) / self.std
        batch = int(x.shape[0])
        x = self.patch(x).reshape(batch, self.pos.shape[2], -1).transpose(1, 2)
        x = torch.cat([self.cls if batch == 1 else self.cls.expand(batch, -1, -1), x], 1) + self.pos
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x[:, 0]))

    def prunable(self):
        """Every linear layer of the transformer layers: name -> module."""
        return {name: m for name, m in self.named_modules() if isinstance(m, nn.Linear) and name.startswith("layers.")}

    @torch.no_grad()
    def fold(self):
        weight = self.patch.weight.double() / self.std.double()
        self.patch.bias.copy_((self.patch.bias.double() - (weight * self.mean.double()).sum((1, 2, 3))).float())
        self.patch.weight.copy_(weight.float())
        for module in self.prunable().values():
            module.weight.add_(0.0)
        self.folded = True
        return self


NETS = {"cnn": lambda: MbNet(), "cnn-wide": lambda: MbNet(tail_expansion=12, head=768), "vit": lambda: Vit()}
