"""The published tables are torchvision's, row by row; seeded faults."""

import pytest
from torchvision.transforms import v2

from dlbook.augment import policy_tables
from dlbook.augment.policy_tables import CIFAR10, IMAGENET, SVHN

TABLES = {"CIFAR10": CIFAR10, "IMAGENET": IMAGENET, "SVHN": SVHN}


def check_table(name, table):
    mine = tuple(tuple(tuple(action) for action in sub_policy) for sub_policy in table)
    assert mine == tuple(v2.AutoAugment()._get_policies(getattr(v2.AutoAugmentPolicy, name)))


@pytest.mark.parametrize("name", TABLES)
def test_table_is_torchvisions(name):
    check_table(name, TABLES[name])


def one_tenth_more(table):
    first, second = table[3]
    return (*table[:3], (first._replace(probability=first.probability + 0.1), second), *table[4:])


FAULTS = {
    "a probability one tenth off": one_tenth_more,
    "two rows exchanged": lambda table: (table[1], table[0], *table[2:]),
    "the two actions of a row exchanged": lambda table: (*table[:7], table[7][::-1], *table[8:]),
    "a row missing": lambda table: table[:-1],
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", TABLES)
def test_the_check_sees_the_fault(name, fault):
    with pytest.raises(AssertionError):
        check_table(name, FAULTS[fault](getattr(policy_tables, name)))
