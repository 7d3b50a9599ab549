"""The questions of `tests/zoo/sweep.py` and `imports.py`: asked of the smallest row of each family, and
shown to catch faults.

`python scripts/check_zoo.py` (the stage "zoo" of `make test`) asks every row. On a machine with CUDA, so do
the tests marked `cuda`.
"""

from functools import cache

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dlbook.models import FAMILIES, create, variants
from tests.oracles.peers import PEERS
from tests.zoo import imports, sweep

ALWAYS = ("meta", "numbers")
TRACED = dict.fromkeys(
    ("lenet", "resnet", "mobilenet_v3", "vit"), ("compile", "export")
)  # tracing takes seconds; the stage "zoo" traces all
CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@cache
def smallest(family: str) -> str:
    """The row of a family with the fewest parameters."""
    sizes = {}
    for name in [name for name, home in variants().items() if home == family]:
        with torch.device("meta"):
            sizes[name] = sum(p.numel() for p in create(name).parameters())
    return min(sizes, key=sizes.get)


@pytest.mark.parametrize(
    "family, check", [(family, check) for family in FAMILIES for check in (*ALWAYS, *TRACED.get(family, ()))]
)
def test_smallest_row(family, check):
    name = smallest(family)
    assert sweep.CHECKS[check](name) == []


@pytest.mark.cuda
@CUDA
@pytest.mark.parametrize("name", variants())
def test_cuda(name):
    if sweep.is_giant(name):
        pytest.skip("a giant: asked on the meta device")
    model = sweep.settled(name, "cuda")
    assert sweep.check_bfloat16(name, model, "cuda") + sweep.check_channels_last(name, model, "cuda") == []


@pytest.mark.cuda
@CUDA
@pytest.mark.parametrize("family", FAMILIES)
def test_cuda_equals_cpu(family):
    name = smallest(family)
    model, batch = sweep.settled(name), sweep.images(name)
    with torch.no_grad(), torch.backends.cudnn.flags(allow_tf32=False):
        before = model(batch)
        after = model.cuda()(batch.cuda()).cpu()
    assert (after - before).norm() <= 1e-3 * before.norm()


def test_every_peer_is_a_row_and_has_a_loader():
    for name in PEERS:
        assert callable(imports.loader(name))


class Net(nn.Module):
    """A small model into which a fault is put."""

    def __init__(self, fault: str = "") -> None:
        super().__init__()
        self.fault = fault
        self.conv, self.deep, self.head = (
            nn.Conv2d(3, 8, 3, padding=1),
            nn.Conv2d(8, 8, 3),
            nn.Linear(8, 11 if fault == "classes" else 10),
        )
        self.scale = torch.ones(1, device="cpu") if fault == "device" else 1
        self.register_buffer("shift", torch.zeros(1, device="cpu" if fault == "device" else None))

    def forward(self, images):
        x = F.relu(self.conv(images))
        if self.fault == "layout":
            x = x.flatten(2).reshape(x.shape).contiguous()
        if self.fault == "branch" and x.sum() > 0:
            x = -x
        if self.fault == "numpy":
            x = x + float(x.mean().numpy())
        x = self.deep(x).mean((2, 3))
        if self.fault == "overflow":
            x = (x.to(torch.float16) * 1e4 * 1e4).float()
        if self.fault == "rounding" and torch.is_autocast_enabled("cpu"):
            x = x + torch.cos(40 * x)
        logits = self.head(x)
        return (logits, x) if self.fault == "tuple" else logits


FAULTS = {  # fault: (check, a word of the sentence)
    "device": ("meta", "lives on cpu"),
    "classes": ("meta", "expected [2, 10]"),
    "tuple": ("meta", "gives tuple"),
    "branch": ("compile", "fullgraph"),
    "numpy": ("export", "torch.export"),
    "overflow": ("numbers", "not finite"),
    "rounding": ("numbers", "bfloat16"),
    "layout": ("numbers", "channels_last"),
}


@pytest.fixture
def as_row(monkeypatch):
    """Make `sweep` believe that "net" is a row that builds `Net(fault)`."""

    def put(fault: str) -> None:
        monkeypatch.setattr(sweep, "row", lambda name, size: Net(fault))
        monkeypatch.setattr(sweep, "input_size", lambda name: (3, 32, 32))
        sweep.small_size.cache_clear()
        sweep.is_giant.cache_clear()

    yield put
    sweep.small_size.cache_clear()
    sweep.is_giant.cache_clear()


@pytest.mark.parametrize("check", sweep.CHECKS)
def test_a_sound_net_passes(as_row, check):
    as_row("")
    assert sweep.CHECKS[check]("net") == []


@pytest.mark.parametrize("fault", FAULTS)
def test_the_sweep_catches(as_row, fault):
    as_row(fault)
    check, word = FAULTS[fault]
    assert any(word in sentence for sentence in sweep.CHECKS[check]("net"))


def test_a_loader_that_takes_anything_is_caught(monkeypatch):
    monkeypatch.setattr(imports, "load", lambda model, name, state: model)
    assert len(imports.check_import("mobilenet_v3_small")) == 3


def test_another_peer_is_caught(monkeypatch):
    monkeypatch.setitem(imports.PEERS, "mobilenet_v3_small", "torchvision/mobilenet_v3_large")
    assert "different numbers of parameters" in imports.check_import("mobilenet_v3_small")[0]


def test_parity_holds_and_catches_another_epsilon(monkeypatch):
    assert imports.check_parity("mobilenet_v3_small") == []

    def create_with_fault(name, **options):
        model = create(name, **options)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = 1e-5
        return model

    monkeypatch.setattr(imports, "create", create_with_fault)
    assert any("eval logits" in sentence for sentence in imports.check_parity("mobilenet_v3_small"))
