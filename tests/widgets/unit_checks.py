"""A unit on small photographs, and what torch makes of it, for several modules of tests."""

import numpy as np
import torch
import torch.nn.functional as F

from dlbook.data import photograph
from dlbook.widgets import Unit

TEXTS = {"title": "A title", "description": "What it shows."}
KERNELS = {"uneven": [[1, 2, -3], [0, 5, -1], [-4, 0.5, 1]], "edge": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]}
KERNELS["wide"] = (np.arange(25).reshape(5, 5) - 7).tolist()


def crops(side=24):
    """Three crops of the book's photographs, not square-symmetric."""
    found = {}
    for name in ("cat", "camera", "rocket"):
        grey = photograph(name).float().mean(0)[None, None, 40:280, 60:300] / 255
        found[name] = F.interpolate(grey, (side, side), mode="area")[0, 0].numpy()
    return found


def unit(**changes):
    """A unit of those."""
    return Unit(**{**TEXTS, "pictures": crops(), "kernels": KERNELS, "patch": 6, **changes})


def by_torch(figure):
    """What torch gives at the figure's values, float64: [cells, cells], of an attention all pixels."""
    values, pictures = figure.values, torch.tensor(figure.pictures())
    x = pictures[figure.spec["parameters"]["photograph"].index(values["photograph"])]
    steps = {name: values[name] for name in ("stride", "padding", "dilation")}
    match values["operation"]:
        case "convolution":
            weight = torch.tensor(KERNELS[values["kernel"]], dtype=torch.float64)
            return F.conv2d(x[None, None], weight[None, None], **steps)[0, 0]
        case "max pooling":
            steps["padding"] = min(steps["padding"], values["window"] // 2)
            return F.max_pool2d(x[None], values["window"], **steps)[0]
        case "average pooling":
            padding = min(steps["padding"], values["window"] // 2)
            return F.avg_pool2d(x[None], values["window"], steps["stride"], padding)[0]
        case "batch norm":
            weight, bias = (torch.tensor([values[name]], dtype=torch.float64) for name in "γβ")
            every = F.batch_norm(pictures[:, None], None, None, weight, bias, training=True)
            return every[list(crops()).index(values["photograph"]), 0]
    patch = figure.spec["patch"]
    rows = F.unfold(x[None, None], patch, stride=patch)[0].T
    key = rows - rows.mean(0)
    mixed = F.scaled_dot_product_attention(
        key[None], key[None], rows[None], scale=values["sharpness"] / patch
    )
    return F.fold(mixed[0].T[None], x.shape, patch, stride=patch)[0, 0]


SETTINGS = [
    {"operation": "convolution", "kernel": "uneven"},
    {"operation": "convolution", "kernel": "uneven", "stride": 2, "padding": 1},
    {
        "operation": "convolution",
        "kernel": "wide",
        "stride": 3,
        "padding": 2,
        "dilation": 2,
        "photograph": "rocket",
    },
    {"operation": "max pooling", "window": 2, "stride": 2},
    {"operation": "max pooling", "window": 3, "stride": 2, "padding": 2, "dilation": 2},
    {"operation": "average pooling", "window": 3, "padding": 1, "dilation": 3},
    {"operation": "average pooling", "window": 5, "stride": 3, "padding": 2, "photograph": "camera"},
    {"operation": "batch norm", "γ": 1.5, "β": -0.5},
    {"operation": "batch norm", "photograph": "camera"},
    {"operation": "attention", "sharpness": 8},
    {"operation": "attention", "sharpness": 2, "photograph": "rocket"},
]
