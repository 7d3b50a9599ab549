"""The first steps of a run by several processes, and by one that is given their batches joined.

In float64, with the batch normalisation's statistics fixed: each process would else see those of its own
share.
"""

import torch
from torch import nn

from dlbook.recipes.run.build import build, make_batches
from dlbook.train.parallel import distributed
from tests.many_processes import together
from tests.train.small_method import differing

STEPS = 3


def first_steps(rank, config, world):
    """Weights, averages and losses after some steps; in a process of its own."""
    torch.set_default_dtype(torch.float64)
    nn.BatchNorm2d.train = lambda self, mode=True: nn.Module.train(self, False)
    setup = build(config, rank, distributed.world_size())
    ranks = [rank] if distributed.world_size() > 1 else range(world)
    shares = [make_batches(config, setup.splits, torch.device("cpu"), each, world) for each in ranks]

    def joined(number):
        parts = [share(number) for share in shares]
        batch = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
        return {name: each.double() if each.is_floating_point() else each for name, each in batch.items()}

    setup.trainer.batches = joined
    setup.trainer.fit(STEPS)
    distributed.average_log(setup.trainer.log, STEPS)
    return dict(setup.method.state_dict()) | {"losses": setup.trainer.log["loss"].clone()}


def check_two_equal_one(config):
    """Both processes end with the numbers of one."""
    (alone,) = together(1, first_steps, config, 2)
    for found in together(2, first_steps, config, 2):
        assert differing(alone, found) == []
