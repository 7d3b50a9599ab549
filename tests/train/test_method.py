"""The contract of a method holds what papers need: three small methods in the manner of SimSiam, DINO and
MoCo, each killed and resumed bit for bit, and trained by two processes like by one; and its defaults.
"""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dlbook.nn.momentum_encoder import MomentumEncoder
from dlbook.train import Method, Trainer, checkpoint
from dlbook.train.parallel import distributed
from tests.many_processes import together
from tests.train.paper_methods import (
    FROZEN,
    METHODS,
    STEPS,
    Dino,
    Moco,
    Siam,
    everything,
    half_cosine,
    trainer_of,
)
from tests.train.small_method import differing
from tests.train.trainer_checks import edited

pytestmark = pytest.mark.forks


class Plain(Method):
    """What a method has to say at least."""

    def __init__(self):
        super().__init__()
        self.model, self.frozen = nn.Linear(2, 1), nn.Linear(2, 1).requires_grad_(False)

    def training_step(self, batch, step):
        return {"loss": self.model(batch).mean() + step}


def test_the_defaults_of_the_contract():
    """Abstract; forward trains; one group of what requires a gradient; the trained network is evaluated."""
    with pytest.raises(TypeError):
        Method()
    method, batch = Plain(), torch.ones(3, 2)
    assert torch.equal(method(batch, 2)["loss"], method.training_step(batch, 2)["loss"])
    (group,) = method.param_groups()
    assert [id(p) for p in group["params"]] == [id(p) for p in method.model.parameters()]
    assert method.evaluated is method.model and method.after_step(0) is None


def test_a_method_without_a_model_says_how_to_name_what_is_evaluated():
    method = Plain()
    method.net = method.model
    del method.model
    with pytest.raises(ValueError, match=r"self.model, got \['frozen', 'net'\]; call it model, or define"):
        _ = method.evaluated


def check_resumes(kind, trainer_class, folder, accumulate=1):
    """Eight steps, and three, a checkpoint on the disk, all objects anew, five more: the same bits."""
    whole, killed = (trainer_of(kind, trainer_class=trainer_class, accumulate=accumulate) for _ in range(2))
    whole.fit(STEPS)
    killed.fit(3)
    path = checkpoint.save(folder / "run.ckpt", killed.state_dict())
    resumed = trainer_of(kind, trainer_class=trainer_class, accumulate=accumulate)
    resumed.load_state_dict(checkpoint.load(path))
    resumed.fit(STEPS)
    assert differing(everything(whole), everything(resumed), 0) == []


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("kind", METHODS)
def test_resumed_bit_for_bit(kind, accumulate, tmp_path):
    check_resumes(kind, Trainer, tmp_path, accumulate)


def numbers(rank, kind, accumulate):
    trainer = trainer_of(kind, norm="group", accumulate=accumulate)
    trainer.fit(STEPS)
    distributed.average_log(trainer.log, STEPS)
    return everything(trainer)


def check_processes(kind, accumulate=1):
    """Two processes with halves of each batch end with one process's numbers."""
    alone = numbers(0, kind, accumulate)
    for found in together(2, numbers, kind, accumulate):
        assert differing(alone, found) == []


@pytest.mark.parametrize("accumulate", [1, 2])
@pytest.mark.parametrize("kind", METHODS)
def test_two_processes_train_like_one(kind, accumulate):
    check_processes(kind, accumulate)


def check_rates(trainer_class, kind=Siam):
    """The predictor's rate stays, and the network's goes down."""
    trainer, seen = trainer_of(kind, trainer_class=trainer_class), []
    for step in range(1, STEPS + 1):
        trainer.fit(step)
        seen.append([group["lr"] for group in trainer.optimizer.param_groups])
    expected = [0.05 * (1 + math.cos(math.pi * step / STEPS)) / 2 for step in range(STEPS)]
    assert [rates[0] for rates in seen] == pytest.approx(expected)
    assert [rates[1] for rates in seen] == [0.05] * STEPS
    assert [trainer.rate_at(step, group=1) for step in (0, 3)] == [0.05, 0.05]


def test_the_predictor_keeps_its_rate():
    check_rates(Trainer)


def check_decay(trainer_class, kind=Dino):
    """The weight decay goes up where there is one, and a bias without decay stays without."""
    trainer, seen = trainer_of(kind, trainer_class=trainer_class), []
    for step in range(1, STEPS + 1):
        trainer.fit(step)
        seen.append([group["weight_decay"] for group in trainer.optimizer.param_groups])
    expected = [0.04 * (1 + 9 * step / STEPS) for step in range(STEPS)]
    assert [decays[0] for decays in seen] == pytest.approx(expected) and {decays[1] for decays in seen} == {
        0.0
    }


def test_the_weight_decay_goes_up():
    check_decay(Trainer)


def check_teacher(trainer_class, kind=Dino):
    """The teacher's weights by the equation, number by number; the last layer of the student waits."""
    trainer = trainer_of(kind, trainer_class=trainer_class)
    weight, last = trainer.method.student[0].weight, trainer.method.student[-1].weight
    first, phi = last.tolist(), weight.flatten().tolist()
    for step in range(STEPS):
        trainer.fit(step + 1)
        m, theta = half_cosine(step), weight.flatten().tolist()
        phi = [m * slow + (1 - m) * fast for slow, fast in zip(phi, theta, strict=True)]
        assert trainer.method.evaluated[0].weight.flatten().tolist() == pytest.approx(phi, abs=1e-13)
        assert (last.tolist() == first) == (step < FROZEN)


def test_the_teacher_follows_its_schedule_and_the_last_layer_waits():
    check_teacher(Trainer)


def check_queue(trainer_class, kind=Moco):
    """The queue holds the newest keys, walks round, and is older than the logits; keys come from training
    mode.
    """
    trainer, made = trainer_of(kind, trainer_class=trainer_class), []
    keys, begin = trainer.method.keys, trainer.method.queue.clone()
    keys.register_forward_hook(lambda *told: made.append((F.normalize(told[2]), keys.module.training)))
    trainer.fit(4)
    assert [training for _, training in made] == [True] * 4
    walked = torch.cat(
        [begin, *[key for key, _ in made]]
    )  # 30 + 48 keys: place 0 of the queue is written twice
    for place in range(30):
        newest = max(i for i in range(len(walked)) if i % 30 == place)
        assert torch.equal(trainer.method.queue[place], walked[newest])
    assert keys.module[1].num_batches_tracked.item() == 4
    assert not torch.allclose(keys.module[1].running_mean, trainer.method.model[1].running_mean)


def test_the_queue_holds_the_newest_keys():
    check_queue(Trainer)


class OwnShare(Moco):
    def everywhere(self, tensor):
        return [tensor]


class OwnCentre(Dino):
    def everywhere(self, tensor):
        return [tensor]


class StepForgotten(Dino):
    def after_step(self, step):
        self.teacher.update(self.student, 0)


class NotFrozen(Dino):
    def param_groups(self):
        return [group | {"schedule": "default"} for group in super().param_groups()]


class EvaluatesTheStudent(Dino):
    evaluated = property(lambda self: self.student)


class PlaceForgotten(Moco):
    def __init__(self, norm):
        super().__init__(norm)
        place = self.place
        del self.place
        self.place = place


class EvaluationKeys(Moco):
    def __init__(self, norm):
        super().__init__(norm)
        self.keys = MomentumEncoder(self.model, 0.9, evaluation=True)


class CopiedKeys(Moco):
    def __init__(self, norm):
        super().__init__(norm)
        self.keys = MomentumEncoder(self.model, 0.9, buffers="copied")


METHOD_FAULTS = [
    (OwnShare, lambda kind, folder: check_processes(kind)),
    (OwnCentre, lambda kind, folder: check_processes(kind)),
    (PlaceForgotten, lambda kind, folder: check_resumes(kind, Trainer, folder)),
    (StepForgotten, lambda kind, folder: check_teacher(Trainer, kind)),
    (NotFrozen, lambda kind, folder: check_teacher(Trainer, kind)),
    (EvaluatesTheStudent, lambda kind, folder: check_teacher(Trainer, kind)),
    (EvaluationKeys, lambda kind, folder: check_queue(Trainer, kind)),
    (CopiedKeys, lambda kind, folder: check_queue(Trainer, kind)),
]


@pytest.mark.parametrize(("kind", "check"), METHOD_FAULTS)
def test_seeded_fault_in_a_method_is_caught(kind, check, tmp_path):
    with pytest.raises(AssertionError):
        check(kind, tmp_path)


RATE = "self.schedules[name](step)"
DECAY = "self.base_decays[number] * self.decay_schedule(self.step)"
TRAINER_FAULTS = {
    "every group follows the default": (check_rates, RATE, 'self.schedules["default"](step)'),
    "every group follows the last": (check_rates, RATE, "list(self.schedules.values())[-1](step)"),
    "all begin with the first group's rate": (check_teacher, "self.step, number)", "self.step, 0)"),
    "the decay stays": (check_decay, DECAY, "self.base_decays[number]"),
    "the decay of the first group for all": (check_decay, DECAY, DECAY.replace("number", "0")),
    "the decay multiplies itself": (
        check_decay,
        DECAY,
        DECAY.replace("self.base_decays[number]", 'group["weight_decay"]'),
    ),
}


@pytest.mark.parametrize("fault", TRAINER_FAULTS)
def test_seeded_fault_in_the_schedules_is_caught(fault):
    check, *edit = TRAINER_FAULTS[fault]
    with pytest.raises(AssertionError):
        check(edited(edit))


def test_seeded_fault_a_base_decay_that_is_not_restored_is_caught(tmp_path):
    new = '[group["weight_decay"] for group in self.optimizer.param_groups]'
    with pytest.raises(AssertionError):
        check_resumes(Dino, edited(('list(state["base_decays"])', new)), tmp_path)
