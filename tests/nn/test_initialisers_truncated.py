"""The truncated normal: its distribution, its deviation after the cut, its ends, in every type."""

import math

import pytest
import torch
from torch import nn

from dlbook.nn import initialisers as init


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def check_truncated(fill, std=0.02, mean=0.1, bound=2.0, n=200_000):
    """Kolmogorov-Smirnov distance to the truncated normal below its critical value; deviation; cut."""
    weight = fill(torch.empty(n, dtype=torch.float64), std, mean, bound, generator())
    z = ((weight - mean) / std).sort().values
    assert z.abs().max() <= bound, "cut at bound standard deviations"
    mass = math.erf(bound / math.sqrt(2))
    cdf = (torch.special.ndtr(z) - (1 - mass) / 2) / mass
    ranks = torch.arange(1, n + 1, dtype=torch.float64) / n
    distance = torch.maximum((ranks - cdf).abs(), (ranks - 1 / n - cdf).abs()).max().item()
    assert distance < 2.2 / math.sqrt(n), "the distribution"  # a chance of 1.2e-4
    assert weight.std().item() == pytest.approx(init.truncated_std(std, bound), rel=5 / math.sqrt(n))


@pytest.mark.parametrize("bound", [0.5, 1.0, 2.0, 3.5])
def test_truncated_normal(bound):
    check_truncated(init.truncated_normal_, bound=bound)


def test_truncated_normal_has_the_distribution_of_torchs():
    ours = init.truncated_normal_(torch.empty(100_000), generator=generator()).sort().values
    theirs = nn.init.trunc_normal_(torch.empty(100_000), generator=generator(1)).sort().values
    distance = (torch.searchsorted(theirs, ours) / 1e5 - torch.arange(100_000) / 1e5).abs().max().item()
    assert distance < 2.2 * math.sqrt(2 / 1e5)


def test_truncated_std_by_quadrature():
    for bound in (0.3, 1.0, 2.0, 4.0):
        z = torch.linspace(-bound, bound, 200_001, dtype=torch.float64)
        density = torch.exp(-z.square() / 2)
        variance = torch.trapezoid(z.square() * density, z) / torch.trapezoid(density, z)
        assert init.truncated_std(3.0, bound) == pytest.approx(3 * math.sqrt(variance), rel=1e-8)
    assert init.truncated_std(1.0) == pytest.approx(
        0.87962566103423978, rel=1e-14
    )  # the constant of TensorFlow's variance scaling


def test_float32_reaches_no_further_than_the_bound():
    weight = init.truncated_normal_(torch.empty(1_000_000), 1.0, 0.0, 6.0, generator())
    assert torch.isfinite(weight).all() and 4 < weight.abs().max() <= 6
    assert (init.truncated_normal_(torch.empty(5), 0.0, 0.3) == 0.3).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_type_only_rounds_the_truncated_normal(dtype):
    exact = init.truncated_normal_(torch.empty(1000, dtype=torch.float64), 1.0, 0.0, 4.0, generator())
    assert torch.equal(
        init.truncated_normal_(torch.empty(1000, dtype=dtype), 1.0, 0.0, 4.0, generator()), exact.to(dtype)
    )


def test_truncated_normal_at_the_rim_of_its_distribution(monkeypatch):
    """erfinv(-1) is infinite, and a draw of the very end is possible."""
    monkeypatch.setattr(torch.Tensor, "uniform_", lambda self, low, high, generator: self.fill_(low))
    assert init.truncated_normal_(torch.empty(2), 0.5, 1.0, 10.0).tolist() == [-4, -4]


FAULTS = {
    "limits in absolute numbers, as torch's": lambda w, std, mean, bound, g: nn.init.trunc_normal_(
        w, mean, std, -bound, bound, generator=g
    ),
    "clamped, not cut": lambda w, std, mean, bound, g: (
        w.normal_(0, 1, generator=g).clamp_(-bound, bound).mul_(std).add_(mean)
    ),
    "limits around 0, not the mean": lambda w, std, mean, bound, g: nn.init.trunc_normal_(
        w, mean, std, -bound * std, bound * std, generator=g
    ),
    "std of what is left": lambda w, std, mean, bound, g: init.truncated_normal_(
        w, std / 0.87962566, mean, bound, g
    ),
    "uniform": lambda w, std, mean, bound, g: w.uniform_(mean - bound * std, mean + bound * std, generator=g),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.filterwarnings("ignore:mean is more than 2 std")
def test_distribution_catches_the_seeded_fault(fault):
    with pytest.raises(AssertionError):
        check_truncated(FAULTS[fault], n=20_000)
