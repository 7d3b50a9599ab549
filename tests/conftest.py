"""What all tests share: the folder of oracles is importable, and torch uses one thread, as two workers run side by side."""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))
torch.set_num_threads(1)
