"""Runs that differ in nothing but the method: few labels, many images without one, and one recipe for all.

The recipe is that of Sohn et al. 2020, arXiv:2001.07685: Nesterov's momentum of 0.9, weight decay 5e-4,
and the rate's factor cos(7 pi t / 16 T). The paper's first rate is 0.03.
`FewLabels` says which images there are and how long a run is; `start` makes a run of a method and a seed.

>>> from dlbook.data import color_shapes
>>> from dlbook.models.convnet import convnet
>>> from dlbook.supervised.cross_entropy import CrossEntropy
>>> protocol = FewLabels(color_shapes(40), per_class=2, sizes=(4, 8), steps=10)
>>> trainer = protocol.start(lambda: CrossEntropy(convnet(in_channels=3)), seed=0, labelled=None)
>>> sorted(trainer.batches(0))
['images', 'indices', 'labels']
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from dlbook.data import LabelledImages, labelled_indices
from dlbook.optim import Nesterov
from dlbook.optim.schedules import cosine_fraction
from dlbook.train import Trainer
from dlbook.train.batches import Batches, Pool, View
from dlbook.train.method import Method
from dlbook.train.pools import Step

__all__ = ["FewLabels"]


@dataclass(frozen=True)
class FewLabels:
    """What all runs have in common.

    Attributes:
        images: all of them, on the device of the runs; each is unlabelled, and a few are labelled as well.
        per_class: labelled images a class.
        sizes: labelled and unlabelled images of a batch.
        steps: optimizer steps of a run.
        rate: learning rate of the first step; 0.01 serves small networks and short runs.
    """

    images: LabelledImages
    per_class: int
    sizes: tuple[int, int]
    steps: int
    rate: float = 0.01

    def labelled(self, seed: int) -> LabelledImages:
        """The few labelled images that a seed chooses."""
        return self.images.subset(labelled_indices(self.images.labels.cpu(), self.per_class, seed))

    def start(
        self,
        make_method: Callable[[], Method],
        seed: int,
        *,
        labelled: Step | None,
        unlabelled: Mapping[str, Step] | None = None,
        few: LabelledImages | None = None,
    ) -> Trainer:
        """Make a run, before its first step.

        Args:
            make_method: builds network and method.
            seed: of the few labelled images, of the first weights and of all orders and views.
            labelled: makes the view of a labelled image; None leaves it as it is.
            unlabelled: name in the batch -> what makes this view of the unlabelled images; None: the method
                is supervised and gets `images` and `labels` alone.
            few: the labelled images, if they are not to be those of `labelled(seed)`.
        """
        few = self.labelled(seed) if few is None else few
        if unlabelled is None:
            pools = [Pool(few, self.sizes[0], {"images": View(step=labelled)})]
        else:
            views = {name: View(step=step) for name, step in unlabelled.items()}
            pools = [
                Pool(few, self.sizes[0], {"labelled": View(step=labelled)}, indices=None),
                Pool(self.images, self.sizes[1], views, labels=None),
            ]
        device = self.images.images.device
        torch.manual_seed(seed)
        method = make_method().to(device, memory_format=torch.channels_last)
        optimizer = Nesterov(method.param_groups(), lr=self.rate, momentum=0.9, weight_decay=5e-4)
        batches = Batches(*pools, seed=seed, device=device)
        return Trainer(method, optimizer, cosine_fraction(self.steps), batches)
