"""Draw in a real Chromium: what it computes is what torch computes; mouse, keys, words, paper, axe.

Seeded faults (`FAULTS`): each of them makes a proof fail.
"""

import pytest
import torch
from torch.nn import functional as F

from dlbook.browser import digit_networks as site
from dlbook.browser.bundle import squeezed
from dlbook.widgets import Draw
from tests.widgets.draw_checks import made, networks, samples
from tests.widgets.live import check_axe, check_paper

pytestmark = pytest.mark.browser
SLOW = 60_000  # milliseconds: a busy machine
ASK = """async ([code, bytes, pixels]) => {
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const { opened, occlusion, spread, layersOf, cellOf } = (await import(address)).default;
  const nets = opened(new TextEncoder().encode(bytes)), image = Float32Array.from(pixels), told = {};
  for (const [name, net] of Object.entries(nets)) {
    const { results, probabilities } = net.look(image), falls = await occlusion(net, image, probabilities, () => true);
    told[name] = { probabilities, gradient: Array.from(net.gradient(image, 4)), falls, spread: Array.from(spread(falls, 4)),
      attention: net.attention(results).map((block) => Array.from(block.data)) };
    if (name === "ConvNet") {
      const layers = layersOf(net, results);
      told.layers = layers.map((layer) => Array.from(results[layer.at].data));
      told.cells = layers.map((layer) => cellOf(net, results, layer, 2, layer.side - 1, 0));
    }
  }
  return told;
}"""
FAULTS = {
    "gradient": ("map((v) => -v)", "map((v) => v)"),
    "attention": ("temperature: Math.sqrt(query.shape[3])", "temperature: 1"),
    "covering": ("row * STRIDE + y) * SIDE + p * STRIDE;", "row * STRIDE + y) * SIDE + row * STRIDE;"),
    "weights of a cell": (
        "(map * maps + c) * taps, (map * maps + c + 1)",
        "(c * maps + map) * taps, (c * maps + map + 1)",
    ),
    "edge of a window": ("y * stride[0] - padding[0] +", "y * stride[0] +"),
}


def page_text():
    """What the page has of the networks."""
    return site.packed(networks()[0]).decode()


def asked(browser, code=Draw._esm):
    """What the page says of the first sample."""
    page = browser.new_page()
    try:
        page.goto("about:blank")
        return page.evaluate(ASK, [code, page_text(), image().flatten().tolist()])
    finally:
        page.close()


def image():
    return samples()[0][:1]


def covered(model, whole):
    """Torch's fall of the log probabilities, square by square: [169, 10]."""
    images = image().repeat(169, 1, 1, 1)
    for place in range(169):
        top, left = 2 * (place // 13), 2 * (place % 13)
        images[place, :, top : top + 4, left : left + 4] = 0
    with torch.no_grad():
        return whole - F.log_softmax(model(images), 1)


def proofs(told):
    """The largest difference from torch of each thing that the page says."""
    found, close = (
        {},
        lambda mine, theirs: (torch.tensor(mine).flatten() - theirs.flatten()).abs().max().item(),
    )
    for name, model in networks()[1].items():
        pixels, mine = image().clone().requires_grad_(), told[name]
        logs = F.log_softmax(model(pixels), 1)
        found[f"{name}: probabilities"] = close(mine["probabilities"], logs.exp())
        found[f"{name}: gradient"] = close(mine["gradient"], torch.autograd.grad(logs[0, 4], pixels)[0])
        found[f"{name}: covered"] = close(mine["falls"], covered(model, logs.detach()))
        if name == "transformer":
            for block, weights in enumerate(mine["attention"]):
                found[f"attention {block}"] = close(weights, model.attention(image(), block))
    features, x = networks()[1]["ConvNet"].features, image()
    shown = []
    for layer in features:
        x = layer(x)
        shown += [x] if isinstance(layer, (torch.nn.ReLU, torch.nn.AdaptiveMaxPool2d)) else []
    shown.append(networks()[1]["ConvNet"](image()))
    for number, (mine, theirs) in enumerate(zip(told["layers"], shown, strict=True)):
        found[f"layer {number}"] = close(mine, theirs)
    for number, cell in enumerate(told["cells"]):
        if cell["windows"][0]["weights"] is None:
            highest = max(each["value"] for each in cell["windows"][0]["seen"])
            found[f"cell {number}"] = abs(highest - cell["value"])
        else:
            total = sum(window["sum"] for window in cell["windows"]) + (cell["bias"] or 0)
            found[f"cell {number}"] = abs(total - cell["total"])
    return found


@pytest.fixture(scope="module")
def told(browser):
    return asked(browser)


def test_what_the_page_says_is_what_torch_says(told):
    found = proofs(told)
    assert len(found) == 6 + 2 + 5 + 5
    assert max(found.values()) <= 1e-4, found


def test_the_covered_squares_are_averaged_over_each_pixel(told):
    falls = torch.tensor(told["ConvNet"]["falls"]).reshape(13, 13, 10)[..., 4]
    mean = torch.zeros(2, 28, 28)
    for row in range(13):
        for column in range(13):
            mean[0, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4] += falls[row, column]
            mean[1, 2 * row : 2 * row + 4, 2 * column : 2 * column + 4] += 1
    assert (mean[0] / mean[1]).flatten().tolist() == pytest.approx(told["ConvNet"]["spread"], abs=1e-5)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_seeded_fault_is_caught(browser, fault):
    old, new = map(squeezed, FAULTS[fault])
    assert Draw._esm.count(old) == 1
    assert max(proofs(asked(browser, Draw._esm.replace(old, new))).values()) > 1e-3


PICTURED = """async ([code, strokes]) => {
  const { pictured } = (await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })))).default;
  return strokes.map((each) => Array.from(pictured(each)));
}"""


def test_a_drawing_is_centred_and_scaled_as_mnist_is(browser):
    seven = [[[10, 10], [50, 12], [25, 80]]]
    other = [[[2 * x + 300, 2 * y - 40] for x, y in seven[0]]]
    page = browser.new_page()
    page.goto("about:blank")
    drawn, moved, dot, none = (
        torch.tensor(each).reshape(28, 28)
        for each in page.evaluate(PICTURED, [Draw._esm, [seven, other, [[[5, 5]]], []]])
    )
    page.close()
    places = torch.arange(28.0)
    assert (drawn.sum(0) @ places / drawn.sum()).item() == pytest.approx(14, abs=0.3)
    assert (drawn.sum(1) @ places / drawn.sum()).item() == pytest.approx(14, abs=0.3)
    rows = (drawn.amax(1) > 0.3).nonzero().flatten()
    assert 19 <= rows[-1] - rows[0] + 1 <= 20 and drawn.max() == 1
    assert (drawn - moved).abs().max() < 1e-4 and dot.sum() > 1 and none.sum() == 0


@pytest.fixture
def opened(open_figure):
    """Function that opens the figure on a page which has the networks already, once they are opened."""

    def open_it(**options):
        page = open_figure(made(), first=site.script(networks()[0]).replace("\n", ""), **options)
        if options.get("java_script_enabled", True):
            page.wait_for_function(
                "document.querySelector('.dlw-verdict').textContent.startsWith('The ')", timeout=SLOW
            )
        return page

    return open_it


def verdict(page):
    return page.locator(".dlw-verdict").inner_text()


def changes(page, act):
    """The verdict after an action that has to change it."""
    before = page.locator(".dlw-answers").inner_text()
    act()
    page.wait_for_function(
        "before => document.querySelector('.dlw-answers').innerText !== before", arg=before, timeout=SLOW
    )
    return verdict(page)


def by_mouse(page):
    box = page.locator(".dlw-pad").bounding_box()
    at = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.mouse.move(*at(0.3, 0.2))
    page.mouse.down()
    page.mouse.move(*at(0.7, 0.2), steps=4)
    page.mouse.move(*at(0.4, 0.9), steps=4)
    page.mouse.up()


def test_a_digit_is_drawn_by_mouse_and_taken_back(opened):
    page = opened()
    assert "with" in changes(page, lambda: by_mouse(page))
    assert page.locator(".dlw-ink").get_attribute("d").count("L") >= 8
    changes(page, lambda: page.get_by_role("button", name="take back the last stroke").click())
    assert verdict(page).startswith("Nothing is drawn yet")


def test_a_digit_is_drawn_by_keyboard(opened):
    page = opened()
    pad = page.get_by_role("application")
    pad.focus()
    pad.press(" ")
    changes(page, lambda: [pad.press(key) for key in ["ArrowUp"] * 6 + ["ArrowRight"] * 4])
    pad.press(" ")
    before = page.locator(".dlw-ink").get_attribute("d")
    pad.press("ArrowDown")
    assert page.locator(".dlw-ink").get_attribute("d") == before and before.count("L") == 10
    pad.press("Backspace")
    page.wait_for_function(
        "document.querySelector('.dlw-verdict').textContent.startsWith('Nothing')", timeout=SLOW
    )


def test_a_sample_a_cell_and_a_digit_are_chosen(opened):
    page = opened()
    changes(page, lambda: page.get_by_role("button", name="sample: 0").click())
    board = page.get_by_role("slider", name="stage 2")
    board.press("PageDown")
    board.press("ArrowDown")
    assert page.locator(".dlw-zoom").inner_text().startswith("stage 2, map 2, row 2, column 1")
    assert (
        page.locator(".dlw-products td").count() == 9
        and "sum over 4 maps" in page.locator(".dlw-zoom").inner_text()
    )
    page.get_by_role("slider", name="classes").press("End")
    assert "logit" in page.locator(".dlw-zoom").inner_text()
    page.get_by_role("radio", name="explain the 8").check(force=True)
    page.wait_for_function(
        "document.querySelector('.dlw-read').textContent.startsWith('For the 8')", timeout=SLOW
    )
    page.get_by_role("img", name="what the 8 loses where a square is covered").wait_for(timeout=SLOW)


def test_the_transformer_shows_where_a_patch_looks(opened):
    page = opened()
    page.get_by_role("radio", name="transformer").check(force=True)
    board = page.get_by_role("slider", name="attention of block 2")
    board.press("ArrowRight")
    assert "column 2" in board.get_attribute("aria-valuetext")
    assert page.locator(".dlw-zoom").is_hidden()


@pytest.mark.parametrize("width", [1200, 390, 320])
def test_it_fits_and_targets_are_large(opened, width):
    page = opened(viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = page.locator(".dlw button:visible, .dlw .dlw-radio:visible").evaluate_all(
        "all => all.map(b => Math.min(b.getBoundingClientRect().width, b.getBoundingClientRect().height))"
    )
    assert min(boxes) >= 24


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(opened, dark):
    page = opened(dark=dark)
    page.get_by_role("img", name="what the 3 loses where a square is covered").wait_for(timeout=SLOW)
    check_axe(page)
    page.get_by_role("radio", name="transformer").check(force=True)
    page.get_by_role("slider", name="attention of block 2").wait_for()
    check_axe(page)


def test_paper_is_white_without_buttons(opened):
    check_paper(opened())


def test_without_its_file_it_says_what_is_missing(open_figure, tmp_path):
    page = open_figure(made())
    page.get_by_text("The networks could not be loaded").first.wait_for(timeout=SLOW)
