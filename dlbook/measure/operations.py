"""What the operations of a forward pass are called, and of what kind they are: for the tree of a network.

>>> NAMES["addmm"], "softmax" in KINDS["activation"], "reshape" in VIEWS
('linear', True, True)
"""

# Operations that only show a tensor in another shape, or make one without looking at values.
VIEWS = set(
    """
    view _unsafe_view reshape permute transpose t expand slice select split split_with_sizes chunk
    unbind squeeze unsqueeze clone detach alias contiguous _to_copy _reshape_alias as_strided index
    index_select empty empty_like zeros zeros_like ones full full_like arange copy_ lift_fresh
    unfold new_zeros new_empty
    """.split()
)

# The kinds in order of weight: a block of several operations is of the first kind that it holds.
KINDS = {
    "product": ("matmul",),
    "convolution": ("convolution",),
    "linear": ("linear",),
    "normalisation": ("batch_norm", "layer_norm", "group_norm"),
    "pooling": ("max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "mean", "max_pool3d", "avg_pool3d"),
    "activation": (
        "relu",
        "hardtanh",
        "silu",
        "gelu",
        "sigmoid",
        "tanh",
        "softmax",
        "hardswish",
        "hardsigmoid",
        "elu",
        "leaky_relu",
    ),
}
# Names as the book writes them.
NAMES = {
    "max_pool2d_with_indices": "max_pool2d",
    "max_pool3d_with_indices": "max_pool3d",
    "_adaptive_avg_pool2d": "adaptive_avg_pool2d",
    "native_batch_norm": "batch_norm",
    "native_layer_norm": "layer_norm",
    "native_group_norm": "group_norm",
    "_softmax": "softmax",
    "_safe_softmax": "softmax",
    "addmm": "linear",
    "mm": "linear",
    "bmm": "matmul",
    "baddbmm": "matmul",
    "constant_pad_nd": "pad",
    "linalg_vector_norm": "norm",
    "_native_batch_norm_legit_no_training": "batch_norm",
    "cat": "concat",
}
# Operations that join two tensors; addcmul is a + b c in one pass, a shortcut with layer scale.
JOINS = ("add", "sub", "addcmul", "mul", "concat", "stack")
