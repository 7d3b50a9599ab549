"""What every optimizer does around its update: walk over groups and parameters, keep state, refuse bad input.

An optimizer's own file then holds its update twice, and nothing else: once for one tensor, to be read beside
the paper, and once for a list of tensors through ``torch._foreach_*``, which starts one kernel for many
tensors. The subclass says::

    check(group)                                # raises ValueError on an option out of range
    start(param, group)                         # the state of a parameter before its first step
    update(param, grad, state, group)           # one step of one tensor, in place
    update_many(params, grads, states, group)   # the same step of many tensors on one device, of one dtype

``foreach=None`` takes the list form on CUDA, where starting kernels is what costs time. On the CPU it takes
the tensors one by one, so that a tensor is still in the cache when the next operation reads it. torch's own
fused kernels, one for a whole update, are faster than both (`benchmarks/optimizers.py` measures how much);
they cannot be read. Names in the state (``exp_avg`` and the like) are torch's.

>>> class Signs(TensorOptimizer):
...     def update(self, param, grad, state, group):
...         param.sub_(grad.sign(), alpha=group["lr"])
>>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
>>> optimizer = Signs([weight], {"lr": 0.5}, foreach=False)
>>> weight.square().sum().backward()
>>> optimizer.step(); weight.tolist()
[0.5, -1.5]
"""

import abc
import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

Params = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]
Group = dict[str, Any]
State = dict[str, Any]


class TensorOptimizer(torch.optim.Optimizer, abc.ABC):
    """An optimizer that treats each parameter by itself.

    Args:
        params: parameters, or groups of them as dicts whose options override `defaults`.
        defaults: options with their values, `lr` among them.
        foreach: True: lists of tensors at once; False: one by one; None: lists on CUDA.

    Raises:
        ValueError: an option is out of range in any group.
    """

    def __init__(self, params: Params, defaults: dict[str, Any], foreach: bool | None = None) -> None:
        super().__init__(params, {**defaults, "foreach": foreach})

    def add_param_group(self, param_group: Group) -> None:
        """Add a group, at construction or later. Raises: ValueError if an option is out of range; nothing is
        added then.
        """
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        try:
            require(group, at_least_zero=("lr", "weight_decay", "eps"), below_one=("momentum", "alpha"))
            self.check(group)
            for param in group["params"]:
                if not param.is_floating_point():
                    raise ValueError(
                        f"expected real floating-point parameters, got {param.dtype} {list(param.shape)}; "
                        "leave it out."
                    )
        except ValueError:
            self.param_groups.pop()
            raise

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a state. Raises: ValueError if it is another kind of optimizer's, or for other groups."""
        for group in state_dict["param_groups"]:
            missing = self.defaults.keys() - group.keys()
            if missing:
                raise ValueError(
                    f"expected the state of {type(self).__name__}, got one without "
                    f"{', '.join(sorted(missing))}; "
                    "build the optimizer that the state was saved from."
                )
        super().load_state_dict(state_dict)

    def check(self, group: Group) -> None:
        """Raise ValueError if an option that only this optimizer has is out of range."""

    def start(self, param: Tensor, group: Group) -> State:
        """The state of `param` before its first step."""
        return {}

    @abc.abstractmethod
    def update(self, param: Tensor, grad: Tensor, state: State, group: Group) -> None:
        """One step of one tensor, in place; `grad` is left as it is."""

    def update_many(
        self, params: list[Tensor], grads: list[Tensor], states: list[State], group: Group
    ) -> None:
        """The same step of many tensors; one by one unless the subclass knows better."""
        for param, grad, state in zip(params, grads, states, strict=True):
            self.update(param, grad, state, group)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of every parameter that has a gradient; the others stay, and so does their state.

        closure: computes the loss and its gradients anew, if given. Returns what it returned, or None.
        Raises: ValueError on a sparse gradient.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            params = [param for param in group["params"] if param.grad is not None]
            states = [self._state_of(param, group) for param in params]
            for batch in _batches(params, states, group["foreach"]):
                if batch is None:
                    for param, state in zip(params, states, strict=True):
                        self.update(param, param.grad, state, group)
                else:
                    self.update_many(batch[0], [param.grad for param in batch[0]], batch[1], group)
        return loss

    def _state_of(self, param: Tensor, group: Group) -> State:
        if param.grad.layout != torch.strided:
            raise ValueError(
                f"expected a dense gradient, got {param.grad.layout}; give the embedding sparse=False."
            )
        state = self.state.get(param)
        if state is None:
            state = self.state[param] = self.start(param, group)
        return state


def require(group: Group, at_least_zero: Iterable[str] = (), below_one: Iterable[str] = ()) -> None:
    """Raise ValueError unless the options that `group` has are finite and >= 0, or in [0, 1)."""
    for name in (*at_least_zero, *below_one):
        if name not in group:
            continue
        value, bound = group[name], math.inf if name not in below_one else 1
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < bound:
            expected = f"{name} in [0, 1)" if name in below_one else f"a finite number {name} >= 0"
            raise ValueError(f"expected {expected}, got {value!r}; give a Python number within this range.")


def require_betas(group: Group) -> None:
    """Raise ValueError unless ``group["betas"]`` are two numbers in [0, 1)."""
    betas = group["betas"]
    if not isinstance(betas, (tuple, list)) or len(betas) != 2:
        raise ValueError(f"expected betas to be two numbers, got {betas!r}; for instance (0.9, 0.999).")
    for number, beta in enumerate(betas, 1):
        require({f"beta {number}": beta}, below_one=(f"beta {number}",))


def require_positive_lr(group: Group) -> None:
    """Raise ValueError unless ``group["lr"]`` is above 0 when the group is made."""
    if not group["lr"] > 0:
        raise ValueError(
            f"expected lr > 0 at the start, got {group['lr']}; give the base rate, and let a "
            "schedule begin at 0."
        )


def _batches(
    params: list[Tensor], states: list[State], foreach: bool | None
) -> Iterable[tuple[list[Tensor], list[State]] | None]:
    """None for "one by one"; else the lists that one multi-tensor call may take, of one device and dtype
    each.
    """
    if foreach is None:
        foreach = all([param.is_cuda for param in params])
    if not foreach or not params:
        return [None]
    if len({param.dtype for param in params}) == 1 == len({param.device for param in params}):
        return [(params, states)]
    found: dict[tuple, tuple[list[Tensor], list[State]]] = {}
    for param, state in zip(params, states, strict=True):
        kept = found.setdefault((param.device, param.dtype), ([], []))
        kept[0].append(param)
        kept[1].append(state)
    return found.values()
