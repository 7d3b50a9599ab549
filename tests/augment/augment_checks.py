"""What the tests of the augmentations share: pictures, and what every random step must keep."""

import pytest
import torch
from torchvision.transforms import v2

cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def seeded(seed=0, device="cpu"):
    return torch.Generator(device).manual_seed(seed)


def pictures(count=12, channels=3, height=24, width=33, dtype=torch.float32, seed=5):
    """Smooth images with noise, not square, values all over [0, 1]."""
    coarse = torch.rand(count, channels, 4, 5, generator=seeded(seed), dtype=dtype)
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    return (
        0.8 * smooth
        + 0.2 * torch.rand(count, channels, height, width, generator=seeded(seed + 1), dtype=dtype)
    ).clamp(0, 1)


def byte_pictures(**how):
    """uint8 images and the same in [0, 1]."""
    levels = (pictures(**how) * 255).round()
    return levels.to(torch.uint8), levels / 255


def check_step(step, images=None):
    """Input not changed, range and type kept, the generator is the only source."""
    images = pictures() if images is None else images
    kept = images.clone()
    state = torch.get_rng_state()
    first, again, other = step(images, seeded(1)), step(images, seeded(1)), step(images, seeded(2))
    assert torch.equal(state, torch.get_rng_state()), "drew from the global generator"
    assert torch.equal(images, kept), "the input was changed"
    assert first.dtype == images.dtype and len(first) == len(images)
    assert first.min() >= 0 and first.max() <= 1, "left [0, 1]"
    assert torch.equal(first, again), "one seed, two results"
    assert not torch.equal(first, other), "two seeds, one result"
    assert first.data_ptr() != images.data_ptr(), "the result is the input"


def check_own_draw(step, least=10):
    """Equal images in one batch get different views."""
    batch = step(pictures(1).expand(12, -1, -1, -1), seeded(3))
    assert len({tuple(image.flatten().tolist()) for image in batch}) >= least, "images share their draws"


def check_uniform(values, low, high, tolerance=0.06):
    """Quantiles of thousands of draws lie where a uniform distribution has them; neighbours are unrelated."""
    values = values.double().flatten()
    wanted = torch.linspace(0.02, 0.98, 25, dtype=torch.float64)
    found = (torch.quantile(values, wanted) - low) / (high - low)
    assert (found - wanted).abs().max() < tolerance, "not uniform"
    check_unrelated(values[1:], values[:-1])


def check_unrelated(first, second):
    """No correlation beyond five standard deviations of chance."""
    pair = torch.stack([first.double().flatten(), second.double().flatten()])
    assert torch.corrcoef(pair)[0, 1].abs() < 5 / len(pair[0]) ** 0.5, "correlated"


def check_rate(hits, probability):
    """Within five standard deviations."""
    hits = hits.double().flatten()
    assert (hits.mean() - probability).abs() < 5 * (
        probability * (1 - probability) / len(hits)
    ) ** 0.5 + 1e-9, "wrong rate"


def same(first, second, tolerance):
    """No value differs by more."""
    assert first.shape == second.shape
    assert (first.double() - second.double()).abs().max() <= tolerance


def check_on_gpu(step, tolerance=1e-5, images=None):
    """A seeded step on the GPU keeps shape and range there and does not wait for numbers of the CPU's
    generator.
    """
    images = (pictures() if images is None else images).cuda()
    first, again = step(images, seeded(1, "cuda")), step(images, seeded(1, "cuda"))
    assert first.is_cuda and first.min() >= 0 and first.max() <= 1
    same(first, again, tolerance)


def torchvisions_operation(name, image, magnitude, fill=None):
    """One operation of AutoAugment as torchvision does it, on an image or a batch."""
    transform = v2.AutoAugment()._apply_image_or_video_transform
    return transform(image, name, magnitude, v2.InterpolationMode.NEAREST, {torch.Tensor: fill})
