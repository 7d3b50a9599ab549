"""The network of a run as one file for other programs: ONNX, or torch's own exported program.

    network.onnx    for onnxruntime and everything that reads ONNX; needs the packages onnx and onnxscript
    network.pt2     for torch.export.load, without this package; needs torch alone

Both take images [N, C, H, W] in [0, 1], any N, and hold the names of the classes and how a picture is
prepared. The file is read back and asked about some images; it stays only if it answers as the network does.

>>> export_run("runs/none", "network.txt")
Traceback (most recent call last):
ValueError: expected a file that ends in .onnx or .pt2, got network.txt; name it so
"""

import dataclasses
import io
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from dlbook.files import write_whole, writing_into
from dlbook.recipes.run.network import Network, open_network

__all__ = ["ExportedRun", "export_run"]

ENDINGS = (".onnx", ".pt2")
NEEDED = ("onnx", "onnxscript")  # to write ONNX
COMPARED = (1, 3)  # sizes of the batches that are compared
TOLERANCE = 1e-4  # of the largest answer, or of 1 if that is larger
Answer = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class ExportedRun:
    """A file, and how it was checked.

    Attributes:
        file: its path.
        takes, gives: shapes of inputs and outputs, such as "images [N, 1, 28, 28]".
        by: what ran the file.
        difference: the largest one between its answers and the network's.
        largest: the largest answer, without its sign.
    """

    file: Path
    takes: str
    gives: str
    by: str
    difference: float
    largest: float


def export_run(folder: str | Path, file: str | Path | None = None, checkpoint: str = "best") -> ExportedRun:
    """Write the network of a run into one file, and compare.

    Args:
        folder: of the run.
        file: ends in .onnx or .pt2, in a folder that exists; None is network.onnx in the run's folder.
        checkpoint: "best", of the best evaluation, or "last" for the newest weights.

    Raises:
        RunError: the folder holds no run.
        ModuleNotFoundError: a package that ONNX needs is missing; the command that fixes it is told.
        ValueError: another ending; a network that cannot be exported; or the file's answers differ, and it is
            not kept.
    """
    path = _target(folder, file)
    network = open_network(folder, "cpu", checkpoint)
    size = (network.preparation.in_channels, *network.preparation.size)
    program = _exported(network.model, torch.rand(2, *size, generator=torch.Generator().manual_seed(0)))
    write = _write_onnx if path.suffix == ".onnx" else _write_pt2
    with writing_into(path.parent, str(path), "name a file elsewhere"):
        name, answer = write(program, path, network)
    difference, largest, width = _compare(network.model, answer, size)
    if not difference <= TOLERANCE * max(1.0, largest):
        path.unlink()
        raise ValueError(
            f"{path}: expected the answers of the network, got others by {name}: {difference:.2g} away, "
            f"where the largest is {largest:.2g}; the file was removed; export to {' or '.join(ENDINGS)}"
        )
    gives = "logits" if network.answers == "classes" else "features"
    shape = ", ".join(map(str, size))
    return ExportedRun(path, f"images [N, {shape}]", f"{gives} [N, {width}]", name, difference, largest)


def _target(folder: str | Path, file: str | Path | None) -> Path:
    """The file to be written, looked at before the network is."""
    path = Path(file) if file is not None else Path(folder) / "network.onnx"
    if path.suffix not in ENDINGS:
        raise ValueError(f"expected a file that ends in {' or '.join(ENDINGS)}, got {path}; name it so")
    if file is not None and not path.parent.is_dir():
        raise ValueError(f"{path}: expected a file in a folder, got no folder {path.parent}; make it first")
    if path.suffix == ".onnx":
        _require_onnx(path)
    return path


def _require_onnx(path: Path) -> None:
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise ModuleNotFoundError(
            f"{path}: expected the packages {' and '.join(NEEDED)}, got no {' and no '.join(missing)}; to "
            f"fix it, run `pip install {' '.join(NEEDED)}`, or export to {path.with_suffix('.pt2')}, which "
            "needs neither"
        )


def _exported(model: nn.Module, images: Tensor) -> ExportedProgram:
    try:
        with torch.no_grad():
            return torch.export.export(model, (images,), dynamic_shapes=({0: Dim("batch")},))
    except Exception as error:  # torch's own, of many kinds
        raise ValueError(
            f"expected a network that torch.export takes, got {type(model).__name__} ({_first_line(error)}); "
            "take another model.name"
        ) from error


def _described(network: Network) -> dict[str, str]:
    """What a program needs to know beside the network, as texts."""
    return {
        "classes": json.dumps(network.classes, ensure_ascii=False),
        "preparation": json.dumps(dataclasses.asdict(network.preparation)),
    }


def _write_pt2(program: ExportedProgram, path: Path, network: Network) -> tuple[str, Answer]:
    stream = io.BytesIO()
    torch.export.save(program, stream, extra_files=_described(network))
    write_whole(path, stream.getvalue())
    return "torch.export", torch.export.load(path).module()


def _write_onnx(program: ExportedProgram, path: Path, network: Network) -> tuple[str, Answer]:
    outputs = ["logits" if network.answers == "classes" else "features"]
    try:
        made = torch.onnx.export(
            known_to_onnx(program), input_names=["images"], output_names=outputs, dynamo=True, verbose=False
        )
    except Exception as error:
        raise ValueError(
            f"{path}: expected a network whose operations ONNX has, got another ({_cause(error)}); export to "
            f"{path.with_suffix('.pt2')}, or take another model.name"
        ) from error
    made.model.metadata_props.update(_described(network))
    with tempfile.TemporaryDirectory() as folder:
        made.save(Path(folder) / "network.onnx")
        write_whole(path, (Path(folder) / "network.onnx").read_bytes())
    return _by_onnxruntime(path) if find_spec("onnxruntime") else _by_reference(path)


def known_to_onnx(program: ExportedProgram) -> ExportedProgram:
    """Write adaptive max pooling, which ONNX lacks, as the maxima of its windows: the same numbers."""
    lacking = torch.ops.aten.adaptive_max_pool2d.default
    found = any(node.target == lacking for node in program.graph.nodes)
    return program.run_decompositions({lacking: _pooled}) if found else program


def _pooled(x: Tensor, output_size: list[int]) -> tuple[Tensor, Tensor]:
    """Cell i of n reads from floor(i H / n) to ceil((i + 1) H / n). Nobody asks for the indices."""
    rows, columns = (
        [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]
        for size, count in zip(x.shape[-2:], output_size, strict=True)
    )
    cells = [torch.stack([x[..., t:b, a:z].amax((-2, -1)) for a, z in columns], dim=-1) for t, b in rows]
    values = torch.stack(cells, dim=-2)
    return values, torch.zeros_like(values, dtype=torch.int64)


def _by_onnxruntime(path: Path) -> tuple[str, Answer]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return "onnxruntime", lambda images: torch.from_numpy(session.run(None, {"images": images.numpy()})[0])


def _by_reference(path: Path) -> tuple[str, Answer]:
    from onnx.reference import ReferenceEvaluator

    session = ReferenceEvaluator(str(path))
    name = "onnx.reference (onnxruntime is not installed)"
    return name, lambda images: torch.from_numpy(session.run(None, {"images": images.numpy()})[0])


@torch.no_grad()
def _compare(model: nn.Module, answer: Answer, size: tuple[int, ...]) -> tuple[float, float, int]:
    """The largest difference, the largest answer, and how many numbers an answer has."""
    generator, differences, sizes = torch.Generator().manual_seed(1), [], []
    for count in COMPARED:
        images = torch.rand(count, *size, generator=generator)
        ours = model(images)
        differences.append((answer(images) - ours).abs().max().item())
        sizes.append(ours.abs().max().item())
    return max(differences), max(sizes), ours.shape[1]


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _cause(error: BaseException) -> str:
    """The first reason of an error that was raised from another."""
    while error.__cause__ is not None:
        error = error.__cause__
    return _first_line(error)
