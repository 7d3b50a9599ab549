"""The neuron of McCulloch and Pitts, "A Logical Calculus of the Ideas Immanent in Nervous Activity" (Bulletin
of Mathematical Biophysics 5, 1943), as it was: equal excitation, absolute inhibition, a threshold, discrete
time.

The five assumptions of the paper, as rules::

    a neuron fires or does not                                                     # all or none
    at time t it fires if, at t - 1, at least `threshold` excitatory synapses were active
        and no inhibitory synapse was                                              # inhibition is absolute
    one synapse takes one unit of time, and nothing else takes any
    synapses and thresholds never change                                           # so nothing is learnt

There are no weights. The unit of the textbooks, which fires where w . x >= threshold, is a later
generalisation: there an inhibitory input can be outvoted, here it cannot. A neuron never fires by itself, so
no net can say *not* without an input that fires all the time.

Departures from the paper

1. The paper proves which logical formulas nets can realise; this file runs the nets.
2. An axon with two synapses on one neuron is written as its name, twice.
3. The paper draws all thresholds as 2, and sums that reach it by doubled synapses; here a neuron has its own.

>>> both = Neuron(("left", "right"), threshold=2)
>>> run({"both": both}, {"left": [1, 1, 0, 0], "right": [0, 1, 1, 0]})["both"]
[0, 0, 1, 0]
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Neuron:
    """Describe one neuron by what leads to it.

    Args:
        excitatory: names of neurons or inputs, each worth 1; a name twice is two synapses.
        inhibitory: names of which a single one keeps the neuron quiet.
        threshold: active excitatory synapses that make it fire, at least 1.

    Raises:
        ValueError: a threshold below 1.
    """

    excitatory: tuple[str, ...]
    inhibitory: tuple[str, ...] = ()
    threshold: int = 1

    def __post_init__(self) -> None:
        if self.threshold < 1:
            raise ValueError(
                f"expected a threshold of at least 1, got {self.threshold}; a neuron of 1943 never fires by "
                "itself, so excite it by an input that is always active"
            )

    def fires(self, active: Collection[str]) -> bool:
        """Return whether it fires one unit of time after the `active` ones did."""
        if any(source in active for source in self.inhibitory):
            return False
        return sum(source in active for source in self.excitatory) >= self.threshold


def run(net: Mapping[str, Neuron], inputs: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """Let a net run over its inputs; at time 0 its neurons are quiet.

    Args:
        net: {name: neuron}; a neuron may lead to itself or to an earlier one (the paper's "circles").
        inputs: {name: 0 or 1 at each unit of time}, all of one length.

    Returns:
        {name: 0 or 1 at each unit of time}, inputs and neurons, as long as the inputs.

    Raises:
        ValueError: inputs of several lengths, a value that is not 0 or 1, or a name that leads from nowhere.
    """
    _check(net, inputs)
    activity = {name: [int(value) for value in values] for name, values in inputs.items()}
    activity |= {name: [0] for name in net}
    for time in range(1, len(next(iter(inputs.values())))):
        active = {name for name, values in activity.items() if values[time - 1]}
        for name, neuron in net.items():
            activity[name].append(int(neuron.fires(active)))
    return activity


def _check(net: Mapping[str, Neuron], inputs: Mapping[str, Sequence[int]]) -> None:
    lengths = {name: len(values) for name, values in inputs.items()}
    if len(set(lengths.values())) != 1 or 0 in lengths.values():
        raise ValueError(f"expected inputs of one length, 1 or more, got {lengths}; fill them up with 0")
    wrong = [name for name, values in inputs.items() if set(values) - {0, 1}]
    if wrong:
        raise ValueError(f"expected 0 or 1 at each time, got others in {wrong}; a neuron fires or does not")
    both = set(net) & set(inputs)
    if both:
        raise ValueError(f"expected a name for one thing, got {sorted(both)} twice; rename the input")
    named = {source for neuron in net.values() for source in (*neuron.excitatory, *neuron.inhibitory)}
    unknown = named - set(net) - set(inputs)
    if unknown:
        raise ValueError(
            f"expected names of neurons or inputs, got the unknown {sorted(unknown)}; this net has "
            f"{sorted([*net, *inputs])}"
        )


# x and not y, y and not x, and one that hears both: two units of time. One neuron cannot do it.
XOR = {
    "left": Neuron(("x",), ("y",)),
    "right": Neuron(("y",), ("x",)),
    "xor": Neuron(("left", "right")),
}

# The paper's example (Figure 1e): a cold object that touches the skin for a moment feels hot; one that stays
# feels cold.
HEAT = {
    "relay": Neuron(("cold receptor",)),
    "gone": Neuron(("relay",), ("cold receptor",)),  # it was cold, and is not any more
    "feel hot": Neuron(("hot receptor", "gone")),
    "feel cold": Neuron(("relay", "cold receptor"), threshold=2),
}

# A circle: it keeps firing until it is told to stop. The paper's nets with circles have a memory.
MEMORY = {"remembers": Neuron(("set", "remembers"), ("reset",))}
