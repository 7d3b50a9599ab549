"""The parts of a classification run: what is built is what the configuration says."""

import math

import pytest
import torch

from dlbook import optim
from dlbook.data import color_shapes, mnist5k
from dlbook.recipes.bundled_configs import find, names
from dlbook.recipes.classify import run as classify_run
from dlbook.recipes.classify.build import Classify, build, make_optimizer, make_schedule
from dlbook.recipes.classify.config import ClassifyConfig, Optimizer, resolve
from dlbook.recipes.classify.data import load, split
from dlbook.train.configuration import ConfigurationError
from dlbook.train.configuration import load as load_file
from dlbook.train.run import RunError

BASE = {"model": {"name": "convnet_digits"}, "data": {"name": "mnist5k", "limit": 120, "batch_size": 20}}


def config(tmp_path, *overrides):
    return resolve(
        ClassifyConfig,
        BASE,
        [f"output.folder={tmp_path / 'run'}", "output.tensorboard=false", "trainer.epochs=2", *overrides],
    )


class Logits(torch.nn.Module):
    """Answers fixed logits."""

    def __init__(self, logits):
        super().__init__()
        self.logits = torch.nn.Parameter(logits)

    def forward(self, images):
        return self.logits


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("mixed", [False, True])
def test_loss_is_the_sum_written_out(smoothing, mixed):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 4, generator=generator)
    labels = torch.randint(0, 4, (5,), generator=generator)
    probs = torch.rand(5, 4, generator=generator).softmax(1)
    batch = {"images": torch.zeros(5, 1, 2, 2), "labels": labels} | ({"probs": probs} if mixed else {})
    expected = 0.0
    for i in range(5):
        for k in range(4):
            target = probs[i, k].item() if mixed else float(labels[i] == k)
            target = (1 - smoothing) * target + smoothing / 4
            expected -= target * math.log(math.exp(logits[i, k]) / sum(math.exp(z) for z in logits[i])) / 5
    out = Classify(Logits(logits), smoothing).training_step(batch, 0)
    assert out["loss"].item() == pytest.approx(expected, rel=1e-5)
    assert ("accuracy" in out) != mixed
    if not mixed:
        assert out["accuracy"].item() == pytest.approx(
            100 * (logits.argmax(1) == labels).double().mean().item()
        )


def test_average_is_what_is_evaluated():
    plain, averaged = Classify(torch.nn.Linear(2, 2)), Classify(torch.nn.Linear(2, 2), ema_decay=0.5)
    assert plain.evaluated is plain.model and averaged.evaluated is averaged.ema.module
    with torch.no_grad():
        averaged.model.weight.add_(1.0)
    before = averaged.evaluated.weight.clone()
    averaged.after_step(0)
    assert not torch.equal(before, averaged.evaluated.weight)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sgd", optim.Momentum),
        ("nesterov", optim.Nesterov),
        ("adam", optim.Adam),
        ("adamw", optim.AdamW),
        ("rmsprop", optim.RMSprop),
        ("lars", optim.LARS),
    ],
)
def test_optimizer_gets_its_options_and_norms_do_not_decay(name, kind):
    method = Classify(torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.LayerNorm(4)))
    made = make_optimizer(
        Optimizer(name=name, lr=0.3, momentum=0.7, betas=(0.8, 0.9), weight_decay=0.02), method
    )
    assert type(made) is kind and all(group["lr"] == 0.3 for group in made.param_groups)
    decay = {id(p): group["weight_decay"] for group in made.param_groups for p in group["params"]}
    assert [decay[id(p)] for p in method.parameters()] == [0.02, 0.0, 0.0, 0.0]
    group = made.param_groups[0]
    assert group.get("momentum", 0.7) == 0.7 and tuple(group.get("betas", (0.8, 0.9))) == (0.8, 0.9)
    every = make_optimizer(Optimizer(name=name, decay_norms_and_biases=True, weight_decay=0.02), method)
    assert [group["weight_decay"] for group in every.param_groups] == [0.02]


def test_schedules_over_the_whole_run(tmp_path):
    make = lambda *o: make_schedule(config(tmp_path, "trainer.epochs=10", *o), 8)
    cosine = make("schedule.final=0.1")
    assert cosine(0) == 1 and cosine(40) == pytest.approx(0.55) and cosine(80) == pytest.approx(0.1)
    warm = make("schedule.warmup_epochs=2")
    assert warm(0) < warm(8) < warm(15) and warm(3) / warm(1) == pytest.approx(2, rel=0.02)
    steps = make("schedule.name=step")
    assert [round(steps(s), 6) for s in (39, 40, 59, 60)] == [1, 0.1, 0.1, 0.01]
    assert make("schedule.name=constant")(77) == 1
    assert max(make("schedule.name=one_cycle")(s) for s in range(80)) == pytest.approx(1, rel=0.01)


def test_split_holds_out_the_same_share_of_each_class():
    labels = mnist5k("train").labels
    train, held_out = split(labels, 0.1, seed=3)
    assert sorted([*train.tolist(), *held_out.tolist()]) == list(range(4000))
    assert torch.bincount(labels[held_out]).tolist() == [40] * 10
    assert torch.equal(split(labels, 0.1, seed=3)[0], train) and not torch.equal(
        split(labels, 0.1, seed=4)[0], train
    )
    assert len(split(labels, 0.0, seed=0)[1]) == 0
    with pytest.raises(ValueError, match="class 1 has one example"):
        split(torch.tensor([0, 0, 1]), 0.5, seed=0)


def test_test_images_are_never_trained_on(tmp_path):
    splits = load(config(tmp_path, "data.limit=null").data, seed=0)
    seen = {image.numpy().tobytes() for part in (splits.train, splits.validation) for image in part.images}
    assert len(seen) >= 3990 and not any(image.numpy().tobytes() in seen for image in splits.test.images)


def test_equal_seeds_give_equal_runs_and_others_do_not(tmp_path):
    weights = []
    for number, seed in enumerate((1, 1, 2)):
        setup = build(config(tmp_path / str(number), f"seed={seed}", "augment.policy=shift"))
        setup.trainer.fit(4)
        weights.append(torch.cat([p.detach().flatten() for p in setup.method.parameters()]))
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_a_run_from_its_own_folder_is_the_same_run(tmp_path):
    first = config(tmp_path)
    best = classify_run.train(build(first))
    again = load_file(ClassifyConfig, tmp_path / "run/config.yaml", [f"output.folder={tmp_path / 'again'}"])
    assert classify_run.train(build(again)) == best
    assert classify_run.evaluate_run(tmp_path / "run", "validation") == {
        k: v for k, v in best.items() if k != "step"
    }
    test = classify_run.evaluate_run(tmp_path / "run")
    assert test.keys() == best.keys() - {"step"} and test != classify_run.evaluate_run(
        tmp_path / "run", "validation"
    )


def test_patience_stops(tmp_path):
    setup = build(config(tmp_path, "trainer.epochs=30", "trainer.patience=2", "optimizer.lr=1e-12"))
    classify_run.train(setup)
    assert setup.trainer.step == 3 * 6  # nothing is learnt: one evaluation and two without a new best


def test_resuming_another_configuration_is_refused(tmp_path):
    classify_run.train(build(config(tmp_path)))
    with pytest.raises(RunError, match=r"optimizer\.lr was 0\.1, now 0\.2"):
        classify_run.train(build(config(tmp_path, "optimizer.lr=0.2")), resume=True)
    with pytest.raises(RunError, match="holds a run already"):
        classify_run.train(build(config(tmp_path)))


def test_bundled_configurations_are_valid():
    assert set(names()) >= {"cifar10", "digits", "image_folder", "imagenet", "shapes"}
    for name in names():
        assert isinstance(load_file(ClassifyConfig, find(name)), ClassifyConfig)
    with pytest.raises(ValueError, match="did you mean 'digits'"):
        find("digit")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.batch_size=121", "make batch_size smaller"),
        ("trainer.accumulate=7", "trainer.accumulate: expected at most 6"),
        ("model.name=convnet_digit", "did you mean convnet_digits"),
        ("model.name=vgg16", "at least 32 pixels"),
    ],
)
def test_what_does_not_fit_together(tmp_path, override, message):
    with pytest.raises(ValueError, match=message):
        build(config(tmp_path, override)).trainer.fit(1)


def test_sections_check_each_other(tmp_path):
    with pytest.raises(
        ConfigurationError, match="expected schedule.warmup_epochs below trainer.epochs=2, got 2"
    ):
        config(tmp_path, "schedule.warmup_epochs=2")
    with pytest.raises(ConfigurationError, match="data: Value error|data: expected root=FOLDER for cifar10"):
        config(tmp_path, "data.name=cifar10")


def test_a_missing_run_and_part(tmp_path):
    with pytest.raises(RunError, match="train it first: dlbook train CONFIG"):
        classify_run.evaluate_run(tmp_path)
    classify_run.train(build(config(tmp_path)))
    with pytest.raises(ValueError, match="expected one of test, validation, train, got 'tset'"):
        classify_run.evaluate_run(tmp_path / "run", "tset")


def test_shapes_have_three_channels():
    splits = load(resolve(ClassifyConfig, {"model": {"name": "x"}, "data": {"name": "color_shapes"}}).data, 0)
    assert splits.in_channels == 3 and splits.classes == color_shapes(1).classes
