"""Numbers and pictures as short texts: what travels from Python to the page.

A curve becomes 16-bit integers over its own range. Neighbouring values of a smooth curve are close, so the
integers are stored as differences, low bytes before high bytes, and deflated: about a quarter of the plain
size. The largest error is half a step, ``(high - low) / 65534 / 2``.

>>> packed = pack([0.0, 0.5, 1.0])
>>> unpack(packed).round(4).tolist()
[0.0, 0.5, 1.0]
"""

import base64
import io
import json
import zlib

import numpy as np

LEVELS = 65_534  # steps of the 16-bit code; the code -32768 marks a gap
GAP = -32_768


def to_array(values, what="values"):
    """Return `values` (torch tensor on any device, numpy array, or nested lists of numbers) as a numpy array.

    Raises:
        ValueError: `values` are ragged, or hold something that is no number.
    """
    if hasattr(values, "detach"):  # a torch tensor; torch itself is not imported here
        values = values.detach().cpu()
        half = values.is_floating_point() and values.itemsize < 4  # numpy has no bfloat16
        values = (values.float() if half else values).numpy()
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{what}: expected a rectangular array of numbers, got rows that differ in length; fill them "
            "to one length"
        ) from error
    if array.dtype.kind not in "fiub":
        raise ValueError(
            f"{what}: expected numbers, got {array.dtype}; give a torch tensor, a numpy array or lists"
        )
    return array


def pack(values, log=False):
    """Quantise an array to 16 bits and compress it.

    Args:
        values: array of any shape; infinities and NaN become gaps.
        log: quantise the base-10 logarithm instead (for a logarithmic axis); all finite values must be
            positive.

    Returns:
        dict with `data` (base64 text), `low`, `high` (range of the code; of the logarithm if `log`), `log`,
        `shape`.

    Raises:
        ValueError: no finite value at all, or `log` and a value that is not positive.
    """
    array = to_array(values).astype(np.float64)
    finite = np.isfinite(array)
    if not finite.any():
        raise ValueError(
            f"expected at least one finite value, got an array of shape {array.shape} without any; leave "
            "it out"
        )
    if log:
        if array[finite].min() <= 0:
            raise ValueError(
                f"expected positive values for a logarithmic axis, got {array[finite].min():g}; clip the "
                "values first, or leave log_y off"
            )
        array = np.log10(np.where(finite, array, 1.0))
    low, high = float(array[finite].min()), float(array[finite].max())
    step = (high - low) / LEVELS or 1.0
    code = np.rint((np.where(finite, array, low) - low) / step) - LEVELS // 2
    code = np.where(finite, code, GAP).astype(np.int16)
    return {"data": _deflate(code), "low": low, "high": high, "log": bool(log), "shape": list(array.shape)}


def unpack(packed):
    """Return the float64 array of a :func:`pack`; gaps are NaN. The page's JavaScript does the same."""
    plane = np.frombuffer(zlib.decompress(base64.b64decode(packed["data"])), np.uint8).astype(np.uint16)
    half = plane.size // 2
    code = np.cumsum(plane[:half] + 256 * plane[half:], dtype=np.uint16).view(np.int16)
    step = (packed["high"] - packed["low"]) / LEVELS or 1.0
    values = (code.astype(np.float64) + LEVELS // 2) * step + packed["low"]
    values = np.where(code == GAP, np.nan, values)
    return (10.0**values if packed["log"] else values).reshape(packed["shape"])


def _deflate(code):
    """Differences of int16 `code`, low bytes then high bytes, deflated, as base64 text."""
    difference = np.diff(code.reshape(-1).view(np.uint16), prepend=np.uint16(0)).astype(np.uint16)
    plane = np.concatenate([difference & 255, difference >> 8]).astype(np.uint8)
    return deflated(plane.tobytes())


def deflated(data):
    """Return bytes deflated, as base64 text; `inflatedBytes` of controls.js reads them."""
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")


def deflated_json(value):
    """Return what JSON can hold, deflated, as base64 text; `inflated` of controls.js reads it."""
    return deflated(json.dumps(value, separators=(",", ":")).encode("utf8"))


def data_uri(image, quality=None):
    """Return a PIL image as a `data:` address: a PNG without loss, or a WebP of `quality` 1-100."""
    buffer = io.BytesIO()
    if quality is None:
        image.save(buffer, "PNG", optimize=True)
    else:
        image.convert("RGB").save(buffer, "WEBP", quality=quality, method=6)
    kind = "png" if quality is None else "webp"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
