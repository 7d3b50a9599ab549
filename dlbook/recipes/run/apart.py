"""A run is kept apart from pictures: its folders would become classes of theirs, its files pictures.

>>> import tempfile
>>> with tempfile.TemporaryDirectory() as folder:
...     first_picture(Path(folder)) is None
True
"""

import os
from pathlib import Path

from dlbook.data.class_folders import KINDS
from dlbook.recipes.run.data import PARTS
from dlbook.recipes.run.sections import Data
from dlbook.recipes.run_folder import is_run

__all__ = ["first_picture", "require_apart"]

OWN = {"checkpoints", "tensorboard", "wandb", "evaluation"}  # a run's; evaluation has a picture
DEEPEST = 3  # FOLDER/train/cat/1.jpg


def require_apart(folder: str | Path, data: Data) -> None:
    """Refuse to begin a run in a folder of pictures, or within the training images.

    Args:
        folder: where a run shall be kept; it need not exist.
        data: what it is trained on.

    Raises:
        ValueError: pictures lie there. A folder where a run was begun is taken as it is.
    """
    folder = Path(folder)
    if is_run(folder):
        return
    if data.name == "image_folder":
        root, own = Path(data.root).expanduser().resolve(), folder.resolve()
        if within := [part for part in PARTS if own.is_relative_to(root / part)]:
            _refuse(folder, f"one within the images in {Path(data.root) / within[0]}")
    if (picture := first_picture(folder)) is not None:
        _refuse(folder, f"a folder of pictures, such as {picture}")


def first_picture(folder: Path) -> Path | None:
    """A picture in a folder or up to three levels below it, by its ending; those of runs do not count."""
    for home, folders, files in os.walk(folder):
        if found := [name for name in sorted(files) if Path(name).suffix.lower() in KINDS]:
            return Path(home) / found[0]
        deep = len(Path(home).relative_to(folder).parts)
        folders[:] = sorted(
            name
            for name in folders
            if deep < DEEPEST
            and name not in OWN
            and not name.startswith(".")
            and not is_run(Path(home) / name)
        )
    return None


def _refuse(folder: Path, got: str) -> None:
    raise ValueError(
        f"output.folder: expected a folder without pictures for the run, got {folder}, {got}; name another "
        "by output.folder=FOLDER (nothing was changed)"
    )
