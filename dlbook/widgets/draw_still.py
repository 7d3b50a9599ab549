"""The still picture of :class:`Draw`: a sample, the ConvNet's maps, both answers, and the attention."""

import numpy as np
import torch
from PIL import Image
from torch import nn

from dlbook.widgets import encode
from dlbook.widgets import stage_still as stage
from dlbook.widgets.still import escape
from dlbook.widgets.unit_still import coloured

ACROSS = 16  # maps in a row
LAST = ("transformer, last block:", "where the class token's heads look")


def draw(figure):
    """Return heading, the picture in two widths, and the description, as HTML."""
    seen = _seen(figure)
    return stage.both(figure, lambda _, width: _picture(seen, width), f"the sample {figure.values['sample']}")


def _seen(figure):
    """Return what there is to draw: picture, layers, probabilities and attention, as arrays."""
    image, kept = figure.chosen(), []
    convnet, transformer = figure.models.values()
    layers = [m for m in convnet.modules() if isinstance(m, (nn.ReLU, nn.AdaptiveMaxPool2d))]
    hooks = [each.register_forward_hook(lambda _, __, out: kept.append(out[0].numpy())) for each in layers]
    with torch.no_grad():
        found = {name: model.eval()(image).softmax(1)[0].numpy() for name, model in figure.models.items()}
        heads = transformer.attention(image)[0, :, 0, 1:].numpy()  # the last block's class token
    for hook in hooks:
        hook.remove()
    side = round(heads.shape[1] ** 0.5)
    return {
        "picture": image[0, 0].numpy(),
        "layers": kept,
        "probabilities": found,
        "heads": heads.reshape(-1, side, side),
    }


def tiled(maps, across):
    """Return maps [C, H, W] side by side, `across` in a row, with one cell of nothing between them."""
    count, side, _ = maps.shape
    rows = -(-count // across)
    sheet = np.zeros((rows * (side + 1) - 1, across * (side + 1) - 1))
    for number, one in enumerate(maps):
        top, left = number // across * (side + 1), number % across * (side + 1)
        sheet[top : top + side, left : left + side] = one
    return sheet


def _image(pixels, x, y, width):
    """Return an image of some width at a place, and the y below it."""
    height = width * pixels.shape[0] / pixels.shape[1]
    at = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    ground = f'<rect class="dls-unlit" {at}/>'
    uri = encode.data_uri(Image.fromarray(pixels))
    return f'{ground}<image preserveAspectRatio="none" href="{uri}" {at}/>', y + height


def _words(x, y, words, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(words)}</text>'


def _picture(seen, width):
    wide = width >= 640
    left = 260 if wide else width - 32
    parts, y = [_words(16, 26, "what the networks see")], 36
    grey = np.rint(255 * seen["picture"]).astype(np.uint8)
    drawn, y = _image(grey, 16, y, 180)
    parts.append(drawn)
    answers, y = _answers(seen["probabilities"], 16, y + 30, left - 40)
    parts.append(answers)
    x, down, across = (left + 24, 26, width - left - 40) if wide else (16, y + 24, width - 32)
    for number, maps in enumerate(seen["layers"]):
        name = "largest of each window" if number == len(seen["layers"]) - 1 else f"stage {number + 1}"
        parts.append(_words(x, down, f"ConvNet, {name}: {len(maps)} maps, {maps.shape[1]} × {maps.shape[1]}"))
        drawn, down = _image(coloured(tiled(maps, ACROSS)), x, down + 8, across)
        parts.append(drawn)
        down += 26
    parts.append(_words(x, down, " ".join(LAST) if wide else LAST[0]))
    if not wide:  # there is no room for all of it in one line
        down += 18
        parts.append(_words(x, down, LAST[1]))
    heads = np.stack([one / one.max() for one in seen["heads"]])
    drawn, down = _image(coloured(tiled(heads, len(heads))), x, down + 8, across * (0.6 if wide else 1))
    return width, max(y, down) + 20, "".join([*parts, drawn])


def _answers(probabilities, x, y, width):
    """Return a bar for each digit and network, and the y below them."""
    parts, room = [], width / 2 - 26
    for number, (name, values) in enumerate(probabilities.items()):
        left = x + 18 + width / 2 * number
        parts.append(_words(left, y, name))
        for digit, part in enumerate(values):
            top = y + 10 + 20 * digit
            parts.append(_words(x, top + 12, str(digit)) if number == 0 else "")
            for kind, wide in (("unlit", room), ("blue", room * float(part))):
                parts.append(
                    f'<rect class="dls-{kind}" x="{left:.1f}" y="{top}" width="{wide:.1f}" height="14"/>'
                )
    return "".join(parts), y + 220
