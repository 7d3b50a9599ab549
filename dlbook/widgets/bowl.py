"""Balls in a bowl: SGD with noisy gradients on a quadratic of two weights, and the floor at which it stalls.

>>> figure = Bowl(title="Bowl", description="It stalls.", curvatures=(1, 1), noise=1.0, start=(3, 0),
...               rates=[0.5, 2.05], schedules={"constant": [1.0] * 20}, start_rate=0.5)
>>> round(figure.floor(0.5), 4), figure.floor(2.05)
(0.1667, inf)
"""

import math

import numpy as np

from dlbook.widgets import bowl_still, encode, reserve
from dlbook.widgets import parameters as grid
from dlbook.widgets.figure import Figure, module_text, style_text

RATE, SCHEDULE = "learning rate", "schedule"
_CONSTANT, _MASK = 0x6D2B79F5, 0xFFFFFFFF  # of the generator mulberry32, which bowl.js has too


class Bowl(Figure):
    """Copies of one run of SGD as balls in a bowl, beside the course of their mean loss.

    The loss is half the sum of curvature times weight squared, over two weights. Each update adds noise of
    variance noise**2 to the gradient, half of it in each direction. The page runs the balls by itself, with
    the random numbers of :meth:`swarm`.

    Args:
        title, description: texts; both are needed.
        curvatures: of the two directions, positive.
        noise: standard deviation of the gradient's noise, both directions together.
        start: first weights, two numbers.
        rates: ascending learning rates, for the slider.
        schedules: `{name: factor of the rate at each update}`, all of one length.
        rim: loss at the rim of the bowl; None: twice the first loss.
        copies, shown: number of balls whose mean is taken, and of those that are drawn.
        start_rate: rate at the start; None: the middle one.
        start_schedule: name of the schedule at the start; None: the first one.

    Raises:
        ValueError: numbers that make no bowl, or schedules that do not fit together.
    """

    tabled = True
    _esm = module_text("controls.js", "numbers.js", "stage.js", "bowl.js")
    _css = style_text("figure.css", "numbers.css", "stage.css", "bowl.css")

    def __init__(
        self,
        *,
        curvatures,
        noise,
        start,
        rates,
        schedules,
        title="",
        description="",
        rim=None,
        copies=256,
        shown=60,
        start_rate=None,
        start_schedule=None,
    ):
        spec = _ground(curvatures, noise, start, rim)
        spec |= _copies(copies, shown)
        spec["parameters"] = grid.checked({RATE: rates, SCHEDULE: list(schedules)})
        factors = _factors(schedules)
        spec["factors"] = [[float(f"{factor:.5g}") for factor in row] for row in factors]
        spec["range"] = _range(spec, factors, spec["parameters"][RATE])
        chosen = {RATE: start_rate, SCHEDULE: start_schedule}
        chosen = {name: value for name, value in chosen.items() if value is not None}
        super().__init__(title, description, spec, values=grid.settings(spec["parameters"], chosen))

    def rates(self):
        """Return the rate of each update at the current setting: [updates]."""
        at = self.spec["parameters"][SCHEDULE].index(self.values[SCHEDULE])
        return self.values[RATE] * np.array(self.spec["factors"][at])

    def floor(self, rate):
        """Return the loss at which a constant rate stalls; infinity beyond the limit of stability."""
        return floor(self.spec, rate)

    def expected(self):
        """Return the expected loss before the first update and after each, at the current setting."""
        return expected(self.spec, self.rates())

    def swarm(self):
        """Return where the balls are: [updates + 1, copies, 2 weights], by the page's random numbers."""
        spec, rates = self.spec, self.rates()
        pushes = normal(spec["seed"], len(rates) * spec["copies"]).reshape(len(rates), spec["copies"], 2)
        w = np.tile(np.array(spec["start"]), (spec["copies"], 1))
        found = [w]
        for rate, push in zip(rates, pushes * spec["noise"] / math.sqrt(2), strict=True):
            w = w - rate * (np.array(spec["curvatures"]) * w + push)
            found.append(w)
        return np.stack(found)

    def losses(self):
        """Return the mean loss of the balls before the first update and after each."""
        return (0.5 * np.array(self.spec["curvatures"]) * self.swarm() ** 2).sum(-1).mean(-1)

    def height(self, inside):
        below = reserve.controls(self.spec["parameters"], inside, cursor=0, one_row=True)
        return reserve.staged(self, inside, bowl_still.Ground(inside, self.spec).height, 90, 0, below)

    def still(self):
        return bowl_still.draw_bowl(self)


def floor(spec, rate):
    """Return the loss at which a constant rate stalls in the bowl of a spec."""
    if rate * max(spec["curvatures"]) >= 2:
        return math.inf
    return sum(rate * spec["noise"] ** 2 / 2 / (2 * (2 - rate * h)) for h in spec["curvatures"])


def expected(spec, rates):
    """Return the expected loss in the bowl of a spec, before the first update and after each."""
    h, v = np.array(spec["curvatures"]), np.square(spec["start"])
    losses = [0.5 * (h * v).sum()]
    for rate in rates:
        v = (1 - rate * h) ** 2 * v + rate**2 * spec["noise"] ** 2 / 2
        losses.append(0.5 * (h * v).sum())
    return np.array(losses)


def normal(seed, count):
    """Return pairs of standard normal numbers, [count, 2]: mulberry32, then Box and Muller."""
    u = uniform(seed, 2 * count).reshape(count, 2)
    radius, angle = np.sqrt(-2 * np.log1p(-u[:, 0])), 2 * math.pi * u[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)


def uniform(seed, count):
    """Return numbers in [0, 1) of the generator mulberry32, which counts and then mixes."""
    a = (seed + np.arange(1, count + 1, dtype=np.uint64) * _CONSTANT) & _MASK
    t = ((a ^ (a >> 15)) * (a | 1)) & _MASK
    t = (((t + (((t ^ (t >> 7)) * (t | 61)) & _MASK)) & _MASK) ^ t) & _MASK
    return (t ^ (t >> 14)) / 2.0**32


def _two(name, numbers):
    numbers = [float(number) for number in np.asarray(numbers, float).reshape(-1)]
    if len(numbers) != 2 or not np.isfinite(numbers).all():
        raise ValueError(f"{name}: expected two finite numbers, one a direction, got {numbers}; give both")
    return numbers


def _ground(curvatures, noise, start, rim):
    """Return the part of the spec that says what the bowl is like and where the balls start."""
    curvatures, start = _two("curvatures", curvatures), _two("start", start)
    if min(curvatures) <= 0 or noise < 0:
        raise ValueError(
            f"expected positive curvatures and noise of 0 or more, got {curvatures} and {noise}; "
            "a direction without curvature has no bowl"
        )
    first = 0.5 * sum(h * w * w for h, w in zip(curvatures, start, strict=True))
    rim = 2 * first if rim is None else float(rim)
    if not rim > first > 0:
        raise ValueError(f"expected a start inside the rim, got loss {first:g} and rim {rim:g}; raise it")
    return {"curvatures": curvatures, "noise": float(noise), "start": start, "rim": rim}


def _copies(copies, shown):
    if not 1 <= shown <= copies:
        raise ValueError(f"shown: expected 1 to {copies} balls (copies), got {shown}; show fewer")
    return {"copies": int(copies), "shown": int(shown), "seed": 1}


def _factors(schedules):
    """Return the factors of all schedules as one array, [schedules, updates]."""
    rows = {name: encode.to_array(row, f"schedule {name!r}") for name, row in schedules.items()}
    lengths = {name: len(row) for name, row in rows.items()}
    if not rows or len(set(lengths.values())) > 1 or min(lengths.values()) < 2:
        raise ValueError(f"schedules: expected as many updates in each, 2 or more, got {lengths}; cut them")
    return np.stack([row.astype(np.float64) for row in rows.values()])


def _range(spec, factors, rates):
    """Lowest and highest power of ten of the course: what is expected at the end, and ten times the rim."""
    lowest = min(expected(spec, rate * row).min() for rate in rates for row in factors)
    return [max(-6, math.floor(math.log10(max(lowest, 1e-6)))), math.ceil(math.log10(10 * spec["rim"]))]
