"""Design spaces of networks: Radosavovic et al., "Designing Network Design Spaces" (arXiv:2003.13678),
sections 3 and 4.

A design space is a set of networks that one can sample. Instead of the best network of a space, the paper
compares whole spaces, by how the errors of a few hundred sampled networks are distributed, and refines the
better one::

    draw settings until n networks of the space fall into a window of multiply-accumulates (360-400 M)
    train each for ten epochs; e_i: its error
    compare spaces by F(e) = share of networks with e_i < e                                     # equation (1)

    AnyNetX_A   each of four stages: depth d_i, width w_i, bottleneck b_i, group width g_i   1.8e18 networks
    AnyNetX_B   A, and all b_i equal                                                                    6.8e16
    AnyNetX_C   B, and all g_i equal                                                                    3.2e14
    AnyNetX_D   C, and widths do not decrease                                                           1.4e13
    AnyNetX_E   D, and depths do not decrease                                                           8.2e11
    RegNetX     widths and depths from w_0, w_a, w_m, d (``dlbook.models.regnet``), one b, one g     about 3e8

Settings in which a width is not a whole number of groups are fixed by `fit_groups` after they are drawn
(appendix D).

Departures from the paper

1. Table 1 estimates D as C / 4! = 1.3e13 and E as C / 4!^2 = 5.5e11, as if no two stages were alike;
   `AnyNetSpace.size` counts.
2. "Log-uniform" draws are rounded to the nearest allowed value, so that the ends of a range come up half as
   often. The paper does not say how it rounds; widths and depths out of order are drawn again.
3. RegNets must have four stages (section 3.3) and, as in the authors' sampler, skip no power of w_m.
4. The constrained space has the limits on b, d and w_m of section 4, not those on parameters and activations,
   which are curves in a figure.

>>> f"{ANYNET['A'].size():.2g} {ANYNET['C'].size():.2g}"
'1.8e+18 3.2e+14'
"""

import itertools
import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dlbook.checks import require_positive
from dlbook.models.regnet import STEM_WIDTH, Config, Stage, block_widths, fit_groups

DEPTHS = range(1, 17)  # d_i <= 16
WIDTHS = range(8, 1025, 8)  # w_i <= 1024, a multiple of 8
RATIOS = (1, 2, 4)  # b_i
GROUP_WIDTHS = (1, 2, 4, 8, 16, 32)  # g_i
STAGES = 4
Setting = tuple[int, int, int, int]  # depth, width, group width and bottleneck ratio of a stage, as drawn


def log_uniform(rng: random.Random, low: float, high: float, step: float) -> float:
    """Return exp of a uniform draw between log(low) and log(high), rounded to a multiple of `step`."""
    return step * round(math.exp(rng.uniform(math.log(low), math.log(high))) / step)


def increases(values: Sequence[int]) -> bool:
    """Tell whether no value is smaller than the one before it."""
    return all(a <= b for a, b in itertools.pairwise(values))


def draw_until(draw: Callable[[], list[int]], accept: Callable[[list[int]], bool]) -> list[int]:
    """Repeat `draw` until `accept` holds."""
    while not accept(values := draw()):
        pass
    return values


@dataclass(frozen=True)
class AnyNetSpace:
    """Describe one of AnyNetX_A to E: which settings the four stages share, and what must not decrease from
    stage to stage.
    """

    shared_ratio: bool = False
    shared_group_width: bool = False
    increasing_widths: bool = False
    increasing_depths: bool = False

    def draw(self, rng: random.Random) -> tuple[Setting, ...]:
        """The settings of four stages, before `fit_groups`. Widths and depths are drawn again until they are
        in the space.
        """
        depths = draw_until(
            lambda: [int(log_uniform(rng, 1, 16, 1)) for _ in range(STAGES)], self._accepts_depths
        )
        widths = draw_until(
            lambda: [int(log_uniform(rng, 8, 1024, 8)) for _ in range(STAGES)], self._accepts_widths
        )
        ratios = [rng.choice(RATIOS)] * STAGES if self.shared_ratio else rng.choices(RATIOS, k=STAGES)
        groups = (
            [rng.choice(GROUP_WIDTHS)] * STAGES
            if self.shared_group_width
            else rng.choices(GROUP_WIDTHS, k=STAGES)
        )
        return tuple(zip(depths, widths, groups, ratios, strict=True))

    def _accepts_depths(self, depths: Sequence[int]) -> bool:
        return not self.increasing_depths or increases(depths)

    def _accepts_widths(self, widths: Sequence[int]) -> bool:
        return not self.increasing_widths or increases(widths)

    def __contains__(self, settings: Sequence[Setting]) -> bool:
        """Whether the settings of four stages, as drawn, are in this space."""
        if len(settings) != STAGES or any(len(setting) != 4 for setting in settings):
            return False
        depths, widths, groups, ratios = zip(*settings, strict=True)
        allowed = zip((depths, widths, groups, ratios), (DEPTHS, WIDTHS, GROUP_WIDTHS, RATIOS), strict=True)
        if not all(value in choices for values, choices in allowed for value in values):
            return False
        shared = (not self.shared_ratio or len(set(ratios)) == 1) and (
            not self.shared_group_width or len(set(groups)) == 1
        )
        return shared and self._accepts_widths(widths) and self._accepts_depths(depths)

    def size(self) -> int:
        """How many settings there are. k values that do not decrease, out of n: n + k - 1 over k."""

        def count(choices: Sequence[int], increasing: bool) -> int:
            return math.comb(len(choices) + STAGES - 1, STAGES) if increasing else len(choices) ** STAGES

        ratios = len(RATIOS) ** (1 if self.shared_ratio else STAGES)
        groups = len(GROUP_WIDTHS) ** (1 if self.shared_group_width else STAGES)
        return count(DEPTHS, self.increasing_depths) * count(WIDTHS, self.increasing_widths) * ratios * groups

    def sample(self, rng: random.Random) -> tuple[Stage, ...]:
        """Four stages that can be built: `draw`, then `fit_groups`."""
        return tuple(fit_groups(*setting) for setting in self.draw(rng))


ANYNET = {
    "A": AnyNetSpace(),
    "B": AnyNetSpace(shared_ratio=True),
    "C": AnyNetSpace(shared_ratio=True, shared_group_width=True),
    "D": AnyNetSpace(shared_ratio=True, shared_group_width=True, increasing_widths=True),
    "E": AnyNetSpace(
        shared_ratio=True, shared_group_width=True, increasing_widths=True, increasing_depths=True
    ),
}


@dataclass(frozen=True)
class RegNetSpace:
    """RegNetX (section 3.3): d < 64, w_0 and w_a < 256, 1.5 <= w_m <= 3. Ranges are (least, greatest)."""

    depths: tuple[int, int] = (1, 63)
    w_m: tuple[float, float] = (1.5, 3.0)
    ratios: tuple[int, ...] = RATIOS

    def draw(self, rng: random.Random) -> tuple[Config, int]:
        """A config of four stages, and its bottleneck ratio; drawn again until the widths take four
        successive powers of w_m.
        """
        while True:
            config = Config(
                w_0=int(log_uniform(rng, 8, 248, 8)),
                w_a=log_uniform(rng, 8, 255.9, 0.1),
                w_m=log_uniform(rng, *self.w_m, 0.001),
                depth=rng.randint(*self.depths),
                group_width=rng.choice(GROUP_WIDTHS),
            )
            last = math.log((config.w_0 + config.w_a * (config.depth - 1)) / config.w_0) / math.log(
                config.w_m
            )
            if round(last) == STAGES - 1 and len(set(block_widths(config))) == STAGES:
                return config, rng.choice(self.ratios)

    def sample(self, rng: random.Random) -> tuple[Stage, ...]:
        """Four stages that can be built."""
        config, ratio = self.draw(rng)
        widths = block_widths(config)
        return tuple(
            fit_groups(widths.count(width), width, config.group_width, ratio) for width in sorted(set(widths))
        )


REGNET = RegNetSpace()
REGNET_CONSTRAINED = RegNetSpace(depths=(1, 40), w_m=(2.0, 3.0), ratios=(1,))  # section 4


@dataclass(frozen=True)
class Cost:
    """For one image: multiply-accumulates, parameters, and elements of the outputs of the convolutions and
    the linear layer.
    """

    macs: int
    parameters: int
    activations: int


def cost(
    stages: Sequence[Stage], resolution: int = 224, num_classes: int = 1000, in_channels: int = 3
) -> Cost:
    """Say what an `AnyNet` of these stages without squeeze-excite costs, by arithmetic (figure 12, top left);
    nothing is built.
    """
    macs = parameters = activations = 0

    def add(c_in: int, c_out: int, kernel: int, side: int, group_width: int | None = None) -> None:
        nonlocal macs, parameters, activations
        weights = (group_width or c_in) * c_out * kernel**2
        macs, parameters, activations = (
            macs + weights * side**2,
            parameters + weights + 2 * c_out,
            activations + c_out * side**2,
        )

    side, channels = -(-resolution // 2), STEM_WIDTH
    add(in_channels, channels, 3, side)
    for stage in stages:
        width, inner, halved = stage.width, stage.width // stage.bottleneck_ratio, -(-side // 2)
        add(
            channels, width, 1, halved
        )  # shortcut of the first block, whose first 1x1 still sees the larger map
        for index in range(stage.depth):
            add(width if index else channels, inner, 1, halved if index else side)
            add(inner, inner, 3, halved, stage.group_width)
            add(inner, width, 1, halved)
        side, channels = halved, width
    return Cost(
        macs + channels * num_classes, parameters + (channels + 1) * num_classes, activations + num_classes
    )


def sample_window(
    space: AnyNetSpace | RegNetSpace,
    number: int,
    macs: tuple[float, float] = (360e6, 400e6),
    seed: int = 0,
    resolution: int = 224,
) -> list[tuple[Stage, ...]]:
    """Return `number` networks of the space whose multiply-accumulates lie in the window (section 3.1); the
    same ones for the same seed.

    Raises:
        ValueError: for a number below 1, an empty window, or one that 100,000 draws a network do not hit.
    """
    require_positive("number", number)
    if not 0 <= macs[0] < macs[1]:
        raise ValueError(
            f"expected macs to be a window (least, most) with 0 <= least < most, got {macs}; such as "
            "(3.6e8, 4.4e8)"
        )
    rng, found, draws = random.Random(seed), [], 0
    while len(found) < number:
        stages, draws = space.sample(rng), draws + 1
        if macs[0] <= cost(stages, resolution).macs <= macs[1]:
            found.append(stages)
        elif draws >= 100_000 * number:
            raise ValueError(
                f"expected a space with networks between {macs[0]:g} and {macs[1]:g} "
                f"multiply-accumulates, got {space} with hardly any; widen the window"
            )
    return found


def error_edf(errors: Iterable[float], at: float) -> float:
    """Equation (1): the share of the errors that are below `at`.

    Raises:
        ValueError: if there are no errors.
    """
    errors = list(errors)
    if not errors:
        raise ValueError(
            "expected the error of one network or more, got no errors; check what fills the list"
        )
    return sum(error < at for error in errors) / len(errors)


def best_range(
    values: Sequence[float], errors: Sequence[float], seed: int = 0, repeats: int = 10_000
) -> tuple[float, float, float]:
    """Empirical bootstrap (footnote 4): (low, median, high), where a property of the best networks lies with
    95 % confidence.

    Each time a quarter of the networks is drawn with replacement, and the value of the best of them kept.

    Args:
        values, errors: of each network, for example its depth and its error.

    Raises:
        ValueError: unless there are as many values as errors, at least 4.
    """
    if len(values) != len(errors) or len(values) < 4:
        raise ValueError(
            f"expected equally many values and errors, at least 4, got {len(values)} and {len(errors)}; "
            "give both of each network"
        )
    require_positive("repeats", repeats)
    rng, pairs = random.Random(seed), list(zip(errors, values, strict=True))
    best = sorted(min(rng.choices(pairs, k=len(pairs) // 4))[1] for _ in range(repeats))
    return tuple(best[min(repeats - 1, int(share * repeats))] for share in (0.025, 0.5, 0.975))
