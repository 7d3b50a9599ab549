"""Where a run is wrong: what is kept of an evaluation says the same as the run's figures and its network."""

import csv
import json

import pytest
import torch
from torch.utils.data import Subset

from dlbook.recipes.run import evaluate as module
from dlbook.recipes.run.build import build
from dlbook.recipes.run.evaluate import evaluate_run
from dlbook.recipes.run.examine import Examination, examine_run, name_of
from dlbook.recipes.run.network import open_network
from dlbook.recipes.run.train import train
from dlbook.train.evaluate import evaluate
from tests.recipes.run.small_run import config


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examined")
    train(build(config(folder)))
    return folder / "run"


@pytest.fixture(scope="module")
def found(folder):
    return examine_run(folder, "validation", ["data.batch_size=100"])


def table(file):
    with open(file, encoding="utf8", newline="") as stream:
        return list(csv.reader(stream))


def test_the_answers_are_the_network_s_to_each_image_in_order(folder, found):
    images, labels = map(torch.stack, zip(*[(x, torch.as_tensor(y)) for x, y in found.images], strict=True))
    with torch.no_grad():
        probs = open_network(folder, "cpu").model(images).softmax(1)
    assert torch.equal(found.answers.labels, labels)
    assert torch.equal(found.answers.guesses, probs.argmax(1))
    torch.testing.assert_close(found.answers.confidence, probs.max(1).values)
    assert found.figures == evaluate_run(folder, "validation", ["data.batch_size=100"])
    assert found.figures["accuracy"] == pytest.approx(100 * found.answers.right.double().mean().item())
    assert found.figures["loss"] == pytest.approx(found.answers.nats.double().mean().item(), rel=1e-6)
    assert found.figures["calibration_error"] == pytest.approx(
        100 * found.answers.reliability().ece, abs=1e-3
    )


def test_a_run_that_may_not_be_written_to_is_told(found, monkeypatch):
    def forbidden(*given, **more):
        raise PermissionError(13, "Permission denied", "evaluation")

    monkeypatch.setattr("dlbook.recipes.run.examine.write_whole", forbidden)
    with pytest.raises(ValueError, match=r"run: expected .*\(evaluation: Permission denied\); copy the run"):
        found.save()


def test_what_is_written_says_the_same(found):
    home, number, wrong = found.save(), len(found.images), int((~found.answers.right).sum())
    assert home == found.folder / "evaluation" / "validation"
    assert json.loads((home / "figures.json").read_text()) == found.figures
    head, *rows = table(home / "confusion.csv")
    assert head == ["label", *found.classes] and [row[0] for row in rows] == list(found.classes)
    assert [[int(n) for n in row[1:]] for row in rows] == found.answers.confusion().tolist()
    head, *rows = table(home / "classes.csv")
    assert head == ["class", "images", "recall in %", "precision in %", "F1 in %"] and len(rows) == 10
    assert sum(int(row[1]) for row in rows) == number
    shares = sum(float(row[1]) * float(row[2]) for row in rows) / number
    assert shares == pytest.approx(found.figures["accuracy"], abs=1e-3)
    head, *rows = table(home / "calibration.csv")
    assert len(rows) == 15 and sum(float(row[2]) for row in rows) == pytest.approx(1, abs=1e-4)
    head, *rows = table(home / "mistakes.csv")
    assert len(rows) == wrong > 25 and all(row[1] != row[2] for row in rows)
    assert [float(row[4]) for row in rows] == sorted((float(row[4]) for row in rows), reverse=True)
    assert int(rows[0][0]) == found.answers.nats.argmax()


def test_the_sheet_shows_the_worst_and_a_flawless_run_has_none(found):
    assert found.sheet().size == (5 * 124, 5 * 164) and found.sheet(2).size == (5 * 124, 164)
    home = found.save()
    assert (home / "mistakes.png").is_file()
    right = found.answers.at(found.answers.right.nonzero()[:3, 0])
    Examination(found.folder, "validation", {}, right, found.images, found.classes).save()
    assert not (home / "mistakes.png").exists() and len(table(home / "mistakes.csv")) == 1


def test_the_weakest_classes_and_the_commonest_mistakes(found):
    recall = dict(zip(found.classes, found.answers.by_class().recall.tolist(), strict=True))
    assert found.weakest(2) == sorted(recall.items(), key=lambda row: row[1])[:2]
    label, guess, times, images = found.confused(1)[0]
    row = found.answers.confusion()[found.classes.index(label)]
    assert row[found.classes.index(guess)] == times and row.sum() == images and label != guess


def test_several_processes_give_the_answers_in_the_order_of_the_images(found, monkeypatch):
    whole = found.answers
    shares = [whole.at(torch.arange(rank, len(whole.labels), 3)) for rank in range(3)]
    monkeypatch.setattr(module, "world_size", lambda: 3)
    monkeypatch.setattr(module, "gather", lambda mine: shares)
    assert torch.equal(module._in_order([shares[0]]).nats, whole.nats)


def test_a_picture_is_named_by_its_file_through_any_choice(found):
    class Files(torch.utils.data.Dataset):
        files = ["a.png", "b.png", "c.png"]

    assert name_of(Subset(Subset(Files(), [2, 1]), [0]), 0) == "c.png"
    assert name_of(Files(), 1) == "b.png" and name_of(found.images, 7) == "7"


def test_each_gets_the_batches_that_count():
    seen, batch = [], {"images": torch.eye(3), "labels": torch.tensor([0, 1, 1])}
    answer = lambda logits, batch: seen.append((logits.tolist(), batch["labels"].tolist()))
    evaluate(torch.nn.Identity(), [batch, batch | {"counted": False}], 3, answer)
    assert seen == [(torch.eye(3).tolist(), [0, 1, 1])]
