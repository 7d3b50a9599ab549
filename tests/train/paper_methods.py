"""Three small methods in the manner of SimSiam, DINO and MoCo, for tests of what the contract can express.

They are too small to learn anything and are not in the package. Batch normalisation sees one process's
share, so where two processes are compared with one the networks normalise by groups.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from dlbook import optim
from dlbook.nn.momentum_encoder import MomentumEncoder
from dlbook.train import Method, Trainer
from dlbook.train.parallel import distributed

STEPS, BATCH, FROZEN = 8, 12, 3


def network(norm):
    layer = nn.BatchNorm1d(8) if norm == "batch" else nn.GroupNorm(2, 8)
    return nn.Sequential(nn.Linear(6, 8), layer, nn.Tanh(), nn.Linear(8, 4)).double()


def half_cosine(step):
    """A teacher's momentum: 0.8 at the first step, 1 at the last one."""
    return 1 - 0.2 * (math.cos(math.pi * step / STEPS) + 1) / 2


class Siam(Method):
    """SimSiam: a predictor with a rate of its own, which stays; the other branch behind a stop-gradient."""

    def __init__(self, norm):
        super().__init__()
        self.model, self.predictor = network(norm), nn.Linear(4, 4).double()

    def training_step(self, batch, step):
        first, second = self.model(batch[0]), self.model(batch[1])
        near = F.cosine_similarity(self.predictor(first), second.detach()).mean()
        far = F.cosine_similarity(self.predictor(second), first.detach()).mean()
        return {"loss": -(near + far) / 2}

    def param_groups(self):
        return [
            {"params": self.model.parameters()},
            {"params": self.predictor.parameters(), "schedule": "constant"},
        ]


class Dino(Method):
    """DINO: a teacher with a momentum schedule, a centre, weights that decay by a schedule and biases that do
    not, and a last layer of the student that stays as it is for the first steps.
    """

    def __init__(self, norm):
        super().__init__()
        self.student = network(norm)
        self.teacher = MomentumEncoder(self.student, half_cosine)
        self.register_buffer("centre", torch.zeros(4, dtype=torch.float64))

    @property
    def evaluated(self):
        return self.teacher.module

    def training_step(self, batch, step):
        raw = [self.teacher(view) for view in batch[:2]]  # the large crops only
        targets = [F.softmax((logits - self.centre) / 0.04, dim=1) for logits in raw]
        losses = [
            -(target * F.log_softmax(self.student(view) / 0.1, dim=1)).sum(dim=1).mean()
            for place, target in enumerate(targets)
            for other, view in enumerate(batch)
            if other != place
        ]
        self.centre.lerp_(torch.cat(self.everywhere(torch.cat(raw))).mean(dim=0), 0.1)
        return {"loss": sum(losses) / len(losses)}

    def everywhere(self, tensor):
        return distributed.gather(tensor)

    def after_step(self, step):
        self.teacher.update(self.student, step)

    def param_groups(self):
        *body, last = self.student
        weights = [p for layer in body for p in layer.parameters() if p.ndim > 1]
        others = [p for layer in body for p in layer.parameters() if p.ndim == 1]
        return [
            {"params": weights},
            {"params": others, "weight_decay": 0.0},
            {"params": last.parameters(), "schedule": "frozen first"},
        ]


class Moco(Method):
    """MoCo: keys by a momentum encoder in training mode, with statistics of its own, and a queue of them."""

    def __init__(self, norm):
        super().__init__()
        self.model = network(norm)
        self.keys = MomentumEncoder(self.model, 0.9)
        self.register_buffer("queue", F.normalize(torch.randn(30, 4, dtype=torch.float64)))
        self.register_buffer("place", torch.zeros((), dtype=torch.int64))

    def training_step(self, batch, step):
        query, key = F.normalize(self.model(batch[0])), F.normalize(self.keys(batch[1]))
        logits = (
            torch.cat([(query * key).sum(dim=1, keepdim=True), query @ self.queue.clone().T], dim=1) / 0.2
        )
        self.enqueue(torch.cat(self.everywhere(key)))
        return {"loss": F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.int64))}

    def everywhere(self, tensor):
        return distributed.gather(tensor)

    def enqueue(self, keys):
        places = (self.place + torch.arange(len(keys))) % len(self.queue)
        self.queue[places] = keys
        self.place.copy_((self.place + len(keys)) % len(self.queue))

    def after_step(self, step):
        self.keys.update(self.model, step)


METHODS = [Siam, Dino, Moco]


def views(number, accumulate=1):
    """Three views of this process's share of the rows; micro-batches divide a batch."""
    generator = torch.Generator().manual_seed(100 + number // accumulate)
    rows = torch.randn(BATCH, 6, dtype=torch.float64, generator=generator)
    seen = [rows + 0.3 * torch.randn(BATCH, 6, dtype=torch.float64, generator=generator) for _ in range(3)]
    part = number % accumulate
    shares = [
        view.chunk(accumulate)[part].chunk(distributed.world_size())[distributed.rank()] for view in seen
    ]
    return shares


def trainer_of(kind, norm="batch", trainer_class=Trainer, accumulate=1):
    torch.manual_seed(0)
    method = kind(norm)
    cosine = optim.schedules.cosine(STEPS)
    return trainer_class(
        method,
        optim.AdamW(method.param_groups(), lr=0.05, weight_decay=0.04),
        {
            "default": cosine,
            "constant": optim.schedules.constant(),
            "frozen first": lambda step: cosine(step) * (step >= FROZEN),
        },
        lambda number: views(number, accumulate),
        decay_schedule=optim.schedules.linear(STEPS, 1.0, 10.0),
        accumulate=accumulate,
        clip_norm=0.5,
        forward=distributed.wrap_ddp(method) if distributed.world_size() > 1 else None,
    )


def everything(trainer):
    """Weights, queues, averages and the optimizer's state by name."""
    state = trainer.state_dict()
    found = dict(state["method"]) | {"rates": torch.tensor([g["lr"] for g in trainer.optimizer.param_groups])}
    found["decays"] = torch.tensor([group["weight_decay"] for group in trainer.optimizer.param_groups])
    for place, slots in state["optimizer"]["state"].items():
        found |= {f"optimizer {place} {name}": torch.as_tensor(value) for name, value in slots.items()}
    return found | {f"log {name}": values for name, values in state["log"].items()}
