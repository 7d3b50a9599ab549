"""The trainer against a bare loop, and bit-exact resume; faults that each check has to catch."""

import pytest
import torch

from dlbook.train import Trainer
from tests.train.trainer_checks import (
    Noisy,
    batches,
    check_accumulation,
    check_against_bare_loop,
    check_mode,
    check_resume,
    edited,
    make,
)


def test_ten_steps_equal_five_and_resume_and_five(tmp_path):
    check_resume(Trainer, tmp_path)


def test_resume_with_accumulation(tmp_path):
    check_resume(Trainer, tmp_path, accumulate=3)


def test_equals_a_bare_loop():
    check_against_bare_loop(Trainer)


def test_accumulation_equals_one_large_batch():
    check_accumulation(Trainer)


def test_log_holds_scalars_only_and_curve_names_what_there_is():
    trainer = make(Trainer)
    trainer.fit(3)
    assert sorted(trainer.log) == ["grad_norm", "loss", "share"] and len(trainer.curve("loss")) == 3
    with pytest.raises(ValueError, match="grad_norm.*loss.*share"):
        trainer.curve("accuracy")


def test_bfloat16_runs_under_autocast():
    method = Noisy()
    optimizer = torch.optim.SGD(method.param_groups(), lr=0.1)
    trainer = Trainer(method, optimizer, lambda step: 1.0, batches, precision=torch.bfloat16)
    trainer.fit(2)
    assert trainer.curve("loss").isfinite().all()
    assert all(parameter.dtype is torch.float32 for parameter in method.parameters())


def test_part_of_a_state_is_refused():
    trainer = make(Trainer)
    state = trainer.state_dict()
    del state["optimizer"]
    with pytest.raises(ValueError, match="optimizer"):
        trainer.load_state_dict(state)


def test_trains_in_training_mode_whatever_came_before():
    check_mode(Trainer)


MODE_FAULTS = {
    "the mode stays": "pass",
    "only at the very start": "self.method.train(self.step == 0 or self.method.training)",
}


@pytest.mark.parametrize("fault", MODE_FAULTS)
def test_seeded_fault_in_the_mode_is_caught(fault):
    with pytest.raises(AssertionError):
        check_mode(edited(("self.method.train()", MODE_FAULTS[fault])))


LOOP_FAULTS = {
    "average before the optimizer's step": (
        "if self._take_step(scalars):\n                    self.method.after_step(self.step)",
        "self.method.after_step(self.step)\n                self._take_step(scalars)",
    ),
    "gradients never zeroed": ("self.optimizer.zero_grad(set_to_none=True)", "pass"),
    "rate set once": ("self.rate_at(self.step, number)", "self.rate_at(0, number)"),
    "rate one step late": ("self.rate_at(self.step, number)", "self.rate_at(self.step + 1, number)"),
    "not clipped": ("if self.clip_norm is not None:", "if False:"),
    "evaluation mode": ("self.method.train()", "self.method.eval()"),
}


@pytest.mark.parametrize("fault", LOOP_FAULTS)
def test_seeded_fault_in_the_loop_is_caught(fault):
    with pytest.raises(AssertionError):
        check_against_bare_loop(edited(LOOP_FAULTS[fault]))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('self.scaler.scale(outputs["loss"] / self.accumulate).backward()', 'outputs["loss"].backward()'),
        ("self.batches(self.step * self.accumulate + part)", "self.batches(self.step + part)"),
    ],
    ids=["sum instead of mean", "micro-batches repeated"],
)
def test_seeded_fault_in_accumulation_is_caught(old, new):
    with pytest.raises(AssertionError):
        check_accumulation(edited((old, new)))


RESUME_FAULTS = {
    "random state not restored": ('torch.set_rng_state(state["random"].cpu())', "pass"),
    "step not restored": ('self.step = int(state["step"])', "self.step = 0"),
    "optimizer not restored": ('self.optimizer.load_state_dict(state["optimizer"])', "pass"),
    "average not restored": (
        'self.method.load_state_dict(state["method"])',
        'self.method.load_state_dict({k: v for k, v in state["method"].items() if "ema" not in k}, '
        "strict=False)",
    ),
    "log not restored": ('self.log = Log(state["log"])', "pass"),
    "decayed rate taken for the base rate": (
        'self.base_rates, self.base_decays = list(state["base_rates"])',
        'self.base_rates, self.base_decays = [group["lr"] for group in self.optimizer.param_groups]',
    ),
}


@pytest.mark.parametrize("fault", RESUME_FAULTS)
def test_seeded_fault_in_resuming_is_caught(fault, tmp_path):
    with pytest.raises(AssertionError):
        check_resume(edited(RESUME_FAULTS[fault]), tmp_path)


def test_data_order_that_depends_on_a_stream_is_caught(tmp_path):
    """A source that counts its calls and forgets its place cannot be resumed by number alone."""

    class Stream:
        position = 0

        def __call__(self, number):
            Stream.position += 1
            return batches(Stream.position)

    class Forgetful(Trainer):
        def __init__(self, method, optimizer, schedule, source, **kwargs):
            Stream.position = 0
            super().__init__(method, optimizer, schedule, Stream(), **kwargs)

    with pytest.raises(AssertionError):
        check_resume(Forgetful, tmp_path)
