"""What the networks here share: convolution with BatchNorm that folds into one, inverted residuals, the table of multiply-adds and zeros, the ONNX export."""
import torch
import torch.nn as nn
import torch.nn.functional as F


class ConvNorm(nn.Module):
    """Convolution without bias, BatchNorm, ReLU6 if wanted. fold() makes one convolution of the first two; zeros stay zeros."""

    def __init__(self, inputs, outputs, kernel, stride=1, groups=1, relu=True, padding=None, momentum=0.1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2 if padding is None else padding, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs, momentum=momentum)
        self.relu = relu

    def forward(self, x):
        x = self.conv(x)
        if self.bn is not None:
            x = self.bn(x)
        return F.relu6(x) if self.relu else x

    @torch.no_grad()
    def fold(self):
        gain = self.bn.weight.double() / (self.bn.running_var.double() + self.bn.eps).sqrt()
        c = self.conv
        folded = nn.Conv2d(c.in_channels, c.out_channels, c.kernel_size, c.stride, c.padding, groups=c.groups, bias=True)
        folded.weight.copy_((c.weight.double() * gain.view(-1, 1, 1, 1)).float() + 0.0)  # + 0.0 makes -0.0 positive
        folded.bias.copy_((self.bn.bias.double() - self.bn.running_mean.double() * gain).float())
        self.conv, self.bn = folded, None


class InvertedResidual(nn.Module):
    """1x1 to hidden channels, depthwise 3x3, 1x1 back; the first is left out where hidden is inputs, and the input is added where shapes allow."""

    def __init__(self, inputs, hidden, outputs, stride, momentum=0.1):
        super().__init__()
        self.expand = ConvNorm(inputs, hidden, 1, momentum=momentum) if hidden != inputs else None
        self.dw = ConvNorm(hidden, hidden, 3, stride, groups=hidden, momentum=momentum)
        self.project = ConvNorm(hidden, outputs, 1, relu=False, momentum=momentum)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.project(self.dw(x if self.expand is None else self.expand(x)))
        return x + y if self.residual else y


def fold_batch_norm(model):
    for module in list(model.modules()):
        if isinstance(module, ConvNorm):
            module.fold()
    return model


def layer_table(model, sample):
    """Name, shape, share of zeros, multiply-adds and those left of every convolution and linear layer, in the order of their use."""
    rows, handles = [], []
    for name, module in model.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            def hook(m, inputs, output, name=name):
                positions = output.shape[2] * output.shape[3] if isinstance(m, nn.Conv2d) else output[0].numel() // m.out_features
                nonzero = int((m.weight != 0).sum())
                rows.append({"name": name, "shape": list(m.weight.shape), "zeros": round(1 - nonzero / m.weight.numel(), 4),
                             "macs": positions * m.weight.numel(), "macs_left": positions * nonzero})
            handles.append(module.register_forward_hook(hook))
    with torch.no_grad():
        model(sample)
    for handle in handles:
        handle.remove()
    return rows


def export_onnx(model, sample, path, output):
    torch.onnx.export(model, sample, path, opset_version=13, input_names=["image"], output_names=[output], do_constant_folding=True)
