"""The largest margin by which a hyperplane through the origin can separate two classes.

Turn every example of the second class round: then a weight vector w separates the classes if w . p > 0 for
each of the points p, and its margin is the smallest w . p / |w|. The largest margin of all w is the distance
from the origin to the convex hull of the points, and the best w points to the nearest place of the hull; if
the origin lies in the hull, no w separates. The place is found as in Wolfe, "Finding the nearest point in a
polytope" (Mathematical Programming 11, 1976).

>>> found = largest_margin(torch.tensor([[3.0, 0.0], [0.0, 4.0]]))
>>> round(found.margin, 6), [round(share, 6) for share in found.shares.tolist()]
(2.4, [0.64, 0.36])
>>> largest_margin(torch.tensor([[1.0, 1.0], [-1.0, -1.0]])).margin
0.0
"""

from dataclasses import dataclass

import torch
from torch import Tensor

TOLERANCE = 1e-10  # of the longest squared length


@dataclass(frozen=True)
class Margin:
    """Hold the largest margin, and what proves it.

    Args:
        margin: distance from the origin to the convex hull; 0 if nothing separates, or if it is below a
            hundred-thousandth of the longest point, which rounding cannot tell from 0.
        direction: [D], of length 1, or zeros if nothing separates.
        shares: [N], none below 0, of sum 1: the nearest place of the hull is their mixture of the points. If
            they mix to the origin itself, that proves that nothing separates.
    """

    margin: float
    direction: Tensor
    shares: Tensor


def largest_margin(points: Tensor) -> Margin:
    """Return the largest margin of a hyperplane through the origin with all `points` on its positive side.

    Args:
        points: [N, D], each example with its class's sign, an input of 1 appended where there is a bias.

    Raises:
        ValueError: no points, points of another shape, or numbers that are not finite.
    """
    if points.ndim != 2 or len(points) == 0:
        raise ValueError(f"expected points [N, D], got {list(points.shape)}; give one row for each example")
    points = points.detach().double()
    if not points.isfinite().all():
        raise ValueError("expected finite points, got nan or inf; take them out")
    nearest, shares = _nearest(points)
    length = nearest.norm()
    if length**2 <= TOLERANCE * points.square().sum(1).max():
        return Margin(0.0, torch.zeros_like(nearest), shares)
    return Margin(length.item(), nearest / length, shares)


def _nearest(points: Tensor) -> tuple[Tensor, Tensor]:
    """Return the place of the hull that is nearest to the origin, [D], and its shares of the points, [N]."""
    lengths = points.square().sum(1)
    slack = TOLERANCE * lengths.max()
    shares = torch.zeros(len(points), dtype=points.dtype)
    shares[lengths.argmin()] = 1
    while True:
        nearest = shares @ points
        lies_before = points @ nearest
        new = lies_before.argmin()
        if lies_before[new] >= nearest @ nearest - slack or shares[new] > 0:
            return nearest, shares
        corners = torch.cat([shares.nonzero().flatten(), new.view(1)])
        shares = _shrink(points, shares, corners)


def _shrink(points: Tensor, shares: Tensor, corners: Tensor) -> Tensor:
    """Return the shares of the place nearest to the origin; corners go until it lies between the rest."""
    while True:
        wanted = _of_the_flat(points[corners])
        now = shares[corners]
        if (wanted > 0).all():
            return torch.zeros_like(shares).index_put((corners,), wanted)
        falling = wanted <= 0
        step = (now[falling] / (now - wanted)[falling]).min()
        now = now + step * (wanted - now)
        now[falling & (now <= now[falling].min() + 1e-15)] = 0
        shares = torch.zeros_like(shares).index_put((corners,), now)
        corners = corners[now > 0]


def _of_the_flat(corners: Tensor) -> Tensor:
    """Return the shares, of sum 1, of the place nearest to the origin on the flat through corners [M, D]."""
    count = len(corners)
    system = torch.ones(count + 1, count + 1, dtype=corners.dtype)
    system[:count, :count] = corners @ corners.T
    system[count, count] = 0
    right = torch.zeros(count + 1, dtype=corners.dtype)
    right[count] = 1
    return torch.linalg.lstsq(system, right, driver="gelsd").solution[:count]
