"""Checkpoints: whole or refused by name, and never in the way of the one before."""

import os
import pickle

import pytest
import torch

from dlbook.train import checkpoint

STATE = {
    "step": 7,
    "weights": torch.arange(1000.0),
    "rates": [0.1, 0.2],
    "name": "run",
    "nested": {"none": None},
}


def check_damage(module, folder):
    """Every way of damaging a file is refused with a CheckpointError that names it."""
    path = folder / "run.ckpt"
    module.save(path, STATE)
    whole = path.read_bytes()
    middle = len(whole) // 2
    damaged = {
        "empty": b"",
        "header only": whole[:40],
        "cut short": whole[:-1],
        "cut in half": whole[:middle],
        "one bit": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "last byte": whole[:-1] + bytes([whole[-1] ^ 128]),
        "appended": whole + b"x",
        "another file": b"PK" + whole[2:],
    }
    for kind, content in damaged.items():
        path.write_bytes(content)
        try:
            module.load(path)
        except module.CheckpointError as error:
            assert "run.ckpt" in str(error), kind
        else:
            raise AssertionError(f"{kind}: loaded")


def check_earlier_survives(module, folder, monkeypatch):
    """A crash at any point of writing leaves the earlier checkpoint, and nothing else."""
    path = folder / "run.ckpt"
    module.save(path, {"step": 1})
    for broken in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, broken, lambda *args: (_ for _ in ()).throw(OSError("no space left")))
            with pytest.raises(OSError, match="no space"):
                module.save(path, {"step": 2})
        assert module.load(path)["step"] == 1
        assert [file.name for file in folder.iterdir()] == ["run.ckpt"]


class Bomb:
    def __reduce__(self):
        return (exec, ("import builtins; builtins.bomb_went_off = True",))


def check_runs_no_code(module, folder):
    """A file with a right digest but code inside is not executed."""
    import builtins
    import hashlib
    import io

    stream = io.BytesIO()
    torch.save({"step": Bomb()}, stream)
    payload = stream.getvalue()
    header = checkpoint.MAGIC + f"{hashlib.sha256(payload).hexdigest()} {len(payload)}\n".encode()
    path = folder / "bomb.ckpt"
    path.write_bytes(header + payload)
    with pytest.raises(pickle.UnpicklingError):
        module.load(path)
    assert not hasattr(builtins, "bomb_went_off")


def test_round_trip(tmp_path):
    loaded = checkpoint.load(checkpoint.save(tmp_path / "run.ckpt", STATE))
    assert torch.equal(loaded.pop("weights"), STATE["weights"])
    assert loaded == {name: value for name, value in STATE.items() if name != "weights"}


def test_damage_is_refused_by_name(tmp_path):
    check_damage(checkpoint, tmp_path)


def test_earlier_checkpoint_survives(tmp_path, monkeypatch):
    check_earlier_survives(checkpoint, tmp_path, monkeypatch)


def test_no_code_runs(tmp_path):
    check_runs_no_code(checkpoint, tmp_path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        checkpoint.load(tmp_path / "none.ckpt")


def test_state_that_cannot_come_back_is_refused_when_saving(tmp_path):
    with pytest.raises(ValueError, match="weights_only"):
        checkpoint.save(tmp_path / "run.ckpt", {"optimizer": object()})
    assert list(tmp_path.iterdir()) == []


class Plain:
    """torch.save straight to the target, and loading without a look at the digest."""

    CheckpointError = checkpoint.CheckpointError

    @staticmethod
    def save(path, state):
        payload = checkpoint._pack(state)
        path.write_bytes(checkpoint.MAGIC + f"0 {len(payload)}\n".encode() + payload)
        os.fsync(0) if False else None
        return path

    @staticmethod
    def load(path):
        import io

        payload = path.read_bytes().partition(b"\n")[2]
        try:
            return torch.load(io.BytesIO(payload), weights_only=True)
        except Exception as error:
            raise checkpoint.CheckpointError(f"{path}: {error}") from error


class RunsCode(Plain):
    @staticmethod
    def load(path):
        import io

        return torch.load(io.BytesIO(path.read_bytes().partition(b"\n")[2]), weights_only=False)


class WritesInPlace(Plain):
    @staticmethod
    def save(path, state):
        path.write_bytes(b"half of a checkpoint")
        os.fsync(os.open(path, os.O_RDONLY))
        os.replace(path, path)


def test_seeded_fault_no_digest_is_caught(tmp_path):
    with pytest.raises(AssertionError):
        check_damage(Plain, tmp_path)


def test_seeded_fault_writing_in_place_is_caught(tmp_path, monkeypatch):
    class InPlace(WritesInPlace):
        calls = 0

        @staticmethod
        def save(path, state):
            InPlace.calls += 1
            return Plain.save(path, state) if InPlace.calls == 1 else WritesInPlace.save(path, state)

    with pytest.raises((AssertionError, checkpoint.CheckpointError)):
        check_earlier_survives(InPlace, tmp_path, monkeypatch)


def test_seeded_fault_running_code_is_caught(tmp_path):
    import builtins

    try:
        with pytest.raises(BaseException, match="DID NOT RAISE"):
            check_runs_no_code(RunsCode, tmp_path)
        assert builtins.bomb_went_off
    finally:
        if hasattr(builtins, "bomb_went_off"):
            del builtins.bomb_went_off
