"""Images and steps on a built page, in a real Chromium: the frame, buttons, play, less motion."""

import pytest

pytestmark = pytest.mark.browser
IMAGES, STEPPER = 2, 3  # places among the figures of page.md


def figure(page, number):
    return page.locator(".dlw").nth(number)


def pixel(page, stack, x, y):
    canvas = figure(page, IMAGES).locator("canvas").nth(stack)
    return canvas.evaluate("(c, [x, y]) => [...c.getContext('2d').getImageData(x, y, 1, 1).data]", [x, y])


def test_images_show_the_frame_of_their_parameters(open_page):
    page = open_page()
    yellow = [253, 231, 37, 255]  # the top of viridis
    assert pixel(page, 1, 0, 0) == yellow and pixel(page, 1, 7, 8) != yellow
    image = pixel(page, 0, 7, 8)
    for name, presses in (("layer", 2), ("head", 1)):
        for _ in range(presses):
            figure(page, IMAGES).get_by_role("button", name=f"more {name}").click()
    assert pixel(page, 1, 7, 8) == yellow
    assert pixel(page, 0, 7, 8) == image
    assert figure(page, IMAGES).get_by_role("img", name="attention, layer = 3, head = 2").count() == 1
    assert figure(page, IMAGES).get_by_text("Head 2 of layer 3 looks at row 8.", exact=True).count() == 1
    assert (
        figure(page, IMAGES).locator("canvas").first.evaluate("c => getComputedStyle(c).imageRendering")
        == "pixelated"
    )


def test_pictures_take_all_the_width_that_their_place_counts(open_page):
    stacks = figure(open_page(), IMAGES).locator(".dlw-stack")
    widths = stacks.evaluate_all(
        "all => all.map(s => [s.offsetWidth, s.querySelector('canvas').offsetWidth])"
    )
    assert widths and all(stack == canvas for stack, canvas in widths), widths


def test_stepper_steps_by_button_range_and_play(open_page):
    page = open_page()
    stepper = figure(page, STEPPER)
    stepper.get_by_role("button", name="next step").click()
    assert "Exponentiate" in stepper.locator(".dlw-shown .dlw-caption").inner_text()
    assert stepper.locator(".dlw-shown td.dlw-marked").all_text_contents() == [
        "7.39 (marked)",
        "2.72 (marked)",
        "1.11 (marked)",
    ]
    height = stepper.bounding_box()["height"]
    tones = stepper.locator(".dlw-shown td.dlw-plus").evaluate_all(
        "all => all.map(el => parseFloat(getComputedStyle(el).getPropertyValue('--dlw-part')))"
    )
    assert tones[3:] == [45, 17, 7], "the largest is coloured most: 7.39, 2.72, 1.11"
    stepper.get_by_role("button", name="last step").press("Enter")
    assert stepper.bounding_box()["height"] == height, "a step moved the page"
    assert "step 5 of 5" in stepper.inner_text()
    stepper.get_by_role("slider").press("ArrowLeft")
    assert "Divide" in stepper.locator(".dlw-shown .dlw-caption").inner_text()
    stepper.get_by_role("button", name="first step").click()
    stepper.get_by_role("button", name="play").click()
    page.wait_for_timeout(1500)
    assert "step 2 of 5" in stepper.inner_text()
    stepper.get_by_role("button", name="pause").click()
    page.wait_for_timeout(1300)
    assert "step 2 of 5" in stepper.inner_text()


def test_no_play_button_for_readers_who_ask_for_less_motion(open_page):
    page = open_page(reduced_motion="reduce")
    assert figure(page, STEPPER).get_by_role("button", name="play").count() == 0
