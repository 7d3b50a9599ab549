"""Every option of the section `augment` does what it says, and none does nothing; seeded faults."""

from typing import get_args

import pytest
import torch
import torch.nn.functional as F

from dlbook.augment import digits as augment
from dlbook.augment.policies import CIFAR10, IMAGENET, auto_augment, rand_augment
from dlbook.recipes.classify import augment as classify_augment
from dlbook.recipes.classify.augment import POLICIES, make_transform
from dlbook.recipes.run.build import build
from dlbook.recipes.run.config import Augment, RunConfig, resolve
from tests.seeded import edited

NAMES = get_args(Augment.model_fields["policy"].annotation)
ON = {"mixup": 0.4, "cutmix": 1.0, "cutout": 0.5, "erasing": 0.7}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def batch(count=16, side=32, channels=3):
    return {
        "images": 0.1 + 0.8 * torch.rand(count, channels, side, side, generator=seeded(5)),
        "labels": torch.arange(count) % 10,
        "indices": torch.arange(count),
    }


def run(seed=1, given=None, **options):
    return make_transform(Augment(**options), 10)(given or batch(), seeded(seed))


def check_small(module) -> None:
    """Images of up to 64 pixels are small, 64 among them; the longer side decides."""
    sides = ((64, 64), (64, 65), (65, 64), (32, 64))
    assert [module["_small"](torch.zeros(1, 3, *side)) for side in sides] == [True, False, False, True]


def test_images_of_exactly_64_pixels_are_small():
    check_small(vars(classify_augment))
    broken = edited(classify_augment, "max(images.shape[2:]) <= SMALL", "max(images.shape[2:]) < SMALL")
    with pytest.raises(AssertionError):
        check_small(broken)


def check_does_something(make, **options):
    """Another batch, from the generator alone; the given one stays; labels and indices are kept."""
    given = batch()
    kept = {name: value.clone() for name, value in given.items()}
    transform = make(Augment(**options), 10)
    first, again, other = (transform(given, seeded(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(given[name], kept[name]) for name in given), "the given batch was changed"
    assert not torch.equal(first["images"], given["images"]), "nothing was done"
    assert all(torch.equal(first[name], again[name]) for name in first) and not torch.equal(
        first["images"], other["images"]
    )
    assert torch.equal(first["labels"], given["labels"]) and torch.equal(first["indices"], given["indices"])
    assert (
        first["images"].shape == given["images"].shape
        and first["images"].min() >= 0
        and first["images"].max() <= 1
    )
    assert ("probs" in first) == bool(options.get("mixup") or options.get("cutmix"))


@pytest.mark.parametrize("policy", sorted(set(NAMES) - {"none"}))
def test_every_policy_does_something(policy):
    check_does_something(make_transform, policy=policy)


@pytest.mark.parametrize("option", ON)
def test_every_option_does_something(option):
    check_does_something(make_transform, **{option: ON[option]})


def test_nothing_asked_nothing_done():
    assert make_transform(Augment(), 10) is None and set(POLICIES) == set(NAMES)
    with pytest.raises(ValueError, match="augment.policy: expected one of none, shift"):
        make_transform(Augment.model_construct(**Augment().model_dump() | {"policy": "strong"}), 10)


def test_policies_are_what_they_are_called():
    images = batch()["images"]
    assert torch.equal(run(policy="shift")["images"], augment.weak(images, seeded(1)))
    generator = seeded(1)
    cropped = POLICIES["flip_crop"](images, generator, None)
    assert torch.equal(run(policy="flip_crop")["images"], cropped)
    state = generator.get_state()
    assert torch.equal(
        run(policy="randaugment", magnitude=17)["images"], rand_augment(cropped, generator, magnitude=17)
    )
    generator.set_state(state)
    assert torch.equal(run(policy="autoaugment")["images"], auto_augment(cropped, generator, CIFAR10))


def test_small_images_are_cropped_and_large_ones_not():
    """At 32 pixels the shift is at most 4, an eighth of the side; at 96 the images are only mirrored, and
    ImageNet's policy is used.
    """
    moved = run(policy="flip_crop")["images"]
    seen = set()
    for image, result in zip(batch()["images"], moved, strict=True):
        fits = [
            (y, x, mirrored)
            for mirrored in (False, True)
            for y in range(9)
            for x in range(9)
            if torch.equal(
                F.pad(image.flip(-1) if mirrored else image, (4,) * 4)[:, y : y + 32, x : x + 32], result
            )
        ]
        assert len(fits) == 1
        seen |= set(fits)
    assert len(seen) > 8
    large = batch(60, side=96)
    out = run(policy="flip_crop", given=large)["images"]
    same, mirrored = (
        (out == images).flatten(1).all(1) for images in (large["images"], large["images"].flip(-1))
    )
    assert (same ^ mirrored).all() and 15 < same.sum() < 45
    generator = seeded(1)
    flipped = POLICIES["flip_crop"](large["images"], generator, None)
    assert torch.equal(
        run(policy="autoaugment", given=large)["images"], auto_augment(flipped, generator, IMAGENET)
    )


def check_cutout(make):
    """The side is the share that the key says, when the square lies inside."""
    out = make(Augment(cutout=0.5), 10)(batch(300), seeded(1))["images"]
    blank = (out == 0).all(1)
    rows, columns = blank.any(2).sum(1), blank.any(1).sum(1)
    assert rows.max() == 16 and columns.max() == 16 and (blank.sum((1, 2)) == rows * columns).all()
    assert (rows == 16).double().mean() > 0.4 and (rows >= 8).all()


def test_cutout_has_the_side_that_is_asked_for():
    check_cutout(make_transform)


def check_erasing(make):
    changed = (
        (
            make(Augment(erasing=0.3), 10)(batch(2000, side=16), seeded(1))["images"]
            != batch(2000, side=16)["images"]
        )
        .flatten(1)
        .any(1)
    )
    assert abs(changed.double().mean() - 0.3) < 5 * (0.21 / 2000) ** 0.5


def test_erasing_has_its_probability():
    check_erasing(make_transform)


def check_mixing(make):
    """mixup: the images of one-hot colours are mixed as the probabilities say; CutMix: the pixels are."""
    given = batch(10)
    given["images"] = (
        F.one_hot(given["labels"] % 3, 3).float()[:, :, None, None].expand(-1, -1, 32, 32).clone()
    )
    for option in ("mixup", "cutmix"):
        for seed in range(4):
            out = make(Augment(**{option: 1.0}), 10)(given, seeded(seed))
            assert out["probs"].shape == (10, 10) and (out["probs"].sum(1) - 1).abs().max() < 1e-5
            colors = torch.zeros(10, 3).index_add_(1, torch.arange(10) % 3, out["probs"])
            assert (out["images"].mean((2, 3)) - colors).abs().max() < 1e-5


def test_probabilities_are_those_of_the_pixels():
    check_mixing(make_transform)


def check_coin(make):
    """With both, about half of the batches are cut: an image of two values keeps them."""
    transform = make(Augment(mixup=1.0, cutmix=1.0), 2)
    given = {
        "images": torch.arange(2.0).repeat(8)[:, None, None, None].expand(-1, 1, 8, 8).clone(),
        "labels": torch.arange(2).repeat(8),
    }
    cut = [
        bool(((out == 0) | (out == 1)).all())
        for out in (transform(given, seeded(seed))["images"] for seed in range(200))
    ]
    assert 65 < sum(cut) < 135


def test_both_mixings_share_the_batches():
    check_coin(make_transform)


@pytest.mark.parametrize(
    "options",
    [
        "policy=flip_crop",
        "policy=randaugment",
        "policy=autoaugment",
        "cutout=0.3",
        "erasing=0.5",
        "mixup=0.2",
        "cutmix=1.0",
    ],
)
def test_a_run_takes_it(tmp_path, options):
    config = resolve(
        RunConfig,
        {
            "model": {"name": "convnet_digits"},
            "data": {"name": "color_shapes", "limit": 60, "batch_size": 20},
        },
        [f"output.folder={tmp_path}", f"augment.{options}", "output.tensorboard=false"],
    )
    setup = build(config)
    setup.trainer.fit(1)
    assert setup.trainer.log["loss"].isfinite() and ("accuracy" in setup.trainer.log) == (
        "mix" not in options
    )


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("policy", sorted(set(NAMES) - {"none"}))
def test_on_a_gpu(policy):
    given = {name: value.cuda() for name, value in batch().items()}
    out = make_transform(Augment(policy=policy, **ON), 10)(given, torch.Generator("cuda").manual_seed(1))
    assert out["images"].is_cuda and out["probs"].is_cuda and torch.isfinite(out["images"]).all()


def only_shift(section, num_classes):
    """A transform that knows one policy and passes over the rest in silence."""
    return lambda given, generator: (
        given
        | {
            "images": augment.weak(given["images"], generator)
            if section.policy == "shift"
            else given["images"]
        }
    )


def labels_of_first(section, num_classes):
    """Mixes the images and not the labels."""
    made = make_transform(section, num_classes)
    return lambda given, generator: (
        made(given, generator) | {"probs": F.one_hot(given["labels"], num_classes).float()}
    )


def changed(**options):
    return lambda section, num_classes: make_transform(section.model_copy(update=options), num_classes)


FAULTS = {
    "other policies do nothing": (only_shift, lambda make: check_does_something(make, policy="randaugment")),
    "the option is not read": (only_shift, lambda make: check_does_something(make, mixup=0.4)),
    "labels are not mixed": (labels_of_first, check_mixing),
    "half the side": (changed(cutout=0.25), check_cutout),
    "always erased": (changed(erasing=1.0), check_erasing),
    "CutMix only": (changed(mixup=0.0), check_coin),
    "mixup only": (changed(cutmix=0.0), check_coin),
    "side drawn anew": (
        lambda s, k: lambda b, g: b | {"images": augment.random_square(b["images"], s.cutout, g)},
        check_cutout,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_is_caught(fault):
    broken, check = FAULTS[fault]
    with pytest.raises(AssertionError):
        check(broken)


def test_a_policy_without_entry_is_refused(monkeypatch):
    monkeypatch.delitem(classify_augment.POLICIES, "autoaugment")
    with pytest.raises(ValueError, match="got 'autoaugment'"):
        make_transform(Augment(policy="autoaugment"), 10)
