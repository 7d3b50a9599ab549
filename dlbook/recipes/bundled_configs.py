"""The configurations that come with the package, by name.

>>> find("digits").name
'digits.yaml'
"""

import difflib
from pathlib import Path

__all__ = ["find", "names"]

FOLDER = Path(__file__).parent / "configs"


def names() -> list[str]:
    """The names that `find` knows."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def find(name: str | Path) -> Path:
    """Find the file of a configuration.

    Args:
        name: a bundled configuration, or the path of a file, which is returned as it is.

    Raises:
        ValueError: it is neither; the nearest name that exists is told.
    """
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return path
    if (bundled := FOLDER / f"{name}.yaml").is_file():
        return bundled
    near = difflib.get_close_matches(str(name), names(), n=1)
    raise ValueError(
        f"expected a file such as my.yaml or a bundled configuration ({', '.join(names())}), got "
        f"{str(name)!r}; {f'did you mean {near[0]!r}?' if near else 'give one of these'}"
    )
