"""dlbook: deep learning for vision, as clear reference code.

The axis key, used in every docstring and shape comment of the package:

====  =====================================  ====  ================================
B     batch                                  N     tokens
C     channels                               D     width of a token (embedding)
H, W  height and width of an image or map    h     attention heads
K     classes, or prototypes                 L     layers
====  =====================================  ====  ================================

>>> import dlbook
>>> isinstance(dlbook.__version__, str)
True
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("dlbook")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0.0.0"

__all__ = ["__version__"]
