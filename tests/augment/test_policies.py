"""AutoAugment and RandAugment: what is drawn, what is done with it, image by image; seeded faults."""

from functools import partial

import pytest
import torch

from dlbook.augment import policies
from dlbook.augment.policies import CIFAR10, SVHN, auto_augment, rand_augment
from dlbook.augment.policy_operations import NAMES, OPERATIONS, apply, magnitudes
from dlbook.augment.policy_tables import Action
from dlbook.naive import policies as naive
from tests.augment.augment_checks import (
    check_rate,
    check_unrelated,
    pictures,
    seeded,
    torchvisions_operation,
)


def recorded(monkeypatch, step, images, seed=1):
    """What was drawn, in place of doing it: lists of [B] of operations and amounts, one of each a round."""
    rounds = []
    keep = lambda images, choice, amount, fill: rounds.append((choice, amount)) or images
    monkeypatch.setattr(policies, "_apply_each", keep)
    step(images, seeded(seed))
    return rounds


def check_randaugment(step, monkeypatch):
    """14 equally likely operations, each at magnitude 9, half of the signed ones negative; rounds and images
    unrelated.
    """
    count = 14000
    rounds = recorded(monkeypatch, step, torch.zeros(count, 3, 32, 32))
    assert len(rounds) == 2
    for choice, amount in rounds:
        counts = torch.bincount(choice, minlength=15).double()
        assert counts[NAMES.index("Invert")] == 0
        assert ((counts[:14] - count / 14) ** 2 / (count / 14)).sum() < 50, (
            "not uniform"
        )  # 13 degrees of freedom: 3e-6
        for k, name in enumerate(NAMES[:14]):
            wanted = float(magnitudes(name, 31, 32, 32)[9])
            drawn = amount[choice == k]
            assert (drawn.abs() - wanted).abs().max() < 1e-6
            if OPERATIONS[name].signed:
                check_rate(drawn < 0, 0.5)
            else:
                assert (drawn >= 0).all()
        check_unrelated(choice[1:], choice[:-1])
    check_unrelated(rounds[0][0], rounds[1][0])


def test_what_randaugment_draws(monkeypatch):
    check_randaugment(rand_augment, monkeypatch)


def check_autoaugment(step, monkeypatch, policy=CIFAR10):
    """Each operation as often, and as strong, as the table says; both signs; the two actions belong to one
    sub-policy.
    """
    count = 50000
    rounds = recorded(monkeypatch, partial(step, policy=policy), torch.zeros(count, 3, 32, 32))
    for place, (choice, amount) in enumerate(rounds):
        for name in NAMES[1:]:
            hits = choice == NAMES.index(name)
            check_rate(
                hits, sum(sub[place].probability for sub in policy if sub[place].name == name) / len(policy)
            )
            levels = {
                sub[place].magnitude for sub in policy if sub[place].name == name and sub[place].probability
            }
            allowed = (
                magnitudes(name, 10, 32, 32)[[level or 0 for level in levels]] if levels else torch.zeros(1)
            )
            assert all((allowed - number).abs().min() < 1e-6 for number in amount[hits].abs().unique())
            if OPERATIONS[name].signed and hits.any():
                nonzero = amount[hits][amount[hits] != 0]
                check_rate(nonzero < 0, 0.5)
        check_unrelated(choice[1:], choice[:-1])
    both = (rounds[0][0] == NAMES.index("Rotate")) & (rounds[1][0] == NAMES.index("TranslateX"))
    check_rate(both, 0.7 * 0.3 / 25)  # sub-policy 1 only


def test_what_autoaugment_draws(monkeypatch):
    check_autoaugment(auto_augment, monkeypatch)


@pytest.mark.parametrize(
    "step", [rand_augment, partial(auto_augment, policy=CIFAR10), partial(auto_augment, policy=SVHN)]
)
def test_what_was_drawn_is_what_is_done(step, monkeypatch):
    """Whole policies image by image through torchvision in floating point; pixels at a tie, one in hundreds,
    may differ.
    """
    images = pictures(40)
    done = step(images, seeded(4))
    rounds = recorded(monkeypatch, step, images, seed=4)
    for i, image in enumerate(images):
        for choice, amount in rounds:
            name = NAMES[int(choice[i])]
            image = (
                apply(name, image[None], amount[i : i + 1])[0]
                if name == "Posterize"
                else torchvisions_operation(name, image, float(amount[i]))
            )
        # Where nearly equal values meet a quantising operation, a rounding error is a level.
        assert ((done[i] - image).abs() > 1e-5).double().mean() < 0.02


PLAIN = (  # sub-policies of the naive form's three operations
    (Action("TranslateX", 0.7, 6), Action("Brightness", 0.5, 8)),
    (Action("Invert", 0.4, None), Action("TranslateX", 1.0, 3)),
    (Action("Brightness", 0.9, 4), Action("Invert", 0.2, None)),
)


def check_against_naive(step):
    """AutoAugment image by image, with the numbers that the batch draws, in their order."""
    images, generator = pictures(60), seeded(7)
    done = step(images, seeded(7), policy=PLAIN)
    rows = torch.randint(len(PLAIN), (60,), generator=generator).tolist()
    numbers = [[torch.rand(60, generator=generator) for _ in range(2)] for _ in range(2)]  # action, then sign
    for i, image in enumerate(images):
        actions = [
            (name, probability, float(magnitudes(name, 10, *image.shape[1:])[level or 0]))
            for name, probability, level in PLAIN[rows[i]]
        ]
        draws = [(float(number[i]), bool(sign[i] < 0.5)) for number, sign in numbers]
        assert (done[i] - naive.apply_sub_policy(image, actions, draws)).abs().max() < 1e-6, i


def test_autoaugment_is_the_naive_form_image_by_image():
    check_against_naive(auto_augment)


def check_rand_against_naive(step, monkeypatch):
    """RandAugment image by image; the batch draws among the naive form's three operations only."""
    known = tuple(naive.OPERATIONS)
    images, generator = pictures(60), seeded(7)
    places = torch.tensor([NAMES.index(name) for name in known])
    real = torch.randint

    def among_known(high, size, **how):
        return places[real(len(known), size, **how)]

    monkeypatch.setattr(policies.torch, "randint", among_known)
    done = step(images, seeded(7), num_ops=2, magnitude=12)
    monkeypatch.undo()
    rounds = [
        (torch.randint(3, (60,), generator=generator), torch.rand(60, generator=generator)) for _ in range(2)
    ]
    amounts = {name: float(magnitudes(name, 31, *images.shape[2:])[12]) for name in known}
    for i, image in enumerate(images):
        drawn = [(known[int(choice[i])], bool(sign[i] < 0.5)) for choice, sign in rounds]
        assert (done[i] - naive.apply_drawn(image, drawn, amounts)).abs().max() < 1e-6, i


def test_randaugment_is_the_naive_form_image_by_image(monkeypatch):
    check_rand_against_naive(rand_augment, monkeypatch)


def test_no_operation_is_a_copy():
    images = pictures()
    none = rand_augment(images, seeded(1), num_ops=0)
    assert torch.equal(none, images) and none.data_ptr() != images.data_ptr()


def with_table(name, **changed):
    """The step with one operation's entry replaced."""
    from dataclasses import replace

    def step(images, generator, **how):
        kept = OPERATIONS[name]
        OPERATIONS[name] = replace(kept, **changed)
        try:
            return rand_augment(images, generator, **how)
        finally:
            OPERATIONS[name] = kept

    return step


def one_choice(images, generator, policy=None):
    """The same sub-policy, or operation, for the whole batch."""
    whole = torch.randint

    def once(high, size, **how):
        return whole(high, (1,), **how).expand(size)

    torch.randint = once
    try:
        return auto_augment(images, generator, policy) if policy else rand_augment(images, generator)
    finally:
        torch.randint = whole


DRAW_FAULTS = {
    "the sign is never negative": (lambda i, g: with_signs(i, g, lambda n: n & False), check_randaugment),
    "the sign of all is random": (with_table("Solarize", signed=True), check_randaugment),
    "width and height exchanged": (
        lambda i, g, policy=None: rand_augment(torch.zeros(len(i), 3, 64, 32), g),
        check_randaugment,
    ),
    "one operation for the batch": (one_choice, check_randaugment),
    "one sub-policy for the batch": (one_choice, check_autoaugment),
    "one round": (partial(rand_augment, num_ops=1), check_randaugment),
    "magnitude one off": (partial(rand_augment, magnitude=10), check_randaugment),
    "probabilities ignored": (
        lambda i, g, policy: auto_augment(
            i, g, tuple(tuple(a._replace(probability=1.0) for a in s) for s in policy)
        ),
        check_autoaugment,
    ),
    "actions not of one sub-policy": (
        lambda i, g, policy: auto_augment(
            i,
            g,
            tuple(
                (first, second)
                for (first, _), (_, second) in zip(policy, policy[3:] + policy[:3], strict=True)
            ),
        ),
        check_autoaugment,
    ),
}


def with_signs(images, generator, change, step=rand_augment):
    kept = policies.coin
    policies.coin = lambda *given: change(kept(*given))
    try:
        return step(images, generator)
    finally:
        policies.coin = kept


@pytest.mark.parametrize("fault", DRAW_FAULTS)
def test_seeded_fault_of_a_draw_is_caught(fault, monkeypatch):
    broken, check = DRAW_FAULTS[fault]
    with pytest.raises(AssertionError):
        check(broken, monkeypatch)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rand_augment(pictures(), None, -1), "num_ops >= 0"),
        (lambda: rand_augment(pictures(), None, 2, 31), "magnitude < 31"),
        (lambda: rand_augment(pictures(channels=2)), "1 or 3, H, W"),
        (lambda: auto_augment(pictures(), None, ()), "equally many actions"),
        (
            lambda: auto_augment(pictures(), None, ((("Rotate", 0.5, None),),)),
            "a magnitude from 0 to 9 of Rotate",
        ),
        (lambda: auto_augment(pictures(), None, ((("Rotate", 1.5, 3),),)), r"a probability in \[0, 1\]"),
        (lambda: auto_augment(pictures(), None, ((("Rotate", 0.5, 10),),)), "magnitude from 0 to 9"),
        (lambda: auto_augment(pictures(), None, ((("Turn", 0.5, 1),),)), "expected an operation among"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def second_action_first(images, generator, policy):
    return auto_augment(images, generator, tuple(sub_policy[::-1] for sub_policy in policy))


NAIVE_FAULTS = {
    "actions in the wrong order": second_action_first,
    "the next sub-policy": lambda i, g, policy: auto_augment(i, g, policy[1:] + policy[:1]),
    "the sign turned round": lambda i, g, policy: with_signs(
        i, g, lambda n: ~n, partial(auto_augment, policy=policy)
    ),
}


@pytest.mark.parametrize("fault", NAIVE_FAULTS)
def test_the_naive_form_sees_the_fault(fault):
    with pytest.raises(AssertionError):
        check_against_naive(NAIVE_FAULTS[fault])


def test_the_naive_form_of_randaugment_sees_another_magnitude(monkeypatch):
    with pytest.raises(AssertionError):
        check_rand_against_naive(
            lambda i, g, num_ops, magnitude: rand_augment(i, g, num_ops, magnitude + 1), monkeypatch
        )
