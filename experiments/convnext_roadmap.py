"""Each step of ConvNeXt's roadmap, trained in miniature and timed at full size: `python -m dlbook.book.record
convnext_roadmap`.

The small nets keep the order of the steps and not their size: a quarter of the widths, depths (1, 2, 2) and
then (1, 1, 3) for (3, 4, 6, 3) and then (3, 3, 9, 3). All learn from the same digits (MNIST-5k, padded to
32 x 32) by one recipe, at one rate that was chosen for none of them, for a short time. Two more rows ask what
the last steps owe to their first weights: `he_start` gives the net with layer norm the first weights of the
nets with batch norm, `gamma_one` lets the layer scale of the last row begin at 1.

The result holds for each row the loss of the last 20 steps and the test errors (per cent of 1,000 digits) of
each seed, and for the rows of the paper the median milliseconds of processor time of a forward pass at full
size, one image of 224 x 224, one thread, with the memory in order [B, C, H, W] and in order [B, H, W, C].
Both take turns.
"""

import statistics
import time
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlbook.book.experiment import fit
from dlbook.data import mnist5k
from dlbook.models.convnext_roadmap import VARIANTS, Config, Roadmap

SEED = [0, 1, 2]
STEPS, BATCH, RATE, DECAY = 100, 32, 2e-3, 0.05
ROUNDS = 5
LAYOUTS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}


def small(config: Config) -> Config:
    """Return a row in miniature."""
    depths = (1, 2, 2) if config.depths == VARIANTS["roadmap_resnet50"].depths else (1, 1, 3)
    return replace(config, depths=depths, width=config.width // 4)


def he_start(model: Roadmap) -> None:
    """Give convolutions the first weights of the rows with batch norm."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


def gamma_one(model: Roadmap) -> None:
    """Let the layer scale begin at 1."""
    for name, parameter in model.named_parameters():
        if name.endswith("gamma"):
            nn.init.ones_(parameter)


ASIDE = {
    "he_start": ("roadmap_layer_norm", he_start),
    "gamma_one": ("roadmap_convnext_t", gamma_one),
}


def padded(name: str) -> tuple[Tensor, Tensor]:
    """Return the digits of a split, 32 x 32, and their labels."""
    digits = mnist5k(name)
    return F.pad(digits.images, (2, 2, 2, 2)), digits.labels


def trained(row: str, change=None) -> dict[str, list[float]]:
    """Train one miniature over the seeds: {"loss": [seeds], "error": [seeds]}."""
    found: dict[str, list[float]] = {"loss": [], "error": []}
    images, labels = padded("train")
    unseen, truth = padded("test")
    for seed in SEED:
        torch.manual_seed(seed)
        model = Roadmap(small(VARIANTS[row]), 10, 1)
        if change:
            change(model)
        adamw = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
        losses = fit(model, images, labels, steps=STEPS, optimizer=adamw, batch=BATCH, seed=seed)
        with torch.no_grad():
            wrong = model.eval()(unseen).argmax(1) != truth
        found["loss"].append(round(losses[-20:].mean().item(), 4))
        found["error"].append(round(100 * wrong.float().mean().item(), 2))
    return found


@torch.no_grad()
def milliseconds() -> dict[str, dict[str, float]]:
    """{row: {layout: median milliseconds of a forward pass at full size}}; one net at a time
    is in memory.
    """
    taken: dict[str, dict[str, float]] = {}
    for row, config in VARIANTS.items():
        model, times = Roadmap(config).eval(), {layout: [] for layout in LAYOUTS}
        for _ in range(ROUNDS + 1):
            for layout, order in LAYOUTS.items():
                model.to(memory_format=order)
                images = torch.randn(1, 3, 224, 224).contiguous(memory_format=order)
                started = time.process_time()
                model(images)
                times[layout].append(1e3 * (time.process_time() - started))
        taken[row] = {layout: round(statistics.median(found[1:]), 1) for layout, found in times.items()}
    return taken


def run() -> dict:
    """{"trained": {row: losses and errors}, "milliseconds": {row: by layout}}."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rows = {row: trained(row) for row in VARIANTS}
    rows |= {name: trained(row, change) for name, (row, change) in ASIDE.items()}
    result = {"trained": rows, "milliseconds": milliseconds()}
    torch.set_num_threads(threads)
    return result


if __name__ == "__main__":
    for name, part in run().items():
        print(name, part)
