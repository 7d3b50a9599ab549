"""The weights of torchvision and timm in our rows: one call loads them, a misfit is named, and the numbers
are the same.

Each check takes a row of `PEERS` and returns what is wrong, as sentences.
"""

from collections.abc import Callable, Mapping
from importlib import import_module

import torch
from torch import Tensor, nn

from dlbook.models import create, load_weights, variants
from dlbook.zoo.sizes import input_size, size_options
from tests.oracles.peers import PEERS
from tests.parity import RELATIVE, close, randomise, run
from tests.zoo.sweep import (
    BATCH,
    CLASSES,
    apart,
    first_line,
    images,
    is_giant,
    settle,
    small_size,
    wrong_logits,
)

PARITY_SIDES = ((64, 80), (96, 128), (64, 64))  # not square where the row allows it
# On the tiny last maps of small images this net amplifies rounding: 1e-15 on the images moves timm's own
# gradients by 3e-7.
LARGER = {"resnest269": (128, 160)}


def peer(name: str, num_classes: int = 1000, **options) -> nn.Module:
    """The peer of a row, or a model by "library/name", with fresh weights, on the current default device."""
    library, _, theirs = PEERS.get(name, name).partition("/")
    if library == "torchvision":
        import torchvision

        if theirs in ("googlenet", "inception_v3"):
            options = {"init_weights": False} | options
        return torchvision.models.get_model(theirs, weights=None, num_classes=num_classes, **options)
    import timm

    model = timm.create_model(theirs, pretrained=False, num_classes=num_classes, **options)
    if hasattr(model, "set_distilled_training"):
        model.set_distilled_training(True)  # logits of both tokens in training, as ours; their mean otherwise
    return model


def loader(name: str) -> Callable[[nn.Module, Mapping[str, Tensor]], nn.Module]:
    """The row's one-call import: load_torchvision_state or load_timm_state of its family's file, or of its
    _weights file.
    """
    family, wanted = variants()[name], f"load_{PEERS[name].partition('/')[0]}_state"
    for home in (family, f"{family}_weights"):
        try:
            module = import_module(f"dlbook.models.{home}")
        except ModuleNotFoundError:
            continue
        if hasattr(module, wanted):
            return getattr(module, wanted)
    raise ValueError(f"{name} has the peer {PEERS[name]}, but its family {family} has no {wanted}")


def load(model: nn.Module, name: str, state: Mapping[str, Tensor]) -> nn.Module:
    """Load the peer's state into our row, as a reader does: which library it is from, nobody says."""
    return load_weights(model, state)


def check_import(name: str) -> list[str]:
    """The peer's whole state fits; without one tensor, or with one of another shape, the first misfit is
    named, nothing copied.
    """
    with torch.device("meta"):
        model = create(name)
    theirs = peer_on_meta(name)
    state = theirs.state_dict()
    if sum(t.numel() for t in model.parameters()) != sum(t.numel() for t in theirs.parameters()):
        return [f"the row and its peer {PEERS[name]} have different numbers of parameters"]
    try:
        loaded = load(model, name, state)
    except Exception as error:
        return [f"the state of {PEERS[name]} does not load: {first_line(error)}"]
    found = [] if loaded is model else ["the loader does not return the model"]
    weights = [key for key, tensor in state.items() if tensor.ndim > 1]
    wrong = {
        "without": {key: tensor for key, tensor in state.items() if key != weights[0]},
        "another shape of": state | {weights[-1]: torch.empty(*state[weights[-1]].shape, 2, device="meta")},
        "a stranger beside": state | {"stranger.weight": torch.empty(2, device="meta")},
    }
    for fault, spoilt in wrong.items():
        try:
            load(model, name, spoilt)
            found.append(f"a state {fault} its tensors loads without an error")
        except ValueError as error:
            told = str(error).partition(f"as {PEERS[name].partition('/')[0]}'s: ")[2].partition("; as ")[0]
            if "'" not in told:
                found.append(f"a state {fault} its tensors: the error names no tensor: {first_line(error)}")
        except Exception as error:
            found.append(f"a state {fault} its tensors: {first_line(error)}, expected a ValueError")
    return found


def peer_on_meta(name: str, **options) -> nn.Module:
    """The peer on the meta device; where its constructor reads a tensor's values, built with values first."""
    try:
        with torch.device("meta"):
            return peer(name, **options)
    except (NotImplementedError, RuntimeError):
        return peer(name, **options).to("meta")


def check_parity(name: str) -> list[str]:
    """With copied random weights: equal logits, input gradients and state after a step, eval and train, in
    float64, batch 2.

    Giants are left out: their float64 would need gigabytes, and they differ from smaller rows in numbers
        only.
    """
    if is_giant(name):
        return []
    size = parity_size(name)
    theirs = without_chance(randomise(peer(name, **peer_options(name, size))))
    if PEERS[name].startswith(
        "timm/tf_"
    ):  # a named difference: timm's running statistics move by a tenth, the paper's by a hundredth
        for norm in (module for module in theirs.modules() if isinstance(module, nn.BatchNorm2d)):
            norm.momentum = 0.01
    build = lambda: create(name, num_classes=10, **size_options(name, size)).double()
    ours = without_chance(load(build(), name, theirs.state_dict()))
    with torch.device("meta"):
        empty = build()
    translate = lambda state: load(empty.to_empty(device="cpu"), name, state)
    return [
        f"parity with {PEERS[name]} at {size}: {told}" for told in differences(ours, theirs, size, translate)
    ]


def differences(ours: nn.Module, theirs: nn.Module, size: tuple[int, ...], translate: Callable) -> list[str]:
    """What differs in logits, input gradients, and the state after one step; `translate` gives a model of
    ours from their state.
    """
    batch, found = (
        torch.randn((2, *size), generator=torch.Generator().manual_seed(1), dtype=torch.float64),
        [],
    )
    for train in (False, True):
        mode = "train" if train else "eval"
        logits, gradient, state = run(ours, batch, train)
        their_logits, their_gradient, their_state = run(theirs, batch, train)
        if not close(logits, their_logits):
            found.append(f"{mode} logits")
        if not close(gradient, their_gradient, 1e3 * RELATIVE):
            found.append(f"{mode} gradient of the images")
        expected = translate(their_state).state_dict()
        wrong = [
            key
            for key, tensor in expected.items()
            if not close(state[key].double(), tensor.double(), 1e3 * RELATIVE)
        ]
        if wrong:
            found.append(f"{mode} state after a step: {wrong[0]} and {len(wrong) - 1} more")
    return found


def without_chance(model: nn.Module) -> nn.Module:
    """Dropout and stochastic depth of all libraries off, in place: they draw different random numbers."""
    for module in model.modules():
        drops = "drop" in type(module).__name__.lower() or "stochasticdepth" in type(module).__name__.lower()
        for name in (
            ("p", "drop_prob", "drop_path", "drop_rate", "dropout", "attn_drop")
            if not drops
            else ("p", "drop_prob", "rate")
        ):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)
    return model


def peer_options(name: str, size: tuple[int, int, int]) -> dict:
    """What the peer's builder needs for ten classes, and for images of `size` where its positions are
    learned.
    """
    options: dict = {"num_classes": 10}
    if "resolution" in size_options(name, size):
        options |= (
            {"image_size": size[1]} if PEERS[name].startswith("torchvision") else {"img_size": size[1:]}
        )
    return options


def parity_size(name: str) -> tuple[int, int, int]:
    """(C, H, W) for the comparison: the first of `PARITY_SIDES` that both take, or the row's own."""
    own = input_size(name)
    for size in ((own[0], *sides) for sides in (*([LARGER[name]] if name in LARGER else []), *PARITY_SIDES)):
        try:
            batch = torch.empty(2, *size, device="meta")
            with torch.device("meta"), torch.no_grad():
                create(name, **size_options(name, size))(batch)
            with torch.no_grad():
                peer_on_meta(name, **peer_options(name, size))(batch)
            return size
        except Exception:
            continue
    return own


def check_bfloat16(name: str) -> list[str]:
    """Under bfloat16 autocast the row is as near to its float32 logits as the peer with the same weights is,
    but for a fifth.
    """
    if is_giant(name):
        return []
    size, batch = small_size(name), images(name)
    torch.manual_seed(0)
    theirs = settle(peer(name, **peer_options(name, size)).eval(), batch)
    ours = load(create(name, num_classes=10, **size_options(name, size)), name, theirs.state_dict()).eval()
    errors = []
    for model in (ours, theirs):
        with torch.no_grad():
            exact = model(batch)
            with torch.autocast("cpu", torch.bfloat16):
                rounded = model(batch)
        if found := wrong_logits(exact, (BATCH, CLASSES)) or wrong_logits(rounded, (BATCH, CLASSES)):
            return found
        errors.append(apart(rounded, exact))
    return (
        []
        if errors[0] <= 0.002 + 1.2 * errors[1]
        else [f"bfloat16 autocast: {errors[0]:.2g} from float32, {PEERS[name]} {errors[1]:.2g}"]
    )


CHECKS = {"imports": check_import, "parity": check_parity, "bfloat16": check_bfloat16}
