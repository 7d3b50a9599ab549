"""What four bits a pixel cost: `python benchmarks/digit_bits.py`.

The page trains on 1,600 digits that keep 16 levels of ink (`dlbook.browser.digits`). Here `convnet_digits` is
trained on the same digits with 8 bits and with 4, from the same seeds, for five epochs of Adam at 0.002 in
batches of 64, and asked for MNIST-5k's 1,000 test digits, which keep their 8 bits.

`--seeds` takes other seeds; `python -m dlbook.book.record digit_bits` keeps the result.
"""

import argparse
import statistics

import torch
import torch.nn.functional as F
from torch import Tensor

from dlbook.browser import digits as page
from dlbook.data import mnist5k
from dlbook.models.convnet import convnet
from dlbook.train.evaluate import accuracy

SEED = [0, 1, 2, 3, 4]
EPOCHS, BATCH, RATE = 5, 64, 2e-3


def trained(images: Tensor, labels: Tensor, seed: int) -> float:
    """Train from a seed; return the per cent of test digits that are right."""
    torch.manual_seed(seed)
    model, test = convnet("convnet_digits"), mnist5k("test")
    adam = torch.optim.Adam(model.parameters(), lr=RATE)
    for _ in range(EPOCHS):
        for places in torch.randperm(len(images)).split(BATCH):
            adam.zero_grad()
            F.cross_entropy(model(images[places]), labels[places]).backward()
            adam.step()
    return accuracy(model, test.images, test.labels)


def run(seeds: list[int] = SEED) -> dict[str, list[float]]:
    """{bits a pixel: test accuracy of each seed, per cent}."""
    train = mnist5k("train")
    places = page.chosen(train.labels)[: page.CLASSES * page.TRAIN]
    images, labels = train.images[places], train.labels[places]
    kept = {"8": images, "4": page.levels(images).float() / page.TOP}
    return {bits: [trained(pixels, labels, seed) for seed in seeds] for bits, pixels in kept.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=SEED)
    found = run(parser.parse_args().seeds)
    for bits, rates in found.items():
        spread = statistics.stdev(rates) if len(rates) > 1 else 0.0
        print(f"{bits} bits: {statistics.mean(rates):.1f} % +- {spread:.1f}  {[round(r, 1) for r in rates]}")
    pairs = [four - eight for four, eight in zip(found["4"], found["8"], strict=True)]
    print(f"4 bits less 8, seed against seed: {statistics.mean(pairs):+.2f} points")


if __name__ == "__main__":
    main()
