"""Where a run is wrong: the confusion matrix, figures of each class, calibration, and the worst mistakes.

    found = examine_run("runs/digits")     # on the test images
    found.answers.confusion()              # [K, K]
    found.sheet()                          # the worst mistakes as one picture, which a notebook shows
    found.save()                           # what `dlbook evaluate` writes into the run's folder

The folder runs/digits/evaluation/test then holds

    figures.json      what `dlbook evaluate` prints
    confusion.csv     counts; the row is the label, the column the guess
    classes.csv       images of each class; recall, precision and F1 in per cent
    calibration.csv   confidence and accuracy in 15 bins, from 0 to 1
    mistakes.csv      every wrong answer, the worst first
    mistakes.png      the worst of them
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from torch.utils.data import Dataset, Subset

from dlbook.files import write_whole, writing_into
from dlbook.measure.answers import Answers
from dlbook.recipes.run.evaluate import answer_run
from dlbook.recipes.run.sheet import sheet

__all__ = ["Examination", "examine_run"]


def examine_run(
    folder: str | Path, part: str = "test", overrides: Sequence[str] = (), checkpoint: str = "best"
) -> "Examination":
    """Evaluate a run's best weights, and keep each answer. Arguments and errors are those of `evaluate_run`.

    Under torchrun all processes call it together, and each gets all answers.
    """
    figures, answers, images, classes, part = answer_run(folder, part, overrides, checkpoint)
    return Examination(Path(folder), part, figures, answers, images, classes)


@dataclass(frozen=True)
class Examination:
    """What a run answered.

    Attributes:
        folder: of the run.
        part: of its data.
        figures: as of `evaluate_run`.
        answers: to the images in their order; None for a run that learnt features.
        images: examples (image [C, H, W] in [0, 1], label).
        classes: their names.
    """

    folder: Path
    part: str
    figures: dict[str, float]
    answers: Answers | None
    images: Dataset
    classes: tuple[str, ...]

    def sheet(self, count: int = 25) -> Image.Image | None:
        """The worst mistakes as one picture, as the network saw them; None where nothing is wrong."""
        worst = self.answers.mistakes()[:count]
        if not len(worst):
            return None
        told = self.answers.at(worst)
        rows = zip(told.labels.tolist(), told.guesses.tolist(), told.confidence.tolist(), strict=True)
        captions = [
            (f"is {self.classes[label]}", f"said {self.classes[guess]}, {100 * sure:.0f} %")
            for label, guess, sure in rows
        ]
        return sheet([self.images[number][0] for number in worst.tolist()], captions)

    def weakest(self, count: int = 3) -> list[tuple[str, float]]:
        """The classes with the smallest recall in per cent, among those that have images."""
        recall = self.answers.by_class().recall.tolist()
        known = [(name, value) for name, value in zip(self.classes, recall, strict=True) if value == value]
        return sorted(known, key=lambda row: row[1])[:count]

    def confused(self, count: int = 3) -> list[tuple[str, str, int, int]]:
        """The commonest mistakes: (label, guess, how many, of how many images with this label)."""
        images = self.answers.by_class().images.tolist()
        return [
            (self.classes[label], self.classes[guess], times, images[label])
            for label, guess, times in self.answers.confused(count)
        ]

    def save(self) -> Path:
        """Write the files that this module's docstring names; return their folder.

        Raises:
            ValueError: the run's folder cannot be written to.
        """
        home = self.folder / "evaluation" / self.part
        with writing_into(home, str(self.folder), "copy the run into a folder of yours"):
            self._write(home)
        return home

    def _write(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        write_whole(home / "figures.json", json.dumps(self.figures, indent=1) + "\n")
        if self.answers is not None:
            write_whole(home / "confusion.csv", _as_csv(self._confusion()))
            write_whole(home / "classes.csv", _as_csv(self._classes()))
            write_whole(home / "calibration.csv", _as_csv(self._calibration()))
            write_whole(home / "mistakes.csv", _as_csv(self._mistakes()))
            self._draw(home / "mistakes.png")

    def _draw(self, file: Path) -> None:
        picture = self.sheet()
        if picture is None:  # none is wrong, so that an earlier picture shows what is no longer
            file.unlink(missing_ok=True)
            return
        stream = io.BytesIO()
        picture.save(stream, format="PNG")
        write_whole(file, stream.getvalue())

    def _confusion(self) -> Iterable[Sequence[Any]]:
        yield ("label", *self.classes)
        for name, counts in zip(self.classes, self.answers.confusion().tolist(), strict=True):
            yield (name, *counts)

    def _classes(self) -> Iterable[Sequence[Any]]:
        yield ("class", "images", "recall in %", "precision in %", "F1 in %")
        found = self.answers.by_class()
        columns = [found.images.tolist()] + [
            [f"{value:.4f}" if value == value else "" for value in column.tolist()]
            for column in (found.recall, found.precision, found.f1)
        ]
        yield from zip(self.classes, *columns, strict=True)

    def _calibration(self) -> Iterable[Sequence[Any]]:
        yield ("from", "to", "share of images", "mean confidence", "accuracy")
        found = self.answers.reliability()
        bins = len(found.share)
        columns = (found.share.tolist(), found.confidence.tolist(), found.accuracy.tolist())
        for number, values in enumerate(zip(*columns, strict=True)):
            told = (f"{value:.6f}" if value == value else "" for value in values)
            yield (f"{number / bins:.4f}", f"{(number + 1) / bins:.4f}", *told)

    def _mistakes(self) -> Iterable[Sequence[Any]]:
        yield ("image", "label", "guess", "confidence", "nats")
        places = self.answers.mistakes()
        told = self.answers.at(places)
        columns = (told.labels.tolist(), told.guesses.tolist(), told.confidence.tolist(), told.nats.tolist())
        for place, label, guess, sure, nats in zip(places.tolist(), *columns, strict=True):
            name = name_of(self.images, place)
            yield (name, self.classes[label], self.classes[guess], f"{sure:.6f}", f"{nats:.6f}")


def name_of(images: Dataset, index: int) -> str:
    """The file of an example, or its number where it has none."""
    if hasattr(images, "files"):
        return str(images.files[index])
    return name_of(images.dataset, images.indices[index]) if isinstance(images, Subset) else str(index)


def _as_csv(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
