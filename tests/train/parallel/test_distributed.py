"""Two and four gloo processes give the gradients, weights, logs and metrics of one; ten faults, and the check
that catches each.

Batch normalisation over all processes needs GPUs in torch; on the CPU the networks here normalise by groups,
or by frozen statistics.
"""

from contextlib import nullcontext

import pytest
import torch
from torch import nn
from torch.utils.data import DistributedSampler

from dlbook.train import Trainer, checkpoint
from dlbook.train import run as run_module
from dlbook.train.batches import evaluation_batches
from dlbook.train.evaluate import evaluate
from dlbook.train.fit.freeze import freeze
from dlbook.train.log import Log
from dlbook.train.parallel import distributed
from dlbook.train.run import Run
from tests.many_processes import together
from tests.train.small_method import STEPS, Rows, Small, check_equals_one, trainer_of

pytestmark = pytest.mark.forks


@pytest.mark.parametrize(
    ("world", "accumulate", "norm"), [(2, 1, "group"), (4, 1, "group"), (2, 3, "group"), (2, 1, "frozen")]
)
def test_many_processes_train_like_one(world, accumulate, norm):
    check_equals_one(world, accumulate=accumulate, norm=norm)


def test_all_begin_with_the_weights_of_rank_0():
    check_equals_one(2, fault="own initial weights")


@pytest.mark.parametrize(
    ("fault", "accumulate"),
    [
        ("the inner network is wrapped", 1),
        ("nothing is wrapped", 1),
        ("sum instead of mean", 1),
        ("each rank its own order", 1),
        ("all take one share", 1),
        ("logs are not averaged", 1),
        ("the last micro-batch is not sent", 2),
    ],
)
def test_seeded_fault_in_training_is_caught(fault, accumulate):
    with pytest.raises(AssertionError):
        check_equals_one(2, accumulate=accumulate, fault=fault)


def messages(rank, fault):
    """Gradients sent in STEPS steps of three micro-batches, and how many there are."""
    sent = []
    inner = distributed._average_each
    distributed._average_each = lambda state, bucket: (sent.extend(bucket.gradients()), inner(state, bucket))[
        1
    ]
    trainer = trainer_of(rank, accumulate=3)
    if fault:
        trainer._synchronise = lambda part: nullcontext()
    trainer.fit(STEPS)
    return len(sent), sum(p.requires_grad for p in trainer.method.parameters())


@pytest.mark.parametrize("fault", [False, True])
def test_gradients_are_sent_once_a_step(fault):
    for sent, parameters in together(2, messages, fault):
        assert (sent == STEPS * parameters) != fault


def figures(rank, count, size, fault=""):
    """Of an untrained network over `count` rows."""
    world = distributed.world_size()
    data, model = Rows(count), Small().model
    if fault == "a padded sampler":
        places = list(DistributedSampler(data, world, rank, shuffle=False))
        batches = [dict(zip(("images", "labels"), data[torch.tensor(places)], strict=True))]
    elif fault == "the filler is counted":
        batches = (
            {k: v for k, v in batch.items() if k != "counted"}
            for batch in evaluation_batches(data, size, rank=rank, world_size=world)
        )
    elif fault == "every rank evaluates its own share only":
        batches = evaluation_batches(data, size, rank=rank, world_size=world)
        distributed.cleanup()
    else:
        batches = evaluation_batches(data, size, rank=rank, world_size=world)
    return evaluate(model, batches, 3)


def check_figures(world, count, size, fault=""):
    expected = figures(0, count, size)
    for found in together(world, figures, count, size, fault):
        assert found["accuracy"] == expected["accuracy"] and found["class_accuracy"] == pytest.approx(
            expected["class_accuracy"], abs=1e-5
        )
        assert found["loss"] == pytest.approx(expected["loss"], abs=1e-12)
        assert found["calibration_error"] == pytest.approx(expected["calibration_error"], abs=1e-4)


@pytest.mark.parametrize(("world", "count", "size"), [(2, 53, 4), (4, 53, 4), (4, 9, 2), (4, 3, 2)])
def test_each_example_is_evaluated_once_whatever_the_shares(world, count, size):
    check_figures(world, count, size)


@pytest.mark.parametrize(
    "fault", ["a padded sampler", "the filler is counted", "every rank evaluates its own share only"]
)
def test_seeded_fault_in_evaluation_is_caught(fault):
    with pytest.raises(AssertionError):
        check_figures(4, 9, 2, fault)


def lopsided(rank):
    """Rank 1 has no batch at all, and a data set may be empty."""
    batches = list(evaluation_batches(Rows(10), 4)) if rank == 0 else []
    found = evaluate(Small().model, batches, 3)
    with pytest.raises(ValueError, match="at least one batch"):
        evaluate(Small().model, [], 3)
    return found


def test_a_process_without_batches_neither_hangs_nor_counts():
    expected = evaluate(Small().model, list(evaluation_batches(Rows(10), 4)), 3)
    assert together(2, lopsided) == [pytest.approx(expected, abs=1e-4)] * 2


def separate(rank):
    """Random numbers, buffers and logs of a process."""
    with pytest.raises(ValueError, match="same scalars in the log of every process"):
        distributed.average_log(Log({"loss": torch.ones(1)}) if rank else Log(), 1)
    torch.manual_seed(0)
    distributed.separate_random(rank)
    norm = nn.BatchNorm1d(2)
    norm.running_mean += 1 + rank
    norm.num_batches_tracked += 5 + rank
    distributed.broadcast_buffers(norm)
    assert norm.running_mean.tolist() == [1, 1] and norm.num_batches_tracked == 5
    return torch.rand(()).item()


def test_random_numbers_differ_and_buffers_are_rank_0s():
    torch.manual_seed(0)
    drawn = together(3, separate)
    assert drawn[0] == torch.rand(()).item() and len(set(drawn)) == 3


class Dropping(Small):
    """Dropout and batch statistics: what differs between the ranks and has to come back."""

    def training_step(self, batch, step):
        return super().training_step(batch | {"images": nn.functional.dropout(batch["images"], 0.3)}, step)


def dropping(rank):
    trainer = trainer_of(rank, norm="batch")
    trainer.method.__class__ = Dropping
    torch.manual_seed(1)
    distributed.separate_random(rank)
    return trainer


def in_turn(rank, function):
    """Every rank for itself, one after the other."""
    answers = []
    for turn in range(distributed.world_size()):
        if turn == rank:
            answers.append(function())
        torch.distributed.barrier()
    return answers[0]


def run_of(rank, folder, until, fault=""):
    """A run that begins or goes on; how often this rank wrote, and its state at the end."""
    if fault == "every rank writes":
        run_module.on_main = lambda function: in_turn(rank, function)
    if fault == "random states are not restored":
        run_module.restore_random = lambda states: None
    written, save = [], checkpoint.save
    checkpoint.save = lambda path, state: (written.append(path), save(path, state))[1]
    trainer = dropping(rank)
    run = Run(folder, resume=True)
    run.resume(trainer)
    trainer.fit(until)
    distributed.broadcast_buffers(trainer.method)
    run.save(trainer, {"accuracy": 50.0})
    return len(written), trainer.method.state_dict() | {"random": torch.get_rng_state()}


def check_run(folder, fault=""):
    whole = together(2, run_of, folder / "whole", 6, fault)
    together(2, run_of, folder / "resumed", 3, fault)
    resumed = together(2, run_of, folder / "resumed", 6, fault)
    assert [written for written, _ in whole] == [1, 0]
    for (_, expected), (_, got) in zip(whole, resumed, strict=True):
        assert [name for name in expected if not torch.equal(expected[name], got[name])] == []


def test_a_run_of_two_processes_is_written_once_and_resumed_bit_for_bit(tmp_path):
    check_run(tmp_path)


@pytest.mark.parametrize("fault", ["every rank writes", "random states are not restored"])
def test_seeded_fault_in_writing_is_caught(fault, tmp_path):
    with pytest.raises(AssertionError):
        check_run(tmp_path, fault)


def wide(rank, stops, fault):
    """Float32 weights of 1 MB and more, so that the sums of three processes depend on where in a message they
    stand.
    """
    torch.manual_seed(0)
    weights = nn.ModuleDict({"b": nn.Linear(400, 500), "a": nn.Linear(30, 400), "c": nn.Linear(500, 400)})
    method = Small(outside=False)
    method.model, method.ema = weights.float(), None
    method.training_step = lambda batch, step: {
        "loss": weights["c"](weights["b"](weights["a"](batch)).relu()).square().mean()
    }
    method.after_step = lambda step: None

    def draw(number):
        return torch.randn(4, 30, generator=torch.Generator().manual_seed(10 * number + rank))

    if fault:
        nn.parallel.DistributedDataParallel.register_comm_hook = lambda *_: None
    optimizer, step = torch.optim.SGD(method.parameters(), lr=0.1), 0
    for stop in stops:
        trainer = Trainer(method, optimizer, lambda step: 1.0, draw, forward=distributed.wrap_ddp(method))
        trainer.step = step
        trainer.fit(stop)
        step = stop
    return torch.cat([p.detach().flatten() for p in weights.parameters()])


@pytest.mark.parametrize("fault", [False, True], ids=["fixed", "torch's buckets"])
def test_three_processes_resume_to_the_last_bit(fault):
    whole, resumed = together(3, wide, (6,), fault), together(3, wide, (3, 6), fault)
    assert torch.equal(whole[0], resumed[0]) != fault


def test_synchronised_normalisers_stay_frozen():
    with torch.device("meta"):
        model = nn.Sequential(nn.BatchNorm1d(3), nn.Sequential(nn.BatchNorm1d(3)))
    freeze(model, except_for=["1"])
    model = distributed.sync_batch_norm(model).train()
    assert all(isinstance(norm, nn.SyncBatchNorm) for norm in (model[0], model[1][0]))
    assert not model[0].training and model[1][0].training


def test_what_cannot_be_wrapped():
    with pytest.raises(ValueError, match="call setup"):
        distributed.wrap_ddp(Small())
    with pytest.raises(ValueError, match="sync_batch_norm: expected a network on a GPU"):
        distributed.sync_batch_norm(nn.Sequential(nn.BatchNorm1d(3)))
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    weights = list(model.parameters())
    fixed = distributed.sync_batch_norm(model)
    assert isinstance(fixed[1], nn.SyncBatchNorm) and all(
        a is b for a, b in zip(fixed.parameters(), weights, strict=True)
    )
