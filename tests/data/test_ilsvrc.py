"""The winners of the ImageNet challenge against what papers and surveys say of them; seeded faults."""

from dataclasses import replace

import pytest

from dlbook.data import ilsvrc

# Read off other places than the results pages: per cent, and how many digits are given there.
REPORTED = {
    (2010, "NEC-UIUC", False): (28.2, 1),  # Russakovsky et al. 2015
    (2011, "XRCE", False): (25.8, 1),  # the same
    (2012, "SuperVision", False): (16.4, 1),  # Krizhevsky et al. 2012, Table 2
    (2012, "SuperVision", True): (15.3, 1),  # the same, abstract
    (2013, "Clarifai", False): (11.7, 1),  # Russakovsky et al. 2015
    (2013, "Clarifai", True): (11.2, 1),  # the same
    (2014, "GoogLeNet", False): (6.66, 2),  # He et al. 2015 (PReLU), abstract
    (2015, "MSRA", False): (3.57, 2),  # He et al. 2016, abstract
    (2016, "Trimps-Soushen", False): (2.99, 2),  # Hu et al. 2018, Section 5
    (2017, "WMW", False): (2.251, 3),  # the same, abstract
}


def check(entries):
    """Each winner has the error that is reported elsewhere, and is the best of its year."""
    winners = [entry for entry in entries if entry.place == 1]
    assert len(winners) == len(REPORTED)
    for entry in winners:
        error, digits = REPORTED[entry.year, entry.team, entry.outside_data]
        assert abs(entry.top5_error - error) <= 0.5 * 10**-digits + 1e-9, entry
    plain = [entry.top5_error for entry in winners if not entry.outside_data]
    assert plain == sorted(plain, reverse=True) and len(plain) == 8  # each year better than the one before
    for entry in entries:
        rivals = [w.top5_error for w in winners if w.year == entry.year and not w.outside_data]
        assert entry.place == 1 or entry.top5_error > min(rivals), entry
        assert entry.learned == (entry.year >= 2012 and entry.team != "ISI"), entry
        assert (entry.models == 1) == (entry.measured_on == "validation"), entry
        assert entry.source.startswith(f"https://image-net.org/challenges/LSVRC/{entry.year}/") or (
            "Table" in entry.source
        ), entry


def test_winners():
    check(ilsvrc())


def test_runner_up_of_2012_is_no_state_of_2011():
    (second,) = [entry for entry in ilsvrc() if entry.place == 2]
    assert (second.year, second.team, round(second.top5_error, 1)) == (2012, "ISI", 26.2)
    assert min(entry.top5_error for entry in ilsvrc() if entry.year == 2011) < second.top5_error


FAULTS = {
    "16.4 % with the outside data": lambda e: (
        replace(e, outside_data=not e.outside_data) if e.year == 2012 and e.place == 1 else e
    ),
    "Clarifai's two entries exchanged": lambda e: (
        replace(e, top5_error=22.94 - e.top5_error) if e.year == 2013 else e
    ),
    "GoogLeNet's single network as the winner": lambda e: (
        replace(e, place=1) if e.year == 2014 and e.models == 1 else e
    ),
    "one digit wrong": lambda e: replace(e, top5_error=2.951) if e.year == 2016 else e,
    "Fisher vectors said to be learned": lambda e: replace(e, learned=True) if e.team == "XRCE" else e,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_check_sees_the_fault(fault):
    with pytest.raises((AssertionError, KeyError)):
        check([FAULTS[fault](entry) for entry in ilsvrc()])
