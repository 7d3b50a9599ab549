"""Comparing a model with an independent implementation: dlbook/book/parity.py, with the tests' tolerances."""

from collections.abc import Callable

from torch import Tensor, nn

from dlbook.book.parity import difference, first_output, random_images, randomise, run

__all__ = ["RELATIVE", "close", "disagreements", "first_output", "randomise", "run"]
RELATIVE = 1e-10


def close(ours: Tensor, theirs: Tensor, relative: float = RELATIVE) -> bool:
    """Whether two tensors agree to `relative` of the largest magnitude."""
    return difference(ours, theirs) <= relative


def disagreements(
    ours: nn.Module,
    theirs: nn.Module,
    size: tuple[int, int, int, int],
    rename: Callable[[str], str] = str,
    relative: float = RELATIVE,
) -> list[str]:
    """What differs between two models of equal weights: eval and train logits, input gradients, and the state
    afterwards.

    size: B, C, H, W of the random images. rename: from a name in their state to ours. An empty list means
        parity.
    """
    images = random_images(size)
    found = []
    for train in (False, True):
        mode = "train" if train else "eval"
        logits, gradient, state = run(ours, images, train)
        their_logits, their_gradient, their_state = run(theirs, images, train)
        if not close(logits, their_logits, relative):
            found.append(f"{mode} logits")
        if not close(gradient, their_gradient, 1e3 * relative):
            found.append(f"{mode} gradient of the images")
        for name, tensor in their_state.items():
            if not close(state[rename(name)].reshape(tensor.shape), tensor, 1e3 * relative):
                found.append(f"{mode} state after a step: {name}")
                break
    return found
