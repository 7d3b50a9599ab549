"""How many times slower this machine is, at the moment, than the one on which the limits of time were set.

Processor seconds are not the same everywhere: one core does half of another's work in a second, and a core
that two processes share does less for each. So before a chapter is called too slow, a piece of work that is
always the same is measured.
"""

import subprocess
import sys

# Processor seconds of WORK where a chapter's limit of processor seconds is taken as it is. The machine on
# which the chapters' times were recorded was not at hand when this was written. On another one WORK takes
# 2.5 s, and chapters took 2.4 to 4.2 times their recorded seconds: the limit follows the one that lost most.
REFERENCE = 0.6

# what chapters mostly do: small convolutional networks train, and Python counts
WORK = """
import time
import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(0)
layers = [nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)]
layers += [nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 14 * 14, 10)]
network, images, labels = nn.Sequential(*layers), torch.rand(50, 1, 28, 28), torch.arange(50) % 10
optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
for updates in (5, 150):  # the first ones load what the others use
    start = time.process_time()
    for _ in range(updates):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(images), labels).backward()
        optimizer.step()
    sum(i * i for i in range(10_000 * updates))
print(time.process_time() - start)
"""


def slowness() -> float:
    """The processor seconds of the work by those of the reference: 2 is half as fast. Never below 1."""
    told = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, check=True)
    return max(1.0, float(told.stdout) / REFERENCE)


if __name__ == "__main__":
    print(f"{slowness():.2f}")
