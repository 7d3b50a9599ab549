"""AutoAugment and RandAugment: every operation at every magnitude against torchvision's, the tables, what is
drawn; seeded faults.
"""

from functools import partial

import pytest
import torch
from torchvision.transforms import v2

from dlbook.augment import policies
from dlbook.augment.policies import CIFAR10, IMAGENET, NAMES, OPERATIONS, SVHN, auto_augment, rand_augment
from tests.augment.step_checks import (
    byte_pictures,
    check_on_gpu,
    check_own_draw,
    check_rate,
    check_step,
    check_unrelated,
    cuda,
    pictures,
    seeded,
)

TABLES = {"CIFAR10": CIFAR10, "IMAGENET": IMAGENET, "SVHN": SVHN}
REFERENCE = v2.AutoAugment()
SPACES = {10: v2.AutoAugment._AUGMENTATION_SPACE, 31: v2.RandAugment._AUGMENTATION_SPACE}
HEIGHT, WIDTH = 24, 33


def theirs(name, image, magnitude, fill=None):
    return REFERENCE._apply_image_or_video_transform(
        image, name, magnitude, v2.InterpolationMode.NEAREST, {torch.Tensor: fill}
    )


def at_a_tie(name, magnitude):
    """Pixels for which a map reads from just between two others, so that rounding decides which one is the
    nearest: [H, W].
    """
    x, y = (
        torch.arange(WIDTH, dtype=torch.float64) + 0.5,
        torch.arange(HEIGHT, dtype=torch.float64)[:, None] + 0.5,
    )
    radians, x0, y0 = (
        torch.deg2rad(torch.tensor(float(magnitude), dtype=torch.float64)),
        WIDTH / 2,
        HEIGHT / 2,
    )
    if name == "ShearX":
        x, y = x + magnitude * y, y + 0 * x
    elif name == "ShearY":
        x, y = x + 0 * y, y + magnitude * x
    elif name == "Rotate":
        x, y = (
            x0 + radians.cos() * (x - x0) - radians.sin() * (y - y0),
            y0 + radians.sin() * (x - x0) + radians.cos() * (y - y0),
        )
    else:
        return torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    return ((x - x.round()).abs() < 1e-4) | ((y - y.round()).abs() < 1e-4)


def check_operation(apply, name, bins):
    """In floating point to 2e-6 (Posterize: bytes, exactly), on bytes within the two levels that
    torchvision's truncation costs.
    """
    levels, images = byte_pictures(count=2)
    ours, (space, signed) = policies.magnitudes(name, bins, HEIGHT, WIDTH), SPACES[bins][name]
    wanted = space(bins, HEIGHT, WIDTH)
    assert OPERATIONS[name].signed == signed and (wanted is None) == (OPERATIONS[name].end is None)
    for place in range(bins if wanted is not None else 1):
        magnitude = 0.0 if wanted is None else float(wanted[place])
        for sign in (1, -1) if signed else (1,):
            got = apply(name, images, sign * ours[place].expand(2))
            clear = ~at_a_tie(name, sign * magnitude)
            assert clear.double().mean() > 0.7
            bytes_ = theirs(name, levels, sign * magnitude) / 255
            loose = (got - bytes_)[..., clear].abs().max()
            if name == "Posterize":
                assert loose == 0, (name, place)
                continue
            # A level at the threshold may fall on either side once it is divided by 255.
            assert loose <= 2.001 / 255 or name == "Solarize", (name, place, sign, loose)
            assert (got - theirs(name, images, sign * magnitude))[..., clear].abs().max() < 2e-6, (
                name,
                place,
                sign,
            )


@pytest.mark.parametrize("bins", SPACES)
@pytest.mark.parametrize("name", NAMES)
def test_operation_is_torchvisions_at_every_magnitude(name, bins):
    if name not in SPACES[bins]:
        assert (name, bins) in (("Identity", 10), ("Invert", 31))
        assert torch.equal(policies.apply("Identity", pictures(), torch.zeros(12)), pictures())
        return
    check_operation(policies.apply, name, bins)


def test_operations_are_torchvisions():
    assert set(policies.RANDAUGMENT_NAMES) == set(SPACES[31]) and set(NAMES) - {"Identity"} == set(SPACES[10])


def test_each_image_by_its_amount_and_fill():
    images = pictures()
    for name in NAMES:
        amounts = policies.magnitudes(name, 31, HEIGHT, WIDTH)[torch.arange(12) * 2]
        together = policies.apply(name, images, amounts, fill=0.5)
        for i in range(12):
            assert (
                together[i] - policies.apply(name, images[i : i + 1], amounts[i : i + 1], fill=0.5)[0]
            ).abs().max() < 1e-6
    moved = policies.apply("TranslateX", torch.zeros(1, 3, 8, 8), torch.tensor([3.0]), fill=0.5)
    assert (moved[..., :3] == 0.5).all() and (moved[..., 3:] == 0).all()


@pytest.mark.parametrize("name", TABLES)
def test_table_is_torchvisions(name):
    mine = tuple(tuple(tuple(action) for action in sub_policy) for sub_policy in TABLES[name])
    assert mine == tuple(REFERENCE._get_policies(getattr(v2.AutoAugmentPolicy, name)))


def recorded(monkeypatch, step, count, seed=1):
    """What was drawn, in place of doing it: lists of [B] of operations and amounts, one of each a round."""
    rounds = []
    monkeypatch.setattr(
        policies,
        "_apply_each",
        lambda images, choice, amount, fill: rounds.append((choice, amount)) or images,
    )
    step(torch.zeros(count, 3, 32, 32), seeded(seed))
    return rounds


def check_randaugment(step, monkeypatch):
    """14 equally likely operations, each at magnitude 9, half of the signed ones negative; rounds and images
    unrelated.
    """
    count = 14000
    rounds = recorded(monkeypatch, step, count)
    assert len(rounds) == 2
    for choice, amount in rounds:
        counts = torch.bincount(choice, minlength=15).double()
        assert counts[NAMES.index("Invert")] == 0
        assert ((counts[:14] - count / 14) ** 2 / (count / 14)).sum() < 50, (
            "not uniform"
        )  # 13 degrees of freedom: 3e-6
        for k, name in enumerate(NAMES[:14]):
            wanted = float(policies.magnitudes(name, 31, 32, 32)[9])
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
    rounds = recorded(monkeypatch, partial(step, policy=policy), count)
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
                policies.magnitudes(name, 10, 32, 32)[[level or 0 for level in levels]]
                if levels
                else torch.zeros(1)
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
    rounds = []
    monkeypatch.setattr(
        policies,
        "_apply_each",
        lambda images, choice, amount, fill: rounds.append((choice, amount)) or images,
    )
    step(images, seeded(4))
    for i, image in enumerate(images):
        for choice, amount in rounds:
            name = NAMES[int(choice[i])]
            image = (
                policies.apply(name, image[None], amount[i : i + 1])[0]
                if name == "Posterize"
                else theirs(name, image, float(amount[i]))
            )
        # Where nearly equal values meet a quantising operation, a rounding error is a level.
        assert ((done[i] - image).abs() > 1e-5).double().mean() < 0.02


STEPS = {
    "randaugment": rand_augment,
    "strong randaugment": partial(rand_augment, num_ops=4, magnitude=30, fill=0.5),
    **{name: partial(auto_augment, policy=table) for name, table in TABLES.items()},
}


@pytest.mark.parametrize("name", STEPS)
def test_step(name):
    check_step(STEPS[name])
    check_own_draw(STEPS[name], least=6)
    assert STEPS[name](pictures(channels=1), seeded(1)).shape == (12, 1, HEIGHT, WIDTH)


def test_no_operation_is_a_copy():
    images = pictures()
    none = rand_augment(images, seeded(1), num_ops=0)
    assert torch.equal(none, images) and none.data_ptr() != images.data_ptr()


@pytest.mark.cuda
@cuda
@pytest.mark.parametrize("name", STEPS)
def test_step_on_a_gpu(name):
    check_on_gpu(STEPS[name])
    for operation in NAMES:
        amount = policies.magnitudes(operation, 31, HEIGHT, WIDTH)[7].expand(12)
        ours, there = (
            policies.apply(operation, pictures(), amount),
            policies.apply(operation, pictures().cuda(), amount.cuda()),
        )
        assert ((ours - there.cpu()).abs() > 1e-4).double().mean() < 0.01  # pixels at ties


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


OPERATION_FAULTS = {
    "shear about the centre": (
        "ShearX",
        lambda n, i, a: policies.affine(i, shear_x=torch.rad2deg(torch.atan(a)), mode="nearest"),
    ),
    "tangent taken for radians": (
        "ShearY",
        lambda n, i, a: policies.affine(i, shear_y=torch.rad2deg(a), centre="corner", mode="nearest"),
    ),
    "rotation the other way": ("Rotate", lambda n, i, a: policies.apply(n, i, -a)),
    "translation not whole": (
        "TranslateX",
        lambda n, i, a: policies.affine(i, right=a + 0.5, mode="nearest"),
    ),
    "factor without the one": ("Brightness", lambda n, i, a: policies.photometric.brightness(i, a.abs())),
    "bits that are dropped": ("Posterize", lambda n, i, a: policies.photometric.posterize(i, 8 - a)),
    "solarised below": ("Solarize", lambda n, i, a: torch.where(i < a[:, None, None, None], 1 - i, i)),
    "equalised over channels": (
        "Equalize",
        lambda n, i, a: policies.photometric.equalize(i.flatten(1)[:, None, None]).reshape(i.shape),
    ),
}


@pytest.mark.parametrize("fault", OPERATION_FAULTS)
def test_seeded_fault_of_an_operation_is_caught(fault):
    name, broken = OPERATION_FAULTS[fault]
    with pytest.raises(AssertionError):
        check_operation(broken, name, 10)


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


def with_signs(images, generator, change):
    kept = policies.coin
    policies.coin = lambda *given: change(kept(*given))
    try:
        return rand_augment(images, generator)
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
        (lambda: rand_augment(pictures(channels=2)), "1 or 3 channels"),
        (lambda: policies.magnitudes("rotate", 10, 8, 8), "mind the capitals"),
        (lambda: policies.magnitudes("Rotate", 1, 8, 8), "at least 2 bins"),
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
