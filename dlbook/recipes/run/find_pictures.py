"""The picture files that somebody means by a folder, a pattern or a name.

    predictor = from_run("runs/pets")
    {file: predictor(file, 3) for file in find_pictures(["holiday/", "more/*.jpg"])}

>>> from dlbook.data import data_dir
>>> len(find_pictures([data_dir() / "photographs"])) > 2
True
"""

import glob
from collections.abc import Iterable
from pathlib import Path

from dlbook.data.class_folders import KINDS, is_system_file

__all__ = ["find_pictures"]


def find_pictures(names: Iterable[str | Path]) -> list[Path]:
    """Find files.

    Args:
        names: each a file, taken as it is; a folder, for all pictures in it and in the folders below; or a
            pattern such as ``photos/**/*.jpg``, for shells that leave patterns to the program.

    Returns:
        Each file once, in the order of the names, and of one folder or pattern in that of their paths. Hidden
        and system files are left out.

    Raises:
        ValueError: a folder holds no picture, or nothing matches a pattern.
    """
    found: dict[Path, None] = {}
    for name in names:
        found |= dict.fromkeys(_files(Path(name).expanduser()))
    return list(found)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        inside = [
            file for file in path.rglob("*") if file.suffix.lower() in KINDS and not _hidden(file, path)
        ]
        if not inside:
            raise ValueError(
                f"{path}: expected a folder with pictures ({', '.join(sorted(KINDS))}), got none in it and "
                "below it; check the path"
            )
        return sorted(inside)
    if path.exists() or not glob.has_magic(str(path)):
        return [path]
    matching = [Path(file) for file in glob.glob(str(path), recursive=True)]
    if not (files := sorted(file for file in matching if file.is_file())):
        raise ValueError(f"{path}: expected a pattern of files, got one that matches none; check the path")
    return files


def _hidden(file: Path, below: Path) -> bool:
    return any(is_system_file(Path(part)) for part in file.relative_to(below).parts) or not file.is_file()
