"""One draw per image, chained steps, steps for some of the images and a choice for each; seeded faults."""

from functools import partial

import pytest
import torch

from dlbook.augment import crops, geometric, noise, photometric, policies, steps
from tests.augment.augment_checks import (
    check_on_gpu,
    check_own_draw,
    check_rate,
    check_step,
    check_uniform,
    check_unrelated,
    cuda,
    pictures,
    seeded,
)

EVERY = {
    "crop": crops.random_crop,
    "resized crop": crops.random_resized_crop,
    "small crop": partial(crops.random_resized_crop, size=(9, 12)),
    "flip": geometric.random_flip,
    "rotation": geometric.random_rotation,
    "translation": geometric.random_translation,
    "shear": geometric.random_shear,
    "affine": partial(geometric.random_affine, scale=(0.8, 1.2), shear=10.0),
    "perspective": geometric.random_perspective,
    "gaussian noise": noise.gaussian_noise,
    "speckle": noise.speckle,
    "salt and pepper": noise.salt_and_pepper,
    "color jitter": photometric.color_jitter,
    "blur": steps.varied(photometric.blur, 0.1, 2.0),
    "solarize": steps.varied(photometric.solarize, 0.0, 1.0),
    "sharpness": steps.varied(photometric.sharpness, 0.0, 3.0),
    "randaugment": policies.rand_augment,
    "strong randaugment": partial(policies.rand_augment, num_ops=4, magnitude=30, fill=0.5),
    "autoaugment, CIFAR10": partial(policies.auto_augment, policy=policies.CIFAR10),
    "autoaugment, IMAGENET": partial(policies.auto_augment, policy=policies.IMAGENET),
    "autoaugment, SVHN": partial(policies.auto_augment, policy=policies.SVHN),
}
FEW_RESULTS = {"flip": 2}  # of equal images, how many different results there are at least
FEW_RESULTS |= {name: 6 for name in EVERY if "augment" in name}


@pytest.mark.parametrize("name", EVERY)
def test_every_step(name):
    check_step(EVERY[name])
    check_own_draw(EVERY[name], least=FEW_RESULTS.get(name, 10))


@pytest.mark.parametrize("name", [name for name in EVERY if "augment" in name])
def test_a_policy_takes_grey_images(name):
    assert EVERY[name](pictures(channels=1), seeded(1)).shape == (12, 1, 24, 33)


@pytest.mark.cuda
@cuda
@pytest.mark.parametrize("name", EVERY)
def test_every_step_on_a_gpu(name):
    check_on_gpu(EVERY[name])


def add(amount):
    return lambda images, generator: images + amount


def check_sometimes(sometimes):
    """The chosen images go through the step with their own draws, the others stay; as often as asked."""
    images = pictures(4000, 1, 2, 2)
    out = sometimes(
        lambda some, generator: some + 2 + steps.uniform(some, 0, 1, generator)[:, None, None, None], 0.3
    )(images, seeded(1))
    hits = (out >= 2).flatten(1).all(1)
    assert torch.equal(out[~hits], images[~hits]) and not torch.equal(out, images)
    check_rate(hits, 0.3)
    check_unrelated(hits[1:], hits[:-1])
    check_uniform((out - images)[hits][:, 0, 0, 0], 2, 3)
    assert len(out[hits]) == len((out - images)[hits][:, 0, 0, 0].unique())


def test_sometimes():
    check_sometimes(steps.sometimes)
    images = pictures(3)
    untouched = steps.sometimes(add(1), 0.0)(images, seeded(1))
    assert torch.equal(untouched, images) and untouched.data_ptr() != images.data_ptr()
    assert torch.equal(steps.sometimes(add(1), 1.0)(images, seeded(1)), images + 1)


def check_dispatch(dispatch):
    images, choice = pictures(40), torch.randint(4, (40,), generator=seeded(1)) % 3
    scale = torch.rand(40, generator=seeded(2))
    out = dispatch(
        images,
        choice,
        [
            None,
            lambda some, at: some + scale[at, None, None, None],
            lambda some, at: -some,
            lambda some, at: some * 0,
        ],
    )
    for i in range(40):
        wanted = {0: images[i], 1: images[i] + scale[i], 2: -images[i]}[int(choice[i])]
        assert torch.equal(out[i], wanted)


def test_dispatch_is_a_choice_for_each_image():
    check_dispatch(steps.dispatch)


def check_compose(compose):
    step = compose(
        add(1),
        lambda images, generator: images * 3,
        lambda images, generator: images + torch.rand(1, generator=generator),
    )
    images = pictures(2)
    assert torch.equal(step(images, seeded(1)), (images + 1) * 3 + torch.rand(1, generator=seeded(1)))
    assert torch.equal(compose()(images, seeded(1)), images)


def test_compose_goes_from_left_to_right():
    check_compose(steps.compose)


def check_uniform_draws(uniform):
    values = uniform(torch.empty(3000, 1, 1, 1, dtype=torch.float64), -2.0, 5.0, seeded(1))
    assert values.shape == (3000,) and values.dtype == torch.float64
    check_uniform(values, -2, 5)


def test_uniform():
    check_uniform_draws(steps.uniform)


def test_varied_gives_each_image_its_amount():
    seen = []
    steps.varied(lambda images, amount: seen.append(amount) or images, 0.5, 2.0)(
        pictures(3000, 1, 1, 1), seeded(1)
    )
    check_uniform(seen[0], 0.5, 2.0)


def test_per_image():
    images = pictures(3)
    assert steps.per_image(2, images).shape == (1, 1, 1, 1) and steps.per_image(
        torch.arange(3), images
    ).flatten().tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match=r"one for each of the 3 images, got shape \(2,\)"):
        steps.per_image(torch.ones(2), images)


FAULTS = {
    "for all or for none": (
        lambda step, p: lambda i, g: step(i, g) if torch.rand((), generator=g) < p else i,
        check_sometimes,
    ),
    "more often than asked": (lambda step, p: steps.sometimes(step, p + 0.1), check_sometimes),
    "one draw for all chosen": (
        lambda step, p: steps.sometimes(lambda i, g: i + step(i[:1] * 0, g)[0, 0, 0, 0].clamp(min=2), p),
        check_sometimes,
    ),
    "places of the sorted images": (
        lambda i, c, f: steps.dispatch(
            i, c, [g and (lambda some, at, g=g: g(some, torch.arange(len(some)))) for g in f]
        ),
        check_dispatch,
    ),
    "not put back in order": (lambda i, c, f: steps.dispatch(i, c.sort().values, f), check_dispatch),
    "from right to left": (lambda *given: steps.compose(*given[::-1]), check_compose),
    "low and width for low and high": (
        lambda i, low, high, g: steps.uniform(i, low, low + high, g),
        check_uniform_draws,
    ),
    "one draw for the batch": (
        lambda i, low, high, g: steps.uniform(i[:1], low, high, g).expand(len(i)),
        check_uniform_draws,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    broken, check = FAULTS[fault]
    with pytest.raises(AssertionError):
        check(broken)


def test_bad_shares():
    for call in (lambda: steps.coin(pictures(), 1.5, None), lambda: steps.sometimes(add(1), -0.1)):
        with pytest.raises(ValueError, match="a share, not a percentage"):
            call()
