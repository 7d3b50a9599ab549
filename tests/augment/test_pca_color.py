"""PCA colour: the components against a loop over pixels, one shift for an image along them, its spread;
seeded faults.
"""

import pytest
import torch

from dlbook.augment.pca_color import ColorComponents, color_components, pca_color
from dlbook.data import photographs
from tests.augment.augment_checks import (
    check_on_gpu,
    check_own_draw,
    check_step,
    check_unrelated,
    cuda,
    pictures,
    same,
    seeded,
)


def colored(count=10):
    """Images whose channels go together."""
    mix = torch.tensor([[0.5, 0.1, 0.05], [0.4, -0.1, 0.1], [0.3, 0.05, -0.1]], dtype=torch.float64)
    return torch.einsum("ij,bjhw->bihw", mix, pictures(count, dtype=torch.float64)).clamp(0, 1)


def check_components(components):
    images = colored(2)
    pixels = [images[b, :, y, x] for b in range(2) for y in range(24) for x in range(33)]
    mean = sum(pixels) / len(pixels)
    covariance = sum(torch.outer(pixel - mean, pixel - mean) for pixel in pixels) / (len(pixels) - 1)
    found = components(images)
    same(found.eigenvectors @ torch.diag(found.eigenvalues) @ found.eigenvectors.T, covariance, 1e-10)
    same(found.eigenvectors.T @ found.eigenvectors, torch.eye(3), 1e-10)
    assert found.eigenvalues[0] > found.eigenvalues[1] > found.eigenvalues[2] > 0
    vectors = found.eigenvectors.T
    for value, vector in zip(found.eigenvalues, vectors, strict=True):
        same(covariance @ vector, value * vector, 1e-10)


def test_components_by_a_loop_over_pixels():
    check_components(color_components)


def test_first_component_of_photographs_is_brightness():
    pixels = (
        torch.cat([image.flatten(1) for image in photographs().values() if image.shape[0] == 3], dim=1) / 255
    )
    found = color_components(pixels[None, :, None])
    assert (found.eigenvectors[:, 0].abs() - 3**-0.5).abs().max() < 0.15 and found.eigenvalues[
        0
    ] > 5 * found.eigenvalues[1]


def check_shift(augment):
    """Each image is shifted as a whole; along p_i by N(0, (sigma lambda_i)^2), unrelated between components
    and images.
    """
    vectors = torch.linalg.qr(torch.randn(3, 3, generator=seeded(3), dtype=torch.float64))[0]
    components = ColorComponents(torch.tensor([0.3, 0.1, 0.05], dtype=torch.float64), vectors)
    images = 0.5 + 0.02 * torch.rand(4000, 3, 2, 3, generator=seeded(4), dtype=torch.float64)
    shift = augment(images, seeded(1), components, 0.1) - images
    same(shift, shift[:, :, :1, :1].expand_as(shift), 1e-12)
    along = shift[:, :, 0, 0] @ vectors  # [B, 3]
    assert (along.std(0) / (0.1 * components.eigenvalues) - 1).abs().max() < 5 / 8000**0.5, "spread"
    assert (along.mean(0) / along.std(0)).abs().max() < 5 / 4000**0.5, "mean"
    for first, second in ((along[:, 0], along[:, 1]), (along[:, 1], along[:, 2]), (along[1:], along[:-1])):
        check_unrelated(first, second)


def test_one_shift_for_an_image_along_the_components():
    check_shift(pca_color)


def test_step():
    check_step(pca_color)
    check_own_draw(lambda images, generator: pca_color(images, generator, color_components(pictures())))
    images = pictures()
    same(pca_color(images, seeded(1)), pca_color(images, seeded(1), color_components(images)), 0)


@pytest.mark.cuda
@cuda
def test_on_a_gpu():
    check_on_gpu(pca_color)
    same(
        color_components(pictures().cuda()).eigenvalues.cpu(), color_components(pictures()).eigenvalues, 1e-9
    )


def shifted(images, alpha, components):
    return images + torch.einsum(
        "ij,...j->i...", components.eigenvectors, alpha * components.eigenvalues
    ).movedim(0, 1)


FAULTS = {
    "alpha for each pixel": (
        lambda i, g, c, s: shifted(i, s * torch.randn(*i[:, 0].shape, 3, generator=g, dtype=i.dtype), c),
        check_shift,
    ),
    "alpha for the batch": (lambda i, g, c, s: i + (pca_color(i[:1], g, c, s) - i[:1]), check_shift),
    "eigenvectors in rows": (
        lambda i, g, c, s: pca_color(i, g, ColorComponents(c[0], c[1].T), s),
        check_shift,
    ),
    "square root of the eigenvalues": (
        lambda i, g, c, s: pca_color(i, g, ColorComponents(c[0].sqrt(), c[1]), s),
        check_shift,
    ),
    "one alpha for all components": (
        lambda i, g, c, s: (
            i + (s * torch.randn(len(i), 1, generator=g, dtype=i.dtype) * c[0] @ c[1].T)[:, :, None, None]
        ),
        check_shift,
    ),
    "not centred": (
        lambda i: ColorComponents(
            *[
                t.flip(-1)
                for t in torch.linalg.eigh(
                    i.movedim(1, 0).flatten(1) @ i.movedim(1, 0).flatten(1).T / i[:, 0].numel()
                )
            ]
        ),
        check_components,
    ),
    "smallest first": (
        lambda i: ColorComponents(*[t.flip(-1) for t in color_components(i)]),
        check_components,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    broken, check = FAULTS[fault]
    with pytest.raises(AssertionError):
        check(broken)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pca_color(pictures(channels=1)), "B, 3, H, W"),
        (lambda: pca_color(pictures(), None, None, -1.0), "sigma >= 0"),
        (lambda: color_components(torch.rand(1, 3, 1, 1)), "at least two pixels"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()
