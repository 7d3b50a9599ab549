"""Low precision, loss scaling, compilation, and losses that are no numbers; with the faults that each check
has to catch.
"""

import functools

import pytest
import torch
from torch import nn

from dlbook.train import Method, Trainer, checkpoint
from dlbook.train.trainer import NonFiniteLoss
from tests.train.trainer_checks import (
    TOTAL,
    Linear,
    batches,
    check_against_bare_loop,
    check_resume,
    edited,
    make,
)

STEP = "self.scaler.step(self.optimizer)"


class Ramp(Method):
    """A loss factor * weight * input, whose gradient passes through float16 under autocast; counts what
    happens after steps.
    """

    def __init__(self, factor=1.0):
        super().__init__()
        self.factor, self.layer = factor, nn.Linear(1, 1, bias=False)
        nn.init.zeros_(self.layer.weight)
        self.register_buffer("after", torch.zeros((), dtype=torch.int64))
        self.seen_types = set()

    def training_step(self, batch, step):
        output = self.layer(batch)
        self.seen_types.add(output.dtype)
        return {"loss": self.factor * output.float().sum()}

    def after_step(self, step):
        self.after += 1


def ramp(trainer_class=Trainer, factor=1.0, rate=1.0, precision=torch.float16, **options):
    method = Ramp(factor)
    optimizer = torch.optim.SGD(method.param_groups(), lr=rate)
    return trainer_class(
        method,
        optimizer,
        lambda step: 1.0 + step,
        lambda number: torch.ones(1, 1),
        precision=precision,
        **options,
    )


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_autocast_computes_low_and_keeps_weights_high(precision):
    trainer = ramp(precision=precision, factor=0.25)
    trainer.fit(3)
    assert trainer.method.seen_types == {precision} and trainer.method.layer.weight.dtype is torch.float32
    assert trainer.method.layer.weight.item() == -0.25 * (1 + 2 + 3)  # exact in both


class Small(Method):
    """Two layers with nothing random in them."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))

    def training_step(self, batch, step):
        return {"loss": nn.functional.cross_entropy(self.model(batch[0]).float(), batch[1])}


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_low_precision_goes_the_way_of_float32(precision):
    ends = []
    for kind in (torch.float32, precision):
        method = Small()
        begin = nn.utils.parameters_to_vector(method.parameters()).detach()
        Trainer(
            method,
            torch.optim.SGD(method.param_groups(), lr=0.5),
            lambda step: 1.0,
            batches,
            precision=kind,
            clip_norm=10.0,
        ).fit(30)
        ends.append(nn.utils.parameters_to_vector(method.parameters()).detach() - begin)
    assert 0 < (ends[1] - ends[0]).norm() < 0.03 * ends[0].norm() and ends[0].norm() > 0.5


def check_overflow(trainer_class):
    """At a scale of 65,536 the gradient 1 is more than float16 holds: that step is skipped, the scale is
    halved, all else goes on.
    """
    trainer = ramp(trainer_class)
    weights, scales, after = [], [], []
    for step in range(1, 4):
        trainer.fit(step)
        weights.append(trainer.method.layer.weight.item())
        scales.append(trainer.scaler.get_scale())
        after.append(trainer.method.after.item())
    assert weights == [0.0, -2.0, -5.0]  # rates 1 (skipped), 2, 3
    assert scales == [32768.0] * 3 and trainer.step == 3
    assert after == [0, 1, 2]


def test_an_overflowing_gradient_skips_the_step_and_halves_the_scale():
    check_overflow(Trainer)


def check_underflow(trainer_class):
    """A gradient of 1e-8 is zero in float16; scaled, it arrives."""
    trainer = ramp(trainer_class, factor=1e-8, rate=1e8)
    trainer.fit(1)
    assert trainer.method.layer.weight.item() == pytest.approx(-1.0, rel=1e-3)


def test_small_gradients_survive():
    check_underflow(Trainer)


def check_scaled_clipping(trainer_class):
    """What is clipped is the gradient, not its scaled copy; mean of four micro-batches, clipped once; the
    norm in the log is the true one.
    """
    trainer = ramp(trainer_class, factor=0.25, accumulate=4, clip_norm=0.125)
    trainer.fit(2)
    assert trainer.method.layer.weight.item() == pytest.approx(-0.125 * (1 + 2), rel=1e-4)
    assert trainer.curve("grad_norm").tolist() == [0.25, 0.25] and trainer.curve("loss")[0] == 0


def test_unscaled_then_clipped():
    check_scaled_clipping(Trainer)


def overflowing(trainer_class, *args, **options):
    """The scale is too large at first and grows again after three good steps: every part of the scaler's
    state is in use.
    """
    trainer = trainer_class(*args, precision=torch.float16, **options)
    trainer.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**20, growth_interval=3)
    return trainer


def check_scaler_resumes(trainer_class, folder):
    build = functools.partial(overflowing, trainer_class)
    check_resume(build, folder)
    whole, second = make(build), make(build)
    torch.manual_seed(2)
    whole.fit(5)
    state = checkpoint.load(checkpoint.save(folder / "half.ckpt", whole.state_dict()))
    whole.fit(TOTAL)
    second.load_state_dict(state)
    second.fit(TOTAL)
    assert whole.scaler.state_dict() == second.scaler.state_dict() and state["scaler"]["scale"] < 2.0**20


def test_float16_resumes_bit_for_bit(tmp_path):
    check_scaler_resumes(Trainer, tmp_path)


def test_seeded_fault_a_scaler_that_is_not_restored_is_caught(tmp_path):
    with pytest.raises(AssertionError):
        check_scaler_resumes(
            edited(('self.scaler.load_state_dict(state.get("scaler", {}))', "pass")), tmp_path
        )


def test_average_stands_still_in_a_skipped_step():
    trainer = make(functools.partial(overflowing, Trainer))
    torch.manual_seed(2)
    trainer.fit(1)
    assert trainer.method.ema.updates.item() == 0 and trainer.scaler.get_scale() == 2.0**19


FAULTS = {
    "clipped while scaled": (check_scaled_clipping, ("self.scaler.unscale_(self.optimizer)", "pass")),
    "micro-batches summed": (
        check_scaled_clipping,
        ('outputs["loss"] / self.accumulate).backward()', 'outputs["loss"]).backward()'),
    ),
    "clipped after the step": (
        check_scaled_clipping,
        (
            "if self.clip_norm is not None:",
            "self.scaler.step(self.optimizer)\n        if self.clip_norm is not None:",
        ),
        (STEP, "pass"),
    ),
    "loss not scaled": (check_underflow, ("self.scaler.scale(outputs", "(outputs")),
    "scale never updated": (
        check_overflow,
        ("self.scaler.update()  # halves the scale after an overflow", "pass"),
    ),
    "step without the scaler": (check_overflow, (STEP, "self.optimizer.step()")),
    "average moves in a skipped step": (
        check_overflow,
        ("return self.scaler.get_scale() >= scale", "return True"),
    ),
    "skipped steps do not count": (
        check_overflow,
        ("if self._take_step(scalars):", "taken = self._take_step(scalars)\n                if taken:"),
        ("self.step += 1", "self.step += taken"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_seeded_fault_of_the_scaler_is_caught(fault):
    check, *edits = FAULTS[fault]
    with pytest.raises((AssertionError, RuntimeError, NonFiniteLoss)):
        check(edited(*edits))


def compiled(*args, **options):
    torch._dynamo.reset()
    return Trainer(*args, forward=torch.compile(args[0], backend="aot_eager"), **options)


def test_a_compiled_method_is_the_eager_one():
    check_against_bare_loop(compiled)
    assert (
        make(compiled).state_dict()["method"].keys() == make(Trainer).state_dict()["method"].keys()
    )  # checkpoints fit both


def poisoned(number):
    return torch.full((3, 4), float("nan") if number == 7 else 1.0, dtype=torch.float64)


def check_not_finite(trainer_class):
    method = Linear()
    optimizer = torch.optim.Adam(method.param_groups(), lr=0.1)
    trainer = trainer_class(method, optimizer, lambda step: 1.0, poisoned, accumulate=2)
    with pytest.raises(NonFiniteLoss, match="step 3: expected a finite loss, got nan on batch 7") as raised:
        trainer.fit(10)
    assert (raised.value.step, raised.value.batch, trainer.step) == (3, 7, 3)
    assert (
        method.weight.isfinite().all()
        and trainer.curve("loss").isfinite().all()
        and len(trainer.curve("loss")) == 3
    )
    assert all(value.isfinite().all() for value in optimizer.state[method.weight].values())


def test_a_loss_that_is_no_number_stops_before_it_enters_the_weights():
    check_not_finite(Trainer)


@pytest.mark.parametrize(
    "edit",
    [
        ('self._require_finite(outputs["loss"], part, is_last)', "pass"),
        ("self.step * self.accumulate + part, loss", "self.step + part, loss"),
        ("raise NonFiniteLoss(self.step,", "raise NonFiniteLoss(self.step + 1,"),
    ],
)
def test_seeded_fault_in_the_guard_is_caught(edit):
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check_not_finite(edited(edit))


def test_progress_bar_counts_all_steps_and_is_silent_unless_asked(capsys):
    trainer = make(Trainer)
    trainer.fit(2)
    assert capsys.readouterr() == ("", "")
    trainer.fit(6, progress=True)
    shown = capsys.readouterr().err
    assert "2/6" in shown and "6/6" in shown and "step" in shown
