"""Gabor filters against scikit-image's, and cells against their definitions, with seeded faults."""

import math

import pytest
import torch
from skimage.filters import gabor_kernel as skimage_gabor

from dlbook.nn import gabor as module
from dlbook.nn.gabor import gabor_bank, gabor_kernel
from tests.seeded import check_sees

CASES = [
    {"frequency": 0.1},
    {"frequency": 0.2, "theta": 0.7, "bandwidth": 1.5},
    {"frequency": 0.15, "theta": 2.1, "sigma_u": 2.5, "sigma_v": 4.0, "offset": 0.9},
    {"frequency": 0.07, "theta": math.pi / 2, "sigma_u": 3.0, "sigma_v": 2.0},
]


def check_skimage(kernel) -> None:
    """Both are the same function of x and y; scikit-image's kernel may be a rectangle of its own size."""
    for case in CASES:
        names = {"sigma_u": "sigma_x", "sigma_v": "sigma_y"}
        theirs = skimage_gabor(**{names.get(key, key): value for key, value in case.items()})
        ours = kernel(**case, side=41)
        h, w = (size // 2 for size in theirs.shape)
        middle = ours[20 - h : 21 + h, 20 - w : 21 + w]
        assert torch.allclose(middle, torch.from_numpy(theirs), rtol=1e-12, atol=1e-15), case


def test_kernels_equal_scikit_image():
    check_skimage(gabor_kernel)


def check_uniform(kernel) -> None:
    """At one octave 2^-9 of uniform light is left, whatever the frequency: 2 (pi f sigma)^2 = 9 ln 2."""
    for frequency in (0.05, 0.1, 0.125):
        assert abs(kernel(frequency, side=121).sum() - 1 / 512) < 1e-6


def test_what_is_left_of_uniform_light():
    check_uniform(gabor_kernel)


def check_octave(kernel) -> None:
    """A wave whose frequency is at either end of the band is answered half as strongly as the best one."""
    for octaves in (1.0, 1.5):
        filter_, x = kernel(0.1, bandwidth=octaves, side=121), torch.arange(121, dtype=torch.float64) - 60
        low = 0.1 * 2 / (1 + 2**octaves)
        best, at_low, at_high = (
            (filter_ * torch.polar(torch.ones(121).double(), -2 * math.pi * f * x)).sum().abs()
            for f in (0.1, low, low * 2**octaves)
        )
        assert abs(at_low / best - 0.5) < 1e-6 and abs(at_high / best - 0.5) < 1e-6


def test_the_bandwidth_is_what_it_says():
    check_octave(gabor_kernel)


def test_a_bank_turns_by_equal_angles():
    bank = gabor_bank(0.15, 4, side=15)
    assert torch.equal(bank[2], gabor_kernel(0.15, math.pi / 2, side=15))
    assert torch.allclose(bank[2], bank[0].T, atol=1e-15) and bank.shape == (4, 15, 15)


def check_responses(responses) -> None:
    """One place, by its sum; the upper left corner of the window is the place's own."""
    torch.manual_seed(0)
    images, kernels = torch.rand(2, 1, 9, 11, dtype=torch.float64), gabor_bank(0.2, 3, side=5)
    found = responses(images, kernels)
    assert found.shape == (2, 3, 5, 7)
    by_hand = (images[1, 0, 2:7, 3:8] * kernels[2]).sum()
    assert abs(found[1, 2, 2, 3] - by_hand) < 1e-14


def test_responses_are_weighted_sums():
    check_responses(module.responses)


def check_energy(cell) -> None:
    """Four simple cells, a quarter of a period apart, squared and summed; and no phase changes it."""
    torch.manual_seed(0)
    r = torch.randn(50, dtype=torch.complex128)
    phases = [0, math.pi / 2, math.pi, -math.pi / 2]
    four = sum(module.simple_cell(r, phase) ** 2 for phase in phases)
    assert torch.allclose(cell(r) ** 2, four)
    assert torch.allclose(cell(r), cell(r * torch.exp(torch.tensor(1j * 0.8))))


def test_the_complex_cell_is_four_simple_cells():
    check_energy(module.complex_cell)


def check_simple(cell) -> None:
    """The filter turned to the phase, cut off at 0, is what a kernel of that offset answers."""
    torch.manual_seed(0)
    image = torch.randn(1, 1, 15, 15, dtype=torch.float64)
    even_odd = module.responses(image, gabor_kernel(0.12, 0.4, side=15)[None])
    for phase in (0.0, 0.6, 2.0, -1.3):
        turned = module.responses(image, gabor_kernel(0.12, 0.4, side=15, offset=-phase)[None])
        assert torch.allclose(cell(even_odd, phase), turned.real.clamp(min=0), atol=1e-14)


def test_a_simple_cell_has_a_phase():
    check_simple(module.simple_cell)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: gabor_kernel(0.0), "expected frequency"),
        (lambda: gabor_kernel(0.1, bandwidth=0), "expected bandwidth"),
        (lambda: gabor_kernel(0.1, sigma_u=-1.0), "expected sigma_u"),
        (lambda: gabor_kernel(0.1, side=8), "expected an odd side, got 8"),
        (lambda: gabor_bank(0.1, 0), "expected orientations"),
        (lambda: module.responses(torch.zeros(1, 3, 9, 9), gabor_bank(0.1, 1, side=5)), "take one channel"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


FAULTS = {
    "turned the other way": (
        check_skimage,
        "gabor_kernel",
        "x * math.cos(theta) + y",
        "x * math.cos(theta) - y",
    ),
    "the Gaussian does not turn": (check_skimage, "gabor_kernel", "v**2 / sigma_v**2", "y**2 / sigma_v**2"),
    "no factor of two pi": (check_octave, "gabor_kernel", "2 * math.pi * frequency * u", "frequency * u"),
    "half the width": (check_uniform, "gabor_kernel", "math.log(2) / 2)", "math.log(2) / 8)"),
    "a flipped kernel": (check_responses, "responses", "kernels[:, None]", "kernels.flip(1, 2)[:, None]"),
    "one filter for two": (
        check_energy,
        "complex_cell",
        "return response.abs()",
        "return response.real.abs()",
    ),
    "no threshold": (check_simple, "simple_cell", ".clamp(min=0)", ""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    check, name, old, new = FAULTS[fault]
    check_sees(check, module, name, old, new)
