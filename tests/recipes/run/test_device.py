"""Where a run computes, on machines that have a GPU of NVIDIA or Apple, and on this one.

No Apple GPU is here. What can be asked without one: that nothing is computed in float64, which it does not
know, and that batches are moved there.
"""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from dlbook.data import color_shapes
from dlbook.recipes.run import build as building
from dlbook.recipes.run.build import build
from dlbook.recipes.run.device import MovedBatches, choose_device
from dlbook.train import evaluate as module
from dlbook.train.batches import Batches, Pool, View
from dlbook.train.evaluate import evaluate, neighbour_accuracy
from tests.recipes.run.small_run import config


@pytest.fixture
def machine(monkeypatch):
    """Pretend that GPUs are there, and how many processes."""

    def pretend(cuda=False, mps=False, processes="1"):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
        monkeypatch.setenv("WORLD_SIZE", processes)

    return pretend


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        ({"cuda": True, "mps": True}, "cuda"),
        ({"mps": True}, "mps"),
        ({}, "cpu"),
        ({"mps": True, "processes": "2"}, "cpu"),
        ({"cuda": True, "processes": "2"}, "cuda"),
    ],
)
def test_auto_takes_the_first_that_is_there(machine, there, chosen):
    machine(**there)
    assert choose_device("auto") == choose_device() == torch.device(chosen)
    assert choose_device("cpu") == torch.device("cpu")


def test_what_is_not_there_is_told(machine):
    machine()
    with pytest.raises(ValueError, match="expected a CUDA GPU for 'cuda', found none"):
        choose_device("cuda")
    with pytest.raises(ValueError, match="expected an Apple GPU for 'mps', found none"):
        choose_device("mps")
    machine(mps=True, processes="2")
    with pytest.raises(ValueError, match="expected one process for 'mps', got several"):
        choose_device("mps")


def test_moved_batches_are_made_on_the_cpu_and_are_the_same():
    seen = []
    pool = Pool(color_shapes(6), size=4, views={"images": View(step=lambda x, g: seen.append(x.device) or x)})
    images = Batches(pool, seed=0)(1)["images"]
    moved = MovedBatches(pool, seed=0, device=torch.device("meta"))
    assert {value.device.type for value in moved(1).values()} == {"meta"}
    assert seen == [torch.device("cpu")] * 2
    assert torch.equal(MovedBatches(pool, seed=0, device=torch.device("cpu"))(1)["images"], images)


def test_a_run_on_an_apple_gpu_moves_its_batches(tmp_path, monkeypatch):
    setup = build(config(tmp_path, "augment.policy=randaugment", "augment.mixup=0.2"))
    monkeypatch.setattr(MovedBatches, "__call__", lambda self, number: (number, self.end, self.device))
    batches = building.make_batches(setup.config, setup.splits, torch.device("mps"))
    assert batches(3) == (3, torch.device("mps"), torch.device("cpu"))


class NoFloat64(TorchDispatchMode):
    """Refuses what an Apple GPU refuses."""

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        found = function(*arguments, **(options or {}))
        for value in tree_leaves(found):
            if isinstance(value, torch.Tensor) and value.dtype is torch.float64:
                raise TypeError(f"{function}: an Apple GPU has no float64")
        return found


METHODS = ("cross_entropy", "pseudo_label", "pi_model", "fixmatch", "flexmatch")
OPTIMIZERS = ("sgd", "nesterov", "adam", "adamw", "rmsprop", "lars")


@pytest.mark.parametrize(
    "override",
    [f"method.name={name}" for name in METHODS] + [f"optimizer.name={name}" for name in OPTIMIZERS],
)
def test_a_step_computes_nothing_in_float64(override, tmp_path):
    labels = [
        "augment.policy=shift",
        "data.labels_per_class=2",
        "data.unlabelled_batch_size=4",
        "method.ema_decay=0.9",
    ]
    setup = build(config(tmp_path, *(labels if "method" in override else []), override, "data.batch_size=4"))
    batch = setup.trainer.batches(0)
    setup.trainer.batches = lambda number: batch
    with NoFloat64():
        setup.trainer.fit(1)


class NoMetrics(dict):
    """In the place of the metrics, which are computed on the CPU there."""

    def to(self, device):
        return self

    def update(self, probs, labels):
        """Count nothing."""

    def compute(self):
        return {}


def test_evaluation_computes_nothing_in_float64_but_for_the_metrics_on_the_cpu(monkeypatch):
    monkeypatch.setattr(module, "make_metrics", lambda num_classes: NoMetrics())
    batch = {"images": torch.rand(5, 3), "labels": torch.tensor([0, 1, 2, 0, 1])}
    with NoFloat64():
        assert evaluate(torch.nn.Identity(), [batch], 3)["loss"] > 0
    assert module._home(torch.device("mps")) == torch.device("cpu")
    assert module._home(torch.device("cuda")) == torch.device("cuda")
    assert neighbour_accuracy(torch.nn.Identity(), [batch], [batch]) == 100


def test_the_random_state_of_an_apple_gpu_is_kept(tmp_path, monkeypatch):
    setup, given = build(config(tmp_path)), []
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: torch.tensor([7], dtype=torch.uint8))
    monkeypatch.setattr(torch.mps, "set_rng_state", given.append)
    state = setup.trainer.state_dict()
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: torch.tensor([8], dtype=torch.uint8))
    setup.trainer.load_state_dict(state)
    assert [value.tolist() for value in given] == [[7]]
