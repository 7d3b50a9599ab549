"""Values of a configuration that are refused, each with the sentence that names key and range."""

import pytest

from dlbook.recipes.run.sections import Draft
from dlbook.train.configuration import ConfigurationError, resolve

CONTENT = {"model": {"name": "lenet5"}, "data": {"name": "mnist5k"}}
DEVICE = "trainer.device: expected auto, cpu, cuda or mps, got "
WRONG = {
    "seed=-1": "seed: expected greater than or equal to 0, got -1",
    "seed=18446744073709551616": "seed: expected less than 18446744073709551616, got 18446744073709551616",
    "optimizer.betas=[0.9,1]": "optimizer.betas: expected less than 1 as number 2, got 1; set the whole",
    "optimizer.betas=[-0.1,0.9]": "optimizer.betas: expected greater than or equal to 0 as number 1",
    "schedule.milestones=[2,-1]": "schedule.milestones: expected ascending shares of the run, each between",
    "schedule.milestones=[0.5,0.5]": "schedule.milestones: expected ascending shares",
    "schedule.milestones=[0.5,1]": "schedule.milestones: expected ascending shares",
    "data.root=None": "data.root: expected null for nothing, got the word None; write data.root=null",
    "trainer.device=gpu": f"{DEVICE}'gpu'; set trainer.device=cuda for an NVIDIA GPU, mps",
    "trainer.device=Nvidia": f"{DEVICE}'Nvidia'; set trainer.device=cuda",
    "trainer.device=cuda:1": f"{DEVICE}'cuda:1'; set trainer.device=cuda, and the variable CUDA_VISI",
    "trainer.device=metal": f"{DEVICE}'metal'; set trainer.device=mps",
    "trainer.device=cudda": "trainer.device: expected 'auto', 'cpu', 'cuda' or 'mps', got 'cudda'; did",
    "trainer.device=0": "trainer.device: expected 'auto', 'cpu', 'cuda' or 'mps', got 0; set another",
    "output.folder=''": "output.folder: expected string that should have at least 1 character, got ''",
    "data.limit=None": "data.limit: expected null for nothing",
}


@pytest.mark.parametrize("override", WRONG)
def test_what_is_out_of_range_is_named(override):
    with pytest.raises(ConfigurationError) as error:
        resolve(Draft, CONTENT, [override])
    assert str(error.value).startswith(WRONG[override])


def test_what_is_at_the_edge_is_taken():
    edge = ["seed=18446744073709551615", "optimizer.betas=[0,0.9999]", "schedule.milestones=[0.01,0.99]"]
    draft = resolve(Draft, CONTENT, edge)
    assert (draft.seed, draft.optimizer.betas) == (2**64 - 1, (0, 0.9999))
