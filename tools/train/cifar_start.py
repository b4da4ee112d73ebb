"""Start values from an exported file: the folded convolutions get a BatchNorm again, measured on training pictures so that the function stays the same, and narrower tensors go
into the leading part of wider ones, whose new inputs are zero, so that this does not change the function either."""
import onnx
import torch
from onnx import numpy_helper
from cifar_nets import MbNet, Vit
from layers import ConvNorm


def tensors(path):
    """Initializers by name as torch knows them; linear layers, whose names the exporter drops, come in the order of their products."""
    graph = onnx.load(path).graph
    found = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer}
    products = [found.pop(node.input[1]).T.contiguous() for node in graph.node if node.op_type == "MatMul" and node.input[1] in found]
    return found, products


@torch.no_grad()
def load_vit(path):
    model = Vit()
    found, products = tensors(path)
    names = [f"layers.{layer}.{part}.weight" for layer in range(len(model.layers)) for part in ("att.qkv", "att.proj", "fc1", "fc2")]
    found.update(zip(names, products))
    found["patch.bias"] = found["patch.bias"] + (found["patch.weight"] * model.mean).sum((1, 2, 3))
    found["patch.weight"] = found["patch.weight"] * model.std
    model.load_state_dict({**found, "mean": model.mean, "std": model.std})
    return model


@torch.no_grad()
def load_cnn(path, pictures):
    model = MbNet()
    found, _ = tensors(path)
    found["stem.conv.bias"] = found["stem.conv.bias"] + (found["stem.conv.weight"] * model.mean).sum((1, 2, 3))
    found["stem.conv.weight"] = found["stem.conv.weight"] * model.std
    model.fc.weight.copy_(found["fc.weight"])
    model.fc.bias.copy_(found["fc.bias"])
    units = {name: m for name, m in model.named_modules() if isinstance(m, ConvNorm)}
    sums, hooks = {}, []
    for name, unit in units.items():
        weight, bias = found[name + ".conv.weight"], found[name + ".conv.bias"]
        norm = weight.flatten(1).norm(dim=1)
        norm = norm.clamp_min(0.05 * float(norm.mean()))
        unit.conv.weight.copy_(weight / norm.view(-1, 1, 1, 1))
        unit.bn.weight.copy_(norm * (1 + unit.bn.eps) ** 0.5)  # statistics 0 and 1 so far: the BatchNorm is norm * x + bias
        unit.bn.bias.copy_(bias)

        def hook(module, inputs, name=name):
            values = inputs[0].double()
            part = torch.stack([values.mean((0, 2, 3)), (values ** 2).mean((0, 2, 3))])
            sums[name] = sums.get(name, 0) + part
        hooks.append(unit.bn.register_forward_pre_hook(hook))
    model.eval()
    batches = pictures.split(250)
    before = [model(batch) for batch in batches][0]
    for hook in hooks:
        hook.remove()
    for name, unit in units.items():
        mean, square = (sums[name] / len(batches)).float()
        variance = (square - mean ** 2).clamp_min(1e-6)
        gain = unit.bn.weight / (1 + unit.bn.eps) ** 0.5
        unit.bn.bias.add_(gain * mean)
        unit.bn.weight.copy_(gain * (variance + unit.bn.eps).sqrt())
        unit.bn.running_mean.copy_(mean)
        unit.bn.running_var.copy_(variance)
    change = float((model(batches[0]) - before).abs().max())
    if change > 1e-2:
        raise SystemExit(f"{path}: outputs changed by {change:.3g} when BatchNorm was put back; expected less than 0.01")
    model.train()
    return model


@torch.no_grad()
def widen(model, wide):
    """Copies model into the leading part of each tensor of wide; what the old outputs would get from new inputs is zero."""
    state = wide.state_dict()
    for name, old in model.state_dict().items():
        new = state[name]
        if old.dim() == 0:
            new.copy_(old)
            continue
        if old.dim() > 1:
            new[old.shape[0]:] *= 0.5  # a BatchNorm follows; small so that pruning by magnitude takes weights never trained first
            new[:old.shape[0], old.shape[1]:] = 0
        new[tuple(slice(0, size) for size in old.shape)] = old
    return wide
