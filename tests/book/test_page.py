"""The first cell: the same numbers at each run; what a page owns, and how it ends."""

import random

import matplotlib
import numpy as np
import pytest
import torch

from dlbook.book import inserts
from dlbook.book import page as book
from dlbook.book.ledger import LedgerMismatch


@pytest.fixture(autouse=True)
def as_before():
    """Undo what `begin` sets for the whole process."""
    threads, deterministic, parameters = (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        matplotlib.rcParams.copy(),
    )
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)
    matplotlib.rcParams.update(parameters)


def draw():
    return random.random(), float(np.random.rand()), torch.rand(3).tolist()


def test_begin_seeds_all_three_generators():
    book.begin("a", seed=3)
    first = draw()
    book.begin("a", seed=3)
    assert draw() == first
    book.begin("a", seed=4)
    assert all(a != b for a, b in zip(draw(), first, strict=True))


def test_begin_takes_its_threads_from_the_variable(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    book.begin("a")
    assert torch.get_num_threads() == 1 and torch.are_deterministic_algorithms_enabled()
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    with pytest.raises(ValueError, match="OMP_NUM_THREADS"):
        book.begin("a")


@pytest.mark.parametrize("seed", [-1, 1.5, 2**32, None])
def test_senseless_seeds_are_refused(seed):
    with pytest.raises(ValueError, match="seed"):
        book.begin("a", seed=seed)


@pytest.mark.parametrize("slug", ["", "ResNet", "two words", "a--b", "a_b"])
def test_bad_slugs_are_refused(slug):
    with pytest.raises(ValueError, match="slug"):
        book.begin(slug)


@pytest.fixture
def shown(monkeypatch):
    """What is inserted: name -> text."""
    found = {}
    monkeypatch.setattr(
        inserts, "insert", lambda name, value, form="{}": found.update({name: inserts.as_text(value, form)})
    )
    return found


def test_inserted_names_carry_the_slug(shown):
    page = book.begin("resnet")
    page.insert("error", torch.tensor([1.0, 2.0]), "{:.1f} %")
    page.ledger.cite("error of plain-34", "28.54 %", "he2016deep", "Table 2", insert="plain34")
    assert shown == {"resnet-error": "1.5 ± 0.7 %", "resnet-plain34": "28.54 %"}


def test_the_end_shows_the_ledger(shown, capsys):
    page = book.begin("resnet")
    with pytest.raises(ValueError, match="ledger of 'resnet', got none"):
        page.end()
    page.ledger.check("one", 1, 1)
    page.end()
    assert shown == {} and "verified" in capsys.readouterr().out


def test_a_page_has_its_own_ledger_and_device(monkeypatch):
    page = book.begin("resnet", seed=2)
    assert (page.slug, page.seed, page.device, page.ledger.chapter) == ("resnet", 2, "cpu", "resnet")
    with pytest.raises(LedgerMismatch, match="ledger of 'resnet'"):
        page.ledger.check("one", 1, 2)
    monkeypatch.setenv("DLBOOK_SCALE", "gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert book.begin("resnet").device == "cuda"
