"""Optimizers, one a file; schedules, parameter groups, clipping and weight averaging.

:mod:`~dlbook.optim.schedules` and :mod:`~dlbook.optim.cycles` are imported as modules: their builders have
plain names.

>>> sorted(name for name in __all__ if name[0].isupper())[:4]
['Adagrad', 'Adam', 'AdamW', 'EMA']
"""

from dlbook.optim.adagrad import Adagrad
from dlbook.optim.adam import Adam
from dlbook.optim.adamw import AdamW, PaperAdamW
from dlbook.optim.clipping import clip_norm, clip_value, global_norm
from dlbook.optim.ema import EMA
from dlbook.optim.lars import LARS
from dlbook.optim.momentum import Momentum, PolyakMomentum
from dlbook.optim.muon import Muon
from dlbook.optim.nesterov import Nesterov, SutskeverNesterov
from dlbook.optim.param_groups import decay_groups, layerwise_groups
from dlbook.optim.rmsprop import RMSprop, RMSpropTF
from dlbook.optim.sgd import SGD
from dlbook.optim.swa import SWA, swa_cycles, swa_phase, update_batch_norm

__all__ = [
    "EMA",
    "LARS",
    "SGD",
    "SWA",
    "Adagrad",
    "Adam",
    "AdamW",
    "Momentum",
    "Muon",
    "Nesterov",
    "PaperAdamW",
    "PolyakMomentum",
    "RMSprop",
    "RMSpropTF",
    "SutskeverNesterov",
    "clip_norm",
    "clip_value",
    "decay_groups",
    "global_norm",
    "layerwise_groups",
    "swa_cycles",
    "swa_phase",
    "update_batch_norm",
]
