"""A pytest plugin beside nbval: keeps what every cell printed, drew and sent to its widgets.

nbval executes a notebook and judges it, and throws the outputs away. The site needs those outputs. With this
plugin one execution serves both: the book is built from the very run that passed. nbclient, which makes the
outputs of an ordinary execution, makes them here too, from the same messages of the kernel.

Each notebook `name.ipynb` leaves `name.executed` beside it, also where a cell failed.
"""

from contextlib import suppress
from functools import partial
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete
from nbval.plugin import IPyNbCell, IPyNbFile


class Keeper:
    """The executed notebook of one `.ipynb`, filled message by message."""

    def __init__(self, file: IPyNbFile) -> None:
        self.path = Path(str(file.fspath)).with_suffix(".executed")
        self.client = NotebookClient(file.nb, record_timing=False)
        self.client.reset_execution_trackers()
        self.client.clear_before_next_output = False
        about = file.kernel.kc.kernel_info(reply=True, timeout=60)["content"]
        self.client.nb.metadata["language_info"] = about["language_info"]
        self.cell, self.place = None, 0
        self._ask = file.get_kernel_message
        file.get_kernel_message = self.message
        # Kept in IPython's history, or a semicolon at a cell's end would not hide its value.
        file.kernel.execute_cell_input = partial(file.kernel.kc.execute, store_history=True)

    def begin(self, item: IPyNbCell) -> None:
        """From here on the messages belong to this cell."""
        self.cell, self.place = item.cell, self.client.nb.cells.index(item.cell)

    def message(self, *args, **options) -> dict:
        """The next message of the kernel, as nbval asks for it; its part in the output is kept."""
        message = self._ask(*args, **options)
        with suppress(CellExecutionComplete):
            self.client.process_message(message, self.cell, self.place)
        return message

    def write(self) -> None:
        """Write the notebook with its outputs and the state of its widgets."""
        self.client.set_widgets_metadata()
        nbformat.write(self.client.nb, self.path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Tell the keeper of the notebook which cell is running."""
    if isinstance(item, IPyNbCell):
        file = item.parent
        if not hasattr(file, "keeper"):
            file.keeper = Keeper(file)
        file.keeper.begin(item)
    return (yield)


@pytest.hookimpl
def pytest_sessionfinish(session):
    """Write what was kept."""
    for file in {item.parent for item in session.items if isinstance(item, IPyNbCell)}:
        if hasattr(file, "keeper"):
            file.keeper.write()
