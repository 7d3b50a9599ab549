"""Numbers of channels that are multiples of 8, as hardware likes them.

The rule of the MobileNets' TensorFlow code, which MobileNetV2 (arXiv:1801.04381), V3, EfficientNet and
MobileViT share: round to the nearest multiple, a half upwards, but never lose more than a tenth.

>>> [make_divisible(channels) for channels in (3, 11.2, 33.6, 60)]  # 11.2 would become 8: too little
[8, 16, 32, 64]
"""


def make_divisible(channels: float, divisor: int = 8) -> int:
    """Return the multiple of `divisor` nearest to `channels`; at least `divisor`, and never less than 90 % of
    `channels`.

    Raises:
        ValueError: unless channels > 0 and divisor is at least 1.
    """
    if not channels > 0 or divisor < 1:
        raise ValueError(
            f"expected channels > 0 and divisor >= 1, got {channels!r} and {divisor!r}; MobileNets "
            "have divisor 8"
        )
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded if rounded >= 0.9 * channels else rounded + divisor
