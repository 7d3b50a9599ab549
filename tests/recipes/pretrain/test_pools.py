"""Two views and multi-crop of pictures in folders, through the one road: methods that are not kept.

They prove the contract: a method of either kind is trained from a folder, resumed bit for bit, and trained by
two processes as by one, with one row in the table of methods.
"""

from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F

from dlbook.recipes import methods
from dlbook.recipes.pretrain import pools
from dlbook.recipes.run import config as run_config
from dlbook.recipes.run.build import build, make_batches
from dlbook.recipes.run.data import load
from dlbook.recipes.run.network import open_network
from dlbook.recipes.run.predict import from_run
from dlbook.recipes.run.train import train
from dlbook.train import checkpoint
from dlbook.train.method import Method
from dlbook.train.run import RunError
from tests.recipes.run.small_run import assert_same
from tests.recipes.run.test_network import pictures
from tests.recipes.run.two_processes import check_two_equal_one
from tests.seeded import edited

pytestmark = pytest.mark.forks
LOCAL = [f"local_{number}" for number in range(1, 7)]


@dataclass(frozen=True)
class Nothing:
    """No hyper-parameters."""


class Agree(Method):
    """All views of an image get like features: the mean squared distance to the first view's."""

    def __init__(self, model, config):
        super().__init__()
        self.model = model

    def training_step(self, batch, step):
        names = sorted(name for name in batch if name != "indices")
        features = [F.normalize(self.model(batch[name]), dim=1) for name in names]
        return {"loss": torch.stack([(each - features[0]).square().mean() for each in features[1:]]).mean()}


@pytest.fixture(params=["two_views", "multi_crop"])
def kind(request, monkeypatch):
    """A row for the small method, as an author would add it."""
    row = methods.MethodRow(Agree, Nothing, request.param)
    monkeypatch.setitem(methods.METHODS, "cross_entropy", row)  # under a name that the schema knows
    monkeypatch.setattr(run_config, "hyper_parameters", lambda section: Nothing())
    monkeypatch.setattr("dlbook.recipes.run.build.hyper_parameters", lambda section: Nothing())
    return request.param


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return pictures(tmp_path_factory.mktemp("views") / "pictures")


def config(root, folder, *overrides):
    content = {
        "model": {"name": "convnet_digits"},
        "data": {"name": "image_folder", "root": str(root), "batch_size": 4, "image_size": 32},
        "optimizer": {"name": "sgd", "lr": 0.05},
        "trainer": {"epochs": 4},
        "output": {"folder": str(folder), "tensorboard": False},
    }
    return run_config.resolve(run_config.RunConfig, content, overrides)


def test_the_views_of_a_batch(kind, root, tmp_path):
    run = config(root, tmp_path / "run")
    batch = make_batches(run, load(run.data, run.seed), torch.device("cpu"))(0)
    sizes = {name: tuple(value.shape[1:]) for name, value in batch.items() if name != "indices"}
    large, small = (3, 32, 32), (3, 14, 14)
    if kind == "two_views":
        assert sizes == {"first": large, "second": large}
    else:
        assert sizes == {"global_1": large, "global_2": large} | dict.fromkeys(LOCAL, small)
    views = [batch[name] for name in sizes if sizes[name] == large]
    assert not torch.equal(*views) and "labels" not in batch


def check_images(module, run) -> None:
    """Views are of the training images, and of all of them."""
    splits = load(run.data, run.seed)
    assert len({len(part) for part in (splits.train, splits.validation, splits.test)}) == 3
    for name in ("two_views", "multi_crop"):
        (pool,) = module[name](run, splits, 2)
        assert pool.dataset is splits.train and pool.size == 2 and pool.labels is None


def test_views_are_of_the_training_images(root, tmp_path):
    run = config(root, tmp_path / "run")
    check_images(vars(pools), run)
    with pytest.raises(AssertionError):
        check_images(edited(pools, "Pool(splits.train,", "Pool(splits.validation,"), run)


def test_a_resumed_run_has_the_bits_of_the_whole_one(kind, root, tmp_path):
    train(build(config(root, tmp_path / "whole")))
    setup = build(config(root, tmp_path / "parts"))

    class Stopped(Exception):
        pass

    def stop(line):
        if setup.trainer.step >= 2 * setup.steps_per_epoch:
            raise Stopped

    with pytest.raises(Stopped):
        train(setup, say=stop)
    train(build(config(root, tmp_path / "parts")), resume=True)
    last = f"checkpoints/step-{setup.steps:08d}.ckpt"
    assert_same(checkpoint.load(tmp_path / "whole" / last), checkpoint.load(tmp_path / "parts" / last))


def test_the_run_is_measured_by_neighbours_and_names_no_classes(kind, root, tmp_path):
    figures = train(build(config(root, tmp_path / "run")))
    assert figures.keys() == {"step", "accuracy"} and 0 <= figures["accuracy"] <= 100
    assert open_network(tmp_path / "run").answers == "features"
    with pytest.raises(RunError, match="expected a run that learnt classes, got one of features"):
        from_run(tmp_path / "run")


def test_two_processes_take_the_steps_of_one(kind, root, tmp_path):
    check_two_equal_one(config(root, tmp_path / "run"))
