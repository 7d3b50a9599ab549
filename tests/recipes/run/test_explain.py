"""A run that stops says why: the example that is no number, the label out of range, the layer that broke, the
rate.
"""

import pytest
import torch

from dlbook.recipes.run import explain as module
from dlbook.recipes.run.build import build
from dlbook.recipes.run.config import RunConfig, resolve
from dlbook.recipes.run.explain import explained
from dlbook.recipes.run.train import train
from dlbook.train.trainer import NonFiniteLoss
from tests.seeded import edited

AT = 17


def setup(folder, *overrides, harm=lambda train: None):
    content = {
        "model": {"name": "convnet_digits"},
        "data": {"name": "mnist5k", "limit": 60, "batch_size": 20},
        "trainer": {"epochs": 2},
        "output": {"folder": str(folder / "run"), "tensorboard": False},
    }
    made = build(resolve(RunConfig, content, overrides))
    harm(made.splits.train)
    return made


def nan(train):
    train.images[AT, 0, 3, 4] = float("nan")


def holder(made, example=AT):
    """Which batch of the first epoch holds the example."""
    return next(number for number in range(3) if example in made.trainer.batches.indices(number))


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("augment.policy=shift",),
        ("trainer.precision=bfloat16",),
        ("optimizer.name=adamw", "method.ema_decay=0.9"),
        ("augment.mixup=0.2",),
        ("augment.policy=randaugment", "augment.cutmix=1.0", "augment.erasing=1.0"),
    ],
)
def test_nan_in_the_data_is_named(tmp_path, overrides):
    made = setup(tmp_path, *overrides, harm=nan)
    with pytest.raises(
        NonFiniteLoss,
        match=rf"got nan on batch \d; example {AT} of the training images: the image holds NaN or infinite "
        rf"values",
    ) as raised:
        train(made)
    assert raised.value.batch == raised.value.step == holder(made)
    assert all(weight.isfinite().all() for weight in made.method.parameters())


def test_with_accumulation_the_batch_is_the_micro_batch(tmp_path):
    made = setup(tmp_path, "trainer.accumulate=3", harm=nan)
    with pytest.raises(NonFiniteLoss, match=f"example {AT} of") as raised:
        train(made)
    assert (raised.value.step, raised.value.batch) == (0, holder(made))


@pytest.mark.parametrize("override", ["trainer.accumulate=1", "trainer.accumulate=3", "augment.mixup=0.2"])
@pytest.mark.parametrize("label", [10, -1])
def test_a_label_out_of_range_is_named(tmp_path, label, override):
    made = setup(tmp_path, override, harm=lambda train: train.labels.__setitem__(AT, label))
    with pytest.raises(
        ValueError,
        match=rf"example {AT} of the training images: label {label} is outside 0 to 9; fix the labels",
    ):
        train(made)


def test_many_faults_are_counted(tmp_path):
    made = setup(tmp_path, harm=lambda train: train.images.fill_(float("inf")))
    with pytest.raises(NonFiniteLoss, match="; and 17 more; fix or remove them"):
        train(made)


def test_a_rate_far_too_high_is_told_with_the_course_of_the_loss(tmp_path):
    with pytest.raises(
        NonFiniteLoss,
        match=r"the losses before were \d.*lower the rate \(now 1e\+3[0-9]; dlbook lr-find suggests one\)",
    ) as raised:
        train(setup(tmp_path, "optimizer.lr=1e38", "schedule.name=constant"))
    assert str(raised.value).count("lower the rate") == 1


def test_broken_weights_are_named_before_the_rate(tmp_path):
    made = setup(tmp_path)
    with torch.no_grad():
        made.method.model.features[3].weight[0] = float("nan")
    with pytest.raises(
        NonFiniteLoss,
        match=r"features\.3 \(Conv2d\): not finite: its weights are NaN or infinite; it is the first loss of "
        r"this run; go back to the last checkpoint and lower the rate \(now 0.1; .* set trainer.clip_norm=1$",
    ):
        train(made)


CURES = {  # of a layer, and what is advised with it
    "": "lower RATE, set CLIP, or take BFLOAT",
    "go back and lower the rate": "go back and lower RATE, set CLIP, or take BFLOAT",
    "clip the gradients' norm, lower the rate": "clip the gradients' norm, lower RATE, or take BFLOAT",
    "lower the rate, take bfloat16": "lower RATE, take bfloat16, set CLIP",
    "look for a square root": "look for a square root, lower RATE, set CLIP, or take BFLOAT",
}


def check_advice(module, made) -> None:
    """Whatever the layer's cure is: the rate, clipping and the precision are advised once each."""
    for cure, told in CURES.items():
        expected = told.replace("RATE", "the rate (now 0.1; dlbook lr-find suggests one)")
        expected = expected.replace("CLIP", "trainer.clip_norm=1")
        assert module["_advice"](made, cure) == expected.replace("BFLOAT", "trainer.precision=bfloat16")


ADVICE_FAULTS = {
    "the rate twice": ('if "lower the rate" not in cure:', "if True:"),
    "clipping twice": ('if "clip" not in cure:', "if True:"),
    "the precision twice": (' and "bfloat16" not in cure', ""),
    "no cure": ("rate)] if cure else []", "rate)] if not cure else []"),
}


def test_nothing_is_advised_twice(tmp_path):
    check_advice(vars(module), setup(tmp_path, "trainer.precision=float16"))


@pytest.mark.parametrize("fault", ADVICE_FAULTS)
def test_the_check_sees_other_advice(fault, tmp_path):
    with pytest.raises(AssertionError):
        check_advice(edited(module, *ADVICE_FAULTS[fault]), setup(tmp_path, "trainer.precision=float16"))


def test_nothing_is_changed_by_looking(tmp_path):
    made, before = setup(tmp_path, harm=nan), {}
    everything = lambda: {
        n: v.nan_to_num(nan=-1.0).clone()
        for n, v in (made.method.state_dict() | {"random": torch.get_rng_state()}).items()
    }
    with pytest.raises(NonFiniteLoss), explained(made):
        try:
            made.trainer.fit(9)
        finally:
            before = everything()
    assert all(torch.equal(before[name], value) for name, value in everything().items())


def test_other_index_errors_pass_through(tmp_path):
    with pytest.raises(IndexError, match="list index"), explained(setup(tmp_path)):
        [][0]


def check_course(module, tmp_path) -> None:
    """The course of the loss is told by its last values, in their order."""
    made = setup(tmp_path, "trainer.epochs=9")
    for value in range(10, 20):
        made.trainer.log.append("loss", torch.tensor(float(value)))
    with (
        pytest.raises(NonFiniteLoss, match="the losses before were 16, 17, 18, 19;"),
        module["explained"](made),
    ):
        raise NonFiniteLoss(10, 1, float("inf"))


def test_the_course_of_the_loss_is_its_end(tmp_path):
    check_course(vars(module), tmp_path)


def test_the_check_sees_the_first_losses(tmp_path):
    broken = edited(module, "[-SHOWN:]", "[:SHOWN]")
    with pytest.raises(AssertionError):
        check_course(broken, tmp_path)
