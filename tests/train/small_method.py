"""A small float64 method and its data, trained by one process or by several: what the tests of distribution
compare.
"""

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import Dataset

from dlbook import optim
from dlbook.optim.ema import EMA
from dlbook.train import Method, Trainer
from dlbook.train.batches import Batches, Pool
from dlbook.train.parallel import distributed
from tests.many_processes import together

STEPS, BATCH = 4, 12


class Rows(Dataset):
    """`count` rows of six numbers with labels 0, 1, 2."""

    def __init__(self, count=60):
        generator = torch.Generator().manual_seed(5)
        self.images = torch.randn(count, 6, dtype=torch.float64, generator=generator)
        self.labels = torch.randint(0, 3, (count,), generator=generator)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.images[index], self.labels[index]


class FrozenNorm(nn.BatchNorm1d):
    """Batch normalisation that always uses its statistics."""

    def train(self, mode=True):
        return super().train(False)


class Small(Method):
    """Two blocks and a head, an average of the weights, and one parameter outside the network."""

    def __init__(self, norm="group", seed=0, outside=True):
        super().__init__()
        torch.manual_seed(seed)
        norms = {
            "group": lambda: nn.GroupNorm(2, 8),
            "frozen": lambda: FrozenNorm(8),
            "batch": lambda: nn.BatchNorm1d(8),
        }
        rows = [nn.Sequential(nn.Linear(6 if i == 0 else 8, 8), norms[norm](), nn.Tanh()) for i in range(2)]
        self.model = nn.Sequential(*rows, nn.Linear(8, 3)).double()
        self.sharpness = nn.Parameter(torch.ones((), dtype=torch.float64)) if outside else 1.0
        self.ema = EMA(self.model, decay=0.8)
        self.calls = [self.model]

    def training_step(self, batch, step):
        logits = self.sharpness * self.calls[0](batch["images"])
        return {
            "loss": nn.functional.cross_entropy(logits, batch["labels"]),
            "share": (batch["labels"] == 0).double().mean(),
        }

    def after_step(self, step):
        self.ema.update(self.model)


def trainer_of(rank, accumulate=1, norm="group", fault="", clip_norm=0.5):
    """A trainer in this process, and the faults that can be put into it."""
    world = distributed.world_size()
    method = Small(norm, seed=rank if fault == "own initial weights" else 0)
    seed = 3 + rank if fault == "each rank its own order" else 3
    batches = Batches(
        Pool(Rows(), BATCH // world),
        seed=seed,
        rank=0 if fault == "all take one share" else rank,
        world_size=world,
    )
    forward = None
    if world > 1 and fault == "the inner network is wrapped":
        method.calls[0] = DistributedDataParallel(method.model)
    elif world > 1 and fault != "nothing is wrapped":
        if fault == "sum instead of mean":
            distributed._average_each = lambda _, bucket: (
                torch.distributed.all_reduce(bucket.buffer(), async_op=True)
                .get_future()
                .then(lambda f: f.value()[0])
            )
        forward = distributed.wrap_ddp(method)
    optimizer = optim.AdamW(method.param_groups(), lr=0.05, weight_decay=0.1)
    trainer = Trainer(
        method,
        optimizer,
        lambda step: 1 / (1 + step),
        batches,
        accumulate=accumulate,
        clip_norm=clip_norm,
        forward=forward,
    )
    if fault == "the last micro-batch is not sent" and forward is not None:
        trainer._synchronise = lambda part: forward.no_sync()
    return trainer


def train(rank, accumulate=1, norm="group", fault=""):
    """Every number that several processes have to share with one: weights, averages, last gradients, logs."""
    trainer = trainer_of(rank, accumulate, norm, fault)
    trainer.fit(STEPS)
    if fault != "logs are not averaged":
        distributed.average_log(trainer.log, STEPS)
    found = {f"weight {name}": value.detach() for name, value in trainer.method.state_dict().items()}
    found |= {
        f"gradient {name}": p.grad.clone()
        for name, p in trainer.method.named_parameters()
        if p.grad is not None
    }
    return found | {f"log {name}": values.clone() for name, values in trainer.log.items()}


def differing(expected, got, tolerance=1e-12):
    """Names of the numbers that are not the expected ones."""
    assert expected.keys() == got.keys()
    return [
        name
        for name, value in expected.items()
        if not torch.allclose(value.double(), got[name].double(), rtol=0, atol=tolerance)
    ]


def check_equals_one(world, **options):
    """`world` processes end with one process's numbers, each of them."""
    alone = train(0, **(options | {"fault": ""}))
    for found in together(world, _train, options):
        assert differing(alone, found) == []


def _train(rank, options):
    return train(rank, **options)
