"""The neuron of 1943: against the paper's formulas over time, all functions of two inputs, seeded faults."""

import itertools

import pytest

from dlbook.models import mcculloch_pitts as module
from dlbook.models.mcculloch_pitts import HEAT, MEMORY, XOR, Neuron, run

PAIRS = list(itertools.product((0, 1), repeat=2))
WIRINGS = ("none", "excites", "excites twice", "inhibits")


def truth_table(neuron):
    """What one neuron answers to (x, y) = 00, 01, 10, 11."""
    named = lambda x, y: {name for name, value in (("x", x), ("y", y)) if value}
    return tuple(int(neuron.fires(named(x, y))) for x, y in PAIRS)


def wired(x, y, threshold):
    sources = {"none": 0, "excites": 1, "excites twice": 2, "inhibits": 0}
    return Neuron(
        ("x",) * sources[x] + ("y",) * sources[y],
        tuple(name for name, wiring in (("x", x), ("y", y)) if wiring == "inhibits"),
        threshold,
    )


def naive_fires(x, y, wiring, threshold):
    """The rule with numbers in place of names."""
    excitation = {"none": 0, "excites": 1, "excites twice": 2, "inhibits": 0}
    inhibited = any(value and kind == "inhibits" for value, kind in zip((x, y), wiring, strict=True))
    total = sum(value * excitation[kind] for value, kind in zip((x, y), wiring, strict=True))
    return int(total >= threshold and not inhibited)


def check_neuron():
    for *wiring, threshold in itertools.product(WIRINGS, WIRINGS, (1, 2, 3, 4)):
        expected = tuple(naive_fires(x, y, wiring, threshold) for x, y in PAIRS)
        assert truth_table(wired(*wiring, threshold)) == expected


def check_heat():
    """Figure 1e of the paper: N3(t) = N1(t-1) or N2(t-3) and not N2(t-2); N4(t) = N2(t-2) and N2(t-1)."""
    for cold in itertools.product((0, 1), repeat=7):
        for hot in ((0,) * 7, (0, 1, 0, 0, 0, 1, 0)):
            found = run(HEAT, {"hot receptor": hot, "cold receptor": cold})
            n1, n2 = (lambda t, values=values: t >= 0 and values[t] == 1 for values in (hot, cold))
            for t in range(7):
                assert found["feel hot"][t] == (n1(t - 1) or (n2(t - 3) and not n2(t - 2)))
                assert found["feel cold"][t] == (n2(t - 2) and n2(t - 1))


def test_the_neuron_equals_the_rule_in_numbers():
    check_neuron()


def test_the_paper_s_example_obeys_its_formulas_over_time():
    check_heat()


def test_one_neuron_computes_seven_functions_of_two_inputs_and_each_is_silent_on_silence():
    found = {truth_table(wired(x, y, t)) for x, y, t in itertools.product(WIRINGS, WIRINGS, (1, 2, 3, 4))}
    silent = {table for table in itertools.product((0, 1), repeat=4) if not table[0]}
    assert found == silent - {(0, 1, 1, 0)} and len(found) == 7


def test_three_neurons_compute_xor_after_two_units_of_time():
    for x, y in PAIRS:
        assert run(XOR, {"x": [x, 0, 0], "y": [y, 0, 0]})["xor"] == [0, 0, x ^ y]


def test_xor_answers_a_stream_without_mixing_the_questions():
    x, y = [1, 0, 1, 1, 0, 0], [0, 0, 1, 0, 1, 0]
    assert run(XOR, {"x": x, "y": y})["xor"][2:] == [a ^ b for a, b in zip(x, y, strict=True)][:4]


def test_a_circle_remembers_until_it_is_reset():
    found = run(MEMORY, {"set": [0, 1, 0, 0, 0, 0, 0], "reset": [0, 0, 0, 0, 1, 0, 0]})
    assert found["remembers"] == [0, 0, 1, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Neuron(("x",), threshold=0), "threshold of at least 1, got 0"),
        (lambda: run(XOR, {"x": [1], "y": [1, 0]}), "inputs of one length"),
        (lambda: run(XOR, {}), "inputs of one length"),
        (lambda: run(XOR, {"x": [2], "y": [1]}), r"0 or 1 at each time, got others in \['x'\]"),
        (lambda: run(XOR, {"x": [1]}), r"unknown \['y'\]"),
        (lambda: run(XOR, {"x": [1], "y": [0], "xor": [0]}), r"got \['xor'\] twice"),
    ],
)
def test_bad_nets(build, words):
    with pytest.raises(ValueError, match=words):
        build()


def outvoted(self, active):
    """An inhibitory synapse counts as -1: the weighted sum of the textbooks."""
    total = sum(s in active for s in self.excitatory) - sum(s in active for s in self.inhibitory)
    return total >= self.threshold


def beyond(self, active):
    """The threshold has to be exceeded."""
    if any(source in active for source in self.inhibitory):
        return False
    return sum(source in active for source in self.excitatory) > self.threshold


def once(self, active):
    """Two synapses of one axon count as one."""
    if any(source in active for source in self.inhibitory):
        return False
    return sum(source in active for source in set(self.excitatory)) >= self.threshold


FAULTS = {"inhibition outvoted": outvoted, "threshold exceeded": beyond, "synapses counted once": once}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_rule_in_numbers_catches_the_seeded_fault(fault, monkeypatch):
    monkeypatch.setattr(Neuron, "fires", FAULTS[fault])
    with pytest.raises(AssertionError):
        check_neuron()


def without_delay(net, inputs):
    """A synapse that takes no time: all neurons see what fires now."""
    found = {name: list(values) for name, values in inputs.items()} | {name: [] for name in net}
    for t in range(len(next(iter(inputs.values())))):
        for name, neuron in net.items():
            active = {other for other, values in found.items() if len(values) > t and values[t]}
            found[name].append(int(neuron.fires(active)))
    return found


def test_the_paper_s_formulas_catch_a_missing_delay(monkeypatch):
    monkeypatch.setitem(globals(), "run", without_delay)
    with pytest.raises(AssertionError):
        check_heat()


def test_the_paper_s_formulas_catch_a_relay_that_is_left_out(monkeypatch):
    shortened = HEAT | {"feel cold": Neuron(("cold receptor", "cold receptor"), threshold=2)}
    monkeypatch.setitem(globals(), "HEAT", shortened)
    with pytest.raises(AssertionError):
        check_heat()
    assert module.HEAT is not shortened
