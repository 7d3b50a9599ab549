"""DeiT against timm's weights and arithmetic, its losses against loops over equations (2) and (3), and faults
that people make.
"""

import math

import pytest
import timm
import torch
from torch import nn

from dlbook.measure import count
from dlbook.models.deit import (
    VARIANTS,
    Block,
    DeiT,
    DistillationHeads,
    deit,
    hard_distillation_loss,
    soft_distillation_loss,
)
from dlbook.models.deit_weights import HEADS, load_timm_state
from dlbook.nn.position import interpolate_positions
from tests.oracles.parity import close, disagreements, randomise
from tests.oracles.peers import PEERS

# parameters and multiply-accumulates at 224 x 224: timm 1.0.31
COUNTS = {
    "deit_ti": (5_717_416, 1_253_683_200),
    "deit_s": (22_050_664, 4_598_882_304),
    "deit_b": (86_567_656, 17_563_828_224),
    "deit_ti_distilled": (5_910_800, 1_261_003_776),
    "deit_s_distilled": (22_436_432, 4_624_140_288),
    "deit_b_distilled": (87_338_192, 17_656_811_520),
}
SIZE = (32, 64)


class Heads(nn.Module):
    """Both heads' logits side by side, so that one comparison sees both."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images):
        out = self.model(images)
        return out if isinstance(out, torch.Tensor) else torch.cat(out, dim=1)


def timm_peer(distilled: bool, resolution=SIZE, **options) -> nn.Module:
    name = "deit_tiny_distilled_patch16_224" if distilled else "deit_tiny_patch16_224"
    model = randomise(timm.create_model(name, num_classes=7, img_size=resolution, **options))
    if distilled:
        model.set_distilled_training(True)
    return model


def names(distilled: bool):
    """From a name in the state of timm's `Heads` to ours."""
    table = {f"model.{theirs}": f"model.{own}" for theirs, own in HEADS.items()} if distilled else {}
    return lambda name: table.get(name, name)


def ours(distilled: bool, resolution=SIZE) -> DeiT:
    return deit(
        "deit_ti_distilled" if distilled else "deit_ti", num_classes=7, resolution=resolution
    ).double()


@pytest.mark.parametrize("name", VARIANTS)
def test_exact_counts(name):
    counts = count(lambda: deit(name), (3, 224, 224))
    assert (counts.parameters, counts.macs) == COUNTS[name]


@pytest.mark.parametrize("name", VARIANTS)
def test_every_row_takes_its_peer_s_weights_and_shapes(name):
    with torch.device("meta"):
        theirs = timm.create_model(PEERS[name].removeprefix("timm/")).state_dict()
        model, images = deit(name), torch.empty(2, 3, 224, 224)
    rename = HEADS if VARIANTS[name].distilled else {}
    assert {key: tensor.shape for key, tensor in model.state_dict().items()} == {
        rename.get(key, key): tensor.shape for key, tensor in theirs.items()
    }
    assert model.forward_features(images).shape == (2, 196 + model.prefix_tokens, VARIANTS[name].dim)
    assert model.attention(images).shape == (
        2,
        VARIANTS[name].dim // 64,
        196 + model.prefix_tokens,
        196 + model.prefix_tokens,
    )
    assert model.eval()(images).shape == (2, 1000)


@pytest.mark.parametrize("distilled", [False, True])
def test_equal_to_timm(distilled):
    reference = timm_peer(distilled)
    model = load_timm_state(ours(distilled), reference.state_dict())
    assert disagreements(Heads(model), Heads(reference), (2, 3, *SIZE), names(distilled)) == []


@pytest.mark.parametrize("distilled", [False, True])
def test_other_resolutions_are_timm_s(distilled):
    reference = timm_peer(distilled, 64, dynamic_img_size=True)
    model = load_timm_state(ours(distilled, 64), reference.state_dict())
    assert (
        disagreements(Heads(model), Heads(reference), (2, 3, 48, 80), names(distilled), relative=1e-6) == []
    )  # timm resizes in float32
    prefix = 1 + distilled
    model = load_timm_state(ours(distilled, (48, 80)), reference.state_dict())
    assert torch.equal(model.pos_embed, interpolate_positions(reference.pos_embed, (4, 4), (3, 5), prefix))


def test_attention_is_timm_s():
    reference, images = timm_peer(True).eval(), torch.randn(2, 3, *SIZE, dtype=torch.float64)
    model, seen = load_timm_state(ours(True), reference.state_dict()).eval(), []
    for block in reference.blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop.register_forward_hook(lambda module, inputs, output: seen.append(output))
    reference(images)
    assert all(close(model.attention(images, layer), seen[layer]) for layer in (0, 6, -1))


def test_both_heads_in_training_their_mean_after():
    model, images = randomise(ours(True)), torch.randn(2, 3, *SIZE, dtype=torch.float64)
    first, second = model(images)
    assert not close(first, second) and close(model.eval()(images), (first + second) / 2)
    assert isinstance(randomise(ours(False)).train()(images), torch.Tensor)


def distillation_token_first(self, images):
    patches = self.patch_embed(images)
    tokens = [
        self.dist_token.expand(len(patches), -1, -1),
        self.cls_token.expand(len(patches), -1, -1),
        patches,
    ]
    return torch.cat(tokens, dim=1) + self.pos_embed


def sum_of_the_heads(self, tokens):
    first, second = tokens.chunk(2, dim=1)
    outputs = self.label(first), self.teacher(second)
    return outputs if self.training else outputs[0] + outputs[1]


def one_head_for_both(self, tokens):
    first, second = tokens.chunk(2, dim=1)
    outputs = self.label(first), self.label(second)
    return outputs if self.training else (outputs[0] + outputs[1]) / 2


def heads_exchanged(self, tokens):
    first, second = tokens.chunk(2, dim=1)
    outputs = self.teacher(first), self.label(second)
    return outputs if self.training else (outputs[0] + outputs[1]) / 2


def heads_read_the_class_token(self, tokens):
    first, _ = tokens.chunk(2, dim=1)
    outputs = self.label(first), self.teacher(first)
    return outputs if self.training else (outputs[0] + outputs[1]) / 2


def class_head_alone_in_evaluation(self, tokens):
    first, second = tokens.chunk(2, dim=1)
    outputs = self.label(first), self.teacher(second)
    return outputs if self.training else outputs[0]


def no_mlp_norm(self, x):
    x = x + self.attn(self.norm1(x))
    return x + self.mlp(x)


FAULTS = [
    (DeiT, "embed", distillation_token_first),
    (DistillationHeads, "forward", sum_of_the_heads),
    (DistillationHeads, "forward", one_head_for_both),
    (DistillationHeads, "forward", heads_exchanged),
    (DistillationHeads, "forward", heads_read_the_class_token),
    (DistillationHeads, "forward", class_head_alone_in_evaluation),
    (Block, "forward", no_mlp_norm),
]


@pytest.mark.parametrize("cls, name, method", FAULTS)
def test_parity_catches_the_seeded_fault(cls, name, method, monkeypatch):
    reference = timm_peer(True)
    model = load_timm_state(ours(True), reference.state_dict())
    monkeypatch.setattr(cls, name, method)
    assert disagreements(Heads(model), Heads(reference), (2, 3, *SIZE), names(True))


def naive_soft(class_logits, distill_logits, labels, teacher_logits, tau=3.0, weight=0.1):
    """Equation (2), one number at a time."""
    total = 0.0
    for b, label in enumerate(labels.tolist()):
        powers = [math.exp(z) for z in class_logits[b].tolist()]
        student = [math.exp(z / tau) for z in distill_logits[b].tolist()]
        teacher = [math.exp(z / tau) for z in teacher_logits[b].tolist()]
        divergence = sum(
            t / sum(teacher) * math.log((t / sum(teacher)) / (s / sum(student)))
            for t, s in zip(teacher, student)
        )
        total += -(1 - weight) * math.log(powers[label] / sum(powers)) + weight * tau**2 * divergence
    return total / len(labels)


def naive_hard(class_logits, distill_logits, labels, teacher_logits):
    """Equation (3), one number at a time."""
    total = 0.0
    for b, label in enumerate(labels.tolist()):
        teacher = teacher_logits[b].tolist()
        for logits, target in ((class_logits, label), (distill_logits, teacher.index(max(teacher)))):
            powers = [math.exp(z) for z in logits[b].tolist()]
            total -= 0.5 * math.log(powers[target] / sum(powers))
    return total / len(labels)


def example():
    generator = torch.Generator().manual_seed(0)
    logits = [2 * torch.randn(5, 7, generator=generator, dtype=torch.float64) for _ in range(3)]
    return logits[0], logits[1], torch.tensor([3, 0, 6, 1, 1]), logits[2]


def check_losses(soft, hard):
    values = example()
    assert soft(*values).item() == pytest.approx(naive_soft(*values), rel=1e-12)
    assert soft(*values, 1.5, 0.7).item() == pytest.approx(naive_soft(*values, 1.5, 0.7), rel=1e-12)
    assert hard(*values).item() == pytest.approx(naive_hard(*values), rel=1e-12)


def test_losses_equal_the_equations():
    check_losses(soft_distillation_loss, hard_distillation_loss)


def swapped(class_logits, distill_logits, labels, teacher_logits, *rest):
    return soft_distillation_loss(class_logits, teacher_logits, labels, distill_logits, *rest)


def divided_by(number):
    """Equation (2) with its second term divided."""

    def soft(class_logits, distill_logits, labels, teacher_logits, tau=3.0, weight=0.1):
        first = (1 - weight) * nn.functional.cross_entropy(class_logits, labels)
        whole = soft_distillation_loss(class_logits, distill_logits, labels, teacher_logits, tau, weight)
        return first + (whole - first) / number(tau)

    return soft


LOSS_FAULTS = {
    "KL(student || teacher)": (swapped, hard_distillation_loss),
    "one head only": (lambda c, d, *rest: soft_distillation_loss(c, c, *rest), hard_distillation_loss),
    "no temperature squared": (divided_by(lambda tau: tau**2), hard_distillation_loss),
    "divided by the classes too": (divided_by(lambda tau: 7), hard_distillation_loss),
    "labels and decisions exchanged": (
        soft_distillation_loss,
        lambda c, d, y, t: hard_distillation_loss(d, c, y, t),
    ),
    "sum for mean of the halves": (
        soft_distillation_loss,
        lambda *values: 2 * hard_distillation_loss(*values),
    ),
}


@pytest.mark.parametrize("fault", LOSS_FAULTS)
def test_the_loop_catches_the_seeded_fault_in_a_loss(fault):
    with pytest.raises(AssertionError):
        check_losses(*LOSS_FAULTS[fault])


def test_no_gradient_reaches_the_teacher_and_mixed_labels_are_taken():
    class_logits, distill_logits, labels, teacher_logits = (value.clone() for value in example())
    for logits in (class_logits, distill_logits, teacher_logits):
        logits.requires_grad_()
    for loss in (soft_distillation_loss, hard_distillation_loss):
        loss(class_logits, distill_logits, labels, teacher_logits).backward()
        assert teacher_logits.grad is None and distill_logits.grad.abs().sum() > 0
        one_hot = nn.functional.one_hot(labels, 7).double()
        by_index, by_vector = (
            loss(class_logits, distill_logits, target, teacher_logits) for target in (labels, one_hot)
        )
        assert torch.allclose(by_index, by_vector)


def test_stochastic_depth_grows_linearly():
    model = deit("deit_ti", drop_path=0.11, device="meta")
    assert [block.drop_path.drop_prob for block in model.blocks] == pytest.approx(
        [0.01 * index for index in range(12)]
    )


def test_initial_statistics():
    torch.manual_seed(0)
    state = deit("deit_s_distilled").state_dict()
    names = (
        "pos_embed",
        "cls_token",
        "dist_token",
        "head.label.weight",
        "head.teacher.weight",
        "blocks.2.attn.qkv.weight",
        "blocks.9.mlp.fc2.weight",
    )
    for name in names:
        assert abs(state[name].std() / 0.02 - 1) < 6 / (2 * state[name].numel()) ** 0.5, name
    assert (state["blocks.0.attn.qkv.bias"] == 0).all() and (state["head.teacher.bias"] == 0).all()
    assert not torch.equal(state["cls_token"], state["dist_token"])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": "deit_xs"}, "did you mean deit_"),
        ({"name": "deit_s", "num_classes": 0}, "expected num_classes"),
        ({"name": "deit_s", "in_channels": 0}, "expected in_channels"),
        ({"name": "deit_s", "drop_path": 1.0}, "expected drop_path"),
        ({"name": "deit_s", "resolution": 100}, "multiple of the patch size 16"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        deit(**arguments, device="meta")


def test_bad_images_layers_and_weights():
    model = deit("deit_ti_distilled", device="meta")
    with pytest.raises(ValueError, match="multiple of the patch size 16"):
        model(torch.zeros(1, 3, 224, 225, device="meta"))
    with pytest.raises(ValueError, match=r"layer must be in \[-12, 12\)"):
        model.attention(torch.zeros(1, 3, 224, 224, device="meta"), -13)
    with pytest.raises(ValueError, match="'dist_token'.* is missing"):
        load_timm_state(model, deit("deit_ti", device="meta").state_dict())
    plain = deit("deit_ti", device="meta")
    with pytest.raises(ValueError, match="'dist_token'.* no place"):
        load_timm_state(plain, plain.state_dict() | {"dist_token": torch.zeros(1, 1, 192)})
