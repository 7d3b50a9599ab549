"""Output for streams of any encoding: nothing ends the command, nothing is lost, JSON stays JSON."""

import io
import json
import sys

import pytest

from dlbook.cli import main

ENCODINGS = ["utf-8", "cp437", "ascii", "latin-1"]


@pytest.fixture
def written(monkeypatch, tmp_path):
    """What a command writes to streams of an encoding: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def call(encoding, *words):
        streams = [io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict") for _ in range(2)]
        for name, stream in zip(("stdout", "stderr"), streams, strict=True):
            monkeypatch.setattr(sys, name, stream)
        monkeypatch.setattr(sys, "argv", ["dlbook", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        for stream in streams:
            stream.flush()
        read = (
            "utf-8" if encoding == "ascii" else encoding
        )  # click takes ASCII for a mistake of the environment
        return ended.value.code, *(stream.buffer.getvalue().decode(read) for stream in streams)

    return call


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_table_is_written_whatever_the_encoding(written, encoding):
    code, out, err = written(encoding, "models", "--family", "lenet")
    assert (code, err) == (0, "") and ("1×32×32" in out or r"1\xd732\xd732" in out)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_error_is_written_whatever_the_encoding(written, encoding):
    code, _, err = written(encoding, "summary", "größe×\udce9")  # the last is a byte that is no UTF-8
    assert code == 2 and err.startswith("dlbook: expected the name of a model") and "charmap" not in err


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_reads_back_whatever_the_encoding(written, encoding, monkeypatch):
    known = {"größe": "×"}
    monkeypatch.setattr("dlbook.zoo.describe", lambda *given: known)
    code, out, _ = written(encoding, "summary", "lenet5", "--json")
    assert code == 0 and json.loads(out) == known and ("größe" in out) == (encoding == "utf-8")
