"""Where a run computes: an NVIDIA GPU, an Apple GPU, or the CPU.

Apple's GPUs know no float64, in which many augmentations draw their numbers. So there batches are made on the
CPU, as anywhere else, and moved when they are whole: the images are the same.

>>> choose_device("cpu")
device(type='cpu')
"""

import os

import torch

from dlbook.train.batches import Batch, Batches, Pool

__all__ = ["MovedBatches", "choose_device"]

KINDS = {"cuda": "a CUDA GPU", "mps": "an Apple GPU"}


def choose_device(name: str = "auto") -> torch.device:
    """Choose where a run computes.

    Args:
        name: "cpu", "cuda", "mps", or "auto", which takes the first of cuda, mps and cpu that is there.
            Several processes do not share an Apple GPU: under torchrun "auto" does not take it.

    Raises:
        ValueError: a GPU is asked for, and there is none; or mps for several processes.
    """
    several = int(os.environ.get("WORLD_SIZE", "1") or 1) > 1
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device("cuda" if there["cuda"] else "mps" if there["mps"] and not several else "cpu")
    if name in there and not there[name]:
        raise ValueError(
            f"trainer.device: expected {KINDS[name]} for {name!r}, found none; set trainer.device=cpu or auto"
        )
    if name == "mps" and several:
        raise ValueError(
            "trainer.device: expected one process for 'mps', got several; start without torchrun, or set "
            "trainer.device=cpu"
        )
    return torch.device(name)


class MovedBatches(Batches):
    """Batches that are made and augmented on the CPU, and then moved.

    Args:
        pools: what a batch is made of.
        device: where a batch ends.
        options: of `Batches`.
    """

    def __init__(self, *pools: Pool, device: torch.device, **options) -> None:
        super().__init__(*pools, device="cpu", **options)
        self.end = device

    def __call__(self, number: int) -> Batch:
        return {name: value.to(self.end) for name, value in super().__call__(number).items()}
