"""Gabor filters as models of the simple and complex cells that Hubel and Wiesel found in the visual cortex.

Daugman, "Uncertainty relation for resolution in space, spatial frequency, and orientation optimized by
two-dimensional visual cortical filters" (J. Opt. Soc. Am. A 2, 1985); Adelson, Bergen, "Spatiotemporal energy
models for the perception of motion" (J. Opt. Soc. Am. A 2, 1985).

The filter and the two cells in four lines::

    u, v   = the place (x, y), turned by theta
    kernel = exp(-(u/sigma_u)^2 / 2 - (v/sigma_v)^2 / 2) / (2 pi sigma_u sigma_v) * exp(i (2 pi f u + offset))
    simple = max(0, Re(kernel * image))             # one phase: light here, dark there
    complex = sqrt(Re(kernel * image)^2 + Im(kernel * image)^2)  # both phases: a bar anywhere in the field

The real part of a kernel is the even filter (a bright stripe in the middle), the imaginary part the odd one
(an edge); they are a quarter of a period apart. `*` slides the kernel over the image without flipping it.

>>> kernel = gabor_kernel(frequency=0.125)
>>> abs(float(kernel.real.sum())) < 1 / 256  # little is left of uniform light
True
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from dlbook.checks import require_above, require_images, require_positive


def envelope_width(frequency: float, bandwidth: float = 1.0) -> float:
    """Return the standard deviation, in pixels, that gives a Gabor filter its bandwidth along the frequency.

    Args:
        frequency: in cycles a pixel, above 0.
        bandwidth: in octaves, above 0: the frequencies at which the filter answers half as strongly as at its
            own are `bandwidth` octaves apart.

    Raises:
        ValueError: a number that is not above 0.
    """
    require_above("frequency", frequency)
    require_above("bandwidth", bandwidth)
    octaves = 2.0**bandwidth
    return math.sqrt(math.log(2) / 2) / math.pi * (octaves + 1) / (octaves - 1) / frequency


def gabor_kernel(
    frequency: float,
    theta: float = 0.0,
    bandwidth: float = 1.0,
    sigma_u: float | None = None,
    sigma_v: float | None = None,
    offset: float = 0.0,
    side: int | None = None,
) -> Tensor:
    """Make a complex Gabor filter: stripes of one frequency and direction under a Gaussian.

    Args:
        frequency: of the stripes, in cycles a pixel, above 0.
        theta: direction across the stripes in radians; 0 gives upright stripes, pi/2 lying ones.
        bandwidth: in octaves, above 0; used for each sigma that is None.
        sigma_u, sigma_v: standard deviations of the Gaussian across and along the stripes, in pixels.
        offset: phase of the stripes in radians.
        side: of the square kernel, odd; None: three standard deviations to every side.

    Returns:
        complex128 [side, side].

    Raises:
        ValueError: a number out of range, or an even side.
    """
    usual = envelope_width(frequency, bandwidth)
    sigma_u, sigma_v = usual if sigma_u is None else sigma_u, usual if sigma_v is None else sigma_v
    require_above("sigma_u", sigma_u)
    require_above("sigma_v", sigma_v)
    if side is None:
        side = 2 * math.ceil(3 * max(sigma_u, sigma_v)) + 1
    require_positive("side", side)
    if side % 2 == 0:
        raise ValueError(f"expected an odd side, got {side}; a kernel has a pixel in its middle")
    places = torch.arange(side, dtype=torch.float64) - side // 2
    y, x = torch.meshgrid(places, places, indexing="ij")
    u = x * math.cos(theta) + y * math.sin(theta)
    v = y * math.cos(theta) - x * math.sin(theta)
    gaussian = torch.exp(-(u**2 / sigma_u**2 + v**2 / sigma_v**2) / 2) / (2 * math.pi * sigma_u * sigma_v)
    return torch.polar(gaussian, 2 * math.pi * frequency * u + offset)


def gabor_bank(frequency: float, orientations: int, **options) -> Tensor:
    """Make filters of equally spaced directions between 0 and pi: [orientations, side, side], complex128.

    Args:
        frequency: in cycles a pixel.
        orientations: their number, at least 1.
        options: of `gabor_kernel`.

    Raises:
        ValueError: a number out of range.
    """
    require_positive("orientations", orientations)
    turns = [math.pi * k / orientations for k in range(orientations)]
    return torch.stack([gabor_kernel(frequency, theta, **options) for theta in turns])


def responses(images: Tensor, kernels: Tensor) -> Tensor:
    """Slide complex kernels over grey images, without flipping and without a border.

    Args:
        images: floating-point [B, 1, H, W].
        kernels: complex [K, side, side].

    Returns:
        Complex [B, K, H - side + 1, W - side + 1]: the even answer, and the odd one as the imaginary part.

    Raises:
        ValueError: images of another shape.
    """
    require_images(images, 1, "take one channel")
    kernels = kernels[:, None].to(images.device)
    even, odd = (F.conv2d(images, part.to(images.dtype)) for part in (kernels.real, kernels.imag))
    return torch.complex(even, odd)


def simple_cell(response: Tensor, phase: float = 0.0) -> Tensor:
    """Return how much a simple cell of one phase fires: the filter's answer, cut off below 0.

    Args:
        response: complex, of any shape, from `responses`.
        phase: in radians: 0 likes a bright stripe in the middle, pi a dark one, pi/2 and -pi/2 an edge.
    """
    return (response.real * math.cos(phase) + response.imag * math.sin(phase)).clamp(min=0)


def complex_cell(response: Tensor) -> Tensor:
    """Return how much a complex cell fires: the root of the summed squares of the even and the odd answer.

    This is the energy model.

    Args:
        response: complex, of any shape, from `responses`.
    """
    return response.abs()
