"""Sweep in a real Chromium: each way ends at the tape's derivatives; by button, slider, click, finger; paper."""

import pytest

from dlbook.nn.autodiff import gradients
from tests.widgets.live import check_axe, check_legible, check_paper
from tests.widgets.sweep_checks import cross_entropy, every_rule, lens

pytestmark = pytest.mark.browser


def shown(page, kind):
    """{what stands in the circle: number beside it}, of the inputs."""
    rows = page.locator(".dlw-cell").evaluate_all(
        f"all => all.map(g => [g.querySelector('.dlw-strong').textContent, g.querySelector('.{kind}').textContent])"
    )
    return {name: float(text.replace("−", "-")) for name, text in rows if text and name[0] in "xyz"}


def verdict(page):
    return page.locator(".dlw-verdict").inner_text()


@pytest.mark.parametrize("way", ["reverse mode", "path by path"])
def test_the_last_step_has_the_derivatives_of_the_tape(open_figure, way):
    figure, z, output = cross_entropy()
    page = open_figure(figure)
    page.get_by_role("radio", name=way).check()
    page.get_by_role("button", name="last step").click()
    expected = [g.item() for g in gradients(output, z)]
    assert list(shown(page, "dlw-orange").values()) == pytest.approx(expected, abs=5e-4)


def test_forward_mode_needs_a_sweep_an_input(open_figure):
    figure, z, output = cross_entropy()
    page = open_figure(figure)
    page.get_by_role("radio", name="forward mode").check()
    page.get_by_role("button", name="last step").click()
    words = verdict(page).replace("−", "-")
    assert "3 of 3 sweeps" in words
    for name, gradient in zip(("z1", "z2", "z3"), gradients(output, z), strict=True):
        assert f"{name} {float(f'{gradient.item():.3g}'):g}" in words


def test_every_rule_is_the_tapes(open_figure):
    figure, inputs, output = every_rule()
    page = open_figure(figure)
    page.get_by_role("button", name="last step").click()
    expected = [g.item() for g in gradients(output, inputs)]
    assert list(shown(page, "dlw-orange").values()) == pytest.approx(expected, rel=6e-3)
    assert list(shown(page, "dlw-blue").values()) == [0.8, 1.5]


def test_paths_double_and_the_reverse_sweep_counts_edges(open_figure):
    page = open_figure(lens(5))
    page.get_by_role("button", name="last step").click()
    assert "All 32 paths" in verdict(page)
    assert "240 products and 31 sums" in verdict(page)  # 7.5 arrows a path, one product each
    end = shown(page, "dlw-orange")
    page.get_by_role("radio", name="reverse mode").check()
    assert page.locator(".dlw-count").inner_text() == "step 0 of 20"
    page.get_by_role("button", name="last step").click()
    assert "15 products and 5 sums" in verdict(page)
    assert shown(page, "dlw-orange")["x"] == end["x"]


def test_the_reader_changes_an_input(open_figure):
    figure, _, _ = cross_entropy(step=-1)
    page = open_figure(figure)
    before = shown(page, "dlw-orange")
    page.get_by_role("slider", name="z2").press("End")
    after = shown(page, "dlw-orange")
    assert shown(page, "dlw-blue")["z2"] == 2 and after["z2"] > before["z2"]
    figure.values = {"z2": 2.0}
    assert after["z2"] == pytest.approx(figure.values_and_adjoints()[1]["z2"], abs=5e-4)


def test_keyboard_steps_and_a_click_goes_to_a_node(open_figure):
    figure, _, _ = cross_entropy()
    page = open_figure(figure)
    page.get_by_role("slider", name="step 0 of 14").press("ArrowRight")
    assert "Forward: v1 = exp(z1) = 7.39" in page.locator(".dlw-words").inner_text()
    page.locator(".dlw-cell").last.click()
    assert "step 7 of 14" in page.locator(".dlw-count").inner_text()
    page.locator(".dlw-cell").last.click()
    assert "Backward: v7 is complete, 1." in page.locator(".dlw-words").inner_text()
    page.wait_for_timeout(700)
    assert "Backward: v7" in page.locator("[aria-live]").inner_text()


def test_play_runs_to_the_end(open_figure):
    page = open_figure(lens(5), reduced_motion="no-preference")
    page.get_by_role("button", name="play").click()
    page.wait_for_function(
        "document.querySelector('.dlw-count').textContent === 'step 32 of 32'", timeout=20000
    )
    assert page.get_by_role("button", name="play").is_visible()


@pytest.mark.parametrize("width", [1200, 390])
def test_it_is_legible(open_figure, width):
    for figure in (lens(6, step=20), cross_entropy(step=9)[0]):
        page = open_figure(figure, viewport={"width": width, "height": 900})
        check_legible(page, width)
        box = page.locator(".dlw-stage").bounding_box()
        ends = page.locator(".dlw-stage text").evaluate_all(
            "all => all.filter(t => t.textContent).map(t => [t.getBoundingClientRect().left, t.getBoundingClientRect().right])"
        )
        assert min(e[0] for e in ends) >= box["x"] and max(e[1] for e in ends) <= box["x"] + box["width"]


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing(open_figure, dark):
    check_axe(open_figure(cross_entropy(step=10)[0], dark=dark))


def test_paper_is_white_and_tells_the_step(open_figure):
    page = open_figure(lens(step=5))
    check_paper(page)
    assert "step 5 of 8" in page.locator(".dlw-state").inner_text()
