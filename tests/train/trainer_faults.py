"""The trainer with lines of its source changed, for tests that have to notice."""

import inspect
import textwrap

from dlbook.train import Trainer
from dlbook.train import trainer as module


def edited(*edits):
    """The class with each (old, new) put in; old must stand there once."""
    source = textwrap.dedent(inspect.getsource(Trainer))
    for old, new in edits:
        assert source.count(old) == 1, (old, source.count(old))
        source = source.replace(old, new)
    scope = dict(vars(module))
    exec(compile(source, "<seeded fault>", "exec"), scope)
    return scope["Trainer"]
