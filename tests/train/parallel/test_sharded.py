"""FSDP equals DDP equals one process; sharded checkpoints are whole or refused, and any number of processes
may load them.
"""

import json
import shutil

import pytest
import torch
from torch import nn

from dlbook import optim
from dlbook.train import Trainer, checkpoint
from dlbook.train.batches import Batches, Pool, evaluation_batches
from dlbook.train.evaluate import evaluate
from dlbook.train.fit.activation_checkpointing import checkpoint_blocks
from dlbook.train.parallel import distributed, manifest, sharded
from dlbook.train.parallel.sharded import ShardedRun
from dlbook.train.run import RunError
from tests.many_processes import together
from tests.train.small_method import BATCH, STEPS, Rows, Small, differing

pytestmark = pytest.mark.forks

KINDS = {
    "sgd": lambda p: optim.Momentum(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda p: optim.Nesterov(p, lr=0.1, momentum=0.9),
    "adam": lambda p: optim.Adam(p, lr=0.05),
    "adamw": lambda p: optim.AdamW(p, lr=0.05, weight_decay=0.1),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.01),
    "lars": lambda p: optim.LARS(p, lr=0.1, weight_decay=0.01),
}


def trainer_of(rank, strategy="fsdp", kind="adamw", accumulate=2, norm="group", fault=""):
    """A trainer over this rank's share; one process alone is not divided."""
    world = distributed.world_size()
    method = Small(norm, seed=rank, outside=False)
    checkpoint_blocks(method.model)
    forward = None
    if world > 1:
        forward = (
            sharded.shard(method, [method.model, method.ema.module])
            if strategy == "fsdp"
            else distributed.wrap_ddp(method)
        )
    for module in method.model.modules():
        if fault == "sum instead of mean" and hasattr(module, "set_gradient_divide_factor"):
            module.set_gradient_divide_factor(1.0)
    batches = Batches(Pool(Rows(), BATCH // world), seed=3, rank=rank, world_size=world)
    clip = None if fault == "not clipped" else 0.1
    return Trainer(
        method,
        KINDS[kind](method.param_groups()),
        lambda step: 1 / (1 + step),
        batches,
        accumulate=accumulate,
        clip_norm=clip,
        forward=forward,
    )


def whole(tensor):
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor.clone()


def numbers(trainer):
    """Weights, averages, buffers and logs as they would stand in one process."""
    found = {f"weight {name}": whole(value) for name, value in trainer.method.state_dict().items()}
    for place, (_, slots) in enumerate(trainer.optimizer.state.items()):
        found |= {
            f"state {place} {name}": whole(value)
            for name, value in slots.items()
            if isinstance(value, torch.Tensor)
        }
    return found | {f"log {name}": values.clone() for name, values in trainer.log.items()}


def kept(trainer):
    """The same, as checkpoints hold it: logs in float32."""
    return {
        name: value.float() if name.startswith("log ") else value for name, value in numbers(trainer).items()
    }


def train(rank, options):
    trainer = trainer_of(rank, **options)
    trainer.fit(STEPS)
    distributed.average_log(trainer.log, STEPS)
    data = Rows(9)
    batches = evaluation_batches(data, 2, rank=rank, world_size=distributed.world_size())
    figures = evaluate(trainer.method.ema.module, batches, 3)
    return (
        numbers(trainer),
        figures,
        sum(
            p.to_local().numel() if hasattr(p, "to_local") else p.numel() for p in trainer.method.parameters()
        ),
    )


def check_equals_one(world, **options):
    alone, figures, count = train(0, options | {"fault": ""})
    for found, theirs, held in together(world, train, options):
        assert differing(alone, found) == []
        assert theirs == pytest.approx(figures, abs=1e-4)
        assert held < 0.7 * count or options.get("strategy") == "ddp"


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_with_halves_equal_one(kind):
    check_equals_one(2, kind=kind)


@pytest.mark.parametrize("options", [{}, {"accumulate": 1, "norm": "frozen"}, {"strategy": "ddp"}], ids=str)
def test_four_processes_equal_one(options):
    check_equals_one(4, **options)


@pytest.mark.parametrize("fault", ["sum instead of mean", "not clipped"])
def test_seeded_fault_is_caught(fault):
    with pytest.raises(AssertionError):
        check_equals_one(2, fault=fault)


def begin(rank, folder, stops, fault=""):
    """A run that saves at each stop."""
    if fault == "any rank's buffers are written":
        sharded.broadcast_buffers = lambda module: None
    trainer = trainer_of(rank, norm="batch")
    run = ShardedRun(folder, resume=True)
    run.resume(trainer)
    for stop in stops:
        trainer.fit(stop)
        distributed.average_log(trainer.log, stop)
        run.save(trainer, {"accuracy": float(stop)})
    return kept(trainer)


def resume(rank, folder):
    trainer = trainer_of(rank, norm="batch")
    with pytest.warns(UserWarning) if (folder / "harmed").exists() and rank == 0 else _nothing():
        step = ShardedRun(folder, resume=True).resume(trainer)
    return step, kept(trainer)


class _nothing:
    __enter__ = __exit__ = lambda *_: None


def check_loading(world, folder, fault=""):
    expected = together(2, begin, folder, (2, 4), fault)[0]
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == [
        "best.ckpt",
        "step-00000002.shards",
        "step-00000004.shards",
    ]
    for step, found in together(world, resume, folder):
        assert step == 4 and differing(expected, found, 0) == []


@pytest.mark.parametrize("world", [1, 2, 3])
def test_any_number_of_processes_loads_what_two_wrote(world, tmp_path):
    check_loading(world, tmp_path / "run")


def test_seeded_fault_in_writing_parts_is_caught(tmp_path):
    with pytest.raises(AssertionError):
        check_loading(2, tmp_path / "run", "any rank's buffers are written")


def test_resumed_equals_uninterrupted_bit_for_bit(tmp_path):
    expected = together(2, begin, tmp_path / "whole", (4,))
    together(2, begin, tmp_path / "run", (2,))
    found = together(2, begin, tmp_path / "run", (4,))
    assert all(differing(a, b, 0) == [] for a, b in zip(expected, found, strict=True))


def test_the_best_is_a_plain_checkpoint_and_one_process_goes_on_from_the_parts(tmp_path):
    expected = together(2, begin, tmp_path / "run", (2,))[0]
    plain = checkpoint.load(tmp_path / "run/checkpoints/best.ckpt")
    assert all(
        torch.equal(value, expected[f"weight {name}"]) for name, value in plain["trainer"]["method"].items()
    )
    alone = trainer_of(0, norm="batch")
    alone.load_state_dict(plain["trainer"])
    assert differing(expected, kept(alone), 0) == []
    together(1, begin, tmp_path / "run", (4,))
    with pytest.raises(RunError, match="one of a single process"):
        expect_error(tmp_path / "run")


def expect_error(folder):
    told = together(2, error_of, folder)
    assert told[0] == told[1]
    raise RunError(told[0])


def error_of(rank, folder):
    with pytest.raises(RunError) as error:
        ShardedRun(folder, resume=True).resume(trainer_of(rank, norm="batch"))
    return str(error.value)


def harm(folder, how):
    part = sorted(folder.glob("__1_*.distcp"))[0]
    content = bytearray(part.read_bytes())
    if how == "cut":
        part.write_bytes(content[: len(content) // 2])
    elif how == "altered":
        content[len(content) // 2] ^= 1
        part.write_bytes(content)
    elif how == "lost":
        part.unlink()
    elif how == "no manifest":
        (folder / manifest.FILE).unlink()
    elif how == "half a manifest":
        (folder / manifest.FILE).write_text(json.dumps({"format": 1})[:7])
    return part.name


@pytest.fixture(scope="module")
def two_checkpoints(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sharded") / "run"
    together(2, begin, folder, (2, 4))
    return folder


HARMS = {
    "cut": "cut short",
    "altered": "altered",
    "lost": "missing",
    "no manifest": "manifest.json",
    "half a manifest": "manifest.json",
}


@pytest.mark.parametrize("how", HARMS)
def test_a_broken_part_is_named_and_the_one_before_used(how, two_checkpoints, tmp_path):
    shutil.copytree(two_checkpoints, tmp_path / "run")
    newest = tmp_path / "run/checkpoints/step-00000004.shards"
    name = harm(newest, how)
    with pytest.raises(
        checkpoint.CheckpointError,
        match=f"{HARMS[how] if 'manifest' in how else name + '.*' + HARMS[how]}.*take another checkpoint",
    ):
        manifest.verify(newest)
    (tmp_path / "run/harmed").touch()
    assert [step for step, _ in together(2, resume, tmp_path / "run")] == [2, 2]
    assert newest.with_suffix(".broken").is_dir()


def full_disk(rank, folder):
    """Rank 0's disk is full while it writes the rest."""
    trainer = trainer_of(rank, norm="batch")
    run = ShardedRun(folder, resume=True)
    run.resume(trainer)
    trainer.fit(6)

    def full(*_):
        raise OSError(28, "No space left on device")

    checkpoint.save = full
    with pytest.raises(OSError, match="No space left"):
        run.save(trainer)


def test_a_full_disk_loses_no_earlier_checkpoint(two_checkpoints, tmp_path):
    shutil.copytree(two_checkpoints, tmp_path / "run")
    together(2, full_disk, tmp_path / "run")
    assert [step for step, _ in together(2, resume, tmp_path / "run")] == [4, 4]


def outside(rank):
    method = Small(outside=True)
    with pytest.raises(ValueError, match="got .*sharpness outside of them; put"):
        sharded.shard(method, [method.model, method.ema.module])
    assert not any(
        isinstance(module, nn.Module) and hasattr(module, "unshard") for module in method.modules()
    )


def test_a_parameter_outside_the_networks_is_named():
    together(2, outside)
