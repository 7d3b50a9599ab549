"""The configurations that come with the package, by name.

>>> find("digits").name
'digits.yaml'
"""

import difflib
import itertools
import json
import shlex
from pathlib import Path

__all__ = ["about", "find", "locate", "names"]

FOLDER = Path(__file__).parent / "configs"


def names() -> list[str]:
    """The names that `find` knows."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def about(name: str) -> str:
    """What a bundled configuration is for: the comment at the head of its file."""
    lines = find(name).read_text("utf8").splitlines()
    head = itertools.takewhile(lambda line: line.startswith("#"), lines)
    return " ".join(line.lstrip("# ") for line in head)


def find(name: str | Path) -> Path:
    """Find the file of a configuration.

    Args:
        name: a bundled configuration, or the path of a file, which is returned as it is.

    Raises:
        ValueError: it is neither; the nearest name that exists is told.
    """
    path = Path(name)
    if path.name == str(name) and path.stem in names() and path.suffix and not path.exists():
        raise ValueError(
            f"{name}: expected a file, got a name of nothing here; the bundled configuration is called "
            f"{path.stem}"
        )
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return path
    if str(name) in names():  # also where a folder of that name lies here, which ./NAME names
        return FOLDER / f"{name}.yaml"
    if path.exists():
        return path
    near = difflib.get_close_matches(str(name), names(), n=1)
    raise ValueError(
        f"expected a file such as my.yaml or a bundled configuration ({', '.join(names())}), got "
        f"{str(name)!r}; {f'did you mean {near[0]!r}?' if near else 'give one of these'}"
    )


def locate(name: str | Path) -> tuple[Path, list[str]]:
    """Find the file of a configuration, and say where its run is kept if it is a run's own.

    Args:
        name: a bundled configuration, a file, or a run's folder.

    Returns:
        The file; and the override of output.folder by the folder in which it lies, which a run's own
        config.yaml gets: the run may have been moved since it began, or be named from elsewhere.

    Raises:
        ValueError: as of `find`, or it is a folder of pictures.
    """
    found = find(name)
    if (found / "train").is_dir() and not (found / "config.yaml").is_file():
        raise ValueError(
            f"{name}: expected a configuration or a run's folder, got a folder of pictures, with train; "
            f"for these: dlbook train image_folder data.root={shlex.quote(str(name))}"
        )
    file = found / "config.yaml" if (found / "config.yaml").is_file() else found
    if file.name != "config.yaml" or not (file.parent / "checkpoints").is_dir():
        return found, []
    return file, [f"output.folder={json.dumps(str(file.parent), ensure_ascii=False)}"]
