"""One execution under nbval gives the site what an ordinary execution gives it: the same outputs, the
widgets.
"""

import json

import nbformat
import pytest
from kept_outputs import with_outputs
from nbclient import NotebookClient
from test_notebooks import environment, run_notebook

CELLS = [
    "import ipywidgets, sys\nfrom IPython.display import Markdown, clear_output, display",
    "print('one'); print('two', file=sys.stderr)\ndisplay(Markdown('*three*'))\n4",
    "5;",
    "print('gone')\nclear_output(wait=True)\nprint('here')",
    "slider = ipywidgets.IntSlider(7, description='depth')\nslider",
    "slider.value = 9",
    "shown = display('old', display_id=True)",
    "shown.update('new')",
]
KERNEL = {"name": "python3", "language": "python", "display_name": "Python 3"}


def notebook(cells=CELLS):
    """A notebook of code cells."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata["kernelspec"] = KERNEL
    return made


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The small notebook as nbval's run left it."""
    folder = tmp_path_factory.mktemp("kept")
    nbformat.write(notebook(), folder / "small.ipynb")
    run = run_notebook(folder / "small.ipynb", environment(folder / "package"))
    assert not run.failure, run.output
    return nbformat.read(folder / "small.executed", as_version=4)


def plain(nb):
    """Outputs without what is random: the names of widgets."""
    text = json.dumps([cell.outputs for cell in nb.cells])
    for number, name in enumerate(sorted(state(nb), key=text.find)):
        text = text.replace(name, f"widget-{number}")
    return json.loads(text)


def state(nb):
    """The widgets' state by name."""
    return nb.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]


def test_the_outputs_are_those_of_an_ordinary_execution(executed):
    ordinary = NotebookClient(notebook(), record_timing=False).execute()
    assert plain(executed) == plain(ordinary)
    assert executed.cells[2].outputs == []  # the semicolon hides the value
    assert [out["data"]["text/plain"] for out in executed.cells[6].outputs] == ["'new'"]
    assert executed.metadata.language_info.name == "python"


def test_the_widgets_state_is_kept(executed):
    (slider,) = [s["state"] for s in state(executed).values() if s["model_name"] == "IntSliderModel"]
    assert slider["value"] == 9 and slider["description"] == "depth"


def test_the_chapter_gets_the_outputs_of_its_own_cells(executed):
    hosted = nbformat.from_dict(executed)
    hosted.cells.insert(0, nbformat.v4.new_code_cell("%pip install nothing"))
    whole = with_outputs(notebook(), hosted)
    assert whole.cells[1].outputs == executed.cells[1].outputs and "widgets" in whole.metadata


def test_another_chapter_s_outputs_are_refused(executed):
    with pytest.raises(ValueError, match="expected the 8 code cells of the chapter, got 7"):
        with_outputs(notebook(), executed)
