"""export as somebody types it, and ways to get it wrong."""

from pathlib import Path

import pytest

BROKEN = {
    "no run": (("export", "runs/none", "a.pt2"), "train it first: dlbook train CONFIG"),
    "another kind of file": (
        ("export", "runs/none", "a.txt"),
        "ends in .onnx or .pt2, got a.txt; name it so",
    ),
    "another checkpoint": (
        ("export", "runs/none", "a.pt2", "--checkpoint", "newest"),
        "expected the checkpoint best or last, got 'newest'; take one",
    ),
    "a folder that is missing": (("export", "runs/none", "none/a.pt2"), "got no folder none; make it first"),
    "nothing at all": (("export",), "Missing argument"),
}


def test_export_tells_what_the_file_takes_and_what_was_compared(run, trained, tmp_path):
    code, out, _ = run("export", trained[0], "digits.pt2")
    first, second = out.splitlines()
    assert code == 0 and [file.name for file in tmp_path.iterdir()] == ["digits.pt2"]
    assert first == "digits.pt2: images [N, 1, 28, 28] in [0, 1] -> logits [N, 10], any N"
    assert second.startswith("compared with the run's network on 4 random images, by torch.export: largest")


def test_export_takes_the_checkpoint_that_other_commands_take(run, monkeypatch):
    seen = []
    monkeypatch.setattr("dlbook.recipes.run.export.export_run", lambda *given: seen.append(given) or 1 / 0)
    for words, checkpoint in (((), "best"), (("--checkpoint", "last"), "last")):
        with pytest.raises(ZeroDivisionError):
            run("export", "runs/a", "a.pt2", *words)
        assert seen.pop() == (Path("runs/a"), Path("a.pt2"), checkpoint)


@pytest.mark.parametrize("fault", BROKEN)
def test_broken_command_lines_get_a_sentence(refused, fault):
    refused(*BROKEN[fault])
