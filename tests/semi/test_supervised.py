"""The supervised baseline: the labelled images' cross-entropy and nothing else; its average follows."""

import torch

from dlbook.semi.supervised import Supervised
from tests.semi.semi_checks import check_average_follows, make_batch, make_net


def test_it_trains_its_model_and_its_average_follows():
    check_average_follows(Supervised)


def test_the_loss_is_the_labelled_cross_entropy_alone():
    """Seeded by hand: the unlabelled images are spoilt, and nothing changes."""
    batch = make_batch()
    spoilt = {name: views * torch.nan for name, views in batch.items() if name in ("weak", "strong")}
    rows = make_net().train()(batch["labelled"]).log_softmax(1)
    expected = -sum(row[label] for row, label in zip(rows, batch["labels"], strict=True)) / len(rows)
    loss = Supervised(make_net()).train().training_step(batch | spoilt, 0)["loss"]
    torch.testing.assert_close(loss, expected)
