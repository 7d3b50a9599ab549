"""Runs one notebook in a process of its own: `python scripts/run_chapter.py NOTEBOOK FOLDER`.

NOTEBOOK (.ipynb) is written again with its outputs, up to the cell that failed. FOLDER is where the kernel
starts. Beside it, NOTEBOOK.json tells how it went, and NOTEBOOK.cell which cell runs. No cell has a limit of
time.
"""

import json
import re
import resource
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def run(file: Path, folder: Path) -> dict:
    """Execute the notebook; return how it went: "cell" and "error" if it failed, processor seconds, MiB."""
    notebook = nbformat.read(file, as_version=4)
    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    outcome = {"cells": len(code)}

    def tell(cell, cell_index) -> None:
        if cell_index in code:
            outcome["cell"] = code.index(cell_index) + 1
            file.with_suffix(".cell").write_text(f"{outcome['cell']} {len(code)}")

    kernel = notebook.metadata.get("kernelspec", {}).get("name", "python3")
    client = NotebookClient(
        notebook,
        kernel_name=kernel,
        timeout=None,
        record_timing=False,  # it would stand in the cells' metadata, by which the cache knows them
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=tell,
    )
    try:
        client.execute()
        outcome.pop("cell", None)
    except CellExecutionError as error:
        outcome |= {"error": f"{error.ename}: {error.evalue}", "traceback": traceback_of(notebook)}
    except DeadKernelError:
        outcome |= {"error": "the kernel died (often: the memory was used up)", "traceback": ""}
    nbformat.write(notebook, file)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # of the kernel, which has ended
    unit = 2**20 if sys.platform == "darwin" else 2**10
    outcome |= {"processor_seconds": used.ru_utime + used.ru_stime, "peak_mebibytes": used.ru_maxrss / unit}
    return outcome


def traceback_of(notebook: nbformat.NotebookNode) -> str:
    """The traceback that the failed cell shows, without colours."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                return COLOURS.sub("", "\n".join(output.traceback))
    return ""


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.with_suffix(".json").write_text(json.dumps(run(path, Path(sys.argv[2]))), "utf8")
