"""The same figures in a real JupyterLab: open a MyST `.md` file as a notebook, run all, move sliders, read
the values back.
"""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
HERE = Path(__file__).parent
CHAPTER = HERE.parents[1] / "chapters/convolution/activations.md"
IDLE = ".jp-Notebook-ExecutionIndicator[data-status=idle]"
QUIET = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    }
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def settings_of_its_own(folder):
    """Environment in which Jupyter reads and writes nothing of the user's."""
    places = {
        "HOME": "home",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    for name in places.values():
        (folder / name).mkdir()
    binaries = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        **{key: str(folder / name) for key, name in places.items()},
        "OMP_NUM_THREADS": "1",
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
    }
    subprocess.run(
        [shutil.which("jupytext-config", path=environment["PATH"]), "set-default-viewer"],
        env=environment,
        check=True,
        capture_output=True,
    )
    overrides = folder / "config/labconfig/default_setting_overrides.json"
    known = json.loads(overrides.read_text("utf8")) if overrides.exists() else {}
    overrides.parent.mkdir(exist_ok=True)
    overrides.write_text(json.dumps({**known, **QUIET}), "utf8")
    return environment


def wait_for(address, process, log):
    for _ in range(240):
        assert process.poll() is None, f"JupyterLab ended:\n{log.read_text('utf8')}"
        try:
            urllib.request.urlopen(address, timeout=2)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.25)
    pytest.fail(f"JupyterLab did not answer within a minute:\n{log.read_text('utf8')}")


@pytest.fixture(scope="module")
def lab(tmp_path_factory, browser):
    """Function that opens a file of the notebook folder in JupyterLab and runs all its cells."""
    pytest.importorskip("jupyterlab")
    folder = tmp_path_factory.mktemp("lab")
    environment, books = settings_of_its_own(folder), folder / "books"
    books.mkdir()
    shutil.copy(HERE / "lab.md", books / "lab.md")
    if CHAPTER.exists():
        shutil.copy(CHAPTER, books / "activations.md")
    port, token, log = free_port(), secrets.token_hex(16), folder / "log.txt"
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        f"--ServerApp.port={port}",
        f"--ServerApp.root_dir={books}",
        f"--IdentityProvider.token={token}",
        "--ServerApp.port_retries=0",
    ]
    with log.open("w") as stream:
        process = subprocess.Popen(
            command, env=environment, stdout=stream, stderr=subprocess.STDOUT, cwd=books
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/api?token={token}", process, log)
        yield lambda page, name: run_all(page, f"http://127.0.0.1:{port}/lab/tree/{name}?reset&token={token}")
    finally:
        process.terminate()
        process.wait(20)


def choose_kernel(page, patience=0):
    """Accept the kernel that JupyterLab offers, as a reader would; False if it does not ask within `patience`
    ms.
    """
    select = page.locator("dialog.jp-Dialog .jp-mod-accept")
    for _ in range(patience // 500):
        if select.count():
            break
        page.wait_for_timeout(500)
    asked = select.count() > 0
    while select.count():  # it asks once for each try to run a cell
        select.first.click()
        page.wait_for_timeout(500)
    return asked


def run_all(page, address):
    """Open the notebook and run all cells."""
    page.goto(address)
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=60_000)
    choose_kernel(page, patience=4000)
    finished = page.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]"))
    waiting = page.locator(".jp-InputPrompt", has_text="[*]")
    for _ in range(4):
        page.locator(IDLE).wait_for(timeout=60_000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        for _ in range(40):
            page.wait_for_timeout(500)
            if choose_kernel(page):
                break  # JupyterLab forgets the cells when it asks
            if finished.count():
                expect(waiting).to_have_count(
                    0, timeout=300_000
                )  # what comes later moves the page under the pointer
                page.locator(IDLE).wait_for(timeout=300_000)  # cells out of sight are not counted above
                return
    pytest.fail("no cell ran in JupyterLab")


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    page = context.new_page()
    yield page
    context.close()


def drag_to_end(page, control):
    control.hover()  # at its middle, once it stands still: JupyterLab lays outputs out late
    box = control.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"], y, steps=5)
    page.mouse.up()


def test_sliders_move_by_mouse_and_by_their_buttons_and_python_reads_them(lab, page):
    lab(page, "lab.md")
    figure = page.locator(".dlw-curves")
    figure.wait_for(timeout=90_000)
    line = figure.locator('[data-curve="line"] .dlw-line')
    less, typed = figure.get_by_role("button", name="less slope"), figure.get_by_label("slope: type a value")
    for act in (
        lambda: drag_to_end(page, figure.get_by_role("slider", name="slope", exact=True)),
        less.click,
        lambda: typed.press("ArrowDown"),  # JupyterLab leaves the arrow keys to a text box
    ):
        before = line.get_attribute("d")
        act()
        expect(line).not_to_have_attribute("d", before, timeout=30_000)
    assert page.locator(".dlbook-still").count() == 0, (
        "JupyterLab must show the live figure, not its still picture"
    )
    page.wait_for_timeout(500)
    page.locator(".jp-CodeCell .cm-content").last.click()
    page.keyboard.press("Shift+Enter")
    page.get_by_text("chosen in the browser: {'slope': 1.8} [] MACs").wait_for(timeout=30_000)


def test_images_and_stepper_live(lab, page):
    lab(page, "lab.md")
    images = page.locator(".dlw-images")
    images.wait_for(timeout=90_000)
    before = images.locator("canvas").get_attribute("data-frame")
    images.get_by_role("button", name="less size").click()
    expect(images.locator("canvas")).not_to_have_attribute("data-frame", before, timeout=30_000)
    stepper = page.locator(".dlw-stepper")
    stepper.scroll_into_view_if_needed()
    stepper.get_by_role("button", name="next step").click()
    assert stepper.locator(".dlw-shown .dlw-caption").inner_text() == "Two."


def test_a_block_opens_by_mouse_and_by_keyboard_and_python_reads_it(lab, page):
    lab(page, "lab.md")
    diagram = page.locator(".dlw-diagram")
    diagram.wait_for(timeout=90_000)
    diagram.scroll_into_view_if_needed()
    block = diagram.locator('button[data-path="0"]')
    block.click()
    assert diagram.get_by_text("ReLU").is_visible()
    block.press("Space")
    assert not diagram.get_by_text("ReLU").is_visible()
    block.press("Space")
    diagram.get_by_role("radio", name="parameters").check(force=True)
    page.wait_for_timeout(500)
    page.locator(".jp-CodeCell .cm-content").last.click()
    page.keyboard.press("Shift+Enter")
    page.get_by_text("['0'] parameters").wait_for(timeout=30_000)


@pytest.mark.skipif(not CHAPTER.exists(), reason="the chapter on activations is not written yet")
def test_a_chapter_runs_as_a_notebook_and_its_explorer_is_alive(lab, page):
    lab(page, "activations.md")
    figure = page.locator(".dlw-curves").first
    figure.wait_for(timeout=180_000)
    figure.scroll_into_view_if_needed()
    lines = figure.locator(".dlw-plot")
    before = lines.inner_html()
    drag_to_end(page, figure.get_by_role("slider", name="read at x"))
    changed(page, lines, before)
    middle = lines.inner_html()
    figure.get_by_role("button", name="less read at x").click()
    changed(page, lines, middle)


def changed(page, drawing, before):
    """Wait until a drawing is another one: on a busy machine it follows a press some frames later."""
    differs = "([drawing, before]) => drawing.innerHTML !== before"
    page.wait_for_function(differs, arg=[drawing.element_handle(), before])
