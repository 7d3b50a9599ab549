"""Optimizer and schedule are those that the configuration names, with its numbers."""

import pytest
import torch

from dlbook import optim
from dlbook.recipes.run.config import Optimizer
from dlbook.recipes.run.optimizer import make_optimizer, make_schedule
from dlbook.supervised.cross_entropy import CrossEntropy
from tests.recipes.run.small_run import config


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sgd", optim.Momentum),
        ("nesterov", optim.Nesterov),
        ("adam", optim.Adam),
        ("adamw", optim.AdamW),
        ("rmsprop", optim.RMSprop),
        ("lars", optim.LARS),
    ],
)
def test_optimizer_gets_its_options_and_norms_do_not_decay(name, kind):
    method = CrossEntropy(torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4)))
    made = make_optimizer(
        Optimizer(name=name, lr=0.3, momentum=0.7, betas=(0.8, 0.9), weight_decay=0.02), method
    )
    assert type(made) is kind and all(group["lr"] == 0.3 for group in made.param_groups)
    decay = {id(p): group["weight_decay"] for group in made.param_groups for p in group["params"]}
    assert [decay[id(p)] for p in method.parameters()] == [0.02, 0.0, 0.0, 0.0]
    group = made.param_groups[0]
    assert group.get("momentum", 0.7) == 0.7 and tuple(group.get("betas", (0.8, 0.9))) == (0.8, 0.9)
    every = make_optimizer(Optimizer(name=name, decay_norms_and_biases=True, weight_decay=0.02), method)
    assert [group["weight_decay"] for group in every.param_groups] == [0.02]


def test_schedules_over_the_whole_run(tmp_path):
    make = lambda *o: make_schedule(config(tmp_path, "trainer.epochs=10", *o), 8)
    cosine = make("schedule.final=0.1")
    assert cosine(0) == 1 and cosine(40) == pytest.approx(0.55) and cosine(80) == pytest.approx(0.1)
    warm = make("schedule.warmup_epochs=2")
    assert warm(0) < warm(8) < warm(15) and warm(3) / warm(1) == pytest.approx(2, rel=0.02)
    steps = make("schedule.name=step")
    assert [round(steps(s), 6) for s in (39, 40, 59, 60)] == [1, 0.1, 0.1, 0.01]
    assert make("schedule.name=constant")(77) == 1
    assert max(make("schedule.name=one_cycle")(s) for s in range(80)) == pytest.approx(1, rel=0.01)
