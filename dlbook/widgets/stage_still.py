"""What the still pictures of a dark stage share: the frame, in a wide and a narrow form, and the colours.

>>> power(-12)
'10⁻¹²'
"""

import numpy as np

from dlbook.widgets.figure import escape, style_text

WIDTHS = (960, 380)  # pixels of the wide and of the narrow form
_ABOVE, _BELOW = (98, 180, 255), (255, 136, 150)  # zero; controls.js has the same
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_STYLE = f"<style>{style_text('stage_still.css')}</style>".replace("\n", "")


def power(exponent):
    """Return a power of ten as text: 10⁻⁶, 10², 1."""
    return "1" if exponent == 0 else f"10{str(exponent).translate(_RAISED)}"


def path(points):
    """Return a line through pixels as an SVG path."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def signed(values, opacity):
    """Return signed values as RGBA, uint8 [..., 4]: blue above zero, red below.

    Args:
        values: of any shape; only the sign counts.
        opacity: of the same shape, from 0 to 255.
    """
    color = np.where(values[..., None] > 0, _ABOVE, _BELOW)
    return np.concatenate([color, np.rint(opacity)[..., None]], -1).astype(np.uint8)


class Square:
    """A square of the plane on the stage; square.js does the same.

    A subclass says where: `left`, `top` and `side` in pixels. It shows -`reach` to `reach` both ways.
    """

    def place(self, x, y):
        """Return the pixels of a place in the plane."""
        across, down = (x + self.reach) / (2 * self.reach), (self.reach - y) / (2 * self.reach)
        return self.left + across * self.side, self.top + down * self.side


def both(figure, picture, state=None):
    """Return the page of a picture that is drawn for a wide and for a narrow place.

    Args:
        figure: with title, description and values.
        picture: (figure, width) -> (width, height, inside of the SVG).
        state: what the reader would have chosen, in words; None: the figure's values.
    """
    if state is None:
        state = ", ".join(f"{name} {value}" for name, value in figure.values.items())
    return page(figure, state, [picture(figure, width) for width in WIDTHS])


def page(figure, state, pictures):
    """Return heading, pictures and description as HTML.

    Args:
        figure: with title and description.
        state: what the reader would have chosen, in words.
        pictures: (width, height, inside of the SVG) of the wide form and of the narrow one.
    """
    drawn = "".join(
        f'<svg class="dls dls-{form}" role="img" aria-label="{escape(figure.description)}" '
        f'viewBox="0 0 {width} {height:.0f}">{inside}</svg>'
        for form, (width, height, inside) in zip(("wide", "narrow"), pictures, strict=True)
    )
    heading = f"<strong>{escape(figure.title)}</strong>{f' ({escape(state)})' if state else ''}"
    return f"<p>{heading}</p>{_STYLE}{drawn}<p>{escape(figure.description)}</p>"
