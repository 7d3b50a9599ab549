"""A small search for an augmentation policy, after AutoAugment (arXiv:1805.09501, section 3).

AutoAugment's controller, a recurrent network trained by PPO, proposed 15,000 policies of 5 sub-policies; a
small network was trained with each to convergence, and its validation accuracy was the reward. Here evolution
takes the controller's place (Real et al. 2018, arXiv:1802.01548, algorithm 1), which needs nothing but the
scores:

::

    population <- `population` random policies, scored
    repeat:  parent <- the best of `sample` members drawn at random        (sample = 1: no selection)
             child  <- the parent with one number of one action changed, scored
             the oldest member dies
    return the best policy ever scored

The score is the caller's: train briefly with `auto_augment(images, generator, policy)`, return the accuracy
on images that are neither training nor test images. A score that is noisy, as accuracies are, makes the best
of many look better than it is: score the winner again.

Departures from the paper

1. Evolution instead of reinforcement learning, tens of policies instead of thousands; the search space is the
   paper's, with 15 operations (ours has no Cutout and no SamplePairing, but Identity), 11 probabilities and
   10 magnitudes: about (15 x 11 x 10)^2 sub-policies.
2. The result is one policy; the paper joins the sub-policies of the best five.

>>> score = lambda policy: policy[0][0].probability
>>> found = search(score, Generator().manual_seed(0), budget=60, sub_policies=1)
>>> found.score, len(found.history)
(1.0, 60)
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Generator

from dlbook.augment.policy_operations import OPERATIONS
from dlbook.augment.policy_tables import Action, Policy
from dlbook.checks import require, require_positive

__all__ = ["FoundPolicy", "mutate", "random_policy", "search"]

NAMES = tuple(OPERATIONS)
ACTIONS = 2  # in a sub-policy


class FoundPolicy(NamedTuple):
    """Holds the best `policy`, its `score`, and the scores of all policies in order of time, `history`."""

    policy: Policy
    score: float
    history: list[float]


def _draw(count: int, generator: Generator) -> int:
    return int(torch.randint(count, (), generator=generator))


def _action(name: str, tenths: int, level: int) -> Action:
    return Action(name, tenths / 10, level if OPERATIONS[name].end is not None else None)


def random_policy(generator: Generator, sub_policies: int = 5) -> Policy:
    """Draw operation, probability (0, 0.1, ..., 1) and magnitude (0 to 9) of each action, all uniform.

    Args:
        generator: on the CPU.
        sub_policies: how many, >= 1.
    """
    draws = [
        [(_draw(len(NAMES), generator), _draw(11, generator), _draw(10, generator)) for _ in range(ACTIONS)]
        for _ in range(sub_policies)
    ]
    return tuple(
        tuple(_action(NAMES[name], tenths, level) for name, tenths, level in sub_policy)
        for sub_policy in draws
    )


def mutate(policy: Policy, generator: Generator) -> Policy:
    """Draw the operation, the probability or the magnitude of one action anew, so that the policy differs."""
    changed = policy
    while changed == policy:
        row, column, part = (
            _draw(len(policy), generator),
            _draw(len(policy[0]), generator),
            _draw(3, generator),
        )
        name, probability, level = policy[row][column]
        tenths, level = round(10 * probability), _draw(10, generator) if level is None else level
        if part == 0:
            name = NAMES[_draw(len(NAMES), generator)]
        elif part == 1:
            tenths = _draw(11, generator)
        else:
            level = _draw(10, generator)
        new = (*policy[row][:column], _action(name, tenths, level), *policy[row][column + 1 :])
        changed = (*policy[:row], new, *policy[row + 1 :])
    return changed


def _parent(alive: Sequence[tuple[float, Policy]], sample: int, generator: Generator) -> Policy:
    """Return the best of `sample` members that are drawn at random."""
    rivals = torch.randperm(len(alive), generator=generator)[:sample].tolist()
    return max((alive[i] for i in rivals), key=lambda member: member[0])[1]


def search(
    score: Callable[[Policy], float],
    generator: Generator,
    budget: int = 40,
    population: int = 10,
    sample: int = 3,
    sub_policies: int = 5,
) -> FoundPolicy:
    """Find the best of `budget` policies.

    Args:
        score: policy -> number, larger is better; called `budget` times.
        generator: on the CPU.
        budget: policies to score, >= 1; with `population` >= `budget` all are random.
        population: members alive, >= 1.
        sample: how many of them compete to be parent, from 1 to `population`.
        sub_policies: in each policy, >= 1.

    Raises:
        ValueError: an argument out of range, or a score that is not a number (nan).
    """
    for name, value in (("budget", budget), ("population", population), ("sub_policies", sub_policies)):
        require_positive(name, value, "the defaults are 40, 10 and 5")
    require(1 <= sample <= population, "1 <= sample <= population", sample, "the default is 3 of 10")
    alive: deque[tuple[float, Policy]] = deque(maxlen=population)  # appending to a full one drops the oldest
    best, history = None, []
    for number in range(budget):
        if number < population:
            policy = random_policy(generator, sub_policies)
        else:
            policy = mutate(_parent(alive, sample, generator), generator)
        value = float(score(policy))
        require(value == value, "a number as score", f"nan for {policy}", "a diverged run should score 0")
        alive.append((value, policy))
        history.append(value)
        if best is None or value > best[0]:
            best = (value, policy)
    return FoundPolicy(best[1], best[0], history)
