"""What a run says of itself: before the first step, after each evaluation, and when it stops early.

>>> lasting(75.4), lasting(3 * 3600)
('75 s', '3.0 h')
"""

import time
from collections.abc import Mapping
from pathlib import Path

from dlbook.recipes.run.build import Setup
from dlbook.train.parallel.distributed import world_size

__all__ = ["ProgressLines", "lasting", "measured_on"]


def lasting(seconds: float) -> str:
    """Write a time as people say it: "75 s", "12 min", "3.0 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def measured_on(setup: Setup) -> str:
    """The images of the evaluations: "validation", or "training images" where none are held out."""
    return "validation" if len(setup.splits.validation) else "training images"


class ProgressLines:
    """Makes the lines that tell how a run is going; the clock starts here.

    Args:
        setup: of the run, at the step where it begins or goes on.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup, self.first, self.began = setup, setup.trainer.step, time.monotonic()

    def begin(self, folder: Path) -> list[str]:
        """Say what is trained: images, network, device, length and folder."""
        setup, config, parts = self.setup, self.setup.config, self.setup.splits
        numbers = [f"{len(parts.train):,} training images", f"{len(parts.validation):,} for validation"]
        numbers += [] if parts.test is None else [f"{len(parts.test):,} for testing"]
        parameters = list(setup.method.model.parameters())
        count = sum(each.numel() for each in parameters)
        trained = sum(each.numel() for each in parameters if each.requires_grad)
        some = "" if trained == count else f", {trained:,} of them trained"
        shared = f" in {world_size()} processes" if world_size() > 1 else ""
        epochs = f"{config.trainer.epochs} epoch{'s' * (config.trainer.epochs != 1)}"
        lines = [
            f"{config.data.name}: {', '.join(numbers)}; {len(parts.classes)} classes",
            f"{config.model.name}: {count:,} parameters{some}; on {setup.device}{shared}",
            f"{epochs} of {setup.steps_per_epoch} steps; kept in {folder}",
        ]
        if not len(parts.validation):
            lines.append(
                "data.validation=0 holds nothing out: all figures, and the choice of the best, are of the "
                "training images"
            )
        return lines

    def evaluated(self, figures: Mapping[str, float], before: int) -> str:
        """Say how far the run is, its losses and figures, and the time that is left.

        Args:
            figures: of the evaluation.
            before: step of the evaluation before it; the training loss is the mean since then.
        """
        setup, step, steps = self.setup, self.setup.trainer.step, self.setup.steps
        epoch, epochs = round(step / setup.steps_per_epoch), setup.config.trainer.epochs
        loss = setup.trainer.log["loss"][before:].float().mean().item()
        told = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
        rest = (time.monotonic() - self.began) / max(1, step - self.first) * (steps - step)
        left = f"  {lasting(rest)} left" if step < steps else ""
        return (
            f"epoch {epoch} of {epochs}  step {step} of {steps}  "
            f"training loss {loss:.4g}  {measured_on(setup)} {told}{left}"
        )

    def stopped(self, best: Mapping[str, float]) -> str:
        """Say why patience ended the run before its last step."""
        setup, patience = self.setup, self.setup.config.trainer.patience
        return (
            f"stopped at step {setup.trainer.step} of {setup.steps}: trainer.patience={patience}, no "
            f"evaluation since step {best['step']} was better"
        )
