"""The search: its space, its algorithm against a naive loop, what it finds on scores that are known; seeded
faults.
"""

import pytest
import torch

from dlbook.augment import policy_search
from dlbook.augment.policies import NAMES, OPERATIONS, auto_augment
from dlbook.augment.policy_search import mutate, random_policy, search
from tests.augment.augment_checks import check_rate, pictures, seeded


def known(policy):
    """A score with one best policy: Rotate, probability 0.7, magnitude 4, everywhere."""
    return sum(
        3 * (name == "Rotate") - abs(share - 0.7) - 0.1 * abs((9 if level is None else level) - 4)
        for sub in policy
        for name, share, level in sub
    )


def check_space(make):
    """All operations, probabilities and magnitudes equally likely, and every policy can be applied."""
    generator = seeded(1)
    actions = [action for _ in range(300) for sub in make(generator, 5) for action in sub]
    assert len(actions) == 3000
    for name in NAMES:
        check_rate(torch.tensor([action.name == name for action in actions]), 1 / len(NAMES))
    for tenths in range(11):
        check_rate(torch.tensor([round(10 * action.probability) == tenths for action in actions]), 1 / 11)
    strong = [action for action in actions if OPERATIONS[action.name].end is not None]
    for level in range(10):
        check_rate(torch.tensor([action.magnitude == level for action in strong]), 0.1)
    assert all(action.magnitude is None for action in actions if OPERATIONS[action.name].end is None)
    assert auto_augment(pictures(), seeded(2), make(generator, 5)).shape == pictures().shape


def test_random_policies_cover_the_space():
    check_space(random_policy)


def check_mutation(change):
    """One action differs, in its operation, its probability or its magnitude; the parent does not change; all
    three parts happen.
    """
    generator, parts = seeded(1), set()
    for _ in range(300):
        parent = random_policy(generator, 3)
        kept = [list(sub) for sub in parent]
        child = change(parent, generator)
        assert kept == [list(sub) for sub in parent]
        pairs = [
            (a, b)
            for first, second in zip(parent, child, strict=True)
            for a, b in zip(first, second, strict=True)
            if a != b
        ]
        assert len(pairs) == 1, "not one action"
        ((old, new),) = pairs
        if old.name != new.name:
            parts.add("name")
            assert old.probability == new.probability
        else:
            changed = {
                field for field in ("probability", "magnitude") if getattr(old, field) != getattr(new, field)
            }
            assert len(changed) == 1
            parts |= changed
        auto_augment(pictures(2), seeded(2), child)
    assert parts == {"name", "probability", "magnitude"}


def test_a_mutation_changes_one_number():
    check_mutation(mutate)


def check_evolution(find, monkeypatch):
    """Policies as numbers: a child is its parent + 1. The loop of the paper, written out with lists, scores
    the same sequence.
    """
    fresh = iter(range(0, 1000, 100))
    monkeypatch.setattr(policy_search, "random_policy", lambda generator, sub_policies: next(fresh))
    monkeypatch.setattr(policy_search, "mutate", lambda policy, generator: policy + 1)

    def score(policy):
        return (policy * 37) % 101

    found = find(score, seeded(5), budget=60, population=6, sample=2)
    generator, members, expected = seeded(5), [], []
    for number in range(60):
        if number < 6:
            policy = 100 * number
        else:
            one, other = torch.randperm(6, generator=generator)[:2].tolist()
            policy = (members[one] if score(members[one]) > score(members[other]) else members[other]) + 1
            members = members[1:]
        members = [*members, policy]
        expected.append(policy)
    assert found.history == [score(policy) for policy in expected]
    assert found.score == max(found.history) and score(found.policy) == found.score


def test_evolution_is_the_papers_loop(monkeypatch):
    check_evolution(search, monkeypatch)


def test_finds_what_is_known_and_beats_chance():
    """Over five seeds, evolution with selection against the same number of random policies."""
    evolved = [search(known, seeded(seed), budget=250, sub_policies=2).score for seed in range(5)]
    random = [
        search(known, seeded(seed), budget=250, population=250, sub_policies=2).score for seed in range(5)
    ]
    assert sum(evolved) / 5 > sum(random) / 5 + 2 and max(evolved) > 10  # the best there is: 12
    again = search(known, seeded(0), budget=30)
    assert again == search(known, seeded(0), budget=30) and again != search(known, seeded(1), budget=30)
    assert again.score == max(again.history) == known(again.policy) and len(again.history) == 30


def never_dies(score, generator, budget, population, sample):
    members, history = [], []
    for number in range(budget):
        rivals = (
            torch.randperm(len(members), generator=generator)[:sample].tolist()
            if number >= population
            else []
        )
        policy = (
            policy_search.mutate(max((members[i] for i in rivals), key=score), generator)
            if rivals
            else policy_search.random_policy(generator, 5)
        )
        members.append(policy)
        history.append(score(policy))
    return policy_search.FoundPolicy(max(members, key=score), max(history), history)


FAULTS = {
    "no operation is ever the last": (
        lambda g, n: tuple(
            tuple(a if a.name != "Invert" else a._replace(name="Equalize") for a in s)
            for s in random_policy(g, n)
        ),
        check_space,
    ),
    "probability never 1": (
        lambda g, n: tuple(
            tuple(a._replace(probability=min(a.probability, 0.9)) for a in s) for s in random_policy(g, n)
        ),
        check_space,
    ),
    "a magnitude for all": (
        lambda g, n: tuple(
            tuple(a._replace(magnitude=a.magnitude or 0) for a in s) for s in random_policy(g, n)
        ),
        check_space,
    ),
    "two numbers changed": (lambda p, g: mutate(mutate(p, g), g), check_mutation),
    "nothing changed": (lambda p, g: p, check_mutation),
    "a new policy instead": (lambda p, g: random_policy(g, 3), check_mutation),
}
LOOP_FAULTS = {
    "nobody dies": never_dies,
    "the worst is parent": lambda score, *given, **how: (
        lambda found: found._replace(score=-found.score, history=[-s for s in found.history])
    )(search(lambda policy: -score(policy), *given, **how)),
    "the last is returned, not the best": lambda score, *given, **how: (
        lambda found: found._replace(score=found.history[-1])
    )(search(score, *given, **how)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    broken, check = FAULTS[fault]
    with pytest.raises(AssertionError):
        check(broken)


@pytest.mark.parametrize("fault", LOOP_FAULTS)
def test_seeded_fault_of_the_loop_is_caught(fault, monkeypatch):
    with pytest.raises(AssertionError):
        check_evolution(LOOP_FAULTS[fault], monkeypatch)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"budget": 0}, "budget"),
        ({"sample": 11}, "sample <= population"),
        ({"sub_policies": 0}, "sub_policies"),
    ],
)
def test_bad_arguments(how, message):
    with pytest.raises(ValueError, match=message):
        search(known, seeded(0), **how)
    with pytest.raises(ValueError, match="got nan"):
        search(lambda policy: float("nan"), seeded(0))
