"""The method contract, the trainer and its checkpoints."""

from dlbook.train.checkpoint import CheckpointError, load, save
from dlbook.train.method import Method
from dlbook.train.trainer import Trainer

__all__ = ["CheckpointError", "Method", "Trainer", "load", "save"]
