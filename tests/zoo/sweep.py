"""Questions that are asked of every row of the zoo. Each check takes a row and returns what is wrong, as
sentences.

The rows run at a small resolution. A row of more than `GIANT` parameters is asked on the meta device only,
where tensors have shapes and no values. `scripts/check_zoo.py` asks all rows;
`tests/models/test_zoo_sweep.py` the smallest row of each family, and shows that each check catches a seeded
fault.
"""

import copy
from functools import cache

import torch
from torch import Tensor, nn

from dlbook.models import create
from dlbook.zoo.sizes import input_size, size_options
from tests.oracles.peers import PEERS

GIANT = 150_000_000
BATCH, CLASSES = 2, 10
NOT_NHWC = {"lenet5"}  # C3 gathers its maps by a list of numbers, and an indexed tensor is contiguous
SIDES = (32, 48, 64, 96, 128)  # the first one that a row accepts


@cache
def small_size(name: str) -> tuple[int, int, int]:
    """(C, H, W) of the smallest square images of `SIDES` that the row takes, or of its own size."""
    channels, side, _ = input_size(name)
    for candidate in sorted({min(side, s) for s in SIDES}):
        size = (channels, candidate, candidate)
        try:
            model = on_meta(name, size)
            with torch.no_grad():
                model(images(name, size, "meta"))
            return size
        except Exception:
            continue
    return (channels, side, side)


def row(name: str, size: tuple[int, int, int]) -> nn.Module:
    """The row for images of (C, H, W) and `CLASSES` classes, which every builder takes."""
    return create(name, num_classes=CLASSES, **size_options(name, size))


def on_meta(name: str, size: tuple[int, int, int] | None = None) -> nn.Module:
    """The row on the meta device, in evaluation mode."""
    with torch.device("meta"):
        return row(name, size or small_size(name)).eval()


@cache
def is_giant(name: str) -> bool:
    """Whether the row has more than `GIANT` parameters."""
    return sum(p.numel() for p in on_meta(name).parameters()) > GIANT


def images(name: str, size: tuple[int, int, int] | None = None, device: str = "cpu") -> Tensor:
    """A batch of random images in [-2, 2] for the row, [B, C, H, W]."""
    shape = (BATCH, *(size or small_size(name)))
    if device == "meta":
        return torch.empty(shape, device="meta")
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    return noise.clamp(-2, 2).to(device)


def settled(name: str, device: str = "cpu") -> nn.Module:
    """The row with weights under which the signal lives: running statistics of a batch, and no weight matrix
    of zeros.
    """
    torch.manual_seed(0)
    return settle(row(name, small_size(name)), images(name, device="cpu")).to(device)


def settle(model: nn.Module, batch: Tensor) -> nn.Module:
    """Give each batch norm the variance of what reaches it, one number a layer, and each matrix of zeros some
    noise.

    A fresh deep net overflows in evaluation mode. One number, because a channel that a small batch leaves
    nearly silent would blow up every rounding. Returns the model in evaluation mode.
    """

    def measure(norm, inputs) -> None:
        norm.running_mean.zero_()
        norm.running_var.fill_(inputs[0].square().mean())

    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    hooks = [norm.register_forward_pre_hook(measure) for norm in norms]
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1 and not parameter.any():
                parameter.normal_(0, 0.02)
        model.eval()(batch)
    for hook in hooks:
        hook.remove()
    return model


def wrong_logits(logits: object, shape: tuple[int, ...]) -> list[str]:
    """Whether `logits` is no finite tensor of `shape`."""
    if not isinstance(logits, Tensor):
        return [f"evaluation mode gives {type(logits).__name__}, expected logits {list(shape)}"]
    if tuple(logits.shape) != shape:
        return [f"logits {list(logits.shape)}, expected {list(shape)}"]
    if logits.device.type != "meta" and not logits.isfinite().all():
        return [f"{int((~logits.isfinite()).sum())} logits are not finite"]
    return []


def check_meta(name: str) -> list[str]:
    """On the meta device it builds, allocates nothing elsewhere, and gives [B, K] at its own size and at the
    small one.
    """
    found, size = [], input_size(name)
    model = on_meta(name, size)
    for key, tensor in [*model.named_parameters(), *model.named_buffers()]:
        if tensor.device.type != "meta":
            found.append(f"{key} lives on {tensor.device} under torch.device('meta')")
    with torch.no_grad():
        logits = model(images(name, size, "meta"))
        found += wrong_logits(logits, (BATCH, CLASSES))
        found += wrong_logits(on_meta(name)(images(name, device="meta")), (BATCH, CLASSES))
    return found


def check_compile(name: str, backend: str = "eager") -> list[str]:
    """torch.compile(fullgraph=True) traces it without a break and keeps the shape; on meta, so that giants
    are asked too.
    """
    found: list[str] = []
    for device in (
        "meta",
        "cpu",
    ):  # an index that is a list is no meta tensor: such a row is asked again with values
        torch._dynamo.reset()
        model = on_meta(name) if device == "meta" else row(name, small_size(name)).eval()
        try:
            with torch.no_grad():
                logits = torch.compile(model, backend=backend, fullgraph=True)(images(name, device=device))
            return wrong_logits(logits, (BATCH, CLASSES))
        except Exception as error:
            found = [f"torch.compile(fullgraph=True): {first_line(error)}"]
        finally:
            torch._dynamo.reset()
        if is_giant(name):
            break
    return found


def check_export(name: str) -> list[str]:
    """torch.export.export writes it down, and the exported program keeps the shape."""
    batch = images(name, device="meta")
    try:
        with torch.no_grad():
            logits = torch.export.export(on_meta(name), (batch,)).module()(batch)
    except Exception as error:
        return [f"torch.export: {first_line(error)}"]
    return wrong_logits(logits, (BATCH, CLASSES))


def check_bfloat16(name: str, model: nn.Module | None = None, device: str = "cpu") -> list[str]:
    """Under bfloat16 autocast the logits are finite and near those of float32.

    How near a sound net comes depends on how far it amplifies rounding, which for random weights differs a
    hundredfold. A row with a peer is held against the peer (`imports.check_bfloat16`). For the others the net
    itself gives the measure: rounding the weights alone, in float32, makes one error a layer, where autocast
    rounds some four times. 4 times that, plus 2 %, passes.
    """
    model = settled(name, device) if model is None else model
    batch = images(name, device=device)
    with torch.no_grad():
        exact = model(batch)
        with torch.autocast(device, torch.bfloat16):
            rounded = model(batch)
        coarse = copy.deepcopy(model)
        for parameter in coarse.parameters():
            parameter.copy_(parameter.bfloat16())
        weights_only = coarse(batch)
    found = wrong_logits(exact, (BATCH, CLASSES)) or wrong_logits(rounded, (BATCH, CLASSES))
    if found:
        return found
    distance, bound = apart(rounded, exact), 0.02 + 4 * apart(weights_only, exact)
    return (
        []
        if distance <= bound
        else [f"bfloat16 autocast: {distance:.2g} from float32 in root mean square, bound {bound:.2g}"]
    )


def apart(logits: Tensor, exact: Tensor) -> float:
    """Root mean square of the difference over that of `exact`."""
    return float((logits.float() - exact).norm() / exact.norm().clamp_min(1e-12))


def check_channels_last(name: str, model: nn.Module | None = None, device: str = "cpu") -> list[str]:
    """In channels_last every convolution receives and gives NHWC maps, and the logits stay what they were."""
    model = settled(name, device) if model is None else model
    batch = images(name, device=device)
    with torch.no_grad():
        before = model(batch)
    found: list[str] = []

    def look(path: str):
        def hook(module, inputs, output) -> None:
            for word, tensor in (("receives", inputs[0]), ("gives", output)):
                if (
                    tensor.ndim == 4
                    and name not in NOT_NHWC
                    and not tensor.is_contiguous(memory_format=torch.channels_last)
                ):
                    found.append(
                        f"channels_last: {path} {word} {list(tensor.shape)} with strides {tensor.stride()}"
                    )

        return hook

    model = model.to(memory_format=torch.channels_last)
    hooks = [
        m.register_forward_hook(look(path)) for path, m in model.named_modules() if isinstance(m, nn.Conv2d)
    ]
    with torch.no_grad():
        after = model(batch.contiguous(memory_format=torch.channels_last))
    for hook in hooks:
        hook.remove()
    distance = apart(after, before)
    if not distance <= 1e-3:  # other kernels, other order of sums
        found.append(f"channels_last: logits {distance:.2g} from the contiguous ones")
    return found[:1] + ([f"and {len(found) - 1} more"] if len(found) > 1 else [])


def check_numbers(name: str) -> list[str]:
    """Finite logits [B, K], bfloat16 and channels_last on the CPU; nothing for a giant."""
    if is_giant(name):
        return []
    model = settled(name)
    return ([] if name in PEERS else check_bfloat16(name, model)) + check_channels_last(name, model)


def first_line(error: Exception) -> str:
    """Type and first line of an error's text."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200] if lines else ''}"


CHECKS = {"meta": check_meta, "compile": check_compile, "export": check_export, "numbers": check_numbers}


def check_compile_cpu(name: str) -> list[str]:
    """Compiled to C++ by inductor, the row gives on the CPU the logits that it gives without."""
    torch._dynamo.reset()
    model, batch = settled(name), images(name)
    try:
        with torch.no_grad():
            exact, compiled = model(batch), torch.compile(model, fullgraph=True)(batch)
    except Exception as error:
        return [f"inductor: {first_line(error)}"]
    finally:
        torch._dynamo.reset()
    distance = apart(compiled, exact)
    return [] if distance <= 1e-4 else [f"inductor: logits {distance:.2g} from eager ones"]
