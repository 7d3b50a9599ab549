"""Finding the pictures in folders, one folder a class; what is ignored is named, and so is all that is wrong.

Hidden files and those that systems leave (`.DS_Store`, `Thumbs.db`, `desktop.ini`, `.ipynb_checkpoints`,
`._cat.jpg`, `__MACOSX`) are ignored wherever they lie, and so is a plain file beside the class folders.

>>> [is_system_file(Path(name)) for name in ("cat/.DS_Store", "cat/Thumbs.db", "cat/1.jpg")]
[True, True, False]
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dlbook.data.picture_file import PictureError, check_header

__all__ = ["KINDS", "ClassFolders", "find_classes", "is_system_file"]

KINDS = {
    *(".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".gif", ".webp", ".avif", ".jp2"),
    *(".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm"),
}
LEFT_BY_SYSTEMS = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "$recycle.bin"}
MOST_HEADERS = 50_000
MOST_NAMED = 20  # faults
MOST_IGNORED = 5  # of those that are named

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClassFolders:
    """The pictures that were found.

    Attributes:
        files: paths of the N pictures, class after class, each in the order of the names.
        labels: the number of the class of each.
        classes: K names.
        ignored: hidden and system files, and plain files beside the class folders.
    """

    files: list[Path]
    labels: list[int]
    classes: tuple[str, ...]
    ignored: list[Path]


def is_system_file(path: Path) -> bool:
    """Whether a file or folder is hidden, or one that systems leave behind, by its name."""
    return path.name.startswith(".") or path.name.lower() in LEFT_BY_SYSTEMS


def find_classes(root: Path, classes: Sequence[str] | None = None) -> ClassFolders:
    """Find the pictures of all classes. What is ignored is named in one line of the log.

    Only the header of each file is read, and of more than 50,000 files not even that.

    Args:
        root: the folder of the class folders.
        classes: names that the folders must have; None takes what there is, in alphabetical order.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: no classes, a class without pictures or without a folder, a folder that is not among
            `classes`, or a file that is no picture; all are named.
    """
    entries, ignored = _entries(root)
    ignored += [path for path in entries if not _is_folder(path)]
    folders = [path.name for path in entries if _is_folder(path)]
    if not folders:
        raise ValueError(
            f"{root}: expected one folder for each class, got {len(entries)} files and no folder; sort the "
            "pictures into folders"
        )
    classes = tuple(folders if classes is None else classes)
    if unknown := [name for name in folders if name not in classes]:
        raise ValueError(
            f"{root}: expected the folders {', '.join(classes)}, got also {', '.join(unknown)}; remove or "
            "rename them"
        )
    pairs, faults = [], []
    for label, name in enumerate(classes):
        pictures, hidden, wrong = _of_class(root / name)
        pairs += [(file, label) for file in pictures]
        ignored += hidden
        faults += wrong
    _refuse(root, faults + _headers([file for file, _ in pairs]))
    if ignored:
        names = [str(path.relative_to(root)) for path in ignored]
        log.warning("%s: ignored what is no picture of a class: %s", root, _listed(names))
    return ClassFolders([file for file, _ in pairs], [label for _, label in pairs], classes, ignored)


def _entries(folder: Path) -> tuple[list[Path], list[Path]]:
    """What lies in a folder, and what of it is to be ignored, both sorted."""
    try:
        entries = sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(
            f"{folder}: expected a folder with one folder of pictures for each class, got "
            f"{_instead(folder)}; check the path"
        ) from error
    return (
        [path for path in entries if not is_system_file(path)],
        [path for path in entries if is_system_file(path)],
    )


def _is_folder(path: Path) -> bool:
    return path.is_dir() or _is_broken_link(path)  # a link that leads nowhere was meant as a class


def _is_broken_link(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


def _instead(folder: Path) -> str:
    if _is_broken_link(folder):
        return f"a link to {folder.readlink()}, which is not there"
    return "a file" if folder.exists() else "no such folder"


def _of_class(folder: Path) -> tuple[list[Path], list[Path], list[str]]:
    """The pictures of a class, what is ignored, and what is wrong."""
    if not folder.is_dir():
        fix = "repair or remove the link" if folder.is_symlink() else "add it, with pictures of this class"
        return [], [], [f"{folder}: expected the folder of a class, got {_instead(folder)}; {fix}"]
    entries, ignored = _entries(folder)
    if not entries:
        return [], ignored, [f"{folder}: expected pictures, got none; add some or remove the folder"]
    pictures, faults = [], []
    for path in entries:
        if path.suffix.lower() in KINDS:  # no look at the disk: of a million pictures that would take minutes
            pictures.append(path)
        elif path.is_dir():
            faults.append(
                f"{path}: expected a picture, got a folder; move its pictures up into {folder}, where alone "
                "they are looked for"
            )
        else:
            faults.append(
                f"{path}: expected a picture, with an ending such as .jpg, .png or .tif, got another ending; "
                "rename it, or move it out of the folder"
            )
    return pictures, ignored, faults


def _headers(files: list[Path]) -> list[str]:
    faults = []
    for file in files if len(files) <= MOST_HEADERS else ():
        try:
            check_header(file)
        except PictureError as error:
            faults.append(str(error))
    return faults


def _refuse(root: Path, faults: list[str]) -> None:
    if faults:
        more = [f"... and {len(faults) - MOST_NAMED} more"] if len(faults) > MOST_NAMED else []
        raise ValueError(
            f"{root}: expected pictures in every class and nothing else, got {len(faults)} that are wrong; "
            "fix these:\n" + "\n".join(faults[:MOST_NAMED] + more)
        )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_IGNORED} more" if len(names) > MOST_IGNORED else ""
    return ", ".join(names[:MOST_IGNORED]) + more
