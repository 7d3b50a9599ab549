"""Many small pictures with a line or two below each, as one picture.

>>> import torch
>>> sheet([torch.rand(3, 28, 28)] * 6, [("is 4", "said 9, 99 %")] * 6, columns=3).size
(372, 328)
"""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torchvision.transforms import functional as F

__all__ = ["sheet"]

SIDE, GAP, LINE = 116, 8, 16  # pixels
PAPER, INK = "white", "black"


def sheet(pictures: Sequence[Tensor], captions: Sequence[Sequence[str]], columns: int = 5) -> Image.Image:
    """Lay pictures out in rows.

    Args:
        pictures: [C, H, W] in [0, 1], C 1 or 3; of any size.
        captions: the lines below each; what is too long is cut.
        columns: pictures in a row.

    Raises:
        ValueError: no picture, or another number of captions.
    """
    if not pictures or len(pictures) != len(captions):
        raise ValueError(
            f"expected pictures and as many captions, got {len(pictures)} and {len(captions)}; give some"
        )
    lines = max(map(len, captions))
    height = SIDE + lines * LINE + 2 * GAP
    rows = -(-len(pictures) // columns)
    whole = Image.new("RGB", (columns * (SIDE + GAP), rows * height), PAPER)
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(size=12)
    for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        left, top = (number % columns) * (SIDE + GAP) + GAP // 2, (number // columns) * height + GAP
        whole.paste(_fitted(picture), (left, top))
        for place, line in enumerate(caption):
            draw.text((left, top + SIDE + place * LINE), _cut(line, draw, font), fill=INK, font=font)
    return whole


def _fitted(picture: Tensor) -> Image.Image:
    """The picture in a square; small ones keep their pixels sharp."""
    image = F.to_pil_image(picture.detach().cpu().clamp(0, 1)).convert("RGB")
    scale = SIDE / max(image.size)
    size = [max(1, round(side * scale)) for side in image.size]
    return image.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS)


def _cut(line: str, draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont) -> str:
    if draw.textlength(line, font) <= SIDE:
        return line
    while line and draw.textlength(line + "..", font) > SIDE:
        line = line[:-1]
    return line + ".."
