"""Sets through torchvision: never a download unasked, clear errors, and the pictures unchanged.

Seeded fault that the check must catch: a loader that passes download=True on its own.
"""

import ast
import functools
import hashlib
import http.server
import pickle
import shlex
import socket
import struct
import threading

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import datasets

from dlbook.data import gather, torchvision_dataset, torchvision_sets


class Reached(OSError):
    """The network was tried."""


@pytest.fixture
def network(monkeypatch):
    """No network; counts the attempts to use it."""
    attempts = []

    def refuse(*args, **kwargs):
        attempts.append(args)
        raise Reached("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return attempts


def check_not_silent(load, name, root, network):
    with pytest.raises(
        FileNotFoundError,
        match=f"expected the complete files of {name} in .*, got none.*downloaded unasked.*download=True",
    ):
        load(name, root, "train")
    assert not network and not any(root.iterdir())


def test_the_command_that_downloads_can_be_pasted(tmp_path):
    root = tmp_path / "my 'sets'"
    with pytest.raises(FileNotFoundError) as error:
        torchvision_dataset("cifar10", root, "train")
    told = str(error.value)
    words = shlex.split(told[told.index("python -c") : told.index(" or name the folder")])
    arguments = ast.parse(words[2]).body[1].value.args
    assert words[:2] == ["python", "-c"] and len(words) == 3
    assert [each.value for each in arguments] == ["cifar10", str(root), "train"]


@pytest.mark.parametrize("name", torchvision_sets.SOURCES)
def test_nothing_is_downloaded_unasked(name, tmp_path, network):
    check_not_silent(torchvision_dataset, name, tmp_path, network)


def test_seeded_silent_download_is_caught(tmp_path, network):
    def eager(name, root, split):
        return torchvision_dataset(name, root, split, download=True)

    with pytest.raises((AssertionError, OSError, RuntimeError)):
        check_not_silent(eager, "cifar10", tmp_path, network)
    assert network


@pytest.mark.parametrize("name", torchvision_sets.SOURCES)
def test_download_is_announced_and_tried(name, tmp_path, network, capsys):
    with pytest.raises((OSError, RuntimeError)):
        torchvision_dataset(name, tmp_path, "test", download=True)
    assert network
    assert f"Fetching about {torchvision_sets.SOURCES[name].megabytes} MB" in capsys.readouterr().out


def test_progress_bar(capfd, tmp_path):
    """torchvision's downloader, which the sets use, shows a bar: tried on a server of this process."""
    (tmp_path / "a.bin").write_bytes(bytes(300_000))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        datasets.utils.download_url(f"http://127.0.0.1:{server.server_port}/a.bin", tmp_path / "to")
        server.shutdown()
    assert "100%" in capfd.readouterr().err


@pytest.fixture
def cifar(tmp_path, monkeypatch):
    """A CIFAR-10 of 5 + 5 pictures with the layout, and the checksums, that torchvision expects."""
    folder, images = (
        tmp_path / "cifar-10-batches-py",
        np.random.RandomState(0).randint(0, 256, (2, 5, 3072), np.uint8),
    )
    folder.mkdir()

    def write(name, content):
        (folder / name).write_bytes(pickle.dumps(content))
        return [name, hashlib.md5((folder / name).read_bytes()).hexdigest()]

    train = write("data_batch_1", {"data": images[0], "labels": [0, 1, 2, 3, 4]})
    test = write("test_batch", {"data": images[1], "labels": [4, 3, 2, 1, 0]})
    meta = write("batches.meta", {"label_names": ["plane", "car", "bird", "cat", "deer"]})
    monkeypatch.setattr(datasets.CIFAR10, "train_list", [train])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", [test])
    monkeypatch.setattr(datasets.CIFAR10, "meta", {"filename": meta[0], "key": "label_names", "md5": meta[1]})
    return tmp_path, images


def test_cifar_splits_and_pixels(cifar, network):
    root, images = cifar
    for index, split in enumerate(("train", "test")):
        data = gather(torchvision_dataset("cifar10", root, split))
        assert data.images.shape == (5, 3, 32, 32)
        assert torch.equal(data.images.mul(255).round().byte().flatten(1), torch.from_numpy(images[index]))
        assert (
            data.labels.tolist() == ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0])[index] and data.classes[0] == "plane"
        )
    assert len(gather(torchvision_dataset("cifar10", str(root), "test"), limit=2)) == 2
    assert not network


def test_altered_cifar_is_refused(cifar):
    root, _ = cifar
    path = root / "cifar-10-batches-py" / "data_batch_1"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(
        FileNotFoundError, match="expected the complete files of cifar10 in .*, got none or others"
    ):
        torchvision_dataset("cifar10", root, "train")


def test_fashion_mnist(tmp_path, network):
    folder = tmp_path / "FashionMNIST" / "raw"
    folder.mkdir(parents=True)
    pixels = np.arange(2 * 28 * 28, dtype=np.uint8)
    for prefix in ("train", "t10k"):
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(
            struct.pack(">4i", 2051, 2, 28, 28) + pixels.tobytes()
        )
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 2049, 2) + bytes([9, 3]))
    data = gather(torchvision_dataset("fashion_mnist", tmp_path, "test"))
    assert data.images.shape == (2, 1, 28, 28) and data.labels.tolist() == [9, 3] and len(data.classes) == 10
    assert data.images.flatten()[255] == 1


def test_image_folder(tmp_path):
    for split, name, size in (("train", "cat", 8), ("train", "dog", 8), ("val", "cat", 8), ("val", "cat", 9)):
        (tmp_path / split / name).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (size, 8), (255, 0, 51)).save(tmp_path / split / name / f"{size}.png")
    data = gather(torchvision_dataset("image_folder", tmp_path, "train"))
    assert data.classes == ("cat", "dog") and data.images[0, :, 0, 0].tolist() == pytest.approx([1, 0, 0.2])
    with pytest.raises(ValueError, match="got 2 sizes; give a transform"):
        gather(torchvision_dataset("image_folder", tmp_path, "val"))
    with pytest.raises(FileNotFoundError, match=r"test, .*root/split/class/picture, got in .*: train, val;"):
        torchvision_dataset("image_folder", tmp_path, "test")
    with pytest.raises(ValueError, match="an image folder has no address"):
        torchvision_dataset("image_folder", tmp_path, "train", download=True)


def test_unknown_names(tmp_path):
    with pytest.raises(ValueError, match="'fashion_mnist' or 'image_folder', got 'imagenet'"):
        torchvision_dataset("imagenet", tmp_path, "train")
    with pytest.raises(ValueError, match="expected split to be 'train' or 'test', got 'val'"):
        torchvision_dataset("cifar10", tmp_path, "val")
