"""Images a second through each augmentation, beside torchvision v2 and kornia: `python
benchmarks/augmentation.py`.

All get the same batch of floating-point images on the same device. Ours draws parameters for each image.
torchvision draws them once a call, so it is measured twice: called for the whole batch (less work: one draw
for all), and called image by image (the same work). kornia draws for each image like ours; it is measured
where it is installed. In each round all variants run once, in an order that is drawn anew, so that a slower
minute of the machine slows all of them. Given are medians of the rounds in images a second, and the median of
the ratios within the rounds, above 1 where ours is faster.

`--json FILE` keeps the table. `python -m dlbook.book.record augmentation` records it under `data/recorded`;
DLBOOK_SCALE=gpu measures on the GPU, with batches of 256 images of 224 pixels instead of 32 images of 64
(`--batch`, `--side`).
"""

import argparse
import importlib.util
import json
import os
import random
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torchvision.transforms import v2

from dlbook import book
from dlbook.augment import crops, geometric, noise, pca_color, photometric, policies, views
from dlbook.augment.steps import varied

SEED, ROUNDS, WARM_UP = 0, 9, 2
Row = tuple[Callable, Callable | None, Callable | None]


def flat(step: Callable) -> Callable:
    """A step without amounts."""
    return lambda images, generator: step(images)


def rows(side: int) -> dict[str, Row]:
    """name: our step, torchvision's transform, kornia's (made only where it is installed)."""
    bilinear = {"interpolation": v2.InterpolationMode.BILINEAR}
    kernel = max(3, side // 10 // 2 * 2 + 1)
    return {
        "flip": (geometric.random_flip, v2.RandomHorizontalFlip(), lambda k: k.RandomHorizontalFlip()),
        "pad and crop": (
            geometric_crop,
            v2.RandomCrop(side, padding=4),
            lambda k: k.RandomCrop((side, side), padding=4),
        ),
        "rotation": (
            partial(geometric.random_rotation, degrees=15.0),
            v2.RandomRotation(15, **bilinear),
            lambda k: k.RandomRotation(15.0, p=1.0),
        ),
        "affine": (
            partial(geometric.random_affine, scale=(0.8, 1.2), shear=10.0),
            v2.RandomAffine(15, (0.1, 0.1), (0.8, 1.2), 10, **bilinear),
            lambda k: k.RandomAffine(15.0, (0.1, 0.1), (0.8, 1.2), 10.0, p=1.0),
        ),
        "perspective": (
            geometric.random_perspective,
            v2.RandomPerspective(0.5, 1.0),
            lambda k: k.RandomPerspective(0.5, p=1.0),
        ),
        "resized crop": (
            crops.random_resized_crop,
            v2.RandomResizedCrop(side, antialias=True),
            lambda k: k.RandomResizedCrop((side, side)),
        ),
        "brightness": (
            varied(photometric.brightness, 0.6, 1.4),
            v2.ColorJitter(brightness=0.4),
            lambda k: k.ColorJitter(brightness=0.4, p=1.0),
        ),
        "contrast": (varied(photometric.contrast, 0.6, 1.4), v2.ColorJitter(contrast=0.4), None),
        "saturation": (varied(photometric.saturation, 0.6, 1.4), v2.ColorJitter(saturation=0.4), None),
        "hue": (varied(photometric.hue, -0.1, 0.1), v2.ColorJitter(hue=0.1), None),
        "color jitter": (
            photometric.color_jitter,
            v2.ColorJitter(0.4, 0.4, 0.4, 0.1),
            lambda k: k.ColorJitter(0.4, 0.4, 0.4, 0.1, p=1.0),
        ),
        "sharpness": (
            varied(photometric.sharpness, 0.0, 2.0),
            v2.RandomAdjustSharpness(1.7, 1.0),
            lambda k: k.RandomSharpness(1.0, p=1.0),
        ),
        "posterize": (
            varied(lambda images, bits: photometric.posterize(images, bits.round()), 3.5, 8.4),
            v2.RandomPosterize(4, 1.0),
            lambda k: k.RandomPosterize(4, p=1.0),
        ),
        "solarize": (
            varied(photometric.solarize, 0.0, 1.0),
            v2.RandomSolarize(0.5, 1.0),
            lambda k: k.RandomSolarize(0.5, 0.0, p=1.0),
        ),
        "autocontrast": (
            flat(photometric.autocontrast),
            v2.RandomAutocontrast(1.0),
            lambda k: k.RandomAutoContrast(p=1.0),
        ),
        "equalize": (flat(photometric.equalize), v2.RandomEqualize(1.0), lambda k: k.RandomEqualize(p=1.0)),
        "blur": (
            varied(partial(photometric.blur, kernel_size=kernel), 0.1, 2.0),
            v2.GaussianBlur(kernel, (0.1, 2.0)),
            lambda k: k.RandomGaussianBlur((kernel, kernel), (0.1, 2.0), p=1.0),
        ),
        "Gaussian noise": (
            noise.gaussian_noise,
            v2.GaussianNoise(sigma=0.05),
            lambda k: k.RandomGaussianNoise(std=0.05, p=1.0),
        ),
        "salt and pepper": (noise.salt_and_pepper, None, lambda k: k.RandomSaltAndPepperNoise(p=1.0)),
        "PCA color": (pca_color.pca_color, None, None),
        "RandAugment": (policies.rand_augment, v2.RandAugment(), None),
        "AutoAugment": (policies.auto_augment, v2.AutoAugment(), lambda k: k.auto.AutoAugment("imagenet")),
        "SimCLR view": (views.simclr(side), simclr_of_torchvision(side, kernel), None),
    }


def geometric_crop(images: Tensor, generator: torch.Generator) -> Tensor:
    """4 pixels of zeros, as usual."""
    return crops.random_crop(images, generator, padding=4)


def simclr_of_torchvision(side: int, kernel: int) -> v2.Transform:
    """The same distortion by torchvision."""
    return v2.Compose(
        [
            v2.RandomResizedCrop(side, antialias=True),
            v2.RandomHorizontalFlip(),
            v2.RandomApply([v2.ColorJitter(0.8, 0.8, 0.8, 0.2)], 0.8),
            v2.RandomGrayscale(0.2),
            v2.RandomApply([v2.GaussianBlur(kernel, (0.1, 2.0))], 0.5),
        ]
    )


def variants(row: Row, images: Tensor, generator: torch.Generator) -> dict[str, Callable[[], object]]:
    """What there is to time for one row."""
    ours, theirs, kornias = row
    made: dict[str, Callable[[], object]] = {"ours": lambda: ours(images, generator)}
    if theirs is not None:
        made["v2, batch"] = lambda: theirs(images)
        made["v2, images"] = lambda: torch.stack([theirs(image) for image in images])
    if kornias is not None and importlib.util.find_spec("kornia"):
        import kornia.augmentation as kornia

        transform = kornias(kornia).to(images.device)
        made["kornia"] = lambda: transform(images)
    return made


def seconds(call: Callable[[], object], device: str) -> float:
    """Of one call, to its end on the device."""
    if device == "cuda":
        torch.cuda.synchronize()
    begin = time.perf_counter()
    call()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begin


def measure(row: Row, images: Tensor, device: str, rounds: int) -> dict[str, float]:
    """Median images a second of each variant, and the median ratios of ours to theirs."""
    made, order = variants(row, images, torch.Generator(device).manual_seed(SEED)), random.Random(SEED)
    times: dict[str, list[float]] = {variant: [] for variant in made}
    for number in range(WARM_UP + rounds):
        for variant in order.sample(list(made), len(made)):
            took = seconds(made[variant], device)
            if number >= WARM_UP:
                times[variant].append(took)
    found = {variant: round(len(images) / statistics.median(values)) for variant, values in times.items()}
    for variant in list(times)[1:]:
        found[f"ours / {variant}"] = round(
            statistics.median(b / a for a, b in zip(times["ours"], times[variant], strict=True)), 2
        )
    return found


def run(
    rounds: int = ROUNDS, names: list[str] | None = None, batch: int | None = None, side: int | None = None
) -> dict[str, dict]:
    """The whole table: {augmentation: {variant: images a second, "ours / ...": ratio}}, and the
    conditions.
    """
    device = book.device()
    batch, side = batch or (256 if device == "cuda" else 32), side or (224 if device == "cuda" else 64)
    torch.manual_seed(SEED)
    images, table = torch.rand(batch, 3, side, side, device=device), rows(side)
    found = {name: measure(table[name], images, device, rounds) for name in names or table}
    conditions = {
        "device": device,
        "threads": torch.get_num_threads(),
        "rounds": rounds,
        "batch": batch,
        "side": side,
        "kornia": bool(importlib.util.find_spec("kornia")),
    }
    return {"conditions": conditions, "images_per_second": found}


def show(results: dict[str, dict]) -> None:
    """Print the table in columns."""
    table = results["images_per_second"]
    columns = list(dict.fromkeys(column for row in table.values() for column in row))
    print(
        results["conditions"],
        f"load {os.getloadavg()[0]:.1f}",
        "" if results["conditions"]["kornia"] else "kornia is not installed: no column",
    )
    print(f"{'images a second':18}" + "".join(f"{column:>18}" for column in columns))
    for name, row in table.items():
        print(f"{name:18}" + "".join(f"{row.get(column, '-'):>18}" for column in columns))


def main() -> None:
    """Read the command line, measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--side", type=int)
    parser.add_argument("--threads", type=int, help="torch's threads; by default its own choice")
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    results = run(given.rounds, given.only, given.batch, given.side)
    show(results)
    if given.json:
        given.json.write_text(json.dumps(results, indent=1) + "\n", "utf8")


if __name__ == "__main__":
    main()
