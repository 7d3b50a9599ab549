"""What the ResNet tests compare with: torchvision's blocks, put together as each row of the paper needs, and
the checks.

Nothing here imports code from dlbook except types that the checks inspect.
"""

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import resnet as reference

DEPTHS = {
    "18": (2, 2, 2, 2),
    "34": (3, 4, 6, 3),
    "50": (3, 4, 6, 3),
    "101": (3, 4, 23, 3),
    "152": (3, 8, 36, 3),
}


class PaddedShortcut(nn.Module):
    """Option A, written out channel by channel."""

    def __init__(self, out_channels: int, stride: int) -> None:
        super().__init__()
        self.out_channels, self.stride = out_channels, stride

    def forward(self, x):
        height, width = -(-x.shape[2] // self.stride), -(-x.shape[3] // self.stride)
        out = x.new_zeros(x.shape[0], self.out_channels, height, width)
        for channel in range(x.shape[1]):
            for row in range(height):
                out[:, channel, row] = x[:, channel, row * self.stride, :: self.stride]
        return out


class PlainReference(reference.BasicBlock):
    """torchvision's basic block with its shortcut cut off."""

    def __init__(self, inplanes, planes, stride=1, downsample=None, *rest, **options):
        super().__init__(inplanes, planes, stride, None, *rest, **options)

    def forward(self, x):
        return self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))))


def imagenet_reference(
    depth: str, *, v1: bool = False, pad: bool = False, plain: bool = False, **kwargs
) -> nn.Module:
    """torchvision's ResNet of this depth; v1 moves the strides, pad replaces projections by option A."""
    block = (
        PlainReference if plain else reference.BasicBlock if depth in ("18", "34") else reference.Bottleneck
    )
    model = reference.ResNet(block, list(DEPTHS[depth]), **kwargs)
    for stage in (model.layer2, model.layer3, model.layer4):
        if v1 and hasattr(stage[0], "conv3"):
            stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
        if pad:
            stage[0].downsample = PaddedShortcut(stage[0].conv2.out_channels, 2)
    return model


class CifarReference(nn.Module):
    """Section 4.2 of the paper out of torchvision's basic blocks: 6n + 2 layers, 16-32-64 channels."""

    def __init__(self, n: int, option: str, num_classes: int = 10) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        block = PlainReference if option == "none" else reference.BasicBlock
        channels = 16
        for stage, width in enumerate((16, 32, 64), start=1):
            stride = 1 if stage == 1 else 2
            shortcut = None
            if stage > 1 and option == "A":
                shortcut = PaddedShortcut(width, 2)
            if stage > 1 and option == "B":
                shortcut = nn.Sequential(nn.Conv2d(channels, width, 1, 2, bias=False), nn.BatchNorm2d(width))
            first = block(channels, width, stride, shortcut)
            setattr(self, f"layer{stage}", nn.Sequential(first, *(block(width, width) for _ in range(n - 1))))
            channels = width
        self.fc = nn.Linear(64, num_classes)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


def randomise(model: nn.Module, seed: int = 0) -> nn.Module:
    """Weights, affine parameters and running statistics away from 0 and 1, so that a dropped one is noticed."""
    generator = torch.Generator().manual_seed(seed)
    draw = lambda t, low, high: t.copy_(
        torch.rand(t.shape, generator=generator, dtype=t.dtype) * (high - low) + low
    )
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                for tensor, low, high in ((module.weight, 0.5, 1.5), (module.bias, -0.3, 0.3)):
                    draw(tensor, low, high)
                draw(module.running_mean, -0.2, 0.2)
                draw(module.running_var, 0.5, 2.0)
    return model


def close(name: str, ours: torch.Tensor, theirs: torch.Tensor, relative: float = 1e-10) -> None:
    assert ours.shape == theirs.shape, f"{name}: {tuple(ours.shape)} against {tuple(theirs.shape)}"
    difference = (ours.double() - theirs.double()).abs().max().item()
    assert difference <= relative * max(theirs.double().abs().max().item(), 1e-12), (
        f"{name} differs by {difference:.3g}"
    )


def check_parity(
    ours: nn.Module, theirs: nn.Module, *, train: bool, size=(64, 48), copy_weights=None
) -> None:
    """Equal outputs, gradients (weights and input) and, after one SGD step, equal state; float64, batch 2,
    not square.
    """
    ours, theirs = ours.double(), randomise(theirs.double())
    (copy_weights or (lambda model, state: model.load_state_dict(state)))(ours, theirs.state_dict())
    images = torch.randn(2, 3, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    results = []
    for model in (ours.train(train), theirs.train(train)):
        x = images.clone().requires_grad_()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
        logits = model(x)
        F.cross_entropy(logits, torch.tensor([1, 3])).backward()
        grads = {name: p.grad for name, p in model.named_parameters()}
        optimizer.step()
        results.append((logits.detach(), x.grad, grads, model.state_dict()))
    (logits, image_grad, grads, state), (logits2, image_grad2, grads2, state2) = results
    close("logits", logits, logits2)
    close("gradient of the images", image_grad, image_grad2)
    assert list(grads) == list(grads2), "the parameters have other names or another order"
    for name in grads:
        close(f"gradient of {name}", grads[name], grads2[name])
    for name in state2:
        close(f"{name} after one step", state[name], state2[name])


def check_both_modes(ours: nn.Module, theirs: nn.Module, **settings) -> None:
    """`check_parity` in evaluation, then in training mode."""
    for train in (False, True):
        check_parity(ours, theirs, train=train, **settings)


def check_affine(ours: nn.Module, theirs: nn.Module) -> None:
    """Equal gamma and beta in every normalisation."""
    ours, theirs = ours.state_dict(), theirs.state_dict()
    for name in theirs:
        if theirs[name].ndim == 1 and "fc" not in name:
            close(name, ours[name], theirs[name])


def check_padding(shortcut: nn.Module, out_channels: int, stride: int) -> None:
    """Option A keeps every stride-th pixel and appends zero channels, on an uneven map."""
    x = torch.randn(2, 3, 7, 5, generator=torch.Generator().manual_seed(0))
    close("option A", shortcut(x), PaddedShortcut(out_channels, stride)(x))


def check_initial_spread(model: nn.Module) -> None:
    """Each convolution's weights have mean 0 and variance 2 / fan_out, within five standard errors."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d) and module.weight.numel() >= 4096:
            expected = (2 / (module.out_channels * module.kernel_size[0] * module.kernel_size[1])) ** 0.5
            number = module.weight.numel()
            assert abs(module.weight.std().item() / expected - 1) < 5 / (2 * number) ** 0.5, (
                f"spread of {name}"
            )
            assert abs(module.weight.mean().item()) < 5 * expected / number**0.5, f"mean of {name}"


def count(model: nn.Module, size: int, channels: int = 3) -> tuple[int, int]:
    """(parameters, multiply-accumulates of convolutions and linear layers) on the meta device, by hooks."""
    model = model.to("meta")
    macs = 0

    def add(module, inputs, output):
        nonlocal macs
        macs += output[0].numel() * module.weight[0].numel()

    hooks = [m.register_forward_hook(add) for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    model.eval()(torch.empty(1, channels, size, size, device="meta"))
    for hook in hooks:
        hook.remove()
    return sum(p.numel() for p in model.parameters()), macs
