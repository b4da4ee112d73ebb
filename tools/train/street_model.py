"""The street detector: MobileNetV2-style inverted residuals, a small feature pyramid, YOLOX-style anchor-free heads at strides 8, 16, 32."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from layers import ConvNorm, InvertedResidual

HEIGHT, WIDTH = 192, 320
STRIDES = (8, 16, 32)
LABELS = ("person", "bicycle", "car", "truck", "dog")


MOMENTUM = 0.03


def conv_bn(inputs, outputs, kernel, stride=1, groups=1):
    return ConvNorm(inputs, outputs, kernel, stride, groups, momentum=MOMENTUM)


def block(inputs, hidden, outputs, stride):
    return InvertedResidual(inputs, hidden, outputs, stride, momentum=MOMENTUM)


class Separable(nn.Sequential):
    def __init__(self, inputs, outputs):
        super().__init__(conv_bn(inputs, inputs, 3, groups=inputs), conv_bn(inputs, outputs, 1))


class StreetDetector(nn.Module):
    """[1, 3, 192, 320] RGB in 0..1 -> [1, 1260, 5 + classes]: x, y relative to the cell, log w, h in strides, objectness, class scores."""

    def __init__(self, pyramid=48):
        super().__init__()
        self.stem = conv_bn(3, 16, 3, 2)
        self.stage4 = nn.Sequential(block(16, 16, 24, 2), block(24, 48, 24, 1))
        self.stage8 = nn.Sequential(block(24, 72, 32, 2), block(32, 96, 32, 1), block(32, 96, 32, 1))
        self.stage16 = nn.Sequential(block(32, 128, 64, 2), block(64, 192, 64, 1), block(64, 192, 64, 1))
        self.stage32 = nn.Sequential(block(64, 256, 96, 2), block(96, 288, 96, 1))
        self.lateral = nn.ModuleList(conv_bn(channels, pyramid, 1) for channels in (32, 64, 96))
        self.heads = nn.ModuleList(nn.Sequential(Separable(pyramid, pyramid), Separable(pyramid, pyramid)) for _ in STRIDES)
        self.predict = nn.ModuleList(nn.Conv2d(pyramid, 5 + len(LABELS), 1) for _ in STRIDES)
        for layer in self.predict:
            nn.init.constant_(layer.bias, 0.0)
            nn.init.constant_(layer.bias[4:5], -4.0)
        self.scores_as_logits = True

    def forward(self, image):
        x8 = self.stage8(self.stage4(self.stem(image)))
        x16 = self.stage16(x8)
        p32 = self.lateral[2](self.stage32(x16))
        p16 = self.lateral[1](x16) + F.interpolate(p32, scale_factor=2.0, mode="nearest")
        p8 = self.lateral[0](x8) + F.interpolate(p16, scale_factor=2.0, mode="nearest")
        rows = []
        for level, features in enumerate((p8, p16, p32)):
            values = self.predict[level](self.heads[level](features))
            if not self.scores_as_logits:
                values = torch.cat([values[:, :4], torch.sigmoid(values[:, 4:])], 1)
            rows.append(values.reshape(-1, 5 + len(LABELS), (HEIGHT // STRIDES[level]) * (WIDTH // STRIDES[level])))
        return torch.cat(rows, 2).transpose(1, 2)

    def prunable(self):
        """Every 1x1 convolution but the three prediction layers: name -> module."""
        predictions = set(self.predict)
        return {name: m for name, m in self.named_modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (1, 1) and m not in predictions}


def cells():
    """[1260, 3]: column, row, stride of every row of the output."""
    parts = []
    for stride in STRIDES:
        rows, columns = torch.meshgrid(torch.arange(HEIGHT // stride), torch.arange(WIDTH // stride), indexing="ij")
        parts.append(torch.stack([columns.flatten(), rows.flatten(), torch.full((columns.numel(),), stride)], 1))
    return torch.cat(parts).float()


def decode(values, grid):
    """[n, 1260, 4+] -> boxes x_min, y_min, x_max, y_max in input pixels."""
    stride = grid[:, 2:3]
    centre = (values[..., :2] + grid[:, :2]) * stride
    half = values[..., 2:4].clamp(max=6).exp() * stride / 2
    return torch.cat([centre - half, centre + half], -1)
