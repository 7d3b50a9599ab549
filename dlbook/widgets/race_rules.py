"""The update rules of six optimizers on a surface of two weights, for many rates at once; race_rules.js has
the same.

A surface is a polynomial: a list of terms (factor, power of x, power of y).

>>> bowl = [(0.5, 2, 0), (0.5, 0, 2)]
>>> places, losses = course(bowl, "SGD", [0.5], 0.9, (2.0, 0.0), 2)
>>> places[0].tolist(), losses[0].tolist()
([[2.0, 0.0], [1.0, 0.0], [0.5, 0.0]], [2.0, 0.5, 0.125])
"""

import numpy as np

METHODS = ("SGD", "momentum", "Nesterov", "AdaGrad", "RMSprop", "Adam")
SQUARES, BETA2 = 0.9, 0.999  # weight of the past in the mean squares of RMSprop and of Adam
FAR = 1e6  # a ball farther out than this is lost


def loss(terms, x, y):
    """Return the height of a surface at x and y, numbers or arrays."""
    return sum(c * x**i * y**j for c, i, j in terms)


def slope(terms, x, y):
    """Return the two derivatives of a surface at x and y."""
    across = sum(c * i * x ** (i - 1) * y**j for c, i, j in terms if i)
    up = sum(c * j * x**i * y ** (j - 1) for c, i, j in terms if j)
    return across, up


def course(terms, method, rates, momentum, start, updates):
    """Run one method from one start at many rates.

    Args:
        terms: of the surface.
        method: of `METHODS`.
        rates: learning rates, [R].
        momentum: mu; of Adam it is beta1.
        start: first x and y.
        updates: their number, T.

    Returns:
        places [R, T + 1, 2] and losses [R, T + 1]; infinite from the update on after which a ball is lost.
    """
    rates = np.asarray(rates, np.float64)[:, None]
    w = np.tile(np.array(start, np.float64), (len(rates), 1))
    a, b = np.zeros_like(w), np.zeros_like(w)  # what a method keeps of each weight
    places = np.full((len(rates), updates + 1, 2), np.inf)
    places[:, 0] = w
    with np.errstate(all="ignore"):
        for t in range(1, updates + 1):
            g = np.stack(np.broadcast_arrays(*slope(terms, w[:, 0], w[:, 1])), -1)
            move, a, b = _move(method, g, a, b, momentum, t)
            w = w - rates * move
            w[~(np.abs(w) < FAR).all(-1)] = np.inf
            places[:, t] = w
        losses = loss(terms, places[..., 0], places[..., 1])
    losses[~np.isfinite(places).all(-1)] = np.inf
    return places, losses


def _move(method, g, a, b, mu, t):
    """Return the move for a rate of 1, and what is kept: `a` of the gradients, `b` of their squares."""
    if method == "SGD":
        return g, a, b
    if method in ("momentum", "Nesterov"):
        a = mu * a + g
        return (a if method == "momentum" else g + mu * a), a, b
    if method == "AdaGrad":
        b = b + g * g
        return g / (np.sqrt(b) + 1e-10), a, b
    if method == "RMSprop":
        b = SQUARES * b + (1 - SQUARES) * g * g
        return g / (np.sqrt(b) + 1e-8), a, b
    a, b = mu * a + (1 - mu) * g, BETA2 * b + (1 - BETA2) * g * g
    return a / (1 - mu**t) / (np.sqrt(b / (1 - BETA2**t)) + 1e-8), a, b
