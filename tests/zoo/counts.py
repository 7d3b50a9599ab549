"""What `dlbook/zoo/counted.csv` says of a row, against the row counted now. `scripts/check_zoo.py` asks all
rows; `tests/zoo/test_rows.py` a few, and shows that a wrong number is caught.
"""

from dlbook.zoo import rows
from dlbook.zoo.counting import counted


def check_counts(name: str) -> list[str]:
    """Family, input, parameters and MACs of the row are recorded as they are."""
    try:
        told = rows.entry(name)
    except ValueError:
        return [f"no count is recorded; {rows.AGAIN}"]
    found = counted(name)
    return [] if told == found else [f"recorded as {told}, counted as {found}; {rows.AGAIN}"]


CHECKS = {"counts": check_counts}
