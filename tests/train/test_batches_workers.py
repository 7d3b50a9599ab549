"""What a worker process refuses is said as if this process had read the example itself."""

import pytest

from dlbook.train.batches import Batches, Pool, evaluation_batches
from tests.train.test_batches import Numbers


class Refusing(Numbers):
    """A set with one example that cannot be read."""

    def __init__(self, length, error):
        super().__init__(length)
        self.error = error

    def __getitem__(self, index):
        if index == 3:
            raise self.error
        return super().__getitem__(index)


@pytest.mark.parametrize("error", [ValueError("a.jpg: expected a picture"), OSError(28, "No space", "a.jpg")])
@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_of_a_worker_is_the_error_of_the_set(workers, error):
    refusing = Refusing(4, error)
    batches = Batches(Pool(refusing, 4), workers=workers)
    for ask in (lambda: batches(0), lambda: list(evaluation_batches(refusing, 4, workers=workers))):
        with pytest.raises(type(error)) as raised:
            ask()
        assert str(raised.value) == str(error) and type(raised.value) is type(error)
        if workers:
            assert "in __getitem__" in raised.value.__notes__[0]  # the line is still to be found
