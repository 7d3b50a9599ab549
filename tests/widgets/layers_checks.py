"""A figure of four layers of three units over a rate and a picture, which two modules of tests draw."""

import numpy as np

from dlbook.widgets import History, Layers

RATES, DIGITS = [0.0, 0.1, 3.0], ["7", "2"]
TEXTS = {"title": "A title", "description": "What it shows."}


def fading(**changes):
    """The signal falls tenfold a layer, a hundredfold for the second picture; the highest rate diverges."""
    layer = np.arange(4)[:, None] * np.ones(3)
    signal = np.stack([0.1**layer, 0.01**layer])[None].repeat(3, 0)  # [rates, digits, layers, units]
    signal[:, :, 3, 2] = np.nan  # the last layer has two units
    signal[2] = np.nan
    loss = np.array([[2.3] * 20, np.linspace(2.3, 0.5, 20), [2.3] * 5 + [np.nan] * 15])
    arguments = {
        **TEXTS,
        "parameters": {"rate": RATES, "digit": DIGITS},
        "signal": signal,
        "gradient": signal[:, :, ::-1],
        "pictures": ("digit", [np.eye(28), np.ones((28, 28)) / 2]),
        "outputs": ["no", "yes"],
        "history": History("loss", loss, (2.3, "guessing"), limit=3, parameters=("rate",)),
        "start": {"rate": 0.1},
        **changes,
    }
    return Layers(**arguments)
