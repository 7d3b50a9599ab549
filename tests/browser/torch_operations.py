"""What torch says of the operations of proofs.js, with the same options."""

import torch
from torch.nn import functional as F

LABELS = torch.tensor([2, 0, 1])


def batch_norm(training):
    """Batch norm with the running statistics of proofs.js."""
    mean, variance = torch.tensor([0.2, -0.1, 0.3]).double(), torch.tensor([1.5, 0.7, 2]).double()
    return lambda x, g, b: F.batch_norm(x, mean.clone(), variance.clone(), g, b, training)


OPERATIONS = {
    "relu": F.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "silu": F.silu,
    "gelu": F.gelu,
    "add": lambda a, b: a + b + a,
    "mul": torch.mul,
    "scale": lambda x: -2.5 * x,
    "linear": F.linear,
    "matmul": torch.matmul,
    "flatten": lambda x: x.flatten(1),
    "unflatten": lambda x: x.unflatten(1, (3, -1)),
    "permute": lambda x: x.permute(2, 0, 1),
    "slice": lambda x: x[:, 1:6:2],
    "select": lambda x: x[:, 2],
    "pad": lambda x: F.pad(x, (0, 0, 1, 2)),
    "expand": lambda x: x.expand(3, -1, -1),
    "concat": lambda a, b: torch.cat([a, b], 1),
    "mean": lambda x: x.mean((1, 2)),
    "softmax": lambda x: F.softmax(x / 0.7, -1),
    "log_softmax": lambda x: F.log_softmax(x / 0.7, -1),
    "l2_normalise": lambda x: F.normalize(x, dim=-1),
    "attention": F.scaled_dot_product_attention,
    "cross_entropy": lambda x: F.cross_entropy(x, LABELS),
    "conv2d": lambda x, w, b: F.conv2d(x, w, b, (2, 1), (1, 0), groups=2),
    "max_pool2d": lambda x: F.max_pool2d(x, 3, 2, 1),
    "avg_pool2d": lambda x: F.avg_pool2d(x, (3, 2), 2, (1, 0)),
    "adaptive": lambda x: F.adaptive_avg_pool2d(x, (3, 2)),
    "batch_norm": batch_norm(True),
    "batch_norm_evaluation": batch_norm(False),
    "layer_norm": lambda x, g, b: F.layer_norm(x, (5,), g, b),
}
