"""Weak and strong views of the right images, and no label that the method may not see."""

import pytest
import torch

from dlbook.augment import digits
from dlbook.data import LabelledImages
from dlbook.recipes.run.build import make_batches
from dlbook.recipes.run.data import Splits, load
from dlbook.recipes.semi.pools import weak_strong
from dlbook.train.pools import generator_of
from tests.recipes.run.small_run import config
from tests.recipes.run.two_processes import check_two_equal_one

pytestmark = pytest.mark.forks
SEMI = ("data.labels_per_class=2", "data.unlabelled_batch_size=30", "augment.policy=shift")


def batch_of(run, splits, number=1):
    return make_batches(run, splits, torch.device("cpu"))(number)


def test_views_are_made_of_the_unlabelled_images(tmp_path):
    run = config(tmp_path, "method.name=fixmatch", *SEMI)
    splits = load(run.data, run.seed)
    batch = batch_of(run, splits)
    assert {name: len(value) for name, value in batch.items()} == {
        "labelled": 20,
        "labels": 20,
        "weak": 30,
        "strong": 30,
        "indices": 30,
    }
    plain = splits.train.images[batch["indices"]]
    for name, step in (("weak", digits.weak), ("strong", digits.strong)):
        assert torch.equal(batch[name], step(plain, generator_of(run.seed, "view", name, 1, 0)))


@pytest.mark.parametrize(
    ("method", "names"),
    [("pseudo_label", {"weak"}), ("pi_model", {"first", "second"}), ("flexmatch", {"weak", "strong"})],
)
def test_each_method_gets_the_views_that_it_asks_for(tmp_path, method, names):
    run = config(tmp_path, f"method.name={method}", *SEMI)
    splits = load(run.data, run.seed)
    assert batch_of(run, splits).keys() == names | {"labelled", "labels", "indices"}


def test_hidden_labels_change_nothing(tmp_path):
    run = config(tmp_path, "method.name=fixmatch", *SEMI)
    splits = load(run.data, run.seed)
    labelled, unlabelled = weak_strong(run, splits, 1)
    shown = {image.numpy().tobytes() for image in labelled.dataset.images}
    spoiled = splits.train.labels.clone()
    for place, image in enumerate(splits.train.images):
        if image.numpy().tobytes() not in shown:
            spoiled[place] = (spoiled[place] + 1) % 10
    other = LabelledImages(splits.train.images, spoiled, splits.classes)
    assert unlabelled.labels is None and (spoiled != splits.train.labels).sum() > 90
    again = Splits(other, splits.validation, splits.test, splits.classes, splits.preparation)
    one = unlabelled.fetch([(0, 3), (0, 70)], seed=0)
    assert all(
        torch.equal(value, weak_strong(run, again, 1)[1].fetch([(0, 3), (0, 70)], 0)[name])
        for name, value in one.items()
    )


def semi_config(folder, method, more=""):
    return config(folder, f"method={{name: {method}, ema_decay: 0.9{more}}}", *SEMI, "optimizer.lr=0.01")


@pytest.mark.parametrize("method", ["fixmatch", "pseudo_label", "pi_model"])
def test_two_processes_take_the_steps_of_one(tmp_path, method):
    check_two_equal_one(semi_config(tmp_path, method))


def test_two_processes_remember_what_one_does(tmp_path):
    """FlexMatch's memory, with a threshold that every guess of ten classes reaches."""
    check_two_equal_one(semi_config(tmp_path, "flexmatch", ", threshold: 0.1"))


def test_a_memory_of_one_share_is_caught(tmp_path, monkeypatch):
    monkeypatch.setattr("dlbook.semi.flexmatch.gather_rows", lambda rows: rows)
    with pytest.raises(AssertionError):
        check_two_equal_one(semi_config(tmp_path, "flexmatch", ", threshold: 0.1"))


def test_a_policy_without_two_strengths_is_refused(tmp_path):
    run = config(tmp_path, "method.name=fixmatch", *SEMI[:2])
    with pytest.raises(ValueError, match="augment.policy: expected one of shift, randaugment"):
        weak_strong(run, load(run.data, run.seed), 1)
