"""The two networks that `Draw` runs in the page, trained, rounded and measured: `python -m dlbook.book.record
digit_networks`.

Both are trained by the book's recipe `digits` (4,000 digits of MNIST-5k, shifted by up to two pixels, AdamW,
one cycle), the ConvNet as it stands, the vision transformer for longer and at a lower rate. Nothing is held
out and nothing is chosen by looking at the 1,000 test digits; they are asked once, at the end.

The result holds each network as `dlbook.browser.export` writes it, as JSON in a text, with the SHA-256 of
that text, its bytes, and the share of test digits that the network has right before and after rounding.
"""

import dataclasses
import hashlib
import json

import torch
from torch import nn

from dlbook.browser.export import exported
from dlbook.data import mnist5k
from dlbook.models import vit
from dlbook.recipes.bundled_configs import find
from dlbook.recipes.methods import METHODS
from dlbook.recipes.run.build import Setup, build
from dlbook.recipes.run.config import RunConfig, hyper_parameters
from dlbook.recipes.run.optimizer import make_optimizer, make_schedule
from dlbook.train.configuration import load
from dlbook.train.evaluate import accuracy
from dlbook.train.trainer import Trainer

SEED = 0
VIT = vit.Config(depth=3, dim=32, num_heads=4, mlp_dim=64, patch_size=4)  # 49 patches of 4 x 4 pixels
LONGER = ("trainer.epochs=60", "optimizer.lr=2e-3", "optimizer.weight_decay=5e-2")
KIND, MOST = "int8", 0.15  # the most by which rounding may move a class probability of any test digit


def recipe(*overrides: str) -> Setup:
    """The run that the recipe describes, with nothing held out."""
    words = ["data.validation=0", f"seed={SEED}", "trainer.device=cpu", *overrides]
    return build(load(RunConfig, find("digits"), words))


def convnet() -> nn.Module:
    """Train the ConvNet of the recipe."""
    setup = recipe()
    setup.trainer.fit(setup.steps)
    return setup.method.evaluated


def transformer() -> nn.Module:
    """Train a small vision transformer by the same recipe."""
    setup = recipe(*LONGER)
    torch.manual_seed(SEED)
    model = vit.VisionTransformer(VIT, num_classes=10, in_channels=1, resolution=28)
    exported(model, mnist5k("test").images[:4], KIND, most=1.0)  # one that is too large is refused at once
    section = setup.config.method
    method = METHODS[section.name].build(model, hyper_parameters(section), None)
    trainer = Trainer(
        method,
        make_optimizer(setup.config.optimizer, method),
        make_schedule(setup.config, setup.steps_per_epoch),
        setup.trainer.batches,
    )
    trainer.fit(setup.steps)
    return method.evaluated


def rounded(model: nn.Module, export) -> nn.Module:
    """Put the numbers that the page will have into the network."""
    model.load_state_dict(export.numbers, strict=False)
    return model


def described(model: nn.Module) -> dict:
    """Export a trained network, and say how often it is right, before and after rounding."""
    test = mnist5k("test")
    model.eval()
    before = accuracy(model, test.images, test.labels)
    export = exported(model, test.images, KIND, most=MOST)
    after = accuracy(rounded(model, export), test.images, test.labels)
    text = json.dumps(export.as_json(), separators=(",", ":"))
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "kind": KIND,
        "bytes": export.size,
        "largest_difference": export.difference,
        "test_accuracy": {"float32": before, KIND: after},
        "sha256": hashlib.sha256(text.encode("utf8")).hexdigest(),
        "network": text,
    }


def run() -> dict:
    """{name: what `described` says of it}."""
    transformers = {"config": dataclasses.asdict(VIT), **described(transformer())}
    return {"convnet": described(convnet()), "vit": transformers}


if __name__ == "__main__":
    for name, row in run().items():
        print(name, {key: value for key, value in row.items() if key != "network"})
